"""Errors as states of the endpoint, and who pushed last."""

from s3dash.core.trouble import LastCommit, Trouble, TroubleKind
from s3dash.engine import intents
from s3dash.engine.context import Context
from s3dash.engine.remote import RemoteIndex
from s3dash.errors import (
    AccessDenied,
    BucketNotFound,
    CredentialsExpired,
    S3DashError,
    StoreError,
    Unreachable,
)

_KINDS: tuple[tuple[type[S3DashError], TroubleKind], ...] = (
    (CredentialsExpired, "expired"),
    (AccessDenied, "denied"),
    (BucketNotFound, "missing"),
    (Unreachable, "offline"),
)


def trouble_of(error: S3DashError) -> Trouble:
    failing: TroubleKind = "failing"
    kind = next((name for cls, name in _KINDS if isinstance(error, cls)), failing)
    refused = error if isinstance(error, StoreError) else None
    return Trouble(
        kind,
        error.message,
        refused.action if refused else "",
        refused.resource if refused else "",
        error.hint,
    )


class Commits:
    """Remembers who made the latest commit; asks only when there is another one."""

    def __init__(self) -> None:
        self.latest = LastCommit()
        self._writer = ""

    def learn(self, ctx: Context, index: RemoteIndex | None) -> None:
        """Two requests at most. A plain client signs nothing: then nobody is named.

        Raises what the store raises.
        """
        writer = index.meta.writer if index is not None and index.meta is not None else None
        if writer == self._writer:
            return
        nonce = (writer or "").rpartition(" ")[2]
        record = intents.by_nonce(ctx, nonce) if nonce else None
        self._writer = writer or ""
        self.latest = LastCommit(record.at, record.holder) if record else LastCommit()
