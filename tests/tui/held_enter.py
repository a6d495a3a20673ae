"""Opens one dialog after the other on a terminal, the next at each SIGUSR1.

Writes to a file what each was answered with, or did, while it was open.
"""

import asyncio
import json
import signal
import sys
from pathlib import Path

from s3dash.tui import app as application
from s3dash.tui import run
from tests.tui import dialogs
from tests.tui.fake_engine import FakeEngine, busy


class Held(application.DashApp):
    """One line of JSON for each dialog: `[name, [what it did]]`; an empty one before the first."""

    CSS_PATH = str(Path(application.__file__).with_name("s3dash.tcss"))

    def __init__(self, into: Path, kinds: list[str]) -> None:
        super().__init__([FakeEngine(busy())])
        self._into = into
        self._kinds = kinds
        self._next = asyncio.Event()

    def on_mount(self) -> None:
        super().on_mount()
        asyncio.get_running_loop().add_signal_handler(signal.SIGUSR1, self._next.set)
        self.run_worker(self._show_all())

    async def _show_all(self) -> None:
        known = dialogs.kinds()
        for name in self._kinds:
            did: list[object] = []
            screen = dialogs.make(known[name], self, did)
            await self.push_screen(screen, did.append)
            dialogs.fill(screen)
            self._tell(name, None)
            await self._next.wait()
            self._next.clear()
            self._tell(name, [repr(one) for one in did if one is not None])
            while len(self.screen_stack) > 1:
                self.pop_screen()
        self.exit()

    def _tell(self, name: str, did: list[str] | None) -> None:
        with self._into.open("a") as file:
            file.write(json.dumps([name, did]) + "\n")


def main() -> int:
    into, kinds = Path(sys.argv[1]), sys.argv[2:]
    return asyncio.run(run.live(Held(into, kinds)))


if __name__ == "__main__":
    sys.exit(main())
