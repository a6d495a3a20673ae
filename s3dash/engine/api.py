"""What the command line and the screen may ask of an engine."""

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Protocol, TypedDict, Unpack

from s3dash.core.cancel import CancelToken
from s3dash.core.content import Content, Side, Writers
from s3dash.core.endpoint import Aborted, EndpointFacts, Finding, OpenUploads, UploadRow
from s3dash.core.events import Event
from s3dash.core.hydration import Hydration
from s3dash.core.lock import LockInfo
from s3dash.core.plan import Direction, Plan
from s3dash.core.progress import Limits
from s3dash.core.report import ConflictInfo, Result, Status, TrashItem
from s3dash.core.settings import ConflictPolicy, Datastore, Take
from s3dash.core.snapshot import HistoryRow, Snapshot
from s3dash.core.tenants import Survey
from s3dash.engine.shared_api import (
    CatalogsApi,
    ControlApi,
    FleetApi,
    ForeignApi,
    HydrationApi,
    IndexCareApi,
    MigrationApi,
    RegistryApi,
)


class How(TypedDict, total=False):
    """How a push, pull or sync goes; what is left out is as configured.

    More than `max_delete` deletions are refused; without it the guard's own bounds hold. With
    `dry_run` nothing moves, and the result carries the plan. `models` are names of models
    (TYPE/ID): only what is theirs, and what is selected, and a push holds their locks meanwhile.
    `hydration` is what a pull does about content that a lazy cache leaves in the bucket: with
    `lazy` it is one from now on, with `full` all that is selected comes, with `only` that and
    nothing else; None leaves it as it is. A `full` pull of everything ends it.
    """

    policy: ConflictPolicy | None
    max_delete: int | None
    dry_run: bool
    cancel: CancelToken | None
    models: Collection[str]
    hydration: Hydration | None


class Subscription(Protocol):
    """A bounded queue of events; what did not fit was dropped and counted."""

    @property
    def dropped(self) -> int: ...

    def drain(self) -> list[Event]:
        """All events since the last call, oldest first; never blocks."""
        ...

    def wait(self, timeout_s: float) -> bool:
        """Wait for an event; True when there is one."""
        ...

    def close(self) -> None: ...


class AutoSyncApi(Protocol):
    """Auto-sync beside its being on or off. No call blocks."""

    def cancel(self) -> bool:
        """Stop the sync that it runs now; the next one waits for a change or a key.

        False when it runs none.
        """
        ...

    def withhold(self, paths: Collection[str]) -> None:
        """Deletions that the user was shown and left out: it never starts them."""
        ...

    def allow_deletions(self, *, up_to: int | None = None) -> None:
        """From now on deletions go unasked: up to so many a sync, None: as the guard lets pass."""
        ...


class ContentsApi(Protocol):
    """The versions of a path, to be looked at. Waits for no operation, writes nothing."""

    def read(self, path: str, side: Side, *, cancel: CancelToken | None = None) -> Content:
        """One version as it is now, verified; bounded by `core.content.MAX_BYTES`."""
        ...

    def writers(self, paths: Collection[str], *, cancel: CancelToken | None = None) -> Writers:
        """Who committed what the bucket has of these paths, as far as commits are on record."""
        ...


class DecidedApi(Protocol):
    """The way back from decisions about conflicts, for as long as the engine is open."""

    def undo(self, path: str, *, cancel: CancelToken | None = None) -> str:
        """Take the latest one about a path back; what was done, as a sentence.

        Raises UsageError when none is known, CommitConflict when either side has gone on since;
        then nothing was undone.
        """
        ...


class CensusApi(Protocol):
    """The namespaces of the datastore. The calls fill `Snapshot.tenants` as they go."""

    def adopt(self, survey: Survey, *, asked: bool) -> None:
        """Begin with what the engine of another namespace knew; not `asked`: only until asked."""
        ...

    def look(self) -> Survey:
        """Find them all and read a little of each; never lists the bucket as a whole."""
        ...

    def count(self, slugs: Collection[str]) -> Survey:
        """Fetch the index of these, and no content: objects, bytes, and what is here of them."""
        ...


class EndpointApi(Protocol):
    """The endpoint of the datastore. The calls fill `Snapshot.endpoint` as they go."""

    def adopt(self, finding: Finding | None) -> None:
        """What an engine of another namespace on the same endpoint and bucket was told."""
        ...

    def look(self) -> EndpointFacts:
        """Who we are to it, and which uploads lie open on it. Writes nothing."""
        ...

    def examine(self) -> Finding:
        """Prove what it does, in some 600 requests; kept for the next start.

        Raises Cancelled after `stop`, UsageError while one is under way, and what the first
        requests fail with.
        """
        ...

    def stop(self) -> bool:
        """End an examination early, cleaned up; False when none is under way. Never blocks."""
        ...

    def uploads(self) -> OpenUploads:
        """The uploads below the prefix that are neither completed nor aborted."""
        ...

    def claims(self) -> dict[str, bool]:
        """The ids of the uploads that this cache began, and whether one may be in use now."""
        ...

    def abort(self, rows: Collection[UploadRow]) -> Aborted:
        """Give up exactly these. One that an operation of this engine may use is kept."""
        ...


class TransfersApi(Protocol):
    """The transfers of the running operation, by the ids of their rows. None for ids: all.

    Nothing here blocks but `retry`. What changes something tells how many transfers it changed:
    those that are over, or are that way already, do not count.
    """

    @property
    def limits(self) -> Limits: ...

    def pause(self, ids: Collection[int] | None = None) -> int:
        """What waits is not started, what runs stops and gives its place to another. A pause of
        all takes in what the operation queues later.

        An upload in parts goes on from the parts that arrived, a download from its bytes; what
        was sent in full is carried through. The operation goes on with the others, and waits for
        the paused ones without a lock: nothing is committed before they are resumed or cancelled.
        """
        ...

    def resume(self, ids: Collection[int] | None = None) -> int: ...

    def cancel(self, ids: Collection[int] | None = None) -> int:
        """The path stays as it is on both sides; upload in parts and staged file are removed.

        The result of the operation names it in `cancelled`, and no deletion follows.
        """
        ...

    def raise_priority(self, ids: Collection[int]) -> int:
        """What waits with a higher priority starts first; ±9 at most."""
        ...

    def lower_priority(self, ids: Collection[int]) -> int: ...

    def allow(self, *, up: int | None = None, down: int | None = None) -> Limits:
        """How many run side by side, 1 to 128, until the engine stops. None: as it is."""
        ...

    def throttle(self, bandwidth: int) -> Limits:
        """Bytes per second over all transfers, until the engine stops; 0: no limit."""
        ...

    def retry(self, ids: Collection[int], *, cancel: CancelToken | None = None) -> Result:
        """Those of them that failed, once more: a plan for just their paths, with all guards.

        It never deletes: a path that the plan would delete now is reported as blocked.
        """
        ...


class ExcludesApi(Protocol):
    """The exclude patterns in force; see `engine/excludes.py` for what being excluded means."""

    def change(self, patterns: Sequence[str]) -> None:
        """Other patterns from the next look on, which comes at once. Raises ConfigError."""
        ...


class HandoverApi(Protocol):
    """Another process of this machine carries on with a plan, and with nothing but that."""

    def write(self, plan: Plan) -> Path:
        """A ticket for what is left of a plan. Raises LocalError when it cannot be written."""
        ...

    def carry_on(self, path: Path, *, cancel: CancelToken | None = None) -> Result:
        """Use a ticket up: do what is left of its plan where the versions shown still stand.

        Raises UsageError for one that is none or not of this datastore and cache.
        """
        ...


class EngineApi(Protocol):
    """Every call blocks and may be made from any thread; none touches a widget.

    Raises only classes of `s3dash.errors`.
    """

    @property
    def settings(self) -> Datastore: ...

    @property
    def census(self) -> CensusApi: ...

    @property
    def foreign(self) -> ForeignApi: ...

    @property
    def migration(self) -> MigrationApi: ...

    @property
    def registry(self) -> RegistryApi: ...

    @property
    def catalogs(self) -> CatalogsApi: ...

    @property
    def endpoint(self) -> EndpointApi: ...

    @property
    def contents(self) -> ContentsApi: ...

    @property
    def control(self) -> ControlApi: ...

    @property
    def fleet(self) -> FleetApi: ...

    @property
    def excludes(self) -> ExcludesApi: ...

    @property
    def decided(self) -> DecidedApi: ...

    @property
    def hydration(self) -> HydrationApi: ...

    @property
    def index_care(self) -> IndexCareApi: ...

    def start(self) -> None:
        """Begin to watch the cache and to poll the bucket, in threads of the engine's own."""
        ...

    def stop(self) -> None:
        """Cancel what runs, release the lock, end all threads; within a second, idempotent."""
        ...

    def status(self) -> Status:
        """A fresh look at both sides. An endpoint that does not answer is told in the status."""
        ...

    def refresh(self) -> None:
        """Look again soon, in the background (locks, index and cache)."""
        ...

    def plan(
        self,
        direction: Direction,
        *,
        selection: Collection[str] = (),
        policy: ConflictPolicy | None = None,
        models: Collection[str] = (),
        hydration: Hydration | None = None,
    ) -> Plan:
        """What the operation would do now. Writes nothing anywhere but the hash cache."""
        ...

    def run(
        self, plan: Plan, *, cancel: CancelToken | None = None, max_delete: int | None = None
    ) -> Result:
        """Carry out a plan. What changed since it was made is not touched but reported."""
        ...

    def push(self, selection: Collection[str] = (), **how: Unpack[How]) -> Result: ...

    def pull(self, selection: Collection[str] = (), **how: Unpack[How]) -> Result: ...

    def sync(self, selection: Collection[str] = (), **how: Unpack[How]) -> Result: ...

    def conflicts(self) -> list[ConflictInfo]:
        """A fresh look at the paths that both sides changed."""
        ...

    def resolve(
        self,
        path: str,
        *,
        take: Take,
        shown: ConflictInfo | None = None,
        cancel: CancelToken | None = None,
    ) -> Result:
        """Settle one conflict; the version that is not taken stays readable.

        `shown` are the versions that the user saw, None: whatever is there now. Raises
        UsageError when the path is not in conflict, CommitConflict when it changed since.
        With conflicts or blocked paths in the result it remains.
        """
        ...

    def trash(self) -> list[TrashItem]:
        """The local files, and lost versions of the bucket, that can be restored; oldest first."""
        ...

    def restore_trash(self, id: str, *, to: str | None = None) -> str:
        """Put a file of the trash back where it was, or at `to`; the path where it is now.

        Raises UsageError when another file is there, LocalError for an unknown id.
        """
        ...

    def drop_trash(self, id: str) -> TrashItem:
        """Destroy a file of the trash, whatever it is. Raises LocalError for an unknown id."""
        ...

    def locks(self) -> list[LockInfo]:
        """All locks below the prefix, whoever holds them. Takes none."""
        ...

    def release_lock(self, key: str, nonce: str) -> None:
        """Force a lock open, only while it still carries `nonce`; else LockHeld."""
        ...

    def namespaces(self) -> list[str]:
        """The namespaces that are registered below the prefix, sorted."""
        ...

    def set_auto(self, enabled: bool) -> None: ...

    @property
    def auto(self) -> AutoSyncApi: ...

    @property
    def handover(self) -> HandoverApi: ...

    @property
    def transfers(self) -> TransfersApi: ...

    def history(self, limit: int = 1000) -> list[HistoryRow]:
        """The latest entries, newest last."""
        ...

    def snapshot(self) -> Snapshot:
        """The state now, from memory; takes microseconds."""
        ...

    def subscribe(self, *, capacity: int = 1024) -> Subscription: ...
