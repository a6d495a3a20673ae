"""An index under care: what is wrong with it, what would be done, what was."""

from collections.abc import Callable, Coroutine, Sequence
from typing import Any, ClassVar, Literal

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content

from s3dash.clock import Clock
from s3dash.errors import S3DashError
from s3dash.tui import keys
from s3dash.tui.care_rows import CareRow
from s3dash.tui.cells import EMPTY, Cell, crop, one, wrapped
from s3dash.tui.columns import Column, heading
from s3dash.tui.format import safe
from s3dash.tui.look import Look
from s3dash.tui.screens.asking import Steered
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel

Job = Literal["verify", "full", "sample", "plan-repair", "repair", "plan-migrate", "migrate"]
Do = Callable[[Job], Coroutine[Any, Any, None]]

COLUMNS: tuple[Column[CareRow], ...] = (
    Column(title="WHAT", width=13, cell=lambda r, _: one(safe(r.what), r.look)),
    Column(title="NAME", middle=True, cell=lambda r, _: one(safe(r.name))),
    Column(title="WHY", width=46, least=90, cell=lambda r, _: one(safe(r.detail), "dim")),
)


class IndexScreen(Steered, Modal[None]):
    """What is to be done is done by `do`, which tells by `begun`, and then by `ready`, `plan`,
    `say` or `failed`.

    A plan is carried out by `y` alone, after a pause. Closing stops what runs: `stop`.
    """

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.INDEX, keys.MOVE)
    AUTO_FOCUS = "#care-list"

    def __init__(
        self,
        where: str,
        *,
        look: Callable[[], Look],
        clock: Clock,
        do: Do,
        stop: Callable[[], bool],
    ) -> None:
        super().__init__()
        self._where = where
        self._look = look
        self._guard = KeyGuard(clock)
        self._do = do
        self._stop = stop
        self._doing = ""
        self._told: Cell = EMPTY
        self._planned: Job | None = None
        model: LineModel[CareRow] = LineModel(lambda row: row.key)
        self._list: LineList[CareRow] = LineList(model, COLUMNS, id="care-list")
        self._head = Block(self._paint_head, id="care-head")
        self._note = Block(self._paint_note, id="care-note")

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog full") as box:
            box.border_title = Content(f"index of {safe(self._where)}")
            yield self._head
            yield Line(lambda width: heading(COLUMNS, width), id="care-heading")
            yield self._list
            yield self._note
            yield Line(lambda width: crop(self._hint(), width), id="hint")

    def on_mount(self) -> None:
        self._fill((), EMPTY)

    # --- what comes in ------------------------------------------------------------------

    def begun(self, what: str) -> None:
        """From now on it runs; the stage of the engine is shown with it."""
        self._doing, self._planned = what, None
        self._changed()

    def ready(self, told: Cell, rows: Sequence[CareRow], *, empty: str = "") -> None:
        """It ended: a sentence, and what it is about."""
        self._doing, self._told = "", told
        self._fill(rows, one(safe(empty), "good") if empty else EMPTY)

    def plan(self, job: Job, told: Cell, rows: Sequence[CareRow]) -> None:
        """What `job` would do; `y` starts it."""
        self._guard.restart()
        self._planned = job
        self.ready(told, rows)

    def failed(self, error: S3DashError) -> None:
        hint = f"  {safe(error.hint)}" if error.hint else ""
        self.say(((f"✖ {safe(error.message)}", "bad"), (hint, "dim")))

    def say(self, told: Cell) -> None:
        """How it ended, when it came to nothing. What was listed before stays."""
        self._doing, self._told = "", told
        self._changed()

    def show(self) -> None:
        if self._doing:
            self._head.poke()

    def _fill(self, rows: Sequence[CareRow], empty: Cell) -> None:
        if self.is_open:
            self._list.set_empty([empty])
            self._list.show(self._look(), tuple(rows))
            self._list.refresh()
            self._changed()

    def _changed(self) -> None:
        if self.is_open:
            for block in (self._head, self._note):
                block.refresh(layout=True)
            self.query_one("#hint", Line).poke()

    # --- painting -----------------------------------------------------------------------

    def _paint_head(self, width: int) -> list[Cell]:
        if not self._doing:
            return wrapped(self._told, width, 3) if self._told else [one(" ")]
        snapshot = self._look().snapshot
        stage = f"{snapshot.state}: {snapshot.detail}" if snapshot.detail else ""
        doing: Cell = ((f"{self._doing} …  ", "accent"), (safe(stage), "dim"))
        return wrapped(doing, width, 3)

    def _paint_note(self, width: int) -> list[Cell]:
        row = self._list.model.current
        if row is None:
            return [EMPTY]
        return wrapped(one(safe(row.detail), "dim"), width, 2)

    def _hint(self) -> Cell:
        if self._doing:
            return (("x", "key"), (" stops it   ", "dim"), ("esc", "key"), (" stops it", "dim"))
        yes: Cell = (("y", "key"), (" does it   ", "warn")) if self._planned else EMPTY
        return (*yes, *_HINT)

    @on(LineList.Moved)
    def _moved(self) -> None:
        self._note.refresh(layout=True)

    # --- keys ---------------------------------------------------------------------------

    def action_job(self, job: Job) -> None:
        if not self._doing:
            self.run_worker(self._do(job), group="care")

    def action_confirm(self) -> None:
        if self._planned is not None and not self._doing and self._guard.passes():
            job, self._planned = self._planned, None
            self.run_worker(self._do(job), group="care")

    def action_stop(self) -> None:
        if self._doing and self._stop():
            self._doing = "stopping"
            self._changed()

    def action_dismiss_modal(self) -> None:
        """One level: first what runs, then the plan, then the dialog."""
        if self._doing:
            self.action_stop()
        elif self._planned is not None:
            self._planned = None
            self.say(one("nothing was changed", "dim"))
        else:
            self.dismiss(None)


_HINT: Cell = (
    ("v", "key"), (" check  ", "dim"), ("c", "key"), (" contents too  ", "dim"),
    ("s", "key"), (" 5% of them  ", "dim"), ("r", "key"), (" repair  ", "dim"),
    ("m", "key"), (" migrate  ", "dim"), ("esc", "key"), (" closes", "dim"),
)  # fmt: skip
