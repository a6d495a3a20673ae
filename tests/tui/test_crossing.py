"""What crosses something else: keys in a burst, another datastore, an engine that is gone."""

import threading
from functools import partial
from typing import Any

from rich.text import Text
from textual import events

from s3dash.core.diff import Verdict
from s3dash.core.report import Result
from s3dash.tui.screens.decide import DecideScreen
from s3dash.tui.screens.leave import LeaveScreen
from s3dash.tui.screens.namespaces import NamespaceScreen
from s3dash.tui.screens.plan import PlanScreen
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import FakeEngine, change, conflict, idle, refusing
from tests.tui.test_namespaces_and_quit import Opener, busy_engine, start


def adding() -> FakeEngine:
    engine = FakeEngine()
    engine.changes = [change("a", Verdict.LOCAL_ADDED)]
    return engine


def dialogs(stage: Stage) -> list[str]:
    return [type(screen).__name__ for screen in stage.app.screen_stack[1:]]


async def ready(stage: Stage) -> None:
    """A plan is shown, and can be confirmed."""
    await stage.opened(PlanScreen)
    await stage.until(lambda: stage.app.screen.query_one("#run").display)
    stage.clock.advance(1.0)


# --- keys that come faster than a dialog opens --------------------------------------------------


def test_a_burst_of_one_key_opens_one_dialog_and_asks_for_one_plan() -> None:
    engine = adding()

    async def script(stage: Stage) -> None:
        for _ in range(3):
            stage.app.post_message(events.Key("P", "P"))
        await ready(stage)
        await stage.rest()
        assert dialogs(stage) == ["PlanScreen"]
        await stage.press("enter")
        await stage.until(lambda: engine.asked("run"))
        await stage.until(lambda: stage.at_home)
        assert len(engine.asked("plan")) == 1

    play(script, engine)


def test_quitting_again_asks_no_second_time_and_stay_is_stay() -> None:
    engine = busy_engine()

    async def script(stage: Stage) -> None:
        await start(stage, engine)
        await stage.press("ctrl+q")
        await stage.opened(LeaveScreen)
        await stage.press("ctrl+q", "ctrl+c")
        assert dialogs(stage) == ["LeaveScreen"]
        stage.clock.advance(1.0)
        await stage.press("escape")
        assert stage.at_home
        assert engine.gate is not None
        engine.gate.set()
        await stage.until(lambda: stage.app.look.running is None)
        assert stage.app.return_code is None

    play(script, engine)


# --- an engine that cannot ----------------------------------------------------------------------


def _told(stage: Stage, words: str) -> bool:
    return words in stage.event


def test_what_an_engine_refuses_is_told_and_the_screen_stays() -> None:
    engine = FakeEngine()
    for name in ("set_auto", "endpoint.look", "census.look"):
        engine.error[name] = refusing(f"the disk is full: {name}", "make room")

    async def script(stage: Stage) -> None:
        for key, name in (("A", "set_auto"), ("7", "endpoint.look"), ("5", "census.look")):
            await stage.press(key)
            told = f"{name}  make room"
            await stage.until(partial(_told, stage, told))
            assert stage.app.return_code is None

    play(script, engine)


def test_when_neither_namespace_can_be_opened_the_screen_stays_and_says_so() -> None:
    engine, opener = FakeEngine(), Opener()
    opener.refuse = {"web", "infra"}

    async def script(stage: Stage) -> None:
        await stage.press("N")
        await stage.opened(NamespaceScreen)
        await stage.until(lambda: "Asking" not in stage.text())
        stage.clock.advance(1.0)
        await stage.press("j", "enter")
        await stage.until(lambda: "neither web nor infra can be opened" in stage.event)
        assert stage.app.return_code is None

    play(script, engine, open_namespace=opener)


def test_an_engine_whose_namespace_was_left_is_let_go_of() -> None:
    engine, opener = FakeEngine(), Opener()

    async def script(stage: Stage) -> None:
        await stage.press("N")
        await stage.opened(NamespaceScreen)
        await stage.until(lambda: "Asking" not in stage.text())
        stage.clock.advance(1.0)
        await stage.press("j", "enter")
        await stage.until(lambda: stage.app.engine is opener.opened.get("web"))
        await stage.until(lambda: engine not in stage.app.opened)

    app = play(script, engine, open_namespace=opener)
    assert engine.asked("stop") == [()]
    assert app.opened == [opener.opened["web"]]


# --- another engine meanwhile -------------------------------------------------------------------


def test_a_plan_never_runs_on_another_engine_than_made_it() -> None:
    engine, anew = adding(), adding()

    async def script(stage: Stage) -> None:
        await stage.press("P")
        await ready(stage)
        await stage.app.arrange([anew])
        await stage.press("enter")
        await stage.until(lambda: "opened anew meanwhile" in stage.event)
        assert stage.app.look.running is None

    play(script, engine)
    assert engine.asked("run") == anew.asked("run") == []


class Slow(FakeEngine):
    """Settles a conflict as soon as it may."""

    def resolve(self, path: str, **options: Any) -> Result:
        self.running.set()
        assert self.gate is not None
        self.gate.wait()
        return super().resolve(path, **options)


def test_conflicts_are_settled_where_they_were_decided_whatever_is_looked_at() -> None:
    engine = Slow(idle(conflicts=(conflict("files/a"), conflict("files/b"))))
    other = FakeEngine(idle("other"))
    engine.gate = threading.Event()

    async def script(stage: Stage) -> None:
        await stage.press("6", "a", "l")
        await stage.opened(DecideScreen)
        await stage.press("y")
        await stage.until(engine.running.is_set)
        stage.app.use_site("other")
        assert engine.gate is not None
        engine.gate.set()
        await stage.until(lambda: "2 conflicts settled" in stage.event)

    play(script, engine, other)
    assert [path for path, *_ in engine.asked("resolve")] == ["files/a", "files/b"]
    assert other.asked("resolve") == []


# --- the last words -----------------------------------------------------------------------------


def test_a_path_in_the_last_words_is_no_markup() -> None:
    engine = busy_engine()

    async def script(stage: Stage) -> None:
        await start(stage, engine)
        await stage.press("q")
        await stage.opened(LeaveScreen)
        await stage.press("d")
        await stage.until(lambda: stage.app.return_code is not None)
        (words,) = stage.app._exit_renderables
        assert isinstance(words, Text)
        assert words.plain == "s3dash: the push goes on log: /srv/[/x]/log"

    play(script, engine, detach=lambda settings, ticket: "log: /srv/[/x]/log")
