import threading
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from s3dash.core.diff import Verdict
from s3dash.core.progress import Rate
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import AutoSync
from s3dash.errors import S3DashError
from s3dash.tui.app import DashApp
from s3dash.tui.flows import leave
from s3dash.tui.screens.leave import LeaveScreen
from s3dash.tui.screens.namespaces import NamespaceScreen
from s3dash.tui.screens.plan import PlanScreen
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import (
    HOSTILE,
    FakeEngine,
    change,
    dirty,
    idle,
    moving,
    refusing,
    transfer,
)


class Opener:
    """Opens fake engines, and remembers them by namespace."""

    def __init__(self) -> None:
        self.opened: dict[str | None, FakeEngine] = {}
        self.refuse: set[str | None] = set()

    def __call__(self, datastore: str, namespace: str | None) -> FakeEngine:
        if namespace in self.refuse:
            raise refusing("no such namespace")
        made = FakeEngine(idle(datastore, namespace, dirty=(dirty(f"in/{namespace}"),)))
        self.opened[namespace] = made
        return made


async def picker(stage: Stage) -> None:
    await stage.press("N")
    await stage.opened(NamespaceScreen)
    await stage.until(lambda: "Asking" not in stage.text())
    stage.clock.advance(1.0)


# --- namespaces ---------------------------------------------------------------------------


def test_going_over_to_another_namespace() -> None:
    engine, opener = FakeEngine(), Opener()

    async def script(stage: Stage) -> None:
        await picker(stage)
        assert stage.app.screen.query_one("#namespaces").has_focus
        await stage.press("j", "enter")
        await stage.until(lambda: "working in namespace web" in stage.event)
        await stage.settle()
        assert "ns:web" in stage.line("#header")
        assert engine.asked("stop") == [()]
        assert opener.opened["web"].asked("start") == [()]
        await stage.press("2")
        assert "in/web" in stage.rows()[0]

    app = play(script, engine, open_namespace=opener)
    assert opener.opened["web"] in app.opened


def test_a_namespace_that_cannot_be_opened_brings_the_old_one_back() -> None:
    engine, opener = FakeEngine(), Opener()
    opener.refuse = {"web"}

    async def script(stage: Stage) -> None:
        await picker(stage)
        await stage.press("j", "enter")
        await stage.until(lambda: "namespace web cannot be opened" in stage.event)
        await stage.until(lambda: opener.opened["infra"].asked("history"))
        await stage.settle()
        assert "ns:infra" in stage.line("#header")

    play(script, engine, open_namespace=opener)


def test_the_same_namespace_or_escape_changes_nothing() -> None:
    engine, opener = FakeEngine(), Opener()

    async def script(stage: Stage) -> None:
        await picker(stage)
        await stage.press("enter")
        assert stage.at_home
        await picker(stage)
        await stage.press("escape")
        assert stage.at_home
        assert not engine.asked("stop")

    play(script, engine, open_namespace=opener)


def test_a_namespace_that_is_on_the_screen_already_is_not_opened_twice() -> None:
    opener, other = Opener(), FakeEngine(idle("prod-web", "web"))

    async def script(stage: Stage) -> None:
        await picker(stage)
        await stage.press("j", "enter")
        await stage.until(lambda: stage.app.look.site.name == "prod-web")
        assert opener.opened == {}

    play(script, FakeEngine(), other, open_namespace=opener)


def test_marks_do_not_cross_over() -> None:
    engine = FakeEngine(idle(dirty=(dirty("in/web"),)))

    async def script(stage: Stage) -> None:
        await stage.press("2", "space")
        await picker(stage)
        await stage.press("j", "enter")
        await stage.until(lambda: "working in namespace web" in stage.event)
        await stage.settle()
        assert stage.main.pane.model.marks == set()

    play(script, engine, open_namespace=Opener())


def test_a_datastore_without_namespaces_says_so() -> None:
    engine = FakeEngine(idle(namespace=None))
    engine.names = []

    async def script(stage: Stage) -> None:
        await picker(stage)
        assert "has no namespaces" in stage.text()
        await stage.press("enter", "escape")
        assert stage.at_home

    play(script, engine, open_namespace=Opener())


def test_names_from_the_bucket_are_made_safe_and_errors_told() -> None:
    engine = FakeEngine()
    engine.names = [HOSTILE]

    async def script(stage: Stage) -> None:
        await picker(stage)
        assert "a[/x]\\x1b[31m" in stage.text()
        await stage.press("escape")
        engine.error["namespaces"] = refusing("access denied", "ask ann")
        await picker(stage)
        assert "access denied" in stage.text()

    play(script, engine, open_namespace=Opener())


def test_where_namespaces_cannot_be_changed_the_reason_is_told() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("N")
        assert "namespaces cannot be changed here" in stage.event
        assert stage.at_home

    play(script)


# --- quitting -----------------------------------------------------------------------------


def ends(app: DashApp) -> bool:
    return app.return_code == 0


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
def test_an_idle_screen_quits_at_once(key: str) -> None:
    async def script(stage: Stage) -> None:
        await stage.press(key)
        await stage.until(lambda: ends(stage.app))

    play(script)


def busy_engine() -> FakeEngine:
    engine = FakeEngine()
    engine.changes = [change("a", Verdict.LOCAL_ADDED)]
    engine.gate = threading.Event()
    return engine


async def start(stage: Stage, engine: FakeEngine) -> None:
    await stage.press("P")
    await stage.opened(PlanScreen)
    await stage.until(lambda: stage.app.screen.query_one("#run").display)
    stage.clock.advance(1.0)
    await stage.press("enter")
    await stage.until(engine.running.is_set)


def played(act: Callable[[Stage, FakeEngine], object]) -> tuple[FakeEngine, DashApp]:
    """Start an operation that never ends by itself, ask to quit, and go on with `act`."""
    engine = busy_engine()

    async def script(stage: Stage) -> None:
        await start(stage, engine)
        await stage.press("q")
        await stage.opened(LeaveScreen)
        assert "A push of prod-minio is running." in stage.line("#leave-text")
        done = act(stage, engine)
        assert hasattr(done, "__await__")
        await done
        assert engine.gate is not None
        engine.gate.set()

    return engine, play(script, engine)


def test_enter_stays_while_something_runs() -> None:
    async def act(stage: Stage, engine: FakeEngine) -> None:
        await stage.press("enter")
        assert stage.at_home
        assert stage.app.look.running is not None

    played(act)


def test_stopping_cancels_cleanly_and_quits() -> None:
    async def act(stage: Stage, engine: FakeEngine) -> None:
        await stage.press("s")
        await stage.until(lambda: ends(stage.app))
        assert stage.app.look.running is None
        assert "cancelled" in stage.event

    played(act)


def test_waiting_quits_when_it_is_done() -> None:
    async def act(stage: Stage, engine: FakeEngine) -> None:
        await stage.press("w")
        assert stage.at_home
        assert "quits when this is done" in stage.event
        assert not ends(stage.app)
        assert engine.gate is not None
        engine.gate.set()
        await stage.until(lambda: ends(stage.app))

    played(act)


def test_answers_that_come_too_early_are_not_taken() -> None:
    engine = busy_engine()

    async def script(stage: Stage) -> None:
        await start(stage, engine)
        await stage.press("q")
        await stage.until(lambda: isinstance(stage.app.screen, LeaveScreen))
        await stage.press("s")
        assert not stage.at_home
        assert engine.gate is not None
        engine.gate.set()

    play(script, engine)


def test_transfers_of_auto_sync_are_asked_about_too() -> None:
    progress = moving([transfer(1, "active", 5)], Rate(1.0, 0.0))
    engine = FakeEngine(idle(state="pushing", progress=progress))

    async def script(stage: Stage) -> None:
        await stage.press("q")
        await stage.opened(LeaveScreen)
        assert "prod-minio is pushing." in stage.line("#leave-text")

    play(script, engine)


def syncing(name: str = "prod-minio", namespace: str = "infra") -> FakeEngine:
    """One whose auto-sync is at work until it is cancelled."""
    auto = AutoSync(True, 30.0, 12.0, running_s=3.0)
    engine = FakeEngine(idle(name, namespace, state="pushing", auto=auto))

    def stops() -> None:
        halted = AutoSync(True, 30.0, 12.0, "cancelled: waits for the next change, or r")
        engine.snap = replace(engine.snap, state="idle", auto=halted)

    engine.auto.on_cancel = stops
    return engine


def test_an_auto_sync_counts_as_running_and_is_cancelled_like_all_else() -> None:
    engine = syncing()

    async def script(stage: Stage) -> None:
        running = stage.app.look.running
        assert running is not None
        assert (running.name, running.site) == ("an auto-sync", "prod-minio")
        await stage.press("P")
        assert "an auto-sync is running" in stage.event
        stage.app.cancel_operation()
        assert engine.auto.cancelled == 1
        await stage.settle()
        assert stage.app.look.running is None
        assert "AUTO suspended" in stage.line("#header")
        await stage.press("P")
        await stage.opened(PlanScreen)

    play(script, engine)


def test_an_auto_sync_elsewhere_is_in_nobodys_way() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("P")
        await stage.opened(PlanScreen)

    play(script, FakeEngine(), syncing("other", "web"))


@pytest.mark.parametrize(("key", "cancelled"), [("s", 1), ("w", 0)])
def test_quitting_takes_an_auto_sync_for_what_it_is(key: str, cancelled: int) -> None:
    engine = syncing()

    async def script(stage: Stage) -> None:
        await stage.press("q")
        await stage.opened(LeaveScreen)
        assert "An auto-sync of prod-minio is running." in stage.line("#leave-text")
        await stage.press(key)
        if key == "w":
            assert not ends(stage.app)
            engine.auto.on_cancel()
            await stage.settle()
            leave.if_done(stage.app)
        await stage.until(lambda: ends(stage.app))
        assert engine.auto.cancelled == cancelled

    play(script, engine)


def test_auto_sync_says_how_it_goes_about_it() -> None:
    engine = FakeEngine(idle(auto=AutoSync(False, 30.0, quiet_s=2.0, longest_s=10.0)))

    async def script(stage: Stage) -> None:
        await stage.press("A")
        await stage.until(lambda: engine.asked("set_auto"))
        told = "every 30 s, 2 s after a change (10 s at the longest); never deletions that no plan"
        await stage.until(lambda: told in stage.event)

    play(script, engine)


# --- detaching ----------------------------------------------------------------------------


class Detacher:
    """Remembers what it was to start."""

    def __init__(self, error: S3DashError | None = None) -> None:
        self.started: list[tuple[Datastore, Path]] = []
        self.error = error

    def __call__(self, settings: Datastore, ticket: Path) -> str:
        if self.error is not None:
            raise self.error
        self.started.append((settings, ticket))
        return "as pid 7"


def detached(
    engine: FakeEngine, detacher: Detacher | None, after: Callable[[Stage], Awaitable[None]]
) -> DashApp:
    """Start a push, quit, and press `d`."""

    async def script(stage: Stage) -> None:
        await start(stage, engine)
        await stage.press("q")
        await stage.opened(LeaveScreen)
        await stage.press("d")
        await after(stage)
        assert engine.gate is not None
        engine.gate.set()

    return play(script, engine, detach=detacher)


def test_detaching_hands_the_plan_over_stops_and_quits() -> None:
    engine, detacher = busy_engine(), Detacher()

    async def after(stage: Stage) -> None:
        await stage.until(lambda: ends(stage.app))
        assert stage.app.look.running is None

    detached(engine, detacher, after)
    [(plan, _)] = engine.asked("run")
    assert engine.handover.written == [plan]
    assert detacher.started == [(engine.settings, Path("/srv/state/handover.json"))]


def test_what_cannot_be_detached_goes_on_here_and_says_why() -> None:
    async def after(stage: Stage) -> None:
        await stage.until(lambda: "not detached: no process could be started" in stage.event)
        assert stage.app.look.running is not None
        assert not ends(stage.app)

    detached(busy_engine(), Detacher(refusing("no process could be started")), after)


def test_where_nothing_can_be_detached_the_dialog_says_so() -> None:
    async def after(stage: Stage) -> None:
        assert "detach: this one ends with its screen" in stage.line("#leave-text")
        await stage.press("escape")
        assert stage.at_home

    detached(busy_engine(), None, after)


def test_only_what_was_shown_as_a_plan_can_be_detached() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("q")
        await stage.opened(LeaveScreen)
        assert "only a push, pull or sync whose plan you saw" in stage.line("#leave-text")
        await stage.press("d")
        assert not stage.at_home

    play(script, syncing(), detach=Detacher())


def test_deletions_that_were_shown_and_not_let_run_are_withheld_from_auto_sync() -> None:
    engine = FakeEngine()
    engine.changes = [change(p, Verdict.LOCAL_DELETED) for p in ("a", "b", "c")]

    async def script(stage: Stage) -> None:
        await stage.press("P")
        await stage.opened(PlanScreen)
        await stage.until(lambda: stage.app.screen.query_one("#run").display)
        stage.clock.advance(1.0)
        await stage.press("j", "space", "y")
        await stage.until(engine.running.is_set)
        assert engine.auto.withheld == ["b"]
        await stage.until(lambda: stage.app.look.running is None)
        await stage.press("P")
        await stage.opened(PlanScreen)
        await stage.until(lambda: stage.app.screen.query_one("#run").display)
        await stage.press("escape")
        await stage.until(lambda: engine.auto.withheld == ["b", "a", "b", "c"])

    play(script, engine)


def test_a_held_lock_is_asked_about_too() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("q")
        await stage.opened(LeaveScreen)
        assert "holds the lock" in stage.line("#leave-text")

    play(script, FakeEngine(idle(lock_held_s=3.0)))
