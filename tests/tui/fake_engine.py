"""An engine that shows what a test sets and remembers what it was asked."""

import threading
from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from s3dash.clock import iso
from s3dash.core.cancel import CancelToken
from s3dash.core.diff import Base, Local, Remote, Verdict
from s3dash.core.endpoint import (
    Aborted,
    Checking,
    EndpointFacts,
    Finding,
    OpenUploads,
    Proof,
    UploadRow,
)
from s3dash.core.events import Event, Noted
from s3dash.core.hydration import Below, Hydration, LeftOut
from s3dash.core.lock import LockInfo
from s3dash.core.models import selected
from s3dash.core.plan import Change, Direction, Plan, make_plan
from s3dash.core.progress import Counts, Limits, Progress, Rate, Transfer, TransferState
from s3dash.core.report import (
    Blocked,
    ConflictInfo,
    IndexInfo,
    Result,
    Status,
    TrashItem,
    Version,
)
from s3dash.core.settings import ConflictPolicy, Datastore, Take
from s3dash.core.snapshot import AutoSync, DirtyRow, HistoryRow, Snapshot, WatchState
from s3dash.core.tenants import Survey
from s3dash.errors import Cancelled, S3DashError
from tests.fake_catalogs import FakeCatalogs
from tests.fake_index_care import FakeIndexCare
from tests.fake_moves import FakeForeign, FakeMigration
from tests.fake_registry import FakeRegistry
from tests.fake_shared import FakeControl, FakeFleet
from tests.tui.fake_versions import FakeContents, FakeDecided, FakeTrash

NOW = datetime(2026, 3, 14, 14, 2, 9, tzinfo=UTC)
HOSTILE = "a[/x]\x1b[31m\u202egpj.exe\n\u200b\udc80"
"""Markup, an escape sequence, a bidi override, a newline, a zero-width space, a lone surrogate."""


class FakeClock:
    """Stands still unless told."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def now(self) -> datetime:
        return NOW + timedelta(seconds=self.seconds - 1000.0)

    def monotonic(self) -> float:
        return self.seconds

    def wait(self, event: threading.Event, seconds: float) -> bool:
        return event.wait(0)

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


class Box:
    """A subscription without bounds."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.closed = False

    @property
    def dropped(self) -> int:
        return 0

    def drain(self) -> list[Event]:
        taken, self.events = self.events, []
        return taken

    def wait(self, timeout_s: float) -> bool:
        return bool(self.events)

    def close(self) -> None:
        self.closed = True


def settings(name: str = "prod-minio", namespace: str | None = "infra") -> Datastore:
    return Datastore(
        name=name,
        bucket="team-data",
        prefix="swamp",
        endpoint="http://127.0.0.1:9000",
        cache=Path("/srv/cache") / name,
        state_dir=Path("/srv/state") / name,
        namespace=namespace,
    )


def ago(seconds: float) -> str:
    return iso(NOW - timedelta(seconds=seconds))


def dirty(path: str, change: Any = "modified", size: int = 2048, since_s: float = 300) -> DirtyRow:
    return DirtyRow(path, change, size, ago(since_s), "content differs")


def lock(holder: str = "ann@ci", *, stale: bool = False, **fields: Any) -> LockInfo:
    info = LockInfo(
        key=".locks/infra.lock",
        scope="namespace",
        namespace="infra",
        model=None,
        holder=holder,
        hostname="ci-7",
        pid=4711,
        acquired_at=ago(90),
        age_s=200.0 if stale else 5.0,
        ttl_ms=30_000,
        expires_in_s=-170.0 if stale else 25.0,
        stale=stale,
        nonce="nonce-1",
    )
    return LockInfo(**{**{f: getattr(info, f) for f in info.__struct_fields__}, **fields})


def conflict(path: str) -> ConflictInfo:
    return ConflictInfo(
        path, Version(2048, "a" * 64), Version(4096, "b" * 64), Version(1024, "c" * 64)
    )


def change(path: str, verdict: Verdict, size: int = 1024) -> Change:
    """A path whose three versions fit its verdict well enough for a plan."""
    base = None if "new" in verdict.value else Base("c" * 64, size, "tag", "etag")
    local = None if "deleted here" in verdict.value else Local(size, "a" * 64)
    gone = verdict in (Verdict.LOCAL_ADDED, Verdict.REMOTE_DELETED)
    return Change(path, verdict, base, local, None if gone else Remote(size, "b" * 64, "tag"))


def transfer(number: int, state: TransferState, done: int = 0, size: int = 1 << 20) -> Transfer:
    """One that started ten seconds ago by the fake clock, unless it waits."""
    started = 0.0 if state == "queued" else 990.0
    ended = 995.0 if state in ("done", "failed", "cancelled") else 0.0
    error = "503 SlowDown" if state == "failed" else ""
    row = Transfer(
        number, "up", f"data/file-{number}.bin", size, done, state, 1, started, ended, error
    )
    row.rate = done / 10 if state == "active" else 0.0
    return row


def moving(transfers: list[Transfer], rate: Rate) -> Progress:
    states = ("queued", "active", "paused", "failed", "done", "cancelled")
    number = {s: sum(t.state == s for t in transfers) for s in states}
    counts = Counts(
        **number,
        bytes_total=sum(t.size for t in transfers),
        bytes_done=sum(t.done for t in transfers),
    )
    return Progress(transfers, counts, rate, limits=Limits(25, 50))


def idle(name: str = "prod-minio", namespace: str | None = "infra", **fields: Any) -> Snapshot:
    return Snapshot(
        **{
            "datastore": name,
            "namespace": namespace,
            "state": "idle",
            "latency_ms": 41.2,
            "checked_at": ago(4),
            "files": 318,
            "index": IndexInfo(2, 17, 320),
            "auto": AutoSync(False, 30.0),
            "watch": WatchState("native"),
            "last_push": ago(7200),
            "last_pull": ago(600),
            **fields,
        }
    )


def busy(**fields: Any) -> Snapshot:
    """Something of everything."""
    paths = [("modified", "data/@acme/server/0f/raw.json"), ("added", "logs/2026-03-14.log")]
    rows = tuple(dirty(p, c, 2048 * (n + 1), 300 * n) for n, (c, p) in enumerate(paths))
    return idle(
        dirty=(*rows, dirty("files/old.bin", "deleted", 0)),
        conflicts=(conflict("files/both.txt"),),
        blocked=(Blocked("a/../b", "leads out of the cache"),),
        locks=(lock(), lock("bob@old", stale=True, key=".locks/web.lock", namespace="web")),
        **fields,
    )


class FakeAuto:
    """`on_cancel` is what a cancelled sync does."""

    def __init__(self) -> None:
        self.cancelled = 0
        self.withheld: list[str] = []
        self.on_cancel: Callable[[], None] = lambda: None

    def cancel(self) -> bool:
        self.cancelled += 1
        self.on_cancel()
        return True

    def withhold(self, paths: Collection[str]) -> None:
        self.withheld += sorted(paths)

    def allow_deletions(self, *, up_to: int | None = None) -> None: ...


class FakeHandover:
    """Remembers the plans it wrote tickets for."""

    def __init__(self) -> None:
        self.written: list[Plan] = []
        self.error: Exception | None = None

    def write(self, plan: Plan) -> Path:
        if self.error is not None:
            raise self.error
        self.written.append(plan)
        return Path("/srv/state/handover.json")

    def carry_on(self, path: Path, *, cancel: CancelToken | None = None) -> Result:
        raise NotImplementedError


class FakeCensus:
    """Shows `survey` once it was asked; `count` fills the rows in, or fails with `error`."""

    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine
        self.survey = Survey(state="asked")

    def adopt(self, survey: Survey, *, asked: bool) -> None:
        state: Any = survey.state if asked else "unasked"
        self._engine.snap = replace(self._engine.snap, tenants=replace(survey, state=state))

    def look(self) -> Survey:
        self._engine._called("census.look")
        self._engine.snap = replace(self._engine.snap, tenants=self.survey)
        return self.survey

    def count(self, slugs: Collection[str]) -> Survey:
        self._engine._called("census.count", tuple(slugs))
        sums: dict[str, Any] = {"objects": 12, "size": 4096, "held": 1024, "counted_at": ago(0)}
        rows = (replace(r, **sums) if r.slug in slugs else r for r in self.survey.rows)
        self.survey = replace(self.survey, rows=tuple(rows))
        self._engine.snap = replace(self._engine.snap, tenants=self.survey)
        return self.survey


class FakeEndpoint:
    """`look` shows `open`; `examine` waits for `gate`, when set, and gives `finding`."""

    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine
        self.identity = "key AKIA…WXYZ"
        self.open = OpenUploads(at=ago(0))
        self.finding = Finding(at=ago(0), locking="safe", checks=(Proof("create", True, "yes"),))
        self.gate: threading.Event | None = None
        self.ours: dict[str, bool] = {}
        self.stopped = threading.Event()

    def adopt(self, finding: Finding | None) -> None:
        self.show(finding=finding)

    def show(self, **fields: Any) -> None:
        """Let the snapshot carry other facts."""
        snap = self._engine.snap
        self._engine.snap = replace(snap, endpoint=replace(snap.endpoint, **fields))

    def look(self) -> EndpointFacts:
        self._engine._called("endpoint.look")
        self.show(uploads=self.open, identity=self.identity)
        return self._engine.snap.endpoint

    def examine(self) -> Finding:
        self._engine._called("endpoint.examine")
        self.show(checking=Checking(1, 19, "create", self.finding.checks))
        try:
            while self.gate is not None and not self.gate.wait(0.005):
                if self.stopped.is_set():
                    raise Cancelled("stopped")
        finally:
            self.show(checking=None)
        self.show(finding=self.finding)
        return self.finding

    def stop(self) -> bool:
        self._engine._called("endpoint.stop")
        self.stopped.set()
        return True

    def uploads(self) -> OpenUploads:
        self._engine._called("endpoint.uploads")
        return self.open

    def claims(self) -> dict[str, bool]:
        return self.ours

    def abort(self, rows: Collection[UploadRow]) -> Aborted:
        self._engine._called("endpoint.abort", tuple(row.upload_id for row in rows))
        return Aborted(done=len(rows))


class FakeTransfers:
    """Does to the rows of the snapshot at once what an engine does in its time."""

    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine
        self.limits = Limits(25, 50)

    def _rows(self, name: str, ids: Collection[int] | None) -> list[Transfer]:
        self._engine._called(f"transfers.{name}", None if ids is None else sorted(ids))
        rows = self._engine.snap.progress.transfers
        return [row for row in rows if ids is None or row.id in ids]

    def _changed(self, rows: list[Transfer], **fields: Any) -> int:
        for row in rows:
            for name, value in fields.items():
                setattr(row, name, value)
        self._show()
        return len(rows)

    def _show(self) -> None:
        self.limits = replace(self.limits, changes=self.limits.changes + 1)
        progress = self._engine.snap.progress
        fresh = replace(moving(progress.transfers, progress.rate), limits=self.limits)
        self._engine.snap = replace(self._engine.snap, progress=fresh)

    def pause(self, ids: Collection[int] | None = None) -> int:
        rows = self._rows("pause", ids)
        return self._changed([r for r in rows if r.state in ("queued", "active")], state="paused")

    def resume(self, ids: Collection[int] | None = None) -> int:
        rows = self._rows("resume", ids)
        return self._changed([r for r in rows if r.state == "paused"], state="queued")

    def cancel(self, ids: Collection[int] | None = None) -> int:
        rows = self._rows("cancel", ids)
        open_ = ("queued", "active", "paused")
        return self._changed([r for r in rows if r.state in open_], state="cancelled")

    def raise_priority(self, ids: Collection[int]) -> int:
        return self._changed(self._rows("raise", ids), priority=1)

    def lower_priority(self, ids: Collection[int]) -> int:
        return self._changed(self._rows("lower", ids), priority=-1)

    def allow(self, *, up: int | None = None, down: int | None = None) -> Limits:
        self._engine._called("transfers.allow", up, down)
        now = self.limits
        self.limits = replace(now, up=up or now.up, down=down or now.down)
        self._show()
        return self.limits

    def throttle(self, bandwidth: int) -> Limits:
        self._engine._called("transfers.throttle", bandwidth)
        self.limits = replace(self.limits, bandwidth=bandwidth)
        self._show()
        return self.limits

    def retry(self, ids: Collection[int], *, cancel: CancelToken | None = None) -> Result:
        self._engine._called("transfers.retry", sorted(ids))
        gate = self._engine.gate
        while gate is not None and cancel is not None and not gate.wait(0.005):
            cancel.check()
        return self._engine.result


class FakeExcludes:
    def __init__(self, engine: "FakeEngine") -> None:
        self._engine = engine

    def change(self, patterns: Sequence[str]) -> None:
        self._engine._called("excludes.change", tuple(patterns))


class FakeHydration:
    """`skipped` are the changes that hydrating would bring."""

    def __init__(self) -> None:
        self.skipped: list[Change] = []

    def hydrate(
        self,
        selection: Collection[str] = (),
        *,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Result:
        raise NotImplementedError

    def below(self, start: str, *, most: int = 20) -> Below:
        return LeftOut({c.path: c.size for c in self.skipped}).below(start, most=most)


class FakeEngine:
    """Set `snap`; look at `calls`. `gate`, when set, holds up `run` and `plan` until it opens."""

    def __init__(self, snap: Snapshot | None = None) -> None:
        self.snap = snap or idle()
        self.settings_ = settings(self.snap.datastore, self.snap.namespace)
        self.calls: list[tuple[Any, ...]] = []
        self.changes: list[Change] = []
        self.rows: list[HistoryRow] = []
        self.names = ["infra", "web"]
        self.found: list[LockInfo] | None = None
        self.error: dict[str, Exception] = {}
        self.result = Result(action="push", pushed=2, bytes_up=4096, seconds=1.2, commit_seq=18)
        self.boxes: list[Box] = []
        self.contents = FakeContents()
        self.excludes = FakeExcludes(self)
        self.decided = FakeDecided()
        self.hydration = FakeHydration()
        self.bin = FakeTrash(self._called)
        self.catalogs = FakeCatalogs()
        self.index_care = FakeIndexCare()
        self.running = threading.Event()
        self.gate: threading.Event | None = None
        self.on_run: Callable[[], None] = lambda: None
        self.auto = FakeAuto()
        self.transfers = FakeTransfers(self)
        self.census = FakeCensus(self)
        self.registry = FakeRegistry(self._called)
        self.migration = FakeMigration(self._called)
        self.foreign = FakeForeign(self._called)
        self.endpoint = FakeEndpoint(self)
        self.control = FakeControl()
        self.fleet = FakeFleet()
        self.handover = FakeHandover()

    def _called(self, name: str, *args: Any) -> None:
        self.calls.append((name, *args))
        if name in self.error:
            raise self.error[name]

    def asked(self, name: str) -> list[tuple[Any, ...]]:
        return [call[1:] for call in self.calls if call[0] == name]

    @property
    def settings(self) -> Datastore:
        return self.settings_

    def start(self) -> None:
        self._called("start")

    def stop(self) -> None:
        self._called("stop")

    def status(self) -> Status:
        raise NotImplementedError

    def refresh(self) -> None:
        self._called("refresh")

    def plan(
        self,
        direction: Direction,
        *,
        selection: Collection[str] = (),
        policy: ConflictPolicy | None = None,
        models: Collection[str] = (),
        hydration: Hydration | None = None,
    ) -> Plan:
        more = [given for given in (hydration, tuple(models)) if given]
        self._called("plan", direction, tuple(selection), *more)
        changes = self.hydration.skipped if hydration == "only" else self.changes
        return make_plan(
            changes,
            direction=direction,
            selection={*selection, *selected(models)},
            models=models,
            hydration=hydration,
            unchanged=300,
            known=318,
        )

    def run(
        self, plan: Plan, *, cancel: CancelToken | None = None, max_delete: int | None = None
    ) -> Result:
        self._called("run", plan, max_delete)
        self.on_run()
        self.running.set()
        if self.gate is not None and cancel is not None:
            while not self.gate.wait(0.005):
                cancel.check()
        return self.result

    def push(self, selection: Collection[str] = (), **_: Any) -> Result:
        raise NotImplementedError

    def pull(self, selection: Collection[str] = (), **_: Any) -> Result:
        raise NotImplementedError

    def sync(self, selection: Collection[str] = (), **_: Any) -> Result:
        raise NotImplementedError

    def conflicts(self) -> list[ConflictInfo]:
        return list(self.snap.conflicts)

    def resolve(
        self,
        path: str,
        *,
        take: Take,
        shown: ConflictInfo | None = None,
        cancel: CancelToken | None = None,
    ) -> Result:
        self._called("resolve", path, take, shown)
        left = tuple(c for c in self.snap.conflicts if c.path != path)
        self.snap = replace(self.snap, conflicts=left)
        return self.result

    def trash(self) -> list[TrashItem]:
        return self.bin.list()

    def restore_trash(self, id: str, *, to: str | None = None) -> str:
        return self.bin.restore(id, to)

    def drop_trash(self, id: str) -> TrashItem:
        return self.bin.drop(id)

    def locks(self) -> list[LockInfo]:
        self._called("locks")
        found = list(self.snap.locks) if self.found is None else self.found
        self.snap = replace(self.snap, locks=tuple(found))
        return found

    def release_lock(self, key: str, nonce: str) -> None:
        self._called("release_lock", key, nonce)

    def namespaces(self) -> list[str]:
        self._called("namespaces")
        return self.names

    def set_auto(self, enabled: bool) -> None:
        self._called("set_auto", enabled)
        self.snap = replace(self.snap, auto=AutoSync(enabled, 30.0))

    def history(self, limit: int = 1000) -> list[HistoryRow]:
        self._called("history")
        return list(self.rows)

    def snapshot(self) -> Snapshot:
        return self.snap

    def subscribe(self, *, capacity: int = 1024) -> Box:
        self.boxes.append(Box())
        return self.boxes[-1]

    def note(self, text: str, *, level: Any = "info", operation: str = "push") -> None:
        """Announce something, as an engine does."""
        event = Noted(
            at=iso(NOW), datastore=self.snap.datastore, level=level, operation=operation, text=text
        )
        for box in self.boxes:
            box.events.append(event)


def refusing(message: str, hint: str = "") -> S3DashError:
    return S3DashError(message, hint=hint)
