"""What every proof works with: a place of its own in the bucket, and words for what came out."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal, TypeVar

from s3dash.core import policies
from s3dash.errors import (
    AccessDenied,
    Cancelled,
    NotFound,
    NotImplementedByEndpoint,
    PreconditionFailed,
    S3DashError,
    StoreError,
)
from s3dash.objectstore.examination import Examinable, Examination
from s3dash.objectstore.port import ObjectStore, OpenUpload
from s3dash.objectstore.threads import Threads

T = TypeVar("T")
R = TypeVar("R")
Outcome = Literal["accepted", "refused", "unsupported", "failed"]
ROOT = policies.PROBES
SWEEP_AFTER = timedelta(hours=1)
NOT_ASKED = "not asked"
NO_ENDPOINT = f"{NOT_ASKED}: this store is no S3 endpoint"
FENCED = f"{NOT_ASKED}: a fence takes no write without a condition"
NOT_TRIED = "not tried"


class Broken(Exception):
    """The endpoint answered, and what it did is not what the proof asks for."""


class Unsure(Broken):
    """So many requests failed that the answers tell nothing."""


class Probe:
    """The store under test, and the keys that were made in it, all below a random root.

    `fenced` turns true when the bucket takes writes only with a condition: every write of the
    probe then carries one. Used by several threads; `stop` ends their proofs early. `killed` are
    the nonces of earlier ones of this machine that could not clean up.
    """

    def __init__(
        self,
        store: ObjectStore,
        nonce: str,
        *,
        stopped: threading.Event | None = None,
        killed: Sequence[str] = (),
    ) -> None:
        self.store = store
        self.root = f"{ROOT}{nonce}/"
        self._roots = (self.root, *(f"{ROOT}{other}" for other in killed))
        self.fenced = False
        self.stopped = stopped or threading.Event()
        self._keys: set[str] = set()

    @property
    def examination(self) -> Examination | None:
        """None: the store is no endpoint, and has no more to tell than the port does."""
        return self.store.examination() if isinstance(self.store, Examinable) else None

    def key(self, name: str) -> str:
        """A key below the root; it is deleted in the end. Raises Cancelled once stopped."""
        self.check()
        key = self.root + name
        self._keys.add(key)
        return key

    def check(self) -> None:
        if self.stopped.is_set():
            raise Cancelled("the examination was stopped")

    def write(self, key: str, body: bytes) -> str:
        """Put an object, whatever is there; its ETag."""
        if not self.fenced:
            try:
                return self.store.put(key, body).etag
            except AccessDenied:
                etag = self._write_on_condition(key, body)
                self.fenced = True
                return etag
        return self._write_on_condition(key, body)

    def _write_on_condition(self, key: str, body: bytes) -> str:
        try:
            there = self.store.head(key).etag
        except NotFound:
            return self.store.put(key, body, if_none_match=True).etag
        return self.store.put(key, body, if_match=there).etag

    def remove(self, key: str) -> None:
        """Delete an object; where a fence forbids that, the version that is there.

        Raises AccessDenied also when there is nothing to delete.
        """
        try:
            self.store.delete(key)
        except AccessDenied as denied:
            try:
                there = self.store.head(key).etag
            except NotFound:
                raise denied from None
            self.store.delete(key, if_match=there)

    def clean_up(self, *, small: bool = False) -> None:
        """Deletes what was made, what is listed all the same, and what a killed run left.

        A `small` probe made a few objects and began no upload: these go each by a request of its
        own, at the same time, and open uploads are left to another one. Others' probes are old
        enough, by the server's clock, when an hour has passed. One object that cannot be deleted
        keeps none of the others; the first such failure is raised.
        """
        keys, self._keys = sorted(self._keys), set()
        if small:
            together(self._try_remove, keys)
        else:
            with suppress(StoreError):  # an odd key, a fence: what is left is listed, one by one
                self.store.delete_many(keys)
        failures = [*self._sweep_objects(), *(() if small else self._sweep_uploads())]
        if failures:
            raise failures[0]

    def _try_remove(self, key: str) -> None:
        with suppress(StoreError):  # what is left is listed
            self.remove(key)

    def left(self) -> int:
        """How many objects and uploads of this probe are in the bucket."""
        return sum(1 for _ in self.store.list(self.root)) + sum(
            upload.key.startswith(self.root) for upload in self._uploads()
        )

    def _sweep_objects(self) -> Iterator[S3DashError]:
        for info in list(self.store.list(ROOT)):
            if info.key.startswith(self._roots) or is_old(info.last_modified, info.server_time):
                try:
                    self.remove(info.key)
                except S3DashError as error:
                    yield error

    def _sweep_uploads(self) -> Iterator[S3DashError]:
        for one in self._uploads():
            if one.key.startswith(self._roots) or is_old(one.started, one.server_time):
                try:
                    self.store.abort_upload(one.key, one.upload_id)
                except S3DashError as error:
                    yield error

    def _uploads(self) -> list[OpenUpload]:
        """Empty where they cannot be listed: ours were aborted as they failed."""
        if self.examination is None:
            return []
        try:
            return list(self.store.list_uploads(ROOT))
        except (NotImplementedByEndpoint, AccessDenied):
            return []


def is_old(made: datetime | None, now: datetime | None) -> bool:
    """Whether what was made then is swept by whoever comes now, both by the server's clock."""
    return made is not None and now is not None and now - made > SWEEP_AFTER


def need(held: bool, broken: str) -> None:
    if not held:
        raise Broken(broken)


def outcome(call: Callable[[], object]) -> Outcome:
    try:
        call()
    except PreconditionFailed:
        return "refused"
    except NotImplementedByEndpoint:
        return "unsupported"
    return "accepted"


def attempt(call: Callable[[], object]) -> Outcome:
    """In a race: a fault of the endpoint is neither a win nor a loss."""
    try:
        return outcome(call)
    except StoreError as error:
        if error.retryable:
            return "failed"
        raise


def body_of(store: ObjectStore, key: str) -> bytes:
    """Empty when there is no object: that some did go away is for the proof to tell."""
    try:
        found = store.get(key)
    except NotFound:
        return b""
    return found.body if found is not None else b""


def exists(store: ObjectStore, key: str) -> bool:
    try:
        store.head(key)
    except NotFound:
        return False
    return True


def together(call: Callable[[T], R], each: Sequence[T]) -> list[R]:
    """All at the same moment, in threads; the first failure is raised."""
    barrier = threading.Barrier(max(1, len(each)))

    def one(item: T) -> R:
        barrier.wait()
        return call(item)

    with Threads(max(1, len(each)), thread_name_prefix="s3dash-probe") as pool:
        return list(pool.map(one, each))


def seconds(span: timedelta) -> str:
    return f"{span.total_seconds():.0f} s"
