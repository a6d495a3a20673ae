"""Intent records: what a commit is about to do, written before it does it.

They tell a deletion (a tombstone) from an entry that a plain client overwrote by accident
(invariant I6). Own format of s3dash, below `_control/`, which no client ever syncs.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta

import msgspec

from s3dash.clock import from_iso, iso
from s3dash.core.cancel import CancelToken
from s3dash.core.content import Writer
from s3dash.core.keys import Keys
from s3dash.engine.cas import Cas, read
from s3dash.engine.context import Context
from s3dash.objectstore.port import ObjectInfo, ObjectStore

KEEP_DAYS = 7
_PRUNED = "pruned-records"


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """`adds` maps a path to its new tag, `tombstones` to the tag that is deleted.

    `seq` is the commitSeq that the commit is about to make, 0 on a version 1 index.
    """

    version: int = 1
    seq: int = 0
    writer: str
    holder: str
    at: str
    adds: dict[str, str] = {}
    tombstones: dict[str, str] = {}
    bases: dict[str, str] = {}


_DECODER = msgspec.json.Decoder(Intent)


class Listing:
    """The records' objects, listed when they are first asked for, and not again."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._found: list[ObjectInfo] | None = None

    def __iter__(self) -> Iterator[ObjectInfo]:
        """Raises what the store raises."""
        if self._found is None:
            self._found = list(self._ctx.store.list(self._ctx.keys.commits))
        return iter(self._found)


def write(ctx: Context, intent: Intent, nonce: str, *, guard: Callable[[], None]) -> None:
    """One small object, named by time and nonce. `guard` is the lease's."""
    stamp = ctx.clock.now().strftime("%Y%m%dT%H%M%SZ")
    key = f"{ctx.keys.commits}{stamp}-{nonce}.json"
    Cas(ctx.store, ctx.patience, guard).put(key, msgspec.json.encode(intent), version=None)


class Records(msgspec.Struct):
    """What is on record: `tombstones`, deletions by path that no later commit took back, and
    `latest`, the tag that the last commit of an s3dash gave a path."""

    tombstones: dict[str, set[str]] = msgspec.field(default_factory=dict)
    latest: dict[str, str] = msgspec.field(default_factory=dict)


def read_all(ctx: Context) -> Records:
    """Every record, in the order of their commits; clocks decide only where there is no other.

    Raises what the store raises.
    """
    records = Records()
    each = (_read(ctx, info.key) for info in ctx.store.list(ctx.keys.commits))
    found = sorted((i for i in each if i is not None), key=lambda i: (i.seq, i.at))
    for intent in found:
        for rel, tag in intent.adds.items():
            records.tombstones.get(rel, set()).discard(tag)
            records.latest[rel] = tag
        for rel, tag in intent.tombstones.items():
            records.tombstones.setdefault(rel, set()).add(tag)
            records.latest.pop(rel, None)
    return records


def writers(
    ctx: Context, tags: Mapping[str, str], *, most: int, cancel: CancelToken
) -> dict[str, Writer]:
    """Who gave these paths these tags, by path; what the latest `most` records do not say is
    left out. Raises what the store raises, Cancelled.
    """
    wanted, found = dict(tags), dict[str, Writer]()
    if not wanted:
        return found
    keys = sorted((info.key for info in ctx.store.list(ctx.keys.commits)), reverse=True)
    for key in keys[:most]:
        cancel.check()
        intent = _read(ctx, key)
        if intent is None:
            continue
        done = {rel for rel, tag in wanted.items() if intent.adds.get(rel) == tag}
        found |= dict.fromkeys(done, Writer(intent.holder, intent.at))
        wanted = {rel: tag for rel, tag in wanted.items() if rel not in done}
        if not wanted:
            break
    return found


def newest(store: ObjectStore, keys: Keys, *, most: int, now: datetime) -> list[ObjectInfo]:
    """The records of the latest `most` commits, the newest first; lists those of a day first.

    Raises what the store raises.
    """
    day_ago = f"{keys.commits}{now - timedelta(days=1):%Y%m%dT%H%M%SZ}"
    found = list(store.list(keys.commits, start_after=day_ago))
    if len(found) < most:
        found = list(store.list(keys.commits))
    return sorted(found, key=_written, reverse=True)[:most]


def _written(info: ObjectInfo) -> tuple[float, str]:
    return info.last_modified.timestamp() if info.last_modified else 0.0, info.key


def read_one(ctx: Context, key: str) -> Intent | None:
    """A record by its key; None for one that is gone or makes no sense."""
    return _read(ctx, key)


def by_nonce(ctx: Context, nonce: str) -> Intent | None:
    """The record of the commit with this nonce, while it is kept. Raises what the store raises."""
    tail = f"-{nonce}.json"
    keys = (info.key for info in ctx.store.list(ctx.keys.commits) if info.key.endswith(tail))
    key = next(keys, None)
    return None if key is None else _read(ctx, key)


def latest_seq(ctx: Context) -> int:
    """The highest commitSeq that is on record, 0 for none. Raises what the store raises."""
    each = (_read(ctx, info.key) for info in ctx.store.list(ctx.keys.commits))
    return max((intent.seq for intent in each if intent is not None), default=0)


def deleted_lately(
    ctx: Context, records: Iterable[ObjectInfo], *, within_s: float
) -> dict[str, set[str]]:
    """Tags by path that were to be deleted within the last seconds, by the server's clock.

    Raises what the store raises.
    """
    found: dict[str, set[str]] = {}
    for info in records:
        age = _age(ctx, info)
        intent = _read(ctx, info.key) if age is None or age.total_seconds() <= within_s else None
        for rel, tag in intent.tombstones.items() if intent else ():
            found.setdefault(rel, set()).add(tag)
    return found


def prune(ctx: Context, records: Iterable[ObjectInfo]) -> None:
    """Once a day: drop the records that are older than a week by the server's clock."""
    now = ctx.clock.now()
    last = from_iso(ctx.state.get(_PRUNED) or "")
    if last is not None and timedelta(0) <= now - last < timedelta(days=1):
        return
    ctx.state.set(_PRUNED, iso(now))
    old = [info.key for info in records if _is_old(ctx, info)]
    if old:
        ctx.store.delete_many(old)


def _is_old(ctx: Context, info: ObjectInfo) -> bool:
    age = _age(ctx, info)
    return age is not None and age > timedelta(days=KEEP_DAYS)


def _age(ctx: Context, info: ObjectInfo) -> timedelta | None:
    """By the server's clock alone; None where it told no time."""
    server = ctx.store.server_time()
    if server is None or info.last_modified is None:
        return None
    return server - info.last_modified


def _read(ctx: Context, key: str) -> Intent | None:
    """A record that is gone or makes no sense says nothing; it never stops a sync."""
    fetched = read(ctx.store, key)
    try:
        return _DECODER.decode(fetched.body) if fetched else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        ctx.note("warning", "index", f"the record {key} cannot be read: {type(error).__name__}")
        return None


def tags(pairs: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    return {rel: tag for rel, tag in pairs if tag is not None}
