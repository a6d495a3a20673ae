"""How many bytes a second all transfers together may take."""

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from s3dash.core.text import size_of
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import rate
from s3dash.tui.screens.modal import Modal
from s3dash.tui.widgets.line import Block


class BandwidthScreen(Modal[int]):
    """Answers with bytes per second, 0 for no limit."""

    def __init__(self, now: int) -> None:
        super().__init__()
        self._now = now
        self._typed = Input(placeholder="10MiB/s; 0 is no limit", id="bandwidth", compact=True)
        self._text = Block(lambda _: self._paint(), id="bandwidth-text")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog small") as box:
            box.border_title = Content("bandwidth")
            yield self._typed
            yield self._text

    def on_mount(self) -> None:
        self._typed.focus()

    def _paint(self) -> list[Cell]:
        return [one(""), self._reading(), one(""), _HINT]

    def _reading(self) -> Cell:
        """What enter would do now."""
        if not self._typed.value.strip():
            now = f"at most {rate(self._now)}" if self._now else "no limit"
            return one(f"over all transfers together; now: {now}", "dim")
        limit = bandwidth_of(self._typed.value)
        if limit is None:
            return one("✖ not a rate: a number with k, M, G, KiB, MiB or GiB", "bad")
        return one(f"at most {rate(limit)}" if limit else "no limit", "accent")

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._text.poke()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        limit = bandwidth_of(event.value)
        if limit is not None:
            self.dismiss(limit)


def bandwidth_of(text: str) -> int | None:
    """Bytes per second that `10MiB/s`, `500k` or `0` name; None when it names none."""
    return size_of(text.strip().removesuffix("/s").strip())


_HINT: Cell = (
    ("enter", "key"), (" sets it   ", "dim"), ("0", "key"), (" takes it away   ", "dim"),
    ("esc", "key"), (" leaves it", "dim"),
)  # fmt: skip
