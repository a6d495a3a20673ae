"""Enter, held down on a real terminal, confirms nothing in any dialog there is."""

import json
import select
import signal
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from tests.tui import dialogs
from tests.tui.test_terminal import PATIENCE_S, Terminal, opened

HELD_S, A_SECOND = 3.0, 30
SIDE_BY_SIDE = 3


class Row:
    """A terminal that shows some of the dialogs in turn."""

    def __init__(self, terminal: Terminal, into: Path, names: list[str]) -> None:
        self.terminal = terminal
        self.into = into
        self.names = names

    def told(self) -> list[Any]:
        lines = self.into.read_text().splitlines() if self.into.exists() else []
        return [json.loads(line) for line in lines]

    def until(self, count: int) -> None:
        """Wait until so many things were told."""
        deadline = time.monotonic() + PATIENCE_S
        while len(self.told()) < count:
            bug = self.terminal.written.partition(b"unexpected ")[2][:1000]
            assert time.monotonic() < deadline, f"{bug.decode()}\n{self.told()[-1:]}"
            self.terminal.read(0.05)


def hold_enter(rows: list[Row]) -> None:
    """30 times a second for 3 seconds, at all of them at once."""
    begun = time.monotonic()
    masters = [row.terminal.master for row in rows]
    for beat in range(round(HELD_S * A_SECOND)):
        for row in rows:
            row.terminal.press(b"\r")
        while (left := begun + (beat + 1) / A_SECOND - time.monotonic()) > 0:
            ready = select.select(masters, [], [], left)[0]
            for row in rows:
                if row.terminal.master in ready:
                    row.terminal.read(0)


def answers(tmp_path: Path, names: list[str]) -> dict[str, list[str]]:
    """What each dialog did while enter was held."""
    with ExitStack() as stack:
        rows = []
        for number in range(SIDE_BY_SIDE):
            into, mine = tmp_path / f"{number}", names[number::SIDE_BY_SIDE]
            command = [sys.executable, "-m", "tests.tui.held_enter", str(into), *mine]
            rows.append(Row(stack.enter_context(opened(command=command)), into, mine))
        for turn in range(max(len(row.names) for row in rows)):
            here = [row for row in rows if turn < len(row.names)]
            for row in here:
                row.until(2 * turn + 1)
            hold_enter(here)
            for row in here:
                row.terminal.process.send_signal(signal.SIGUSR1)
                row.until(2 * turn + 2)
        return {name: did for row in rows for name, did in row.told() if did is not None}


def test_enter_that_is_held_confirms_nothing_in_any_dialog(tmp_path: Path) -> None:
    names = list(dialogs.kinds())
    found = answers(tmp_path, names)
    assert set(found) == set(names)
    confirmed = {name: did for name, did in found.items() if did}
    assert {n: d for n, d in confirmed.items() if n not in dialogs.HARMLESS} == {}
