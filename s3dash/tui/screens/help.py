"""Help: the keys that work where the user stands, read from the live bindings."""

from collections.abc import Iterable, Sequence

from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content

from s3dash.tui import keys
from s3dash.tui.cells import Cell, one
from s3dash.tui.hints import Help
from s3dash.tui.screens.reading import ReadScreen
from s3dash.tui.widgets.line import Block, Line

_SECTIONS = (
    ("Lists", (keys.MOVE, keys.OPEN, keys.MARK)),
    ("Everywhere", (keys.GLOBAL, keys.APP, keys.VIEWS)),
)
_PLACE = {key.name: place for place, key in enumerate(keys.ALL)}
KEYS, TEXT = 16, 24
"""Cells for the keys of a command, and for what it is."""
ROOMY = 96
"""Cells from which on there is room to say more of each."""


def sections(title: str, commands: Sequence[Help]) -> list[tuple[str, list[Help]]]:
    """The commands by section, those of the view itself first. Empty sections are left out."""
    known = {key.name: name for name, groups in _SECTIONS for group in groups for key in group}
    order = [title, *(name for name, _ in _SECTIONS)]
    sorted_in: dict[str, list[Help]] = {name: [] for name in order}
    for command in sorted(commands, key=lambda c: _PLACE[c.name]):
        sorted_in[known.get(command.name, title)].append(command)
    return [(name, group) for name, group in sorted_in.items() if group]


def lines(
    title: str, commands: Sequence[Help], fields: Iterable[str] = (), *, width: int = ROOMY
) -> list[Cell]:
    """What the screen says; `fields` are those that a filter of this view can ask."""
    out: list[Cell] = []
    for name, group in sections(title, commands):
        told = (line for command in group for line in _command(command, width))
        out += [one(name, "title"), *told, one("")]
    return [*out, *_filter_help(fields), one(""), *_names(commands)]


def _command(command: Help, width: int) -> list[Cell]:
    """Keys, name, and what it does where there is room; why it cannot be given is always told."""
    shown = (command.keys, "key") if command.keys else ("no key", "faint")
    gap = " " * max(2, KEYS - len(shown[0]))
    start: Cell = (("  ", ""), shown, (gap, ""))
    about, reason = keys.BY_NAME[command.name].about, f"not now: {command.why_not}"
    if width < ROOMY:
        below: list[Cell] = [((" " * (KEYS + 2), ""), (reason, "warn"))]
        return [(*start, (command.text, "")), *(below if command.why_not else [])]
    end = (reason, "warn") if command.why_not else (about, "dim")
    return [(*start, (command.text.ljust(TEXT) if end[0] else command.text, ""), (" ", ""), end)]


def _filter_help(fields: Iterable[str]) -> list[Cell]:
    there = "  ".join(f"{name}:" for name in fields)
    shapes = (
        ("word", "rows that hold it; several words: all of them; case never counts"),
        ("!word", "rows that do not"),
        ('"a b"', "this very text"),
        ("field:a,b", "a field that begins with a or b"),
    )
    told: list[Cell] = [
        (("  ", ""), (shape.ljust(KEYS), "key"), (text, "dim")) for shape, text in shapes
    ]
    fields_line: Cell = (("  ", ""), ("fields here".ljust(KEYS), "key"), (there, "accent"))
    return [one("Filter", "title"), *told, *([fields_line] if there else [])]


def _names(commands: Sequence[Help]) -> list[Cell]:
    """What a remapping calls them."""
    given = "  ".join(sorted({command.name for command in commands}))
    return [one("Names for [screen.keys]", "title"), one(given, "dim")]


class HelpScreen(ReadScreen):
    def __init__(self, title: str, commands: Sequence[Help], fields: Iterable[str] = ()) -> None:
        super().__init__()
        self._about = title
        self._commands = commands
        self._fields = tuple(fields)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide") as box:
            box.border_title = Content(f"Keys in {self._about}")
            with VerticalScroll(id="help-scroll"):
                yield Block(self._paint, id="help-text")
            yield Line(lambda _: self._hint(), id="hint")

    def _paint(self, width: int) -> list[Cell]:
        return lines(self._about, self._commands, self._fields, width=width)

    def _hint(self) -> Cell:
        return (
            ("j k space", "key"),
            (" scroll   ", "dim"),
            ("esc", "key"),
            (" closes", "dim"),
        )
