"""The plan view before every push, pull and sync: nothing moves that was not shown here."""

from collections.abc import Callable
from typing import ClassVar, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from s3dash.clock import Clock
from s3dash.core.plan import Action, Direction, Item, Plan
from s3dash.errors import S3DashError
from s3dash.tui import keys
from s3dash.tui.cells import EMPTY, Cell, crop, one
from s3dash.tui.columns import Column, heading
from s3dash.tui.format import safe, size
from s3dash.tui.glyphs import action_sign
from s3dash.tui.look import Look
from s3dash.tui.plan_choice import PlanChoice
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel


class PlanAnswer(NamedTuple):
    """What to run. `max_delete` are the deletions that the user saw."""

    plan: Plan
    max_delete: int


class PlanScreen(Modal[PlanAnswer]):
    """Opens at once and fills when the plan is there. Cancel has the focus when it destroys."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.PLAN, keys.MOVE)

    def __init__(
        self, direction: Direction, where: str, *, look: Callable[[], Look], clock: Clock
    ) -> None:
        super().__init__()
        self._direction = direction
        self._where = where
        self._look = look
        self._guard = KeyGuard(clock)
        self._choice: PlanChoice | None = None
        self._failed = EMPTY
        self._hint = EMPTY
        self._columns = self._make_columns()
        self._list: LineList[Item] = LineList(
            LineModel(lambda item: item.path), self._columns, id="plan-list"
        )
        self._totals = Block(lambda _: [self._paint_totals()], id="plan-totals")
        self._note = Line(lambda width: crop(self._paint_note(), width), id="plan-note")

    def _make_columns(self) -> tuple[Column[Item], ...]:
        def look_of(item: Item, look: str) -> str:
            taken = self._choice is None or self._choice.takes(item)
            return look if taken else "struck"

        def box(item: Item, _: Look) -> Cell:
            if item.action is Action.CONFLICT:
                return one("–", "faint")
            return one("☑", "good") if look_of(item, "") == "" else one("☐", "dim")

        def action(item: Item, _: Look) -> Cell:
            sign = action_sign(item)
            return one(f"{sign.glyph} {sign.word}", look_of(item, sign.look))

        return (
            Column(title="", width=1, cell=box),
            Column(title="ACTION", width=18, cell=action),
            Column(
                title="PATH",
                middle=True,
                cell=lambda item, _: one(safe(item.path), look_of(item, "")),
            ),
            Column(
                title="SIZE",
                width=9,
                right=True,
                least=60,
                cell=lambda item, _: one(size(item.size), look_of(item, "dim")),
            ),
            Column(
                title="REASON",
                width=28,
                least=92,
                cell=lambda item, _: one(safe(item.reason), look_of(item, "dim")),
            ),
        )

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide") as box:
            box.border_title = Content(f"{self._direction} · {self._where}")
            yield self._totals
            yield Line(lambda width: heading(self._columns, width), id="plan-heading")
            yield self._list
            yield self._note
            with Horizontal(classes="buttons"):
                yield Button("Cancel", id="cancel", compact=True)
                run = Button("Run", id="run", variant="primary", compact=True)
                run.can_focus = False
                yield run

    def on_mount(self) -> None:
        self.query_one("#run").display = False
        self._list.set_empty([one("Comparing both sides …", "dim")])
        self._list.show(self._look(), ())
        self.query_one("#cancel").focus()

    # --- what comes in ------------------------------------------------------------------

    def ready(self, plan: Plan) -> None:
        """The plan is there."""
        if not self.is_attached:
            return
        self._choice = PlanChoice(plan)
        self._list.set_empty(self._nothing(plan))
        self._list.show(self._look(), plan.items)
        self._guard.restart()
        self._changed()
        if self._choice.runs and not self._choice.needs_yes:
            self._list.focus()

    def failed(self, error: S3DashError) -> None:
        """There will be no plan."""
        if not self.is_attached:
            return
        hint = f"  {safe(error.hint)}" if error.hint else ""
        self._failed = ((f"✖ {safe(error.message)}", "bad"), (hint, "dim"))
        self._list.set_empty([one("There is no plan.", "dim")])
        self._changed()

    def _nothing(self, plan: Plan) -> list[Cell]:
        what = {"push": "Nothing to push.", "pull": "Nothing to pull."}.get(
            self._direction, "Nothing to sync."
        )
        same = f"{plan.unchanged:,} paths are the same on both sides."
        return [one(what, "good"), one(same, "dim")]

    # --- painting -----------------------------------------------------------------------

    def _changed(self) -> None:
        choice = self._choice
        run = self.query_one("#run", Button)
        run.display = choice is not None and choice.runs
        if choice is not None:
            yes = choice.needs_yes
            run.label = Content(f"{'y' if yes else 'enter'}  run {self._direction}")
            run.variant = "error" if yes else "primary"
        self._list.tick(self._look())
        self._totals.refresh(layout=True)
        self._note.poke()

    def _paint_totals(self) -> Cell:
        if self._choice is None:
            return self._failed or one("one moment", "dim")
        return self._choice.totals() or one("nothing to do", "dim")

    def _paint_note(self) -> Cell:
        choice = self._choice
        if self._hint:
            return self._hint
        if choice is None or not choice.runs:
            return one("")
        if choice.warning:
            return (
                (" ⚠ ", "alarm"),
                (f" {choice.warning}; ", "bad"),
                ("y", "key"),
                (" runs it all the same", "dim"),
            )
        if choice.needs_yes:
            return (
                ("⚠ deletes or overwrites in the bucket: ", "warn"),
                ("y", "key"),
                (" runs it", "dim"),
                ("   space", "key"),
                (" leaves a row out", "dim"),
            )
        return (
            ("enter", "key"),
            (" runs it", "dim"),
            ("   space", "key"),
            (" leaves a row out", "dim"),
        )

    # --- keys ---------------------------------------------------------------------------

    def action_leave_out(self) -> None:
        item = self._list.model.current
        if self._choice is None or item is None:
            return
        self._choice.toggle(item)
        self._hint = EMPTY
        self._changed()
        self._list.action_move(1)

    def action_run(self) -> None:
        """Enter: runs what destroys nothing in the bucket, and only that."""
        choice = self._choice
        if choice is None or not self._guard.passes():
            return
        if not choice.runs:
            self.dismiss(None)
        elif choice.needs_yes:
            self._hint = (
                ("enter never deletes or overwrites: ", "warn"),
                ("y", "key"),
                (" runs it", "dim"),
            )
            self._note.poke()
        else:
            self._answer(choice)

    def action_confirm(self) -> None:
        choice = self._choice
        if choice is not None and choice.runs and self._guard.passes():
            self._answer(choice)

    def _answer(self, choice: PlanChoice) -> None:
        self.dismiss(PlanAnswer(choice.chosen, choice.deletions))

    @on(LineList.Chosen)
    def _enter_in_list(self) -> None:
        self.action_run()

    @on(Button.Pressed, "#cancel")
    def _cancel(self) -> None:
        if self._guard.passes():
            self.dismiss(None)

    @on(Button.Pressed, "#run")
    def _run_clicked(self) -> None:
        """Reached by the mouse alone: the button takes no focus, so no key presses it."""
        self.action_confirm()

    def action_move(self, step: int) -> None:
        self._list.action_move(step)

    def action_page(self, pages: float) -> None:
        self._list.action_page(pages)

    def action_first(self) -> None:
        self._list.action_first()

    def action_last(self) -> None:
        self._list.action_last()
