"""What a commit is to write, once the lock is held and the index is as it will be changed."""

from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from s3dash.core.index import Entry
from s3dash.engine import intents
from s3dash.engine.commit import Edit
from s3dash.engine.context import Context
from s3dash.engine.observe import recognise
from s3dash.engine.recover import Leftovers
from s3dash.engine.remote import RemoteIndex


def completed(
    ctx: Context,
    edits: Sequence[Edit],
    ours: Mapping[str, str],
    *,
    index: RemoteIndex,
    left: Leftovers,
) -> list[Edit]:
    """The edits of a push, and what else the index needs. `ours`: ETags of its uploads by path.

    Raises what the store raises.
    """
    found = _over_listed(ctx, edits, ours, index)
    found += _seeds(ctx, index, left, {edit.rel for edit in found})
    return found + _replayed(index, left, {edit.rel for edit in found})


def announced(
    ctx: Context, nonce: str, edits: Sequence[Edit], *, index: RemoteIndex, left: Leftovers
) -> intents.Intent:
    """What is about to change. Also names the objects that an earlier push was to delete."""
    overdue = {rel: row.sha256 for rel, row in left.deletes.items() if row.sha256}
    removed = intents.tags((e.rel, e.over) for e in edits if e.entry is None)
    return intents.Intent(
        seq=0 if index.version == 1 else (index.commit_seq or 0) + 1,
        writer=f"{ctx.identity.client} {nonce}",
        holder=ctx.identity.holder,
        at=ctx.now(),
        adds=intents.tags((e.rel, e.tag) for e in edits if e.entry is not None),
        tombstones=overdue | removed,
        bases=intents.tags((e.rel, e.over) for e in edits if e.entry is not None),
    )


def _seeds(ctx: Context, index: RemoteIndex, left: Leftovers, touched: set[str]) -> list[Edit]:
    """There is no index: publish what the listing found, with the hashes that we know.

    `index` is as it is under the lock: meanwhile somebody else may have published one. Uploads of
    ours that are not in this push stay uncommitted, as where there is an index.
    """
    if not index.rebuilt:
        return []
    recognise(index, ctx.state.base_rows())
    own = {rel for rel, row in left.uploads.items() if index.etags.get(rel) == row.etag}
    known = touched | own
    return [Edit(r, e, None) for r, e in index.entries.items() if r not in known]


def _replayed(index: RemoteIndex, left: Leftovers, touched: set[str]) -> list[Edit]:
    """What an interrupted push has in the index already, but perhaps not in its copies (v1)."""
    standing = {rel: index.entries.get(rel) for rel in left.standing}
    edits = [Edit(rel, entry, entry.tag) for rel, entry in standing.items() if entry]
    edits += [Edit(rel, None, None) for rel in left.deletes if rel not in index.entries]
    return [edit for edit in edits if edit.rel not in touched]


def _over_listed(
    ctx: Context, edits: Sequence[Edit], ours: Mapping[str, str], index: RemoteIndex
) -> list[Edit]:
    """Who published an index that was missing listed our uploads, not knowing what they are.

    An entry without a hash names whatever object is there: ours, while it has our ETag.
    """
    if index.rebuilt:
        return list(edits)
    return [_over_if_ours(ctx, ours, index.entries.get(e.rel), e) for e in edits]


def _over_if_ours(ctx: Context, ours: Mapping[str, str], listed: Entry | None, edit: Edit) -> Edit:
    if listed is None or listed.sha256 is not None or edit.over == listed.tag:
        return edit
    etag = ours.get(edit.rel)
    is_ours = etag is not None and ctx.store.head(ctx.keys.data(edit.rel)).etag == etag
    return replace(edit, over=listed.tag) if is_ours else edit
