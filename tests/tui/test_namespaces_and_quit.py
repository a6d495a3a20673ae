import threading
from collections.abc import Callable

import pytest

from s3dash.core.diff import Verdict
from s3dash.core.progress import Rate
from s3dash.tui.app import DashApp
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


def test_a_held_lock_is_asked_about_too() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("q")
        await stage.opened(LeaveScreen)
        assert "holds the lock" in stage.line("#leave-text")

    play(script, FakeEngine(idle(lock_held_s=3.0)))
