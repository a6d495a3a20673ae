"""What lies around the screen: its terminal, the environment, programs that know a clipboard."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from textual.app import App

FEED_S = 3.0
"""How long a program may take to accept a text."""

_TOOLS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("WAYLAND_DISPLAY", ("wl-copy",)),
    ("DISPLAY", ("xclip", "-selection", "clipboard")),
    ("DISPLAY", ("xsel", "--clipboard", "--input")),
    ("TMUX", ("tmux", "load-buffer", "-w", "-")),
)
"""The variable without which a program reaches nothing, and its command line."""


def feed(argv: Sequence[str], text: str) -> bool:
    """Run a program with `text` as its input; True when it took it. Blocks at most FEED_S."""
    try:
        done = subprocess.run(  # noqa: S603 - one of the command lines above
            argv,
            input=text.encode(),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=FEED_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):  # it is told which ways did work
        return False
    return done.returncode == 0


class Outside:
    """Tests give other functions than the real ones; `emit` is theirs to override."""

    def __init__(
        self,
        *,
        environ: Mapping[str, str] | None = None,
        which: Callable[[str], str | None] = shutil.which,
        feed: Callable[[Sequence[str], str], bool] = feed,
        platform: str = sys.platform,
    ) -> None:
        self.environ = dict(os.environ if environ is None else environ)
        self._which = which
        self._feed = feed
        self._platform = platform

    def emit(self, app: App[Any], text: str) -> None:
        """Write to the terminal what is no part of the picture, between two updates of it."""
        driver = app._driver  # Textual has no public way but `bell`
        if driver is not None and not driver.is_headless:
            driver.write(text)
            driver.flush()

    def tools(self) -> list[tuple[str, ...]]:
        """The command lines of the programs that reach a clipboard from here, best first."""
        found = [argv for need, argv in _TOOLS if self.environ.get(need) and self._which(argv[0])]
        if self._platform == "darwin" and self._which("pbcopy"):
            found.insert(0, ("pbcopy",))
        return found

    def hand_over(self, text: str) -> str:
        """Give `text` to the first program that takes it; its name, empty when none did. Blocks."""
        for argv in self.tools():
            if self._feed(argv, text):
                return argv[0]
        return ""
