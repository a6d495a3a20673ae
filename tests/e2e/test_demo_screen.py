"""`s3dash demo` in a real terminal: a living dashboard, and nothing of it stays."""

import re
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.e2e.traces import processes_below


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    opened = Terminal("demo", cwd=tmp_path, environ={"TMPDIR": str(tmp_path)})
    try:
        yield opened
    finally:
        opened.close()


def test_the_dashboard_lives_and_q_ends_everything(terminal: Terminal, tmp_path: Path) -> None:
    terminal.wait_for("acme-infra", "acme-web", "online", "Dirty 10")
    terminal.wait_until(lambda shown: any(int(n) > 1 for n in re.findall(r"commit (\d+)", shown)))
    assert processes_below(tmp_path)
    terminal.press("q")
    assert terminal.end() == 0
    assert list(tmp_path.iterdir()) == []
    assert processes_below(tmp_path) == []


def test_a_signal_ends_everything_too(terminal: Terminal, tmp_path: Path) -> None:
    terminal.wait_for("acme-infra", "online")
    terminal.process.send_signal(signal.SIGTERM)
    assert terminal.end() == 130
    assert list(tmp_path.iterdir()) == []
    assert processes_below(tmp_path) == []
