"""The endpoint of an engine, for the screen: how it answers, what is proved, what lies open."""

import threading
from collections.abc import Callable, Collection, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress

from msgspec.structs import replace

from s3dash.core.cancel import CancelToken
from s3dash.core.endpoint import (
    Aborted,
    Checking,
    EndpointFacts,
    Finding,
    OpenUploads,
    UploadRow,
)
from s3dash.engine import findings, open_uploads, trust
from s3dash.engine.context import Context, new_nonce
from s3dash.engine.health import Health
from s3dash.errors import Cancelled, S3DashError, UsageError
from s3dash.objectstore.examination import Identified, Twinned
from s3dash.objectstore.port import ObjectStore
from s3dash.objectstore.probe import Check, doctor

STOP_S = 0.5
"""How long the end of the engine waits for an examination to clean up."""

Turn = Callable[[], AbstractContextManager[object]]


class Endpoint:
    """`facts` may be read from any thread; all else blocks. One examination at a time.

    `busy` tells whether an operation of the engine runs, `turn` keeps them out for a while.
    """

    def __init__(
        self, ctx: Context, health: Health, *, busy: Callable[[], bool], turn: Turn
    ) -> None:
        self._ctx = ctx
        self._health = health
        self._busy = busy
        self._turn = turn
        self._lock = threading.Lock()
        self._token: CancelToken | None = None
        self._over = threading.Event()
        self._over.set()
        self._answers = -1
        self._facts = EndpointFacts(finding=findings.recalled(ctx), proved_at=trust.proved_at(ctx))

    @property
    def facts(self) -> EndpointFacts:
        """What is known now; the same object while nothing changes. Asks nothing."""
        usage, mishaps = self._ctx.store.usage, self._health.mishaps
        with self._lock:
            if usage.answers != self._answers or mishaps is not self._facts.mishaps:
                self._answers = usage.answers
                self._facts = replace(
                    self._facts,
                    latencies=usage.recent_ms,
                    skew_s=None if usage.skew_s is None else round(usage.skew_s),
                    mishaps=mishaps,
                )
            return self._facts

    def look(self) -> EndpointFacts:
        """Who we are, what a push has proved, and which uploads lie open. Writes nothing.

        What cannot be found out is told in the facts.
        """
        self._put(proved_at=trust.proved_at(self._ctx), identity=self._identity())
        with suppress(S3DashError):  # told in the facts
            self.uploads()
        return self.facts

    def adopt(self, finding: Finding | None) -> None:
        """What an engine of another namespace on the same endpoint and bucket was told."""
        known = self._facts.finding
        if finding is not None and (known is None or known.at < finding.at):
            findings.store(self._ctx, finding)
            self._put(finding=finding)

    def _identity(self) -> str:
        store = self._ctx.store
        try:
            return store.identity() if isinstance(store, Identified) else ""
        except S3DashError as error:
            return error.message

    # --- the doctor ---------------------------------------------------------------------

    def examine(self) -> Finding:
        """Prove anew what the endpoint does; see `facts.checking` meanwhile. Some 600 requests.

        On connections of its own, so that a running operation is not disturbed. Raises Cancelled
        after `stop`, UsageError when one is under way, and what the doctor raises.
        """
        with self._examining() as token, self._twin() as store:
            try:
                found = doctor(
                    store,
                    nonce=new_nonce(),
                    prefix=self._ctx.settings.prefix,
                    on_check=self._went_on,
                    on_result=self._ended,
                    stopped=token.event,
                )
            except S3DashError as error:
                self._put(problem="" if isinstance(error, Cancelled) else error.message)
                raise
            finding = findings.keep(self._ctx, found)
        proved = trust.proved_at(self._ctx)
        self._put(finding=finding, problem="", proved_at=proved)
        broken = len(finding.broken)
        how = f", {broken} of {len(finding.checks)} checks fail" if broken else ""
        safe = finding.locking == "safe"
        text = f"examined: locks are {finding.locking}{how}"
        self._ctx.note("info" if safe else "warning", "endpoint", text)
        return finding

    def stop(self) -> bool:
        """End the examination early; it cleans up. False when none is under way."""
        token = self._token
        if token is None:
            return False
        token.cancel()
        with self._lock:
            checking = self._facts.checking
            if checking is not None:
                self._facts = replace(self._facts, checking=replace(checking, stopping=True))
        return True

    def close(self) -> None:
        """The engine ends: stop, and wait a little for the clean-up."""
        if self.stop():
            self._over.wait(STOP_S)

    @contextmanager
    def _examining(self) -> Iterator[CancelToken]:
        with self._lock:
            if self._token is not None:
                raise UsageError("an examination of this endpoint is under way")
            token = self._token = CancelToken()
            self._over.clear()
            self._facts = replace(self._facts, checking=Checking(), problem="")
        try:
            yield token
        finally:
            with self._lock:
                self._token = None
                self._facts = replace(self._facts, checking=None)
            self._over.set()

    @contextmanager
    def _twin(self) -> Iterator[ObjectStore]:
        store = self._ctx.store
        if not isinstance(store, Twinned):
            raise UsageError("this store cannot be examined")
        twin = store.twin()
        try:
            yield twin
        finally:
            twin.close()

    def _went_on(self, done: int, total: int, latest: str) -> None:
        with self._lock:
            checking = self._facts.checking or Checking()
            checking = replace(checking, done=done, total=total, latest=latest)
            self._facts = replace(self._facts, checking=checking)

    def _ended(self, check: Check) -> None:
        with self._lock:
            checking = self._facts.checking or Checking()
            proofs = (*checking.proofs, findings.proof_of(check))
            self._facts = replace(self._facts, checking=replace(checking, proofs=proofs))

    # --- uploads that lie open ----------------------------------------------------------

    def uploads(self) -> OpenUploads:
        """List them anew. Raises what the store raises, and tells it in the facts too."""
        try:
            found = open_uploads.listed(self._ctx, busy=self._busy())
        except S3DashError as error:
            self._put(uploads=OpenUploads(at=self._ctx.now(), problem=error.message))
            raise
        self._put(uploads=found)
        return found

    def claims(self) -> dict[str, bool]:
        """The ids of the uploads that this cache began, and whether one may be in use now."""
        busy = self._busy()
        return dict.fromkeys(open_uploads.ours(self._ctx), busy)

    def abort(self, rows: Collection[UploadRow]) -> Aborted:
        """Give up exactly these uploads; see `open_uploads.abort`."""
        return open_uploads.abort(
            self._ctx, rows, turn=self._turn, busy=self._busy, cancel=self._ctx.cancel
        )

    def _put(self, **fields: object) -> None:
        with self._lock:
            self._facts = replace(self._facts, **fields)
