"""The record of a datastore that moves, in the place that it leaves.

An object of the bucket and not of this machine's state: another machine may have to go on, and
every client of the old place has to learn that it is empty on purpose. By compare-and-swap.
"""

from collections.abc import Callable

import msgspec

from s3dash.core.keys import Keys
from s3dash.core.moves import Phase, Record, decode_record, encode_record, place_name
from s3dash.engine.cas import Cas, read
from s3dash.engine.context import Context
from s3dash.errors import OtherDatastore, StoreError

NAME = "moved.json"


class Noted(msgspec.Struct, frozen=True):
    """A record, and the version of its object."""

    record: Record
    etag: str


def key_of(keys: Keys) -> str:
    return f"{keys.control}{NAME}"


def find(ctx: Context) -> Noted | None:
    """The record of the place that `ctx` is in. Raises StoreError for one that makes no sense."""
    key = key_of(ctx.keys)
    found = read(ctx.store, key)
    if found is None:
        return None
    record = decode_record(found.body)
    if record is None:
        raise StoreError(f"{key} is no record of a migration", hint="look at it, then delete it")
    return Noted(record, found.info.etag)


def write(
    ctx: Context,
    phase: Phase,
    to: str | None,
    *,
    over: Noted | None,
    guard: Callable[[], None],
) -> Noted:
    """Raises PreconditionFailed when somebody else changed it meanwhile."""
    record = Record(phase=phase, to=to or "", by=ctx.identity.holder, at=ctx.now())
    body = encode_record(record)
    version = over.etag if over else None
    etag = Cas(ctx.store, ctx.patience, guard).put(key_of(ctx.keys), body, version=version)
    return Noted(record, etag)


def refuse_if_left(ctx: Context) -> None:
    """Raises OtherDatastore when this place was left for another one."""
    found = find(ctx)
    if found is None or found.record.phase == "copying":
        return
    record = found.record
    where = f'namespace = "{record.to}"' if record.to else "no namespace"
    raise OtherDatastore(
        f"this datastore was moved to {place_name(record.target)} ({record.at} by {record.by}); "
        "nothing was changed here",
        hint=f"configure {where}; to begin a new one here, delete {key_of(ctx.keys)}",
    )
