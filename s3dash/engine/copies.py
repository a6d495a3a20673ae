"""A renamed file: its object is copied on the server, no byte of it is sent again (scenario 13).

A copy takes no condition on its target. So the name is claimed first, by a conditional PUT of
bytes that nobody else writes; the claim is then ours to overwrite.
"""

import hashlib

from s3dash.core.plan import Item
from s3dash.engine.context import Context
from s3dash.engine.observe import Observation
from s3dash.engine.uploads import UploadJournal
from s3dash.errors import AccessDenied, NotFound, NotImplementedByEndpoint, PreconditionFailed
from s3dash.local.state import JournalRow
from s3dash.objectstore.port import Uploaded

_NOT_POSSIBLE = (NotFound, PreconditionFailed, AccessDenied, NotImplementedByEndpoint)


def claim_of(nonce: str) -> bytes:
    """The bytes that hold a name for the length of a copy."""
    return f"s3dash moves an object here: {nonce}\n".encode()


def copied(ctx: Context, seen: Observation, item: Item, *, nonce: str) -> Uploaded | None:
    """The renamed object at its new name; None when it has to be uploaded after all."""
    row = seen.local.base.get(item.source or "")
    local = item.change.local
    if row is None or row.etag is None or local is None or row.size == 0:
        return None
    claim, key = claim_of(nonce), ctx.keys.data(item.path)
    _journal(ctx, item, nonce, claim)  # a crash must not leave a claim that nobody knows
    ctx.state.attempt([(item.path, row.sha256)])  # nor a copy, or an upload in its place
    try:
        ctx.store.put(key, claim, if_none_match=True)
        stored = ctx.store.copy(
            ctx.keys.data(row.rel),
            key,
            if_match=row.etag,
            size=row.size,
            log=UploadJournal(ctx, item.path),
        )
    except _NOT_POSSIBLE:
        return None
    return Uploaded(stored.etag, row.size, row.sha256)


def _journal(ctx: Context, item: Item, nonce: str, claim: bytes) -> None:
    ctx.state.journal_add(
        [
            JournalRow(
                commit_id=nonce,
                rel=item.path,
                action="upload",
                sha256=hashlib.sha256(claim).hexdigest(),
                size=len(claim),
                etag=None,
                over=None,
                at=ctx.now(),
            )
        ]
    )
