"""Standard output: one JSON document, or short lines and tables. Nobody else writes there.

Every string is made harmless on its way out, so that callers hand over foreign text as it is.
"""

import json
import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from itertools import chain, islice
from typing import TYPE_CHECKING, BinaryIO, Literal, TextIO

import msgspec

from s3dash.core.text import safe
from s3dash.errors import UsageError

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress
    from rich.table import Table
    from rich.text import Text

Look = Literal["plain", "strong", "dim", "good", "warn", "bad", "add", "change", "remove", "clash"]

_STYLES: dict[Look, str] = {
    "plain": "",
    "strong": "bold",
    "dim": "dim",
    "good": "green",
    "warn": "yellow",
    "bad": "bold red",
    "add": "green",
    "change": "cyan",
    "remove": "red",
    "clash": "bold magenta",
}
_ROWS = 256
"""Rows that are written at once."""
_UNBOUNDED = 1 << 16
"""Columns: no line is ever folded by us. A terminal does that by itself, and paths stay whole."""


class Cell(msgspec.Struct, frozen=True):
    """A piece of text and how it looks; `right` sets it to the right of its column."""

    text: str
    look: Look = "plain"
    right: bool = False


Row = Sequence[Cell | str]


class Output:
    """Writes to one stream. With `as_json` there is exactly one document, else text only."""

    def __init__(self, stream: TextIO, *, as_json: bool = False, color: bool = False) -> None:
        self._stream = stream
        self._color = color
        self._console: Console | None = None
        self.as_json = as_json
        self.written = False

    def emit(self, document: object, human: Callable[["Output"], None]) -> None:
        """The document with `--json`, else what `human` writes."""
        if self.as_json:
            self.document(document)
        else:
            human(self)

    def document(self, document: object) -> None:
        """One JSON document in pure ASCII: it survives every terminal, encoding and odd name."""
        if self.written:
            raise AssertionError("standard output holds a JSON document already")
        import msgspec

        if not self._stream.isatty():  # without a dictionary for each of a million rows
            with suppress(UnicodeEncodeError):  # an odd name: below
                whole = msgspec.json.encode(document)
                if whole.isascii() and b"\x7f" not in whole:
                    self._write(whole.decode() + "\n")
                    return
        builtin = msgspec.to_builtins(document)
        indent = 2 if self._stream.isatty() else None
        separators = (",", ":") if indent is None else None  # as above
        self._write(json.dumps(builtin, indent=indent, separators=separators) + "\n")

    def stream(self, head: Mapping[str, object], name: str, rows: Iterable[object]) -> None:
        """A document with the rows under `name`, written as they come: any number of them.

        What fails before the first row leaves nothing written, later it leaves the document
        without its end.
        """
        if self.written:
            raise AssertionError("standard output holds a JSON document already")
        source = iter(rows)
        first = list(islice(source, 1))
        kept = [f"{_ascii({**head, name: []})[:-2]}"]
        for number, row in enumerate(chain(first, source)):
            kept.append(("," if number else "") + _ascii(row))
            if len(kept) >= _ROWS:
                self._write("".join(kept))
                kept.clear()
        self._write("".join(kept) + "]}\n")

    def raw(self, text: str) -> None:
        """Text of our own that is laid out already, such as the help."""
        self._write(text if text.endswith("\n") else text + "\n")

    @property
    def is_terminal(self) -> bool:
        """Whether a person, and not a file or a program, gets what is written."""
        return self._stream.isatty()

    def copy(self, file: BinaryIO) -> None:
        """The bytes of a file as they are: nothing here makes them harmless."""
        self.written = True
        self._stream.flush()
        binary = getattr(self._stream, "buffer", None)
        if binary is None:
            raise UsageError("standard output takes text only")
        shutil.copyfileobj(file, binary, 1 << 20)
        binary.flush()

    def content(self, body: bytes) -> None:
        """Bytes of somebody else's, as they are; on a terminal as harmless lines."""
        buffer = getattr(self._stream, "buffer", None)
        if buffer is not None and not self._stream.isatty():
            self.written = True
            self._stream.flush()
            buffer.write(body)
            buffer.flush()
            return
        text = body.decode(errors="backslashreplace")
        self.raw("\n".join(safe(line) for line in text.split("\n")))

    def line(self, *cells: Cell | str) -> None:
        """One line: the pieces one after another, nothing between them."""
        if not self._color:  # then there is nothing to lay out, and Rich takes long to load
            self._write("".join(_words(cell) for cell in cells).rstrip() + "\n")
            return
        from rich.text import Text

        line = Text()
        for cell in cells:
            line.append_text(_text(cell))
        self._print(line)

    def heading(self, title: str, number: int | None = None) -> None:
        """A title on a line of its own, after an empty one."""
        self.line()
        self.line(Cell(title, "strong"), *([Cell(f" ({number:,})", "dim")] if number else []))

    def table(self, rows: Sequence[Row], *, indent: int = 2) -> None:
        """Aligned columns without a frame; rows may differ in length."""
        if not rows:
            return
        from rich.table import Table

        table = Table.grid(padding=(0, 2, 0, 0))
        table.pad_edge = False
        for number in range(max(len(row) for row in rows)):
            column = [row[number] for row in rows if number < len(row)]
            right = any(isinstance(cell, Cell) and cell.right for cell in column)
            table.add_column(justify="right" if right else "left", overflow="fold")
        for row in rows:
            table.add_row(*(_text(cell) for cell in row))
        self._print(table, indent=indent)

    def _print(self, renderable: "Text | Table", *, indent: int = 0) -> None:
        console = self._open()
        with console.capture() as captured:
            if indent:
                from rich.padding import Padding

                console.print(Padding(renderable, (0, 0, 0, indent), expand=False))
            else:
                console.print(renderable, soft_wrap=True)
        lines = captured.get().split("\n")
        self._write("\n".join(line.rstrip() for line in lines))

    def _open(self) -> "Console":
        if self._console is None:
            self._console = console_on(self._stream, color=self._color, width=_UNBOUNDED)
        return self._console

    def _write(self, text: str) -> None:
        self.written = True
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding))
        self._stream.flush()


def _ascii(document: object) -> str:
    return json.dumps(msgspec.to_builtins(document), separators=(",", ":"))


def _words(cell: Cell | str) -> str:
    return safe(cell if isinstance(cell, str) else cell.text)


def _text(cell: Cell | str) -> "Text":
    from rich.text import Text

    if isinstance(cell, str):
        return Text(safe(cell))
    return Text(safe(cell.text), style=_STYLES[cell.look])


def console_on(stream: TextIO, *, color: bool, width: int) -> "Console":
    """A console that obeys no markup and guesses nothing from the environment."""
    from rich.console import Console

    terminal = stream.isatty()
    return Console(
        file=stream,
        force_terminal=terminal,
        color_system="auto" if color and terminal else None,
        width=width,
        markup=False,
        highlight=False,
        emoji=False,
    )


def bars_on(stream: TextIO, *, color: bool) -> "Progress":
    """A progress display for a terminal, to be refreshed by hand; gone when it ends."""
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=28),
        TextColumn("{task.fields[amount]}", markup=False),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeRemainingColumn(compact=True),
        console=console_on(stream, color=color, width=shutil.get_terminal_size().columns),
        auto_refresh=False,
        transient=True,
    )


def is_colored(stream: TextIO, *, no_color: bool, environ: Mapping[str, str]) -> bool:
    """Colours only for a terminal that can, and only when nobody said no."""
    refused = no_color or bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
    return stream.isatty() and not refused


def on_terminal() -> bool:
    """True when a person sits at both ends: the screen needs keys and a display."""
    return in_browser() or (sys.stdin.isatty() and sys.stdout.isatty())


def in_browser() -> bool:
    """True when textual-serve started us and passes keys and display on."""
    return os.environ.get("TEXTUAL_DRIVER", "").endswith(":WebDriver")
