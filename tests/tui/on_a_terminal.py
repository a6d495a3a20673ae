"""The dashboard on fake engines, as a process of its own.

`broken=WHERE` makes it fall over a bug there, with a secret in all that a careless report could
show; `into=FILE` says there how it ended; `pushing` lets it move many files and never be done;
`hostile` gives everything names that mean harm; `slow-size` takes a while to look how large the
terminal is.
"""

import sys
import threading
import time
from pathlib import Path
from typing import Any

from msgspec.structs import replace
from rich.text import Text
from textual.drivers.linux_driver import LinuxDriver

from s3dash.core.progress import Rate
from s3dash.core.snapshot import Snapshot
from s3dash.tui import app as application
from s3dash.tui.flows import leave
from s3dash.tui.run import run_dashboard
from tests.tui.fake_engine import FakeEngine, busy, moving, transfer

SECRET = "hunter2hunter2"
STARTED = "engine-is-on"


class Login:
    """Something that shows a secret in every way there is."""

    def __init__(self) -> None:
        self.password = SECRET

    def __repr__(self) -> str:
        return f"Login({self.password})"


class BareError(Exception):
    """An error with a look of its own, as Rich and Textual would take it."""

    def __rich__(self) -> Text:
        return Text(str(self))


def fail(kind: type[Exception] = RuntimeError) -> Any:
    password, login = SECRET, Login()
    try:
        raise KeyError(f"no such user {password}", login)
    except KeyError as error:
        raise kind(f"login with {password} as {login!r} failed", login) from error


class Engine(FakeEngine):
    """Falls where it is told to, once it was started."""

    def __init__(self, snap: Snapshot, where: str, moves: bool) -> None:
        super().__init__(snap)
        self.where = where
        self.moves = moves
        self.beat = 0

    def start(self) -> None:
        super().start()
        self.note(STARTED)
        if self.where == "thread":
            threading.Thread(target=fail, name="s3dash-poll").start()
        if self.where == "garbage":
            self._throw_away()

    def _throw_away(self) -> None:
        class Dropped:
            def __del__(self) -> None:
                fail()

        Dropped()
        self.where = ""

    def snapshot(self) -> Snapshot:
        if self.where == "snapshot" and self.asked("start"):
            fail()
        if self.where == "own-look" and self.asked("start"):
            fail(BareError)
        if self.moves and self.asked("start"):
            self.beat += 1
            some = [transfer(n, "active", self.beat * 1000 + n) for n in range(25)]
            progress = moving(some, Rate(1e6 + self.beat, 0))
            return replace(self.snap, state="pushing", progress=progress)
        return super().snapshot()


def break_screen(where: str) -> None:
    """Bugs of the screen's own: in what paints a line, and in a flow that a key starts."""
    if where == "paint":
        application.DashApp.last_event = property(lambda _: fail())  # type: ignore[assignment]
    if where == "flow":

        async def broken(*_: object) -> None:
            fail()

        leave.leave = broken  # type: ignore[assignment]  # it is to break


def take_time_for_the_size() -> None:
    """Long enough for the next signal to come between the look and what is made of it."""
    look = LinuxDriver._get_terminal_size

    def slow(driver: LinuxDriver) -> tuple[int, int]:
        size = look(driver)
        time.sleep(0.3)
        return size

    LinuxDriver._get_terminal_size = slow  # type: ignore[assignment,method-assign]


def make_hostile(engine: FakeEngine) -> None:
    """Every name that it shows means harm."""
    from tests.tui import test_hostile

    bad = test_hostile.engine()
    engine.snap, engine.settings_ = bad.snap, bad.settings_
    engine.rows, engine.names = bad.rows, bad.names


def wish(name: str) -> str:
    found = [a.partition("=")[2] for a in sys.argv if a.partition("=")[0] == name]
    return found[0] if found else ""


def main() -> int:
    where = wish("broken")
    engine = Engine(replace(busy(), locks=()), where, "pushing" in sys.argv)
    if "hostile" in sys.argv:
        make_hostile(engine)
    if "slow-size" in sys.argv:
        take_time_for_the_size()
    break_screen(where)
    code = run_dashboard([engine])
    started, stopped = len(engine.asked("start")), len(engine.asked("stop"))
    told = f"started {started} stopped {stopped}\n"
    if wish("into"):
        Path(wish("into")).write_text(told)
    else:
        sys.stdout.write(told)
    return code


if __name__ == "__main__":
    sys.exit(main())
