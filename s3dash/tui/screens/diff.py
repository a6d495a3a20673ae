"""Two versions of a path beside each other, or one below the other; over the whole screen."""

from bisect import bisect_left, bisect_right
from collections.abc import Awaitable, Callable, Coroutine
from functools import partial
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content as Markup
from textual.widgets import ContentSwitcher

from s3dash.core.cancel import CancelToken
from s3dash.core.content import Content, Side
from s3dash.core.lines import CONTEXT, Row, beside, unified
from s3dash.errors import Cancelled, S3DashError
from s3dash.tui import diff_columns, hexdump, keys
from s3dash.tui.cells import Cell, crop, one
from s3dash.tui.diffing import Comparison, compared, starts, summary, unreadable
from s3dash.tui.format import safe
from s3dash.tui.look import Look
from s3dash.tui.screens.modal import Modal
from s3dash.tui.sides import WORDS, line
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList

Pair = tuple[Side, Side]
PAIRS: tuple[Pair, ...] = (("base", "local"), ("base", "remote"), ("local", "remote"))
ROOM_FOR_TWO = 120
Ask = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Runs a call in a thread of its own; raises S3DashError alone."""
Read = Callable[[Side, CancelToken], Content]


class DiffScreen(Modal[None]):
    """Reads a side when it is first wanted, and compares in a thread: no key waits for it."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.DIFF)

    def __init__(
        self, path: str, pair: Pair, *, look: Callable[[], Look], ask: Ask, read: Read
    ) -> None:
        super().__init__()
        self._path = path
        self._pair = pair
        self._look = look
        self._ask = ask
        self._read = read
        self._contents: dict[Side, Content] = {}
        self._found: Comparison | None = None
        self._message: list[Cell] = []
        self._beside: bool | None = None
        self._around: int | None = CONTEXT
        self._starts: list[int] = []
        self._token = CancelToken()
        self._shift = 0
        self._sides = Block(self._paint_sides, id="diff-sides")
        self._summary = Line(lambda width: crop(self._paint_summary(), width), id="diff-summary")
        self._note = Block(self._paint_note, id="diff-note")
        self._lists = {
            True: diff_columns.make_list(self._seen, two=True),
            False: diff_columns.make_list(self._seen, two=False),
        }

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog full") as box:
            box.border_title = Markup(f"diff · {safe(self._path)}")
            yield self._sides
            yield self._summary
            with ContentSwitcher(initial="diff-note", id="diff-body"):
                yield self._note
                yield from self._lists.values()
            yield Line(lambda width: crop(_HINT, width), id="hint")

    def on_mount(self) -> None:
        self._begin()

    def on_unmount(self) -> None:
        self._token.cancel()

    def on_resize(self) -> None:
        if self._beside is None and self._found is not None and self._found.lines is not None:
            self._arrange()

    # --- reading and comparing ----------------------------------------------------------

    def _begin(self) -> None:
        """Another pair: what was on its way is of no use any more."""
        self._token.cancel()
        self._token = CancelToken()
        self._found = None
        names = " and ".join(WORDS[s].name for s in self._pair if s not in self._contents)
        self._tell([one(f"Reading {names} …" if names else "Comparing …", "dim")])
        self._run(self._fill, "diff")

    def _run(self, work: Callable[[], Coroutine[Any, Any, None]], group: str) -> None:
        """A function, not its coroutine: one that never gets to start would be complained of."""
        self.run_worker(work, group=group, exclusive=True)  # type: ignore[arg-type] # says Never

    async def _fill(self) -> None:
        pair, token = self._pair, self._token
        try:
            for side in pair:
                if side not in self._contents:
                    self._contents[side] = await self._ask(partial(self._read, side, token))
                    self._changed()
            left, right = (self._contents[side] for side in pair)
            told = [cell for content in (left, right) for cell in unreadable(content)]
            if told:
                self._tell(told)
                return
            self._found = await self._ask(lambda: compared(left, right, check=token.check))
            self._changed()
            await self._show_rows()
        except Cancelled:
            return
        except S3DashError as error:
            self._tell([one(f"✖ {safe(error.message)}", "bad"), one(safe(error.hint), "dim")])

    async def _show_rows(self) -> None:
        """The rows of the layout in force, made in a thread: there may be many."""
        found, token = self._found, self._token
        if found is None:
            return
        lines = found.lines
        if lines is None or found.offset is None:
            self._tell([])
            return
        two, context, total = self.two, self._around, len(found.lefts)
        make = beside if two else unified

        def rows() -> tuple[list[Row], list[int]]:
            made = make(lines, total, context=context)
            token.check()
            return made, starts(made)

        try:
            made, places = await self._ask(rows)
        except Cancelled:
            return
        shown, wanted = self._lists[two], (self._found, self.two, self._around)
        if wanted != (found, two, context) or not self.is_open:
            return  # closed meanwhile, or something else is wanted now
        self._starts = places
        self.query_one("#diff-body", ContentSwitcher).current = shown.id
        shown.show(self._look(), made)
        shown.refresh()
        self.set_focus(shown)
        self._changed()

    def _arrange(self) -> None:
        """The same comparison, in another layout or with more around it."""
        self._run(self._show_rows, "diff-rows")

    def _tell(self, message: list[Cell]) -> None:
        """Words, or bytes, in the place of lines."""
        if self.is_open:
            self._message = message
            self.query_one("#diff-body", ContentSwitcher).current = "diff-note"
            self._changed()

    def _changed(self) -> None:
        """Harmless when it was closed meanwhile."""
        self._sides.refresh(layout=True)
        self._summary.poke()
        self._note.refresh(layout=True)

    # --- painting -----------------------------------------------------------------------

    @property
    def two(self) -> bool:
        """Side by side: as the user wants it, else where there is room."""
        return self.app.size.width >= ROOM_FOR_TWO if self._beside is None else self._beside

    @property
    def shown(self) -> LineList[Row]:
        return self._lists[self.two]

    def _seen(self) -> diff_columns.Seen:
        return diff_columns.Seen(self._found, self._shift, self.app.size.width)

    def _paint_sides(self, width: int) -> list[Cell]:
        look, lines = self._look(), []
        for side, sign, style in zip(self._pair, "-+", ("del", "add"), strict=True):
            known = self._contents.get(side) or Content(side=side, absent=True, why="…")
            lines.append(line(known, look, sign=sign, style=style, room=width))
        return lines

    def _paint_summary(self) -> Cell:
        return summary(self._found) if self._found is not None else one("")

    def _paint_note(self, width: int) -> list[Cell]:
        found = self._found
        if found is None or found.offset is None or found.lines is not None:
            return self._message
        mine, yours = found.left.body or b"", found.right.body or b""
        return [
            one(f"- {WORDS[found.left.side].name}", "del"),
            *hexdump.rows(mine, yours, found.offset, width=width, look="", mark="del-mark"),
            one(""),
            one(f"+ {WORDS[found.right.side].name}", "add"),
            *hexdump.rows(yours, mine, found.offset, width=width, look="", mark="add-mark"),
        ]

    # --- keys ---------------------------------------------------------------------------

    def action_pair(self, left: Side, right: Side) -> None:
        if self._pair != (left, right):
            self._pair = (left, right)
            self._shift = 0
            self._begin()

    def action_next_pair(self) -> None:
        self.action_pair(*PAIRS[(PAIRS.index(self._pair) + 1) % len(PAIRS)])

    def action_layout(self) -> None:
        self._beside = not self.two
        self._arrange()

    def action_context(self) -> None:
        self._around = CONTEXT if self._around is None else None
        self._arrange()

    def on_line_list_chosen(self) -> None:
        """Enter on a fold unfolds all of them."""
        row = self.shown.model.current
        if row is not None and row.kind == "fold":
            self.action_context()

    def action_change(self, step: int) -> None:
        """To the next change, or the one before; it stays at the last one."""
        at, shown = self.shown.model.cursor, self.shown
        if step > 0:
            later = self._starts[bisect_right(self._starts, at) :]
            target = later[0] if later else at
        else:
            n = bisect_left(self._starts, at)
            target = self._starts[n - 1] if n else at
        shown.move_to(target)

    def action_sideways(self, steps: int) -> None:
        """Long lines: every line is shown from further right on."""
        self._shift = max(0, self._shift + steps * diff_columns.SIDEWAYS)
        self.shown.tick(self._look())


_HINT: Cell = (
    ("n N", "key"), (" changes  ", "dim"), ("tab", "key"), (" other sides  ", "dim"),
    ("c", "key"), (" all lines  ", "dim"), ("u", "key"), (" layout  ", "dim"),
    ("← →", "key"), (" long lines  ", "dim"), ("esc", "key"), (" closes", "dim"),
)  # fmt: skip
