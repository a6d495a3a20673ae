import asyncio
import logging
import resource
import sys
import threading
import traceback
import warnings

import pytest

from s3dash.errors import AccessDenied
from s3dash.tui import redact
from s3dash.tui.messages import SnapshotChanged
from s3dash.tui.pool import Pool
from s3dash.tui.process import sealed, stop_all
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


def chained(kind: type[Exception]) -> BaseException:
    try:
        try:
            broken()
        except RuntimeError as error:
            raise kind(f"while {SECRET}") from error
    except kind as error:
        return error
    raise AssertionError("it did not break")


def test_a_report_names_what_led_to_it_and_what_to_do() -> None:
    report = redact.report(chained(KeyError))
    assert report.index("unexpected KeyError") < report.index("after RuntimeError")
    assert "in broken" in report
    assert redact.HINT in report
    assert SECRET not in report


def test_a_report_of_errors_that_lead_to_each_other_ends() -> None:
    first, second = ValueError(SECRET), TypeError(SECRET)
    first.__cause__, second.__cause__ = second, first
    assert redact.report(first).count("after ") == 1


def test_what_a_thread_ends_with_is_told_and_never_written(
    capfd: pytest.CaptureFixture[str],
) -> None:
    before = (threading.excepthook, sys.unraisablehook)
    told: list[BaseException] = []
    with sealed(told.append):
        for call in (broken, sys.exit):
            thread = threading.Thread(target=call)
            thread.start()
            thread.join()
        warnings.warn(SECRET, stacklevel=1)
        logging.getLogger("some.library").error(SECRET)
        assert resource.getrlimit(resource.RLIMIT_CORE)[0] == 0
    assert [type(error) for error in told] == [RuntimeError]
    assert (threading.excepthook, sys.unraisablehook) == before
    assert SECRET not in "".join(capfd.readouterr())


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


def test_however_many_calls_hang_another_one_is_answered() -> None:
    gate = threading.Event()

    async def ask() -> int:
        pool = Pool(threads=2)
        hanging = [pool.submit(gate.wait) for _ in range(20)]
        answer = await asyncio.wait_for(pool.ask(lambda: 7), 30)
        assert not any(call.done() for call in hanging)
        pool.close()
        return answer

    try:
        assert asyncio.run(ask()) == 7
    finally:
        gate.set()


def test_many_engines_are_stopped_side_by_side() -> None:
    """So that those that hang take no longer than one of them."""
    together, ended = threading.Barrier(100), list[int]()

    class Waiting(FakeEngine):
        def stop(self) -> None:
            ended.append(together.wait())

    stop_all([Waiting() for _ in range(100)], grace_s=60)
    assert sorted(ended) == list(range(100))


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
