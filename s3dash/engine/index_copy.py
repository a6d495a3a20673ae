"""The copy of the index at the top of a cache, for the plain clients there.

To put together ten thousand entries takes as long as to compare them with the disk. So a copy is
left as it is while all that it was made from is as it was: the index, the base, and itself.
"""

import hashlib

import msgspec

from s3dash.core.index import Entry
from s3dash.engine.context import Context
from s3dash.engine.observe import Observation
from s3dash.engine.push import file_time


def keep(ctx: Context, seen: Observation) -> None:
    """Have the copy say what this cache holds. Raises LocalError."""
    moves, source = ctx.state.moves, _source(seen)
    if source is not None and ctx.state.about_base() == _said(ctx, source):
        return
    ctx.sidecar.write_index(_held(ctx, seen), last_pulled=ctx.now())
    if source is not None:
        ctx.state.say_about_base(_said(ctx, source), moves=moves)


def _said(ctx: Context, source: str) -> str:
    return f"copy {ctx.sidecar.index_version()} of {source}"


def _source(seen: Observation) -> str | None:
    """What the copy is made from besides the base; None where that takes more than a version."""
    if seen.remote.version == 0 or seen.skipped or seen.blocked:
        return None
    versions = sorted(seen.remote.fingerprint)
    digest = hashlib.sha256(msgspec.json.encode(versions)).hexdigest()
    return f"{len(seen.remote.entries)} {digest}"


def _held(ctx: Context, seen: Observation) -> dict[str, Entry]:
    """The entries that this cache holds or leaves in the bucket, with this machine's times."""
    base = ctx.state.base_rows()
    held: dict[str, Entry] = {}
    for rel, entry in seen.remote.entries.items():
        row = base.get(rel)
        if row is not None and row.tag == entry.tag:
            mtime = file_time(row.stat) if row.stat else entry.localMtime
            held[rel] = msgspec.structs.replace(entry, localMtime=mtime)
        elif rel in seen.skipped:
            held[rel] = entry
    return held
