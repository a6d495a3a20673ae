"""Pushing the model under the cursor from Dirty, and what Locks says about a look long ago."""

from s3dash.core.diff import Verdict
from s3dash.tui.screens.plan import PlanScreen
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import FakeEngine, ago, change, dirty, idle

ONE = "data/acme/vm/one/config/1/raw"
RUN = "outputs/acme/vm/two/run.yaml"
LOG = "logs/app.log"


def edited() -> FakeEngine:
    engine = FakeEngine(idle(dirty=tuple(dirty(p) for p in (ONE, LOG, RUN))))
    engine.changes = [change(p, Verdict.LOCAL_MODIFIED) for p in (ONE, LOG, RUN)]
    return engine


def test_the_model_under_the_cursor_is_pushed_after_its_plan() -> None:
    engine = edited()

    async def script(stage: Stage) -> None:
        await stage.press("2", "M")
        await stage.opened(PlanScreen)
        await stage.until(lambda: engine.asked("plan"))
        await stage.rest()
        assert engine.asked("plan") == [("push", (), ("acme/vm/one",))]
        stage.clock.advance(1.0)
        await stage.press("y")
        await stage.until(lambda: engine.asked("run"))
        ((plan, _),) = engine.asked("run")
        assert plan.models == ("acme/vm/one",)
        assert [item.path for item in plan.items] == [ONE]

    play(script, engine)


def test_marked_rows_push_each_of_their_models() -> None:
    engine = edited()

    async def script(stage: Stage) -> None:
        await stage.press("2", "a", "M")
        await stage.opened(PlanScreen)
        await stage.until(lambda: engine.asked("plan"))
        assert engine.asked("plan") == [("push", (), ("acme/vm/one", "acme/vm/two"))]

    play(script, engine)


def test_a_path_of_no_model_says_so() -> None:
    engine = edited()

    async def script(stage: Stage) -> None:
        await stage.press("2", "j", "M")
        assert stage.at_home
        assert "no model" in stage.event
        assert not engine.asked("plan")

    play(script, engine)


def test_a_reader_cannot_push_a_model() -> None:
    engine = edited()
    engine.snap = idle(dirty=engine.snap.dirty, read_only="pid 7 on vm")

    async def script(stage: Stage) -> None:
        await stage.press("2", "M")
        assert "read-only" in stage.event
        assert not engine.asked("plan")

    play(script, engine)


def test_locks_say_when_those_of_models_were_last_looked_for() -> None:
    engine = FakeEngine(idle(locks_at=ago(7200)))

    async def script(stage: Stage) -> None:
        await stage.press("4")
        assert "model locks: looked at" in stage.text()
        engine.snap = idle(locks_at=ago(5))
        await stage.settle()
        assert "model locks" not in stage.line("#locks-summary")

    play(script, engine)
