"""A world around the screen that remembers what it was given."""

import base64
import re
from collections.abc import Sequence
from typing import Any

from textual.app import App

from s3dash.tui.outside import Outside


class FakeOutside(Outside):
    """`there` are the programs that are installed, `refusing` those that fail."""

    def __init__(
        self, *, there: Sequence[str] = (), refusing: Sequence[str] = (), **environ: str
    ) -> None:
        super().__init__(
            environ={"TERM": "xterm-256color", **environ},
            which=lambda name: f"/usr/bin/{name}" if name in there else None,
            feed=self._take,
            platform="linux",
        )
        self._refusing = refusing
        self.fed: list[tuple[tuple[str, ...], str]] = []
        self.written: list[str] = []

    def _take(self, argv: Sequence[str], text: str) -> bool:
        self.fed.append((tuple(argv), text))
        return argv[0] not in self._refusing

    def emit(self, app: App[Any], text: str) -> None:
        self.written.append(text)

    @property
    def clipboards(self) -> list[str]:
        """The texts that plain OSC 52 sequences carried."""
        found = re.findall("\x1b]52;c;([^\x07]*)\x07", "".join(self.written))
        return [base64.b64decode(coded).decode() for coded in found]
