"""A large file in parts: hashed in one pass, a few parts on their way, continued where it broke.

How parts are kept is the business of a `PartStore`. Nothing is taken on trust: a part that is
said to be there counts only when its ETag is the MD5 of our bytes, and after a lost reply the
object is read back by the nonce that the upload carries.
"""

import threading
import uuid
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from contextvars import copy_context
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self

from s3dash.errors import (
    AccessDenied,
    Cancelled,
    Integrity,
    LocalChanged,
    NotFound,
    S3DashError,
    StoreError,
    Unreachable,
)
from s3dash.objectstore.body import SliceBody
from s3dash.objectstore.parts import Goal, PartStore, composite_etag, part_size_for
from s3dash.objectstore.port import Begun, OnBytes, Part, UploadLog
from s3dash.objectstore.source import LocalSource, Slice
from s3dash.objectstore.threads import Threads

PARTS_PER_FILE = 3
PARTS_AT_ONCE = 12
PART_TRIES = 3
COPY_PART = 1 << 30
COPY_IN_PARTS_ABOVE = 5 << 30
"""Bytes: S3's limit for one request."""


Again = Callable[[int, S3DashError], bool]
"""Asked after a part failed so many times: True, after a wait or at once, when it goes again."""


def at_once(tried: int, error: S3DashError) -> bool:
    return isinstance(error, Unreachable) and tried < PART_TRIES


@dataclass(frozen=True, slots=True)
class PartSender:
    """Sends files in parts. All uploads of a store share the bound on parts under way."""

    store: PartStore
    part_size: int
    again: Again = at_once
    slots: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(PARTS_AT_ONCE)
    )

    def send(
        self, goal: Goal, local: LocalSource, *, on_bytes: OnBytes, log: UploadLog | None
    ) -> str:
        """Returns the ETag. Raises what the store, `local` and `on_bytes` raise.

        An upload that goes while it is under way (a rule of the bucket) is begun anew, once.
        """
        try:
            return self._send(goal, local, on_bytes, log)
        except NotFound:
            return self._send(goal, local, on_bytes, log)

    def _send(
        self, goal: Goal, local: LocalSource, on_bytes: OnBytes, log: UploadLog | None
    ) -> str:
        size = part_size_for(local.size, self.part_size)
        begun = log.begun() if log is not None else None
        there = self._there(goal.key, begun)
        if log is not None and begun is not None and there is None:
            etag = self._completed(goal.key, begun, local, on_bytes)
            log.over()
            if etag is not None:
                log.kept(local.size)
                return etag
        if begun is None or there is None:
            begun, there = self._begin(goal, size, log), {}
        with self._left_open_or_aborted(goal.key, begun, log):
            parts = self._parts(goal.key, begun, local, there, on_bytes, log)
            local.check()
            on_bytes(0)
            etag = self._complete(goal, begun, parts)
        if log is not None:
            log.over()
        return etag

    def copy(
        self,
        source: str,
        goal: Goal,
        *,
        size: int,
        if_match: str | None,
        log: UploadLog | None,
        part_size: int = COPY_PART,
    ) -> str:
        """Copy an object on the server, in parts of one version. Returns the ETag."""
        length = part_size_for(size, part_size)
        begun = self._begin(goal, length, log)
        starts = range(0, size, length)
        wanted = [Part(n, min(length, size - at), "") for n, at in enumerate(starts, 1)]

        def copied(part: Part) -> Part:
            start = (part.number - 1) * length
            etag = self.store.copy_part(
                source, goal.key, begun.upload_id, part, start=start, if_match=if_match
            )
            return Part(part.number, part.size, etag)

        with (
            self._left_open_or_aborted(goal.key, begun, None),
            _pool("s3dash-copy") as pool,
        ):
            etag = self._complete(goal, begun, list(pool.map(copied, wanted)))
        if log is not None:
            log.over()
        return etag

    # --- the beginning and the end ------------------------------------------------------

    def _begin(self, goal: Goal, part_size: int, log: UploadLog | None) -> Begun:
        nonce = str(uuid.uuid4())
        if log is not None:
            log.intend()
        begun = Begun(self.store.create(goal, nonce=nonce), part_size, nonce)
        if log is not None:
            with self._left_open_or_aborted(goal.key, begun, None):  # what nobody knows of
                log.begin(begun)
        return begun

    def _there(self, key: str, begun: Begun | None) -> dict[int, Part] | None:
        """The parts by number; None when there is no such upload (any more)."""
        if begun is None:
            return None
        try:
            return {part.number: part for part in self.store.parts(key, begun.upload_id)}
        except NotFound:
            return None

    def _completed(
        self, key: str, begun: Begun, local: LocalSource, on_bytes: OnBytes
    ) -> str | None:
        """The upload is gone. The ETag when it became this very file, before we could be told."""
        try:
            found = self.store.find(key)
        except NotFound:
            return None
        if found.nonce != begun.nonce:
            return None
        slices = local.slices(begun.part_size, check=partial(on_bytes, 0))
        proved = found.etag.lower() == composite_etag([piece.md5 for piece in slices])
        return found.etag if proved else None

    def _complete(self, goal: Goal, begun: Begun, parts: Sequence[Part]) -> str:
        """Asked once. Whatever went wrong, the object itself tells whether it was made."""
        try:
            return self.store.complete(goal, begun.upload_id, parts)
        except StoreError:
            with suppress(StoreError):  # the first error is the one to tell
                found = self.store.find(goal.key)
                if found.nonce == begun.nonce:
                    return found.etag
            raise

    @contextmanager
    def _left_open_or_aborted(
        self, key: str, begun: Begun, log: UploadLog | None
    ) -> Iterator[None]:
        """Who keeps a log continues later; anything else leaves no open upload behind."""
        try:
            yield
        except BaseException as error:
            if log is None or not _may_go_on(error):
                with suppress(StoreError):  # the first error is the one to tell
                    self.store.abort(key, begun.upload_id)
                    if log is not None:
                        log.over()
            raise

    # --- parts --------------------------------------------------------------------------

    def _parts(
        self,
        key: str,
        begun: Begun,
        local: LocalSource,
        there: dict[int, Part],
        on_bytes: OnBytes,
        log: UploadLog | None,
    ) -> list[Part]:
        """All parts in order. No part is on its way any more when this returns or raises."""
        done = list[Part]()
        waiting: deque[Future[Part]] = deque()
        with _pool("s3dash-part") as pool, _Run(on_bytes) as run:
            for piece in local.slices(begun.part_size, check=run.check):
                kept = there.get(piece.number)
                if kept is not None and _is_same(kept, piece):
                    done.append(kept)
                    if log is not None:
                        log.kept(piece.size)
                    continue
                body = SliceBody(local, piece, run.moved)
                work = partial(self._part, key, begun, body, run)
                waiting.append(pool.submit(copy_context().run, work))
                if len(waiting) > PARTS_PER_FILE:
                    done.append(waiting.popleft().result())
            done.extend(part.result() for part in waiting)
        return sorted(done, key=lambda part: part.number)

    def _part(self, key: str, begun: Begun, body: SliceBody, run: "_Run") -> Part:
        try:
            with self.slots:
                etag = self._persistently(key, begun, body, run)
        except BaseException as error:
            run.stop(error)
            raise
        return Part(body.piece.number, body.piece.size, etag)

    def _persistently(self, key: str, begun: Begun, body: SliceBody, run: "_Run") -> str:
        """A part is no more than its bytes under its number: it can be sent any number of times."""
        tried = 0
        while True:
            run.check()
            try:
                return self.store.send(key, begun.upload_id, body)
            except StoreError as error:
                tried += 1
                damaged = isinstance(error, Integrity) and tried < PART_TRIES
                if not damaged and not self.again(tried, error):
                    raise
                body.again()


class _Run:
    """One pass over the parts of a file: the first failure stops all of them, and is raised."""

    def __init__(self, on_bytes: OnBytes) -> None:
        self._on_bytes = on_bytes
        self._lock = threading.Lock()
        self._cause: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self.stop(error)
            if self._cause is not None and self._cause is not error:
                raise self._cause from None

    def stop(self, error: BaseException) -> None:
        with self._lock:
            self._cause = self._cause or error

    def moved(self, count: int) -> None:
        if self._cause is not None:
            raise Cancelled("another part of the file failed")
        self._on_bytes(count)

    def check(self) -> None:
        self.moved(0)


@contextmanager
def _pool(name: str) -> Iterator[Threads]:
    """Nothing that was given to it runs any more after the block."""
    pool = Threads(PARTS_PER_FILE, thread_name_prefix=name)
    try:
        yield pool
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _is_same(part: Part, piece: Slice) -> bool:
    return part.size == piece.size and part.etag.lower() == piece.md5.hex()


def _may_go_on(error: BaseException) -> bool:
    """Whether the parts that are there are worth keeping: the file is good, the way was not."""
    if isinstance(error, LocalChanged):
        return False
    if isinstance(error, S3DashError):
        return error.retryable or isinstance(error, Cancelled | AccessDenied)
    return True
