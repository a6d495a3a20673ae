"""Intent records: what a commit is about to do, written before it does it.

They tell a deletion (a tombstone) from an entry that a plain client overwrote by accident
(invariant I6). Own format of s3dash, below `_control/`, which no client ever syncs.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta

import msgspec

from s3dash.engine.cas import Cas
from s3dash.engine.context import Context
from s3dash.errors import S3DashError

KEEP_DAYS = 7


class Intent(msgspec.Struct, frozen=True, kw_only=True):
    """`adds` maps a path to its new tag, `tombstones` to the tag that is deleted."""

    version: int = 1
    writer: str
    holder: str
    at: str
    adds: dict[str, str] = {}
    tombstones: dict[str, str] = {}
    bases: dict[str, str] = {}


_DECODER = msgspec.json.Decoder(Intent)


def write(ctx: Context, intent: Intent, nonce: str) -> None:
    """One small object, named by time and nonce, so that the listing is in order of time."""
    stamp = ctx.clock.now().strftime("%Y%m%dT%H%M%SZ")
    key = f"{ctx.keys.commits}{stamp}-{nonce}.json"
    Cas(ctx.store, ctx.clock, ctx.cancel).put(key, msgspec.json.encode(intent), version=None)


@dataclass(slots=True)
class Records:
    """What is on record: `tombstones`, deletions by path that no later commit took back, and
    `latest`, the tag that the last commit of an s3dash gave a path."""

    tombstones: dict[str, set[str]] = field(default_factory=dict)
    latest: dict[str, str] = field(default_factory=dict)


def read_all(ctx: Context) -> Records:
    """Every record, in order of time."""
    records = Records()
    for info in ctx.store.list(ctx.keys.commits):
        intent = _read(ctx, info.key)
        if intent is None:
            continue
        for rel, tag in intent.adds.items():
            records.tombstones.get(rel, set()).discard(tag)
            records.latest[rel] = tag
        for rel, tag in intent.tombstones.items():
            records.tombstones.setdefault(rel, set()).add(tag)
            records.latest.pop(rel, None)
    return records


def prune(ctx: Context) -> None:
    """Drop the records that are older than a week: every reader has seen them."""
    oldest = (ctx.clock.now() - timedelta(days=KEEP_DAYS)).strftime("%Y%m%dT%H%M%SZ")
    old = [i.key for i in ctx.store.list(ctx.keys.commits) if _stamp(i.key, ctx) < oldest]
    if old:
        ctx.store.delete_many(old)


def _stamp(key: str, ctx: Context) -> str:
    return key[len(ctx.keys.commits) :].partition("-")[0]


def _read(ctx: Context, key: str) -> Intent | None:
    """A record that cannot be read says nothing; it never stops a sync."""
    try:
        fetched = ctx.store.get(key)
        return _DECODER.decode(fetched.body) if fetched else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, S3DashError) as error:
        ctx.note("warning", "index", f"the record {key} cannot be read: {type(error).__name__}")
        return None


def tags(pairs: Iterable[tuple[str, str | None]]) -> dict[str, str]:
    return {rel: tag for rel, tag in pairs if tag is not None}
