"""Help: the keys that work where the user stands, read from the live bindings."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical, VerticalScroll

from s3dash.tui import keys
from s3dash.tui.cells import Cell, one
from s3dash.tui.hints import Help
from s3dash.tui.screens.modal import Modal
from s3dash.tui.widgets.line import Block, Line

_SECTIONS = (
    ("Mark", (keys.MARK,)),
    ("Everywhere", (keys.GLOBAL, keys.APP)),
    ("Views", (keys.VIEWS,)),
    ("Move", (keys.MOVE, keys.OPEN)),
)


def sections(title: str, commands: Sequence[Help]) -> list[tuple[str, list[Help]]]:
    """The commands by section, those of the view itself first. Empty sections are left out."""
    known = {key.name: name for name, groups in _SECTIONS for group in groups for key in group}
    order = [title, *(name for name, _ in _SECTIONS)]
    sorted_in: dict[str, list[Help]] = {name: [] for name in order}
    for command in commands:
        sorted_in[known.get(command.name, title)].append(command)
    return [(name, group) for name, group in sorted_in.items() if group]


def lines(title: str, commands: Sequence[Help]) -> list[Cell]:
    out: list[Cell] = []
    for name, group in sections(title, commands):
        out += [one(name, "title")]
        for command in group:
            text: Cell = ((f"  {command.keys:<14}", "key"), (command.text, ""))
            if command.why_not:
                text = (*text, (f"  not now: {command.why_not}", "warn"))
            out.append(text)
        out.append(one(""))
    out.append(one("Filter: words, !not, field:value (state: ns: …)", "dim"))
    return out


class HelpScreen(Modal[None]):
    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.READ)
    AUTO_FOCUS = "#help-scroll"

    def __init__(self, title: str, commands: Sequence[Help]) -> None:
        super().__init__()
        self._title = title
        self._lines = lines(title, commands)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = f"Keys in {self._title}"
            with VerticalScroll(id="help-scroll"):
                yield Block(lambda _: self._lines, id="help-text")
            yield Line(lambda _: (("esc", "key"), (" closes", "dim")), id="hint")

    def action_scroll(self, step: int) -> None:
        self.query_one("#help-scroll", VerticalScroll).scroll_relative(y=step, animate=False)
