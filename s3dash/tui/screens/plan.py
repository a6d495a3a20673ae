"""The plan view before every push, pull and sync: nothing moves that was not shown here."""

from collections.abc import Callable, Sequence
from typing import ClassVar, Literal, NamedTuple

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Button

from s3dash.clock import Clock
from s3dash.core.plan import Item, Plan
from s3dash.errors import S3DashError
from s3dash.tui import filters, keys
from s3dash.tui.cells import EMPTY, Cell, crop, one
from s3dash.tui.columns import heading
from s3dash.tui.format import count, safe
from s3dash.tui.look import Look
from s3dash.tui.plan_choice import PlanChoice
from s3dash.tui.screens.asking import Steered
from s3dash.tui.screens.modal import KeyGuard, Modal
from s3dash.tui.screens.plan_rows import PlanList, why
from s3dash.tui.widgets.filter_input import FilterInput
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList

Verb = Literal["push", "pull", "sync", "hydrate"]
_LEAVING = (("   space", "key"), (" leaves a row out", "dim"), ("   a", "key"), (" all", "dim"))


class PlanAnswer(NamedTuple):
    """What to run. `max_delete` are the deletions that the user saw."""

    plan: Plan
    max_delete: int


class PlanScreen(Steered, Modal[PlanAnswer]):
    """Opens at once and fills when the plan is there. Cancel has the focus when it destroys."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.PLAN, keys.MOVE)
    _list: PlanList

    def __init__(self, verb: Verb, where: str, *, look: Callable[[], Look], clock: Clock) -> None:
        super().__init__()
        self._verb = verb
        self._where = where
        self._look = look
        self._guard = KeyGuard(clock)
        self._choice: PlanChoice | None = None
        self._failed = EMPTY
        self._hint = EMPTY
        self._anchor: int | None = None
        self._list = PlanList(self._takes, id="plan-list")
        self._filter = FilterInput(id="plan-filter")
        self._totals = Block(lambda _: [self._paint_totals()], id="plan-totals")
        self._why = Line(lambda width: crop(self._paint_why(), width), id="plan-why")
        self._note = Line(lambda width: crop(self._paint_note(), width), id="plan-note")

    def _takes(self, item: Item) -> bool:
        return self._choice is None or self._choice.takes(item)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog wide") as box:
            box.border_title = Content(f"{self._verb} · {safe(self._where)}")
            yield self._totals
            yield Line(lambda width: heading(self._list.columns, width), id="plan-heading")
            yield self._list
            yield self._filter
            yield self._why
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
        if not self.is_open:
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
        if not self.is_open:
            return
        hint = f"  {safe(error.hint)}" if error.hint else ""
        self._failed = ((f"✖ {safe(error.message)}", "bad"), (hint, "dim"))
        self._list.set_empty([one("There is no plan.", "dim")])
        self._changed()

    def _nothing(self, plan: Plan) -> list[Cell]:
        what = f"Nothing to {self._verb}."
        same = f"{plan.unchanged:,} paths are the same on both sides."
        return [one(what, "good"), one(same, "dim")]

    # --- painting -----------------------------------------------------------------------

    def _changed(self) -> None:
        choice = self._choice
        run = self.query_one("#run", Button)
        run.display = choice is not None and choice.runs
        if choice is not None:
            yes = choice.needs_yes
            run.label = Content(f"{'y' if yes else 'enter'}  run {self._verb}")
            run.variant = "error" if yes else "primary"
        self._list.tick(self._look())
        self._totals.refresh(layout=True)
        self._why.poke()
        self._note.poke()

    def _paint_why(self) -> Cell:
        given = self._list.filter
        if not given.text:
            return why(self._list.model.current)
        found = f"{len(self._list.model):,} of {self._list.model.total:,}"
        if given.unknown:
            return one(safe("  ".join(filters.told(given, PlanList.fields))), "warn")
        return ((f"/{safe(given.text)}  ", "accent"), (f"{found} rows are shown", "dim"))

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
                *_LEAVING,
            )
        hidden = " runs it, also what the filter hides" if self._list.filter.text else " runs it"
        return (("enter", "key"), (hidden, "dim"), *_LEAVING)

    # --- keys ---------------------------------------------------------------------------

    def action_leave_out(self) -> None:
        """The row under the cursor, or in again; then to the next."""
        item = self._list.model.current
        if self._choice is None or item is None:
            return
        self._choice.toggle(item)
        self._anchor = self._list.model.cursor
        self._hint = EMPTY
        self._changed()
        self._list.action_move(1)

    def action_leave_range(self) -> None:
        """All rows from the last one that was toggled to this one, as that one is now."""
        if self._choice is None or self._anchor is None or not len(self._list.model):
            return
        rows = self._list.between(self._anchor, self._list.model.cursor)
        self._leave(rows, out=not self._choice.takes(self._list.model.row(self._anchor)))

    def action_leave_all(self) -> None:
        """All that the filter shows; when all of them are out already, in again."""
        if self._choice is None:
            return
        rows = self._list.shown
        if not self._leave(rows, out=True):
            self._leave(rows, out=False)

    def _leave(self, rows: Sequence[Item], *, out: bool) -> int:
        """Tells how many rows it was, if any."""
        choice = self._choice
        if choice is None:
            return 0
        number = choice.leave_out(rows) if out else choice.take_in(rows)
        if number:
            what = "left out: they stay as they are" if out else "taken in again"
            self._hint = one(f"{count(number, 'row')} {what}", "accent")
            self._changed()
        return number

    def action_filter(self) -> None:
        if self._choice is not None:
            self._filter.open(self._list.filter.text, fields=PlanList.fields)

    @on(FilterInput.Typed)
    def _filter_typed(self, event: FilterInput.Typed) -> None:
        event.stop()
        self._anchor = None
        self._list.set_filter(event.text)

    @on(FilterInput.Closed)
    def _filter_closed(self, event: FilterInput.Closed) -> None:
        """The enter that closed it must not run anything, nor those after it."""
        event.stop()
        self._guard.restart()
        self._list.focus()
        self._why.poke()

    @on(LineList.Moved)
    def _moved(self) -> None:
        self._why.poke()
        self._note.poke()

    def action_dismiss_modal(self) -> None:
        """One level: first the filter, then the plan."""
        if self._list.filter.text:
            self._list.set_filter("")
        else:
            self.dismiss(None)

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
