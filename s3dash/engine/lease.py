"""The lock: a lease on one object, kept by a heartbeat, made of conditional writes.

Wire-compatible with plain peers; source: reliability section 3. Invariant I7 is kept here:
`guard` raises once the lease is lost or shorter than one request may take.
"""

import threading
from collections.abc import Callable
from datetime import datetime
from types import TracebackType

import msgspec

from s3dash import tracing
from s3dash.clock import Clock, iso
from s3dash.core.cancel import CancelToken
from s3dash.core.lock import LockBody, decode_lock, encode_lock, stated_ttl_ms
from s3dash.engine.cas import read
from s3dash.errors import LockHeld, LockLost, NotFound, PreconditionFailed, S3DashError
from s3dash.objectstore.port import Capabilities, Fetched, ObjectStore

TTL_MS = 45_000
BEAT_S = 8.0
RETRY_S = 1.0
SETTLE_S = 2.0
STALE_SLACK_S = 5.0
WATCH_SLACK_S = 2.0


class Identity(msgspec.Struct, frozen=True):
    """Who we are in a lock body. `client` is the program and its version."""

    holder: str
    hostname: str
    pid: int
    client: str


class Timing(msgspec.Struct, frozen=True):
    """How long things may take, in seconds. `request_s` bounds one request under the lease.

    `ttl_s` is how long a lock lives without a beat, `beat_s` how often there is one.
    """

    wait_s: float = 60.0
    request_s: float = 10.0
    settle_s: float = SETTLE_S
    ttl_s: float = TTL_MS / 1000
    beat_s: float = BEAT_S


USUAL = Timing()


class Lease:
    """A context manager: entered means held, left means released.

    Raises LockHeld when somebody alive holds it for longer than we wait. `on_lost` is called by
    the thread of the heartbeat, once, when it finds that the lock is ours no more.
    """

    def __init__(
        self,
        store: ObjectStore,
        key: str,
        *,
        nonce: str,
        identity: Identity,
        capabilities: Capabilities,
        clock: Clock,
        cancel: CancelToken,
        timing: Timing = USUAL,
        on_wait: Callable[[LockBody], None] | None = None,
        on_lost: Callable[[], None] | None = None,
    ) -> None:
        self._store = store
        self._key = key
        self._nonce = nonce
        self._identity = identity
        self._can = capabilities
        self._clock = clock
        self._cancel = cancel
        self._timing = timing
        self._on_wait = on_wait
        self._on_lost = on_lost
        self._acquired_at = ""
        self._seq = 0
        self._etag = ""
        self._acked: tuple[float, datetime] | None = None
        self._lost = ""
        self._took_over = False
        self.left_behind = ""
        self._stop = threading.Event()
        self._beats = threading.Thread(
            target=tracing.carried(self._beat_until_stopped), name="s3dash-lease"
        )

    def __enter__(self) -> "Lease":
        try:
            with tracing.span("s3dash.lock", {"s3dash.lock.key": self._key}):
                self._acquire()
        except BaseException:
            self._release_unsure()
            raise
        self._beats.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop.set()
        self._beats.join()
        self._release()

    # --- while it is held ---------------------------------------------------------------

    @property
    def lost(self) -> str:
        """Why it is ours no more, as a clause; empty as long as it is, or seems to be."""
        return self._lost

    def guard(self) -> None:
        """Raises LockLost when no further write may be issued (I7)."""
        if self._lost:
            raise LockLost(f"the lock {self._key} was lost: {self._lost}")
        if self.remaining_s() < self._timing.request_s:
            raise LockLost(f"the lock {self._key} could not be kept: no heartbeat got through")

    def remaining_s(self) -> float:
        """What is left of the lease, counted from when the last acknowledged beat was sent.

        The larger of two clocks counts, so that a suspended machine notices.
        """
        if self._acked is None:
            return 0.0
        mono, wall = self._acked
        passed = max(self._clock.monotonic() - mono, (self._clock.now() - wall).total_seconds())
        return self._timing.ttl_s * 0.75 - passed

    # --- acquire ------------------------------------------------------------------------

    def _acquire(self) -> None:
        self._acquired_at = iso(self._clock.now())
        deadline = self._clock.monotonic() + self._timing.wait_s
        watched = _Watched()
        while not self._try_create():
            found = read(self._store, self._key)
            if found is not None and (self._is_ours(found) or self._may_take(found, watched)):
                self._cancel.check()
                return
            self._wait_turn(decode_lock(found.body) if found else None, deadline)

    def _may_take(self, found: Fetched, watched: "_Watched") -> bool:
        watched.see(found.info.etag, self._clock.monotonic())
        stale = self._can.replace and self._is_stale(found, watched)
        return stale and self._take_over(found)

    def _try_create(self) -> bool:
        self._lost = ""
        sent = self._now()
        try:
            stored = self._store.put(
                self._key, self._body(), if_none_match=True, content_type="application/json"
            )
        except PreconditionFailed:
            return False
        except S3DashError as error:
            if not error.retryable:
                raise
            return False
        self._acknowledge(stored.etag, sent)
        return True

    def _is_ours(self, found: Fetched) -> bool:
        """A create or a takeover whose reply was lost: the object carries our nonce."""
        if decode_lock(found.body).nonce != self._nonce or not self._beat(first=True):
            return False
        return not self._took_over or self._settled()

    def _is_stale(self, found: Fetched, watched: "_Watched") -> bool:
        """By the server's clock, and by an ETag that did not move while we looked.

        A lock that states no time to live that makes sense is never stale by itself.
        """
        modified, server = found.info.last_modified, found.info.server_time
        stated_ms = stated_ttl_ms(found.body)
        if modified is None or server is None or stated_ms is None:
            return False
        ttl_s = stated_ms / 1000
        old = (server - modified).total_seconds() > ttl_s + STALE_SLACK_S
        return old and watched.still_s(self._clock.monotonic()) >= ttl_s / 3 + WATCH_SLACK_S

    def _take_over(self, found: Fetched) -> bool:
        """One atomic step; then let a holder that was only slow notice, and look again."""
        self._took_over = True
        sent = self._now()
        try:
            stored = self._store.put(
                self._key, self._body(), if_match=found.info.etag, content_type="application/json"
            )
        except PreconditionFailed:
            return False
        except S3DashError as error:
            if not error.retryable:
                raise
            return False
        self._acknowledge(stored.etag, sent)
        return self._settled()

    def _settled(self) -> bool:
        self._clock.wait(self._cancel.event, self._timing.settle_s)
        again = read(self._store, self._key)
        return again is not None and decode_lock(again.body).nonce == self._nonce

    def _wait_turn(self, body: LockBody | None, deadline: float) -> None:
        """Wait a while before the next try; None: it was free a moment ago."""
        if self._clock.monotonic() >= deadline:
            raise LockHeld(
                f"the lock {self._key} is held by {_who(body)}",
                hint="wait, or look at it with `s3dash locks`",
            )
        if body is not None and self._on_wait is not None:
            self._on_wait(body)
        self._clock.wait(self._cancel.event, RETRY_S if body is not None else RETRY_S / 10)
        self._cancel.check()

    # --- heartbeat ----------------------------------------------------------------------

    def _beat_until_stopped(self) -> None:
        while not self._clock.wait(self._stop, self._timing.beat_s):
            if not self.beat() and self._lost:
                if self._on_lost is not None:
                    self._on_lost()
                return

    def beat(self) -> bool:
        """One heartbeat; False when it did not get through. A lease that ran out gets none."""
        return self._beat(first=False)

    def _beat(self, *, first: bool) -> bool:
        """The sequence number makes its bytes, and so its ETag, new."""
        self._seq += 1
        sent = self._now()
        body = self._body()
        try:
            found = self._found_ours()
            if found is None or not (first or self._still_runs()):
                return False
            version = found.info.etag if self._can.replace else None
            stored = self._store.put(
                self._key, body, if_match=version, content_type="application/json"
            )
        except PreconditionFailed:
            return self._reread(body, sent)
        except S3DashError:
            return False  # the next beat tries again; `guard` knows how long that may go on
        self._acknowledge(stored.etag, sent)
        return True

    def _still_runs(self) -> bool:
        """Asked just before the write (I7): this process may have been stopped meanwhile."""
        if self.remaining_s() <= 0:
            self._lost = "no heartbeat got through in time"
        return not self._lost

    def _found_ours(self) -> Fetched | None:
        """The lock as it is, or None when another nonce holds it: then it is lost."""
        found = read(self._store, self._key)
        if found is None:
            self._lost = "it was removed"
        elif (body := decode_lock(found.body)).nonce != self._nonce:
            self._lost = f"{body.holder or 'another client'} took it over"
        else:
            return found
        return None

    def _reread(self, body: bytes, sent: tuple[float, datetime]) -> bool:
        found = self._found_ours()
        if found is None or found.body != body:
            return False
        self._acknowledge(found.info.etag, sent)
        return True

    # --- release ------------------------------------------------------------------------

    def _release(self) -> None:
        """Only what is ours; a lock that cannot be removed stays and runs out by itself."""
        if self._lost:
            return
        try:
            released = self._release_version()
        except S3DashError as error:
            self.left_behind = error.message
            return
        if not released:
            self._release_unsure()

    def _release_unsure(self) -> None:
        """The lock was not had, but a PUT whose answer was lost may have taken it all the same."""
        try:
            self._release_by_nonce()
        except S3DashError as error:
            self.left_behind = error.message

    def _release_version(self) -> bool:
        """False when a beat moved the ETag unseen, or the reply was lost: the nonce decides."""
        if not self._can.delete:
            return False
        try:
            self._store.delete(self._key, if_match=self._etag)
        except S3DashError as error:
            if isinstance(error, PreconditionFailed) or error.retryable:
                return False
            raise
        return True

    def _release_by_nonce(self) -> None:
        found = self._found_ours()
        if found is not None:
            self._store.delete(self._key, if_match=found.info.etag if self._can.delete else None)

    # --- bytes and times ----------------------------------------------------------------

    def _body(self) -> bytes:
        who = self._identity
        return encode_lock(
            LockBody(
                holder=who.holder,
                hostname=who.hostname,
                pid=who.pid,
                acquiredAt=self._acquired_at,
                ttlMs=round(self._timing.ttl_s * 1000),
                nonce=self._nonce,
                client=who.client,
                seq=self._seq,
            )
        )

    def _now(self) -> tuple[float, datetime]:
        return self._clock.monotonic(), self._clock.now()

    def _acknowledge(self, etag: str, sent: tuple[float, datetime]) -> None:
        self._etag = etag
        self._acked = sent


def _who(body: LockBody | None) -> str:
    if body is None:
        return "clients in quick turns"
    holder = body.holder or "an unknown client"
    return f"{holder} (pid {body.pid} on {body.hostname}, since {body.acquiredAt})"


class _Watched:
    """For how long we have seen the same version of somebody's lock."""

    def __init__(self) -> None:
        self._etag = ""
        self._since = 0.0

    def see(self, etag: str, now: float) -> None:
        if etag != self._etag:
            self._etag, self._since = etag, now

    def still_s(self, now: float) -> float:
        return now - self._since


def delete_if_nonce(store: ObjectStore, key: str, nonce: str, can: Capabilities) -> None:
    """Force a lock open, only while it still carries the nonce that the user was shown.

    Raises NotFound when there is no such lock, LockHeld when it changed hands meanwhile.
    """
    found = store.get(key)
    if found is None:
        raise NotFound(f"there is no lock {key}")
    body = decode_lock(found.body)
    held = LockHeld(
        f"{key} was re-acquired by {body.holder or 'another client'}, nothing released",
        hint="look again with `s3dash locks`",
    )
    if body.nonce != nonce:
        raise held
    try:
        store.delete(key, if_match=found.info.etag if can.delete else None)
    except PreconditionFailed as error:
        raise held from error
