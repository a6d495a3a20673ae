import asyncio
import threading
import traceback

import pytest

from s3dash.errors import AccessDenied
from s3dash.tui import redact
from s3dash.tui.messages import SnapshotChanged
from s3dash.tui.pool import Pool
from s3dash.tui.process import stop_all
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import FakeEngine

SECRET = "hunter2hunter2"


def broken() -> int:
    password = SECRET
    raise RuntimeError(f"cannot log in with {password}")


def caught() -> BaseException:
    try:
        broken()
    except RuntimeError as error:
        return error
    raise AssertionError("it did not break")


def test_a_report_names_places_but_no_values() -> None:
    report = redact.report(caught())
    assert "unexpected RuntimeError" in report
    assert "in broken" in report
    assert SECRET not in report
    assert SECRET in "".join(traceback.format_exception(caught()))


def test_errors_of_ours_are_told_in_full_and_safe() -> None:
    assert redact.told(AccessDenied("no \x1b[31m", hint="ask ann")) == "no \\x1b[31m  ask ann"


def test_the_pool_answers_and_raises_in_the_loop() -> None:
    async def ask() -> None:
        pool = Pool(threads=1)
        assert await pool.ask(lambda: threading.current_thread().name) == "s3dash-screen-0"
        with pytest.raises(RuntimeError):
            await pool.ask(broken)
        assert await pool.ask(lambda: 7) == 7
        pool.close()

    asyncio.run(ask())


def test_a_call_that_hangs_holds_up_no_other_and_no_exit() -> None:
    gate = threading.Event()

    async def ask() -> int:
        pool = Pool(threads=2)
        hanging = pool.submit(gate.wait)
        answer = await pool.ask(lambda: 7)
        assert not hanging.done()
        pool.close()
        return answer

    assert asyncio.run(ask()) == 7
    assert all(t.daemon for t in threading.enumerate() if t.name.startswith("s3dash-screen"))
    gate.set()


def test_all_engines_are_stopped_though_one_hangs() -> None:
    class Hanging(FakeEngine):
        def stop(self) -> None:
            gate.wait()

    gate, good = threading.Event(), FakeEngine()
    stop_all([Hanging(), good], grace_s=0.01)
    assert good.asked("stop") == [()]
    gate.set()


def test_news_that_come_while_the_app_goes_down_are_no_error() -> None:
    async def script(stage: Stage) -> None:
        await stage.settle()

    app = play(script)
    assert app.screen_stack == []
    with app._context():
        app.on_snapshot_changed(SnapshotChanged())
