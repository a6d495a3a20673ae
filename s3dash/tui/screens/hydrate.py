"""Which content to bring that a lazy pull left in the bucket: a path, completed as it is typed."""

from collections.abc import Awaitable, Callable

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input

from s3dash.core.hydration import Below
from s3dash.tui.cells import Cell, crop, one
from s3dash.tui.format import count, safe, size
from s3dash.tui.screens.modal import Modal
from s3dash.tui.widgets.line import Block

SHOWN = 8

LookUp = Callable[[str], Awaitable[Below]]
"""What a path would bring, and how it may go on."""


class _Names(Suggester):
    """Completes a path as far as the next slash."""

    def __init__(self, look_up: LookUp) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._look_up = look_up

    async def get_suggestion(self, value: str) -> str | None:
        names = (await self._look_up(value)).names
        return next((name for name in names if name.isprintable() and name != value), None)


class HydrateScreen(Modal[str]):
    """Answers with the path, empty for everything. Nothing is changed by it: a plan comes next."""

    def __init__(self, where: str, look_up: LookUp) -> None:
        super().__init__()
        self._where = where
        self._look_up = look_up
        self._below: Below | None = None
        self._typed = Input(
            placeholder="everything, or a path like data/",
            id="hydrate",
            compact=True,
            suggester=_Names(look_up),
        )
        self._text = Block(self._paint, id="hydrate-text")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog") as box:
            box.border_title = Content(f"hydrate · {safe(self._where)}")
            yield self._typed
            yield self._text

    def on_mount(self) -> None:
        self._typed.focus()
        self._ask()

    # --- painting -----------------------------------------------------------------------

    def _paint(self, width: int) -> list[Cell]:
        below = self._below
        if below is None:
            return [one(""), one("one moment …", "dim"), *_blank(SHOWN), _HINT]
        rows = [crop(one(f"  {safe(name)}", "dim"), width) for name in below.names[:SHOWN]]
        return [one(""), self._says(below), *rows, *_blank(SHOWN - len(rows)), _HINT]

    def _says(self, below: Below) -> Cell:
        if below.files:
            left = "" if self._typed.value else "everything: "
            return one(
                f"{left}{count(below.files, 'file')}, {size(below.bytes)} to bring", "accent"
            )
        if below.names:
            return one("not a whole path yet", "dim")
        return one("✖ nothing that was left in the bucket lies there", "warn")

    # --- what comes in ------------------------------------------------------------------

    def _ask(self) -> None:
        self.run_worker(self._learn(self._typed.value), exclusive=True, group="hydrate")

    async def _learn(self, typed: str) -> None:
        self._below = await self._look_up(typed)
        self._text.refresh(layout=True)

    @on(Input.Changed)
    def _changed(self, event: Input.Changed) -> None:
        event.stop()
        self._ask()

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if self._below is not None and self._below.files:
            self.dismiss(event.value.strip("/"))


def _blank(lines: int) -> list[Cell]:
    return [one("")] * (lines + 1)


_HINT: Cell = (
    ("enter", "key"), (" shows the plan   ", "dim"), ("right", "key"), (" completes   ", "dim"),
    ("esc", "key"), (" leaves it", "dim"),
)  # fmt: skip
