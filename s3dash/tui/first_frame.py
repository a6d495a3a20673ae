"""The first line of the screen, painted before Textual is loaded, which takes a while.

Imports nothing heavy. What it says is the header that the screen shows at its start.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from s3dash.core.text import safe

ENTER = "\x1b[?1049h\x1b[?25l\x1b[2J\x1b[H"
LEAVE = "\x1b[?1049l\x1b[?25h"
USUAL = 80
"""Columns of a terminal that does not know how many it has."""
BOLD, PLAIN = "\x1b[1m", "\x1b[0m"


def first_line(name: str, namespace: str | None, room: int) -> str:
    """The header of a datastore whose engine is being opened, in at most `room` characters."""
    parts = [" s3dash", safe(name), "◌ starting", *([f"ns:{safe(namespace)}"] if namespace else [])]
    if len("  ".join(parts)) > room:
        parts = [f" {safe(name)}", "◌ starting"]
    return "  ".join(parts)[:room]


@contextmanager
def painted(name: str, namespace: str | None, *, stream: TextIO | None = None) -> Iterator[None]:
    """Show the line while the screen is being loaded; taken back only when that fails.

    Else it stays until the screen paints over it. Writes where the screen will, `stream` stands
    in for that; nothing when that is no terminal.
    """
    stream = stream or sys.__stderr__
    if stream is None or not stream.isatty():
        yield
        return
    room = os.get_terminal_size(stream.fileno()).columns or USUAL
    line = first_line(name, namespace, room)
    _write(stream, f"{ENTER}{BOLD}{line}{PLAIN}")
    try:
        yield
    except BaseException:
        _write(stream, LEAVE)
        raise


def _write(stream: TextIO, text: str) -> None:
    stream.write(text)
    stream.flush()
