"""An engine that shows what a test sets and remembers what it was asked."""

import threading
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from s3dash.clock import iso
from s3dash.core.cancel import CancelToken
from s3dash.core.diff import Base, Local, Remote, Verdict
from s3dash.core.events import Event, Noted
from s3dash.core.lock import LockInfo
from s3dash.core.plan import Change, Direction, Plan, make_plan
from s3dash.core.progress import Counts, Progress, Rate, Transfer, TransferState
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
from s3dash.errors import S3DashError

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
        state_dir=Path("/srv/state"),
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
    return Transfer(
        number, "up", f"data/file-{number}.bin", size, done, state, 1, started, ended, error
    )


def moving(transfers: list[Transfer], rate: Rate) -> Progress:
    number = {
        s: sum(t.state == s for t in transfers) for s in ("queued", "active", "failed", "done")
    }
    counts = Counts(
        **number,
        bytes_total=sum(t.size for t in transfers),
        bytes_done=sum(t.done for t in transfers),
    )
    return Progress(transfers, counts, rate)


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
        self.running = threading.Event()
        self.gate: threading.Event | None = None
        self.on_run: Callable[[], None] = lambda: None

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
    ) -> Plan:
        self._called("plan", direction, tuple(selection))
        return make_plan(
            self.changes, direction=direction, selection=selection, unchanged=300, known=318
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
        raise NotImplementedError

    def restore_trash(self, id: str, *, to: str | None = None) -> str:
        raise NotImplementedError

    def drop_trash(self, id: str) -> TrashItem:
        raise NotImplementedError

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
