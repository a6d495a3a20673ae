"""A list whose rows can be marked, one by one, by range, or all that the filter shows."""

from typing import ClassVar, TypeVar

from textual.binding import BindingType

from s3dash.tui import keys
from s3dash.tui.widgets.line_list import LineList

R = TypeVar("R")


class MarkList(LineList[R]):
    """A list whose rows can be marked."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.MARK)

    def action_mark(self) -> None:
        """Mark the row and go to the next, as marking several is what it is for."""
        if self.model.current is None:
            return
        self.model.toggle(self.model.cursor)
        self.refresh_line(self.model.cursor)
        self.move_to(self.model.cursor + 1)
        self.post_message(self.Marked(self))

    def action_mark_range(self) -> None:
        if self.model.current is not None:
            self.model.mark_range(self.model.cursor)
            self._marks_changed()

    def action_mark_all(self) -> None:
        self.model.mark_all()
        self._marks_changed()

    def action_mark_none(self) -> None:
        self.model.mark_none()
        self._marks_changed()

    def _marks_changed(self) -> None:
        self.tick(self._look)
        self.post_message(self.Marked(self))


class PickList(MarkList[R], inherit_bindings=False):
    """One whose rows are marked one by one or all, as its pane needs the key of the range."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.MOVE, keys.OPEN, keys.PICK)
