"""A step of the first run on the screen. Escape goes back; nothing is written on the way."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import ClassVar

from msgspec.structs import replace
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.style import Style
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from s3dash.clock import Clock
from s3dash.errors import S3DashError
from s3dash.tui import keys
from s3dash.tui.cells import EMPTY, Cell, content, one, spread
from s3dash.tui.format import safe
from s3dash.tui.screens.modal import KeyGuard
from s3dash.tui.setup.known import Answer, Known, Scout
from s3dash.tui.setup.step import Choice, Field, Step
from s3dash.tui.widgets.line import Block, Line

Ask = Callable[[Callable[[], Known]], Awaitable[Known]]
Done = Callable[["Step | Answer | None", Known], None]
ROOMY = 50
HIGHLIGHTED = "option-list--option-highlighted"
_SAFE_STARTS = ("env:", "file:", "keychain:")


class Choices(OptionList):
    """Textual's list, whose cursor can be told apart without colours as well."""

    def get_visual_style(self, *component_classes: str, partial: bool = False) -> Style:
        style = super().get_visual_style(*component_classes, partial=partial)
        reverse = self.app.has_class("-no-color") and HIGHLIGHTED in component_classes
        return style + Style(reverse=True) if reverse else style


class StepScreen(Screen[None]):
    """Shows a step, takes the answer, asks whoever knows, and hands on what comes next."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.SETUP)
    AUTO_FOCUS = "Input, OptionList"

    def __init__(
        self,
        step: Step,
        known: Known,
        *,
        number: int,
        scout: Scout,
        ask: Ask,
        done: Done,
        clock: Clock,
    ) -> None:
        super().__init__()
        self.step = step
        self._known = known
        self._number = number
        self._scout = scout
        self._ask = ask
        self._done = done
        self._guard = KeyGuard(clock)
        self._message: list[Cell] = []
        self._asking = False
        self._fields = step.fields(known)
        self._choices = step.choices(known)
        self._note = Block(lambda _: self._message, id="step-note")

    def compose(self) -> ComposeResult:
        yield Line(self._paint_title, id="step-title")
        with VerticalScroll(id="step-read", can_focus=False):
            yield Block(lambda _: self.step.about(self._known), id="step-about")
        with Vertical(id="step-form"):
            for field in self._fields:
                with Horizontal():
                    yield Line(partial(_label, field))
                    yield _typed(field)
        yield self._option_list()
        yield self._note
        yield Line(self._paint_keys, id="step-keys")

    def _option_list(self) -> OptionList:
        options = [Option(content([_named(choice)])) for choice in self._choices]
        made = Choices(*options, id="step-choices", compact=True)
        made.display = bool(options)
        return made

    def on_mount(self) -> None:
        self.set_class(self.step.read, "-read")
        self.query_one("#step-form").display = bool(self._fields)
        if self._choices and not self._prefers_typing:
            self.query_one(OptionList).focus()
        if self._choices:
            self.query_one(OptionList).highlighted = 0
        self._guard.restart()

    @property
    def _prefers_typing(self) -> bool:
        return any(field.value for field in self._fields)

    # --- painting -----------------------------------------------------------------------

    def _paint_title(self, width: int) -> Cell:
        run = "  first run" if width >= ROOMY else ""
        left = ((" s3dash", "title"), (run, "dim"), (f"  {self.step.title}", "strong"))
        return spread(left, one(f"step {self._number} ", "dim"), width)

    def _paint_keys(self, _width: int) -> Cell:
        back = "quit" if self._number == 1 else "back"
        parts: list[tuple[str, str]] = [(" enter", "key"), (" go on  ", ""), ("esc", "key")]
        parts.append((f" {back}  ", ""))
        if self._fields and self._choices:
            parts += [("tab", "key"), (" list/field  ", "")]
        return (*parts, ("ctrl+q", "key"), (" quit", ""))

    def _say(self, *lines: Cell) -> None:
        self._message = list(lines)
        self._note.refresh(layout=True)

    # --- answers ------------------------------------------------------------------------

    @property
    def _given(self) -> dict[str, str]:
        return {field.name: self._input(field).value.strip() for field in self._fields}

    def _input(self, field: Field) -> Input:
        return self.query_one(f"#field-{field.name}", Input)

    @on(OptionList.OptionSelected)
    def _chosen(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        if self._guard.passes():
            self._take(self._choices[event.option_index].value)

    @on(Input.Submitted)
    def _entered(self, event: Input.Submitted) -> None:
        """The last field enters the form, each other one leads to the next."""
        event.stop()
        names = [f"field-{field.name}" for field in self._fields]
        place = names.index(event.input.id or "")
        if place + 1 < len(names):
            self._input(self._fields[place + 1]).focus()
        elif self._guard.passes():
            self._take("")

    def _take(self, choice: str) -> None:
        """Refused at once, or looked into in the background."""
        if self._asking:
            return
        try:
            said = replace(self._known, given=self._given, choice=choice)
            known = self.step.take(said)
        except S3DashError as error:
            self._refuse(error)
        else:
            self._asking = True
            self._say(one(self.step.asking, "dim") if self.step.asking else EMPTY)
            self.run_worker(self._look(known), exclusive=True)

    async def _look(self, asked: Known) -> None:
        try:
            known = await self._ask(lambda: self.step.look(self._scout, asked))
        except S3DashError as error:
            self._asking = False
            self._refuse(error)
            return
        self._asking = False
        self._say()
        self._done(self.step.following(known), known)

    def _refuse(self, error: S3DashError) -> None:
        """What might be a secret does not stay on the screen."""
        for field in self._fields:
            typed = self._input(field)
            if field.secret and typed.password:
                typed.value = ""
        first = ((f"✖ {safe(error.message)}", "bad"),)
        self._say(first, *([one(safe(error.hint), "dim")] if error.hint else []))
        self._guard.restart()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        """What cannot be a reference may be a secret: it is hidden while it is typed."""
        field = next(f for f in self._fields if f"field-{f.name}" == event.input.id)
        if field.secret:
            text = event.value
            event.input.password = not text.startswith(_SAFE_STARTS) and not any(
                start.startswith(text) for start in _SAFE_STARTS
            )

    # --- keys ---------------------------------------------------------------------------

    def action_step_back(self) -> None:
        """Also stops waiting for an answer."""
        if self._asking and self.step.writes:
            return
        if self._asking:
            self.workers.cancel_node(self)
            self._asking = False
            self._say(one("stopped", "dim"))
        else:
            self.app.action_back_a_step()  # type: ignore[attr-defined] # the app of these screens

    def action_step_quit(self) -> None:
        self.app.exit()

    def action_step_scroll(self, lines: int) -> None:
        self.query_one("#step-read", VerticalScroll).scroll_relative(y=lines, animate=False)


def _label(field: Field, _width: int) -> Cell:
    return one(field.label)


def _named(choice: Choice) -> Cell:
    about = f"  {safe(choice.about)}" if choice.about else ""
    return ((safe(choice.label), "strong"), (about, "dim"))


def _typed(field: Field) -> Input:
    return Input(
        field.value,
        placeholder=Content(field.example).plain,
        id=f"field-{field.name}",
        compact=True,
        select_on_focus=False,
    )
