"""An engine and services that answer what a test says, and a way to run the command line."""

import io
import json
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3dash.cli.main import run
from s3dash.cli.options import Options
from s3dash.core.cancel import CancelToken
from s3dash.core.diff import Base, Local, Remote, Verdict
from s3dash.core.hydration import Below, Hydration
from s3dash.core.lock import LockInfo
from s3dash.core.plan import Change, Direction, Plan, make_plan
from s3dash.core.report import (
    ConflictInfo,
    IndexInfo,
    LocalInfo,
    RemoteInfo,
    Result,
    Status,
    TrashItem,
)
from s3dash.core.service import WatchSettings
from s3dash.core.settings import ConflictPolicy, Datastore, Kind, Take
from s3dash.core.snapshot import HistoryRow, Snapshot
from s3dash.engine.api import (
    AutoSyncApi,
    CensusApi,
    ContentsApi,
    DecidedApi,
    EndpointApi,
    ExcludesApi,
    HandoverApi,
    Subscription,
    TransfersApi,
)
from s3dash.objectstore.port import Capabilities
from s3dash.stores.opened import Opened
from tests.fake_catalogs import FakeCatalogs
from tests.fake_index_care import FakeIndexCare
from tests.fake_moves import FakeForeign, FakeMigration
from tests.fake_registry import FakeRegistry
from tests.fake_shared import FakeControl, FakeFleet

SETTINGS = Datastore(
    name="team", bucket="shared", cache=Path("/cache"), state_dir=Path("/state"), prefix="p"
)
STATUS = Status(
    datastore="team",
    bucket="shared",
    prefix="p",
    namespace=None,
    endpoint="http://127.0.0.1:9000",
    healthy=True,
    latency_ms=41.4,
    index=IndexInfo(2, 17, 318),
    local=LocalInfo(316, [], bulk_dirty=False, lazy=False),
    remote=RemoteInfo([]),
    conflicts=[],
    blocked=[],
    locks=[],
    message="",
)
LOCK = LockInfo(
    key=".locks/infra.lock",
    scope="namespace",
    namespace="infra",
    model=None,
    holder="ada@vm",
    hostname="vm",
    pid=12,
    acquired_at="2026-01-01T00:00:00.000Z",
    age_s=3.0,
    ttl_ms=30000,
    expires_in_s=27.0,
    stale=False,
    nonce="n-1",
)


def changes(*verdicts: Verdict) -> list[Change]:
    """One change per verdict, its path made of the verdict's name."""
    here, there = Local(3, "a" * 64), Remote(4, "b" * 64, "b" * 64)
    return [
        Change(f"files/{v.name.lower()}", v, Base("c" * 64, 5, "c"), here, there) for v in verdicts
    ]


@dataclass
class FakeEngine:
    """Implements EngineApi. `job` runs inside push, pull and sync and may wait for its token."""

    settings: Datastore = SETTINGS
    answer: Status = STATUS
    result: Result = field(default_factory=lambda: Result(action="push"))
    changes: list[Change] = field(default_factory=list)
    found_locks: list[LockInfo] = field(default_factory=list)
    trashed: list[TrashItem] = field(default_factory=list)
    rows: list[HistoryRow] = field(default_factory=list)
    error: Exception | None = None
    job: Callable[[CancelToken], None] = lambda cancel: None
    calls: list[tuple[str, Any]] = field(default_factory=list)
    stops: int = 0
    control: FakeControl = field(default_factory=FakeControl)
    fleet: FakeFleet = field(default_factory=FakeFleet)
    known: FakeCatalogs = field(default_factory=FakeCatalogs)
    index_care: FakeIndexCare = field(default_factory=FakeIndexCare)
    register: FakeRegistry = field(default_factory=FakeRegistry)
    migration: FakeMigration = field(default_factory=FakeMigration)
    foreign: FakeForeign = field(default_factory=FakeForeign)

    def start(self) -> None:
        raise AssertionError("a headless command never starts the background threads")

    def stop(self) -> None:
        self.stops += 1

    def status(self) -> Status:
        self._fail()
        return self.answer

    def refresh(self) -> None: ...

    def plan(
        self,
        direction: Direction,
        *,
        selection: Collection[str] = (),
        policy: ConflictPolicy | None = None,
        models: Collection[str] = (),
        hydration: Hydration | None = None,
    ) -> Plan:
        self._fail()
        self.calls.append(("plan", (direction, tuple(selection))))
        return make_plan(
            self.changes, direction=direction, policy=policy or "ask", selection=selection
        )

    def run(
        self, plan: Plan, *, cancel: CancelToken | None = None, max_delete: int | None = None
    ) -> Result:
        raise AssertionError("no command runs a plan")

    def push(self, selection: Collection[str] = (), **options: Any) -> Result:
        return self._operate("push", selection, **options)

    def pull(self, selection: Collection[str] = (), **options: Any) -> Result:
        return self._operate("pull", selection, **options)

    def sync(self, selection: Collection[str] = (), **options: Any) -> Result:
        return self._operate("sync", selection, **options)

    def _operate(
        self, name: str, selection: Collection[str], *, cancel: CancelToken, **options: Any
    ) -> Result:
        self.calls.append((name, {"selection": tuple(selection), **options}))
        self.job(cancel)
        self._fail()
        return self.result

    def conflicts(self) -> list[ConflictInfo]:
        self._fail()
        return self.answer.conflicts

    def resolve(
        self,
        path: str,
        *,
        take: Take,
        shown: ConflictInfo | None = None,
        cancel: CancelToken | None = None,
    ) -> Result:
        self.calls.append(("resolve", (path, take, shown)))
        self.job(cancel or CancelToken())
        self._fail()
        return self.result

    def trash(self) -> list[TrashItem]:
        self._fail()
        return self.trashed

    def restore_trash(self, id: str, *, to: str | None = None) -> str:
        self.calls.append(("restore", (id, to)))
        self._fail()
        return to or next(item.path for item in self.trashed if item.id == id)

    def drop_trash(self, id: str) -> TrashItem:
        self.calls.append(("drop", id))
        return next(item for item in self.trashed if item.id == id)

    def locks(self) -> list[LockInfo]:
        self._fail()
        return self.found_locks

    def release_lock(self, key: str, nonce: str) -> None:
        self.calls.append(("release", (key, nonce)))
        self._fail()

    def namespaces(self) -> list[str]:
        return ["infra", "web"]

    def set_auto(self, enabled: bool) -> None: ...

    @property
    def auto(self) -> AutoSyncApi:
        raise NotImplementedError

    @property
    def excludes(self) -> ExcludesApi:
        raise AssertionError("no command changes what is excluded")

    @property
    def transfers(self) -> TransfersApi:
        raise NotImplementedError

    @property
    def handover(self) -> HandoverApi:
        raise NotImplementedError

    @property
    def catalogs(self) -> FakeCatalogs:
        return self.known

    @property
    def registry(self) -> FakeRegistry:
        return self.register

    @property
    def census(self) -> CensusApi:
        raise NotImplementedError

    @property
    def endpoint(self) -> EndpointApi:
        raise NotImplementedError

    @property
    def contents(self) -> ContentsApi:
        raise NotImplementedError

    @property
    def decided(self) -> DecidedApi:
        raise NotImplementedError

    @property
    def hydration(self) -> "FakeHydration":
        return FakeHydration(self)

    def history(self, limit: int = 1000) -> list[HistoryRow]:
        return self.rows[-limit:]

    def snapshot(self) -> Snapshot:
        return Snapshot(datastore="team", namespace=None, state="pushing", detail="2 files")

    def subscribe(self, *, capacity: int = 1024) -> Subscription:
        raise AssertionError("no command subscribes")

    def _fail(self) -> None:
        if self.error is not None:
            raise self.error


@dataclass
class FakeHydration:
    engine: FakeEngine

    def hydrate(
        self,
        selection: Collection[str] = (),
        *,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Result:
        return self.engine._operate(
            "hydrate", selection, dry_run=dry_run, cancel=cancel or CancelToken()
        )

    def below(self, start: str, *, most: int = 20) -> Below:
        raise NotImplementedError


@dataclass
class FakeServices:
    """Implements Services. `seen` are the options of every call."""

    fake: FakeEngine = field(default_factory=FakeEngine)
    locking: str = "safe"
    seen: list[Options] = field(default_factory=list)

    def engine(self, options: Options) -> FakeEngine:
        self.seen.append(options)
        return self.fake

    def service(self, options: Options, cancel: CancelToken) -> tuple[FakeEngine, WatchSettings]:
        return self.engine(options), WatchSettings()

    def settings(self, options: Options) -> Datastore:
        self.seen.append(options)
        return SETTINGS

    def store(self, options: Options, kind: Kind, *, writes: bool) -> Opened:
        raise AssertionError("no test of these fakes reads a store")

    def doctor(
        self, options: Options, *, on_check: Callable[[int, int, str], None] | None = None
    ) -> tuple[Datastore, Any]:
        from s3dash.objectstore.probe import Check, Doctor
        from s3dash.objectstore.probe_permissions import Permission

        self.seen.append(options)
        if on_check is not None:
            on_check(1, 1, "conditional create")
        ok = self.locking == "safe"
        check = Check(name="conditional create", ok=ok, detail="the second PUT was refused")
        return SETTINGS, Doctor(
            locking="safe" if ok else "unsafe",
            checks=[check],
            capabilities=Capabilities(),
            permissions=[Permission("s3:GetObject", True, "denied", "nothing can be read")],
        )

    def dashboard(self, options: Options, note: Callable[[str], None]) -> int:
        raise AssertionError("there is no terminal in these tests")

    def setup(self) -> Any:
        raise AssertionError("tests of `init` use the real one")

    def described(self, options: Options) -> dict[str, Any]:
        fields = {"name": "team", "bucket": "shared", "prefix": "", "credentials": {}}
        return {"source": "s3dash.toml", "default": "team", "datastores": {"team": fields}}

    def checked(self, options: Options) -> dict[str, Any]:
        return {"source": "s3dash.toml", "datastores": ["team"], "warnings": ["look \x1b[31m"]}


@dataclass(frozen=True)
class Done:
    """How a run of the command line ended, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def cli(
    *arguments: str,
    services: FakeServices | None = None,
    engine: FakeEngine | None = None,
    cwd: Path = Path("/elsewhere"),
    terminal: bool = False,
    environ: dict[str, str] | None = None,
) -> Done:
    """Run the command line in this process with fakes behind it."""
    out, err = (Terminal(), Terminal()) if terminal else (io.StringIO(), io.StringIO())
    code = run(
        arguments,
        services=services or FakeServices(engine or FakeEngine()),
        stdout=out,
        stderr=err,
        environ=environ or {"TERM": "xterm-256color"},
        cwd=cwd,
    )
    return Done(code, out.getvalue(), err.getvalue())
