"""How failures end: exit codes, documents, no traceback, no secret; signals."""

import io
import os
import signal
import threading

import pytest

from s3dash import errors
from s3dash.cli.main import run
from s3dash.core.cancel import CancelToken
from s3dash.core.report import Result
from tests.cli.fakes import FakeEngine, FakeServices, cli

SECRET = "hunter2-secret"


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (errors.AccessDenied("wrong key", hint="check it"), 1),
        (errors.ConfigError("bucket: missing", hint="check it"), 2),
        (errors.GuardTripped("too many", hint="check it"), 3),
        (errors.LockHeld("held by ada", hint="check it"), 4),
        (errors.UnsafeEndpoint("no conditions", hint="check it"), 4),
        (errors.Cancelled("cancelled", hint="check it"), 130),
    ],
)
def test_an_error_is_a_document_or_a_line_and_an_exit_code(
    error: errors.S3DashError, code: int
) -> None:
    engine = FakeEngine(error=error)
    done = cli("push", "--json", engine=engine)
    assert done.code == code
    assert done.document == {
        "error": {"type": type(error).__name__, "message": error.message, "hint": "check it"}
    }
    human = cli("push", engine=engine)
    assert human.code == code
    assert human.out == ""
    assert human.err == f"s3dash: {error.message}\n  hint: check it\n"
    assert engine.stops == 2


def test_an_unforeseen_exception_shows_its_type_and_nothing_it_says() -> None:
    engine = FakeEngine(error=KeyError(SECRET))
    done = cli("status", "--json", engine=engine)
    assert done.code == 1
    assert done.document["error"]["type"] == "KeyError"
    assert "unexpected error" in done.document["error"]["message"]
    assert SECRET not in done.out + done.err
    assert "Traceback" not in done.out + done.err


def test_verbose_shows_where_it_happened_but_no_value_and_no_directory() -> None:
    done = cli("status", "-v", engine=FakeEngine(error=KeyError(SECRET)))
    assert done.code == 1
    assert "cli/fakes.py:" in done.err
    assert "in _fail" in done.err
    assert SECRET not in done.err
    assert os.getcwd() not in done.err  # noqa: PTH109 - the text of it is what must not appear


def test_a_message_of_many_lines_is_told_line_by_line_and_harmless() -> None:
    error = errors.ConfigError("2 problems:\nbucket: missing\nregion: \x1b[31mwrong")
    done = cli("status", engine=FakeEngine(error=error))
    assert done.err == "s3dash: 2 problems:\n  bucket: missing\n  region: \\x1b[31mwrong\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_cancels_the_operation_and_stops_the_engine(number: signal.Signals) -> None:
    before = signal.getsignal(number)

    def interrupted(cancel: CancelToken) -> None:
        os.kill(os.getpid(), number)
        assert cancel.event.wait(10)
        cancel.check()

    engine = FakeEngine(job=interrupted)
    done = cli("push", "--json", engine=engine)
    assert done.code == 130
    assert done.document["error"]["type"] == "Cancelled"
    assert number.name in done.document["error"]["message"]
    assert engine.stops == 1
    assert signal.getsignal(number) is before


def test_an_operation_that_ends_in_spite_of_the_signal_is_reported() -> None:
    def finishing(cancel: CancelToken) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert cancel.event.wait(10)

    engine = FakeEngine(job=finishing, result=Result(action="push", pushed=1))
    done = cli("push", "--json", engine=engine)
    assert done.code == 0
    assert done.document["pushed"] == 1


def test_a_second_signal_ends_it_at_once() -> None:
    released = threading.Event()

    def stubborn(cancel: CancelToken) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert cancel.event.wait(10)
        os.kill(os.getpid(), signal.SIGINT)
        released.wait(10)

    engine = FakeEngine(job=stubborn)
    try:
        done = cli("push", engine=engine)
    finally:
        released.set()
    assert done.code == 130
    assert "stopped by SIGINT" in done.err
    assert engine.stops == 1


def test_a_slow_end_is_told_and_waited_for() -> None:
    told = threading.Event()

    class Watched(io.StringIO):
        def write(self, text: str) -> int:
            if "stopping" in text:
                told.set()
            return super().write(text)

    def slow(cancel: CancelToken) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        assert told.wait(10)
        cancel.check()

    err = Watched()
    services = FakeServices(FakeEngine(job=slow))
    code = run(["push"], services=services, stdout=io.StringIO(), stderr=err, environ={})
    assert code == 130
    assert err.getvalue().startswith("stopping; once more to quit at once\ns3dash: stopped by SIG")


def test_progress_is_shown_on_a_terminal_and_cleared() -> None:
    shown = threading.Event()

    class Watched(FakeEngine):
        def snapshot(self):  # type: ignore[no-untyped-def] # the fake's own type
            shown.set()
            return super().snapshot()

    engine = Watched(job=lambda cancel: None if shown.wait(10) else cancel.check())
    done = cli("push", engine=engine, terminal=True)
    assert done.code == 0
    assert "pushing (2 files)" in done.err
    assert "pushing" not in done.out
