"""A renamed file: its object is copied on the server, no byte of it is sent again (scenario 13).

Where copies heed conditions, that is one request. Elsewhere the name is claimed first, by a
conditional PUT of bytes that nobody else writes; the claim is then ours to overwrite.
"""

import hashlib

from s3dash.core.plan import Item
from s3dash.engine.context import Context
from s3dash.engine.observe import Observation
from s3dash.engine.uploads import UploadJournal
from s3dash.errors import AccessDenied, NotFound, NotImplementedByEndpoint, PreconditionFailed
from s3dash.local.state import BaseRow, JournalRow
from s3dash.objectstore.multipart import COPY_IN_PARTS_ABOVE
from s3dash.objectstore.port import Capabilities, Uploaded

_NOT_POSSIBLE = (NotFound, PreconditionFailed, AccessDenied, NotImplementedByEndpoint)


def claim_of(nonce: str) -> bytes:
    """The bytes that hold a name for the length of a copy."""
    return f"s3dash moves an object here: {nonce}\n".encode()


def source_of(seen: Observation, item: Item) -> BaseRow | None:
    """What is to be copied; None: there is nothing that can be."""
    row = seen.local.base.get(item.source or "")
    if row is None or row.etag is None or item.change.local is None or row.size == 0:
        return None
    return row


def is_one_request(can: Capabilities, row: BaseRow) -> bool:
    """Whether the copy itself wants its target absent. A large one goes in parts."""
    return can.copies and (can.complete or row.size <= COPY_IN_PARTS_ABOVE)


def copied(
    ctx: Context, seen: Observation, item: Item, can: Capabilities, *, nonce: str
) -> Uploaded | None:
    """The renamed object at its new name; None when it has to be uploaded after all.

    In one request it was announced with its content; a claim announces itself.
    """
    row = source_of(seen, item)
    if row is None:
        return None
    claim, key, at_once = claim_of(nonce), ctx.keys.data(item.path), is_one_request(can, row)
    if not at_once:
        _journal(ctx, item, nonce, claim)  # a crash must not leave a claim that nobody knows
        ctx.state.attempt([(item.path, row.sha256)])  # nor a copy, or an upload in its place
    try:
        if not at_once:
            ctx.store.put(key, claim, if_none_match=True)
        stored = ctx.store.copy(
            ctx.keys.data(row.rel),
            key,
            if_match=row.etag,
            if_none_match=at_once,
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
