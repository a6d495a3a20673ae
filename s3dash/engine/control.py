"""The control plane: small records below `_control/`, written with care, read as they are.

A record is replaced or deleted only as the version that was just seen. Whoever asks for a condition
of his own (`if_absent`, `if_match`) gets a true answer or none: where the endpoint does not honour
conditions, or an answer was lost and the bytes do not tell whose they are, that is an error.
"""

from contextlib import suppress
from itertools import count

from s3dash.clock import iso
from s3dash.core.cancel import CancelToken
from s3dash.core.control import (
    READ_MOST,
    Content,
    Record,
    Written,
    check_key,
    check_size,
    content_of,
    is_own,
)
from s3dash.core.paths import CONTROL_DIR
from s3dash.core.text import count as number_of
from s3dash.engine import trust
from s3dash.engine.cas import read
from s3dash.engine.context import Context
from s3dash.engine.decided import Turn
from s3dash.errors import (
    NotFound,
    NotImplementedByEndpoint,
    PreconditionFailed,
    S3DashError,
    UnsafeEndpoint,
    UsageError,
)
from s3dash.objectstore.port import ObjectInfo, Stored

ROUNDS = 8
"""How often a record may be replaced under our hands before we give up."""


class Control:
    """On the facade: `engine.control`. It touches no cache, and so works beside its owner too.

    Every call waits for a running operation. All raise UsageError for a key that can be none,
    what the store raises, and Cancelled.
    """

    def __init__(self, ctx: Context, *, turn: Turn) -> None:
        self._ctx = ctx
        self._turn = turn

    def get(self, key: str, *, cancel: CancelToken | None = None) -> Content:
        """A record with its bytes. Raises NotFound; UsageError above `READ_MOST` bytes."""
        self._check(key)
        with self._turn(cancel) as ctx:
            for _ in range(ROUNDS):
                ctx.cancel.check()
                info = self._seen(ctx, key)
                if info.size > READ_MOST:
                    raise UsageError(f"{key}: an object of {info.size:,} bytes is no record")
                with suppress(PreconditionFailed):  # replaced between two requests: once more
                    fetched = ctx.store.get(info.key, if_match=info.etag)
                    if fetched is not None:
                        return content_of(_record(key, info), fetched.body)
        raise _restless(key)

    def list(
        self, prefix: str = "", *, own: bool = False, cancel: CancelToken | None = None
    ) -> tuple[Record, ...]:
        """The records whose key begins so, by key; s3dash's own only with `own`, or when asked."""
        root = self._key("")
        with self._turn(cancel) as ctx:
            found = []
            for number, info in enumerate(ctx.store.list(root + prefix)):
                if number % 1000 == 0:
                    ctx.cancel.check()
                key = info.key.removeprefix(root)
                if key and not key.endswith("/") and (own or is_own(prefix) or not is_own(key)):
                    found.append(_record(key, info))
        return tuple(sorted(found, key=lambda record: record.key))

    def put(
        self,
        key: str,
        body: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        force: bool = False,
        cancel: CancelToken | None = None,
    ) -> Written:
        """Write a record. Raises PreconditionFailed where a condition does not hold,
        UnsafeEndpoint where it would not be honoured, UsageError without `force` for our own keys
        and for more than `PUT_MOST` bytes.
        """
        self._check(key, writes=True, force=force)
        check_size(key, len(body))
        if if_absent and if_match is not None:
            raise UsageError("a record cannot be absent and have an ETag at the same time")
        with self._turn(cancel) as ctx:
            if if_absent or if_match is not None:
                trust.capabilities(ctx)
            wanted = _Wanted(key, if_absent=if_absent, if_match=_bare(if_match))
            written = self._put(ctx, wanted, body)
            what = "created" if written.created else "replaced"
            ctx.note("info", "control", f"{what} {key}, {number_of(len(body), 'byte')}")
            return written

    def delete(
        self,
        key: str,
        *,
        if_match: str | None = None,
        force: bool = False,
        cancel: CancelToken | None = None,
    ) -> Record:
        """Delete a record; what it was. Raises NotFound when there is none, and as `put` does."""
        self._check(key, writes=True, force=force)
        wanted = _Wanted(key, if_match=_bare(if_match))
        with self._turn(cancel) as ctx:
            if if_match is not None and not trust.capabilities(ctx).delete:
                _allow_unsafe(ctx)
            gone = self._delete(ctx, wanted)
            ctx.note("info", "control", f"deleted {key}, {number_of(gone.size, 'byte')}")
            return gone

    # --- one record ---------------------------------------------------------------------

    def _key(self, key: str) -> str:
        return f"{self._ctx.keys.root}{CONTROL_DIR}/{key}"

    def _check(self, key: str, *, writes: bool = False, force: bool = False) -> None:
        check_key(key, root=self._ctx.keys.root, writes=writes, force=force)

    def _seen(self, ctx: Context, key: str) -> ObjectInfo:
        try:
            return ctx.store.head(self._key(key))
        except NotFound as error:
            raise NotFound(
                f"there is no record {key}", hint="`s3dash control list` lists them"
            ) from error

    def _now(self, ctx: Context, key: str) -> ObjectInfo | None:
        try:
            return ctx.store.head(self._key(key))
        except NotFound:
            return None

    def _put(self, ctx: Context, wanted: "_Wanted", body: bytes) -> Written:
        key, created = wanted.key, False
        for attempt in count(1):
            ctx.cancel.check()
            now = self._now(ctx, key)
            wanted.check(now)
            created = created or (attempt == 1 and now is None)
            try:
                etag = self._once(ctx, wanted, body, now).etag
                return Written(key, etag, len(body), created)
            except PreconditionFailed as error:
                if wanted.is_conditional:
                    raise wanted.refused(self._now(ctx, key)) from error
                if attempt == ROUNDS:
                    raise _restless(key) from error
            except S3DashError as error:
                if wanted.is_conditional and error.retryable:
                    self._look_after_lost_reply(ctx, key, body, now)
                if not ctx.patience.again(attempt, error):
                    raise
        raise AssertionError("unreachable: it counts for ever")

    def _once(self, ctx: Context, wanted: "_Wanted", body: bytes, now: ObjectInfo | None) -> Stored:
        """Only over what was seen; without conditions where the endpoint knows none."""
        key = self._key(wanted.key)
        try:
            if now is None:
                return ctx.store.put(key, body, if_none_match=True)
            return ctx.store.put(key, body, if_match=now.etag)
        except NotImplementedByEndpoint:
            if wanted.is_conditional:
                raise
            return ctx.store.put(key, body)

    def _look_after_lost_reply(
        self, ctx: Context, key: str, body: bytes, before: ObjectInfo | None
    ) -> None:
        """The same bytes may be ours or those of somebody who wrote the same."""
        found = read(ctx.store, self._key(key))
        if found is None or (before is not None and found.info.etag == before.etag):
            return  # it was not written: once more
        if found.body == body:
            raise PreconditionFailed(
                f"the answer was lost, and {key} holds these very bytes now: by us, or by"
                " somebody who wrote the same",
                hint="put bytes that are yours alone, and the record tells who was first",
            )

    def _delete(self, ctx: Context, wanted: "_Wanted") -> Record:
        for attempt in range(1, ROUNDS + 1):
            ctx.cancel.check()
            now = self._seen(ctx, wanted.key)
            wanted.check(now)
            try:
                self._delete_version(ctx, now)
                return _record(wanted.key, now)
            except PreconditionFailed as error:
                if wanted.is_conditional:
                    raise wanted.refused(self._now(ctx, wanted.key)) from error
            except S3DashError as error:
                if not ctx.patience.again(attempt, error):
                    raise
                if self._now(ctx, wanted.key) is None:  # the answer was lost, the deletion not
                    return _record(wanted.key, now)
        raise _restless(wanted.key)

    def _delete_version(self, ctx: Context, now: ObjectInfo) -> None:
        try:
            ctx.store.delete(now.key, if_match=now.etag)
        except NotImplementedByEndpoint:
            ctx.store.delete(now.key)


class _Wanted:
    """What the caller wants to be so before anything is changed."""

    def __init__(self, key: str, *, if_absent: bool = False, if_match: str | None = None) -> None:
        self.key = key
        self._if_absent = if_absent
        self._if_match = if_match

    @property
    def is_conditional(self) -> bool:
        return self._if_absent or self._if_match is not None

    def check(self, now: ObjectInfo | None) -> None:
        """Raises PreconditionFailed when it is not so."""
        taken = self._if_absent and now is not None
        other = self._if_match is not None and (now is None or now.etag != self._if_match)
        if taken or other:
            raise self.refused(now)

    def refused(self, now: ObjectInfo | None) -> PreconditionFailed:
        if now is None:
            return PreconditionFailed(f"{self.key} is gone; nothing was changed")
        if self._if_absent:
            return PreconditionFailed(f"{self.key} is there already; nothing was changed")
        told = f"{self.key} is another version, ETag {now.etag}; nothing was changed"
        return PreconditionFailed(told, hint="read it again, then decide")


def _record(key: str, info: ObjectInfo) -> Record:
    at = iso(info.last_modified) if info.last_modified else ""
    return Record(key, info.size, at, info.etag)


def _bare(etag: str | None) -> str | None:
    """As the store has it: without the quotes that other tools show."""
    return None if etag is None else etag.strip().removeprefix("W/").strip('"')


def _allow_unsafe(ctx: Context) -> None:
    if ctx.settings.locking != "unsafe":
        raise UnsafeEndpoint(
            f"{ctx.settings.address} does not honour If-Match on a deletion; nothing was deleted",
            hint="see `s3dash doctor`; without --if-match it can be deleted",
        )


def _restless(key: str) -> PreconditionFailed:
    return PreconditionFailed(
        f"{key} kept changing; nothing was done", hint="try again in a moment"
    )
