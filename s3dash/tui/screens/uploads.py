"""Uploads in parts that lie open: what they hold, whose they are, and aborting the marked ones."""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.binding import BindingType

from s3dash.clock import Clock
from s3dash.core.endpoint import UploadRow
from s3dash.tui import keys
from s3dash.tui.cells import EMPTY, Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import age, count, safe, size
from s3dash.tui.glyphs import Sign
from s3dash.tui.look import Look
from s3dash.tui.screens.asking import AskingDialog

IN_USE = Sign("▶", "in use", "accent")
OURS = Sign("●", "ours", "good")
FRESH = Sign("⚠", "fresh", "warn")
FOREIGN = Sign("○", "foreign", "")


def sign(row: UploadRow) -> Sign:
    if row.busy:
        return IN_USE
    if row.ours:
        return OURS
    return FRESH if row.fresh else FOREIGN


def _age(row: UploadRow, _: Look) -> Cell:
    return one("?" if row.age_s is None else age(row.age_s), "dim")


def _quiet(row: UploadRow, _: Look) -> Cell:
    return one("?" if row.quiet_s is None else age(row.quiet_s), "warn" if row.fresh else "dim")


def _size(row: UploadRow, _: Look) -> Cell:
    return one("?" if row.size is None else size(row.size))


def _parts(row: UploadRow, _: Look) -> Cell:
    return one("?" if row.parts is None else f"{row.parts:,}", "dim")


COLUMNS: tuple[Column[UploadRow], ...] = (
    Column(title="STATE", width=9, cell=lambda r, _: sign(r).cell),
    Column(title="KEY", middle=True, cell=lambda r, _: one(safe(r.key))),
    Column(title="BEGUN", width=7, right=True, least=50, cell=_age),
    Column(title="LAST PART", width=9, right=True, least=76, cell=_quiet),
    Column(title="PARTS", width=6, right=True, least=66, cell=_parts),
    Column(title="BYTES", width=9, right=True, least=40, cell=_size),
)


class UploadsScreen(AskingDialog[list[UploadRow], UploadRow]):
    """Answers with the marked rows when the user says yes.

    What an operation of ours may be sending cannot be marked. `refused`: why nothing can.
    """

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.UPLOADS, keys.MOVE)
    NAME = "uploads"
    WAITING = "Asking the bucket …"

    def __init__(
        self, title: str, *, look: Callable[[], Look], clock: Clock, refused: str = ""
    ) -> None:
        super().__init__(title, COLUMNS, lambda row: row.upload_id, look=look, clock=clock)
        self._refused = refused
        self._rows: tuple[UploadRow, ...] = ()
        self._hint = EMPTY

    def ready(self, rows: Sequence[UploadRow]) -> None:
        """The oldest first."""
        if self.is_open:
            self._rows = tuple(rows)
            self._fill(rows, "No upload lies open below the prefix.")

    # --- painting -----------------------------------------------------------------------

    @property
    def _marked(self) -> list[UploadRow]:
        marks = self._list.model.marks
        return [row for row in self._rows if row.upload_id in marks]

    def _paint_totals(self) -> Cell:
        rows = self._rows
        if not rows:
            return one("uploads in parts that are neither completed nor aborted", "dim")
        known = sum(row.size or 0 for row in rows)
        more = "" if all(row.size is not None for row in rows) else "at least "
        held: Cell = (
            (count(len(rows), "upload"), "strong"),
            (f", {more}{size(known)} that are paid for and that no listing shows", "dim"),
        )
        return held

    def _paint_note(self) -> Cell:
        marked = self._marked
        if self._hint:
            return self._hint
        if not marked:
            return (("space", "key"), (" marks, ", "dim"), ("y", "key"), (" aborts those", "dim"))
        fresh = sum(1 for row in marked if row.fresh)
        ask: Cell = (
            ("y", "key"),
            (f" aborts {count(len(marked), 'upload')}", ""),
            (f", {size(sum(row.size or 0 for row in marked))}", "dim"),
        )
        if not fresh:
            return ask
        told = f"  ⚠ {fresh} heard of within 15 min: somebody may be sending it now"
        return (*ask, (told, "bad"))

    # --- keys ---------------------------------------------------------------------------

    def action_mark(self) -> None:
        row = self._list.model.current
        if row is None or self._refuses():
            return
        self._hint = EMPTY
        if row.busy:
            self._hint = one("in use: an operation of this s3dash may be sending it", "warn")
        else:
            self._list.model.toggle(self._list.model.cursor)
            self._list.refresh_line(self._list.model.cursor)
            self._list.action_move(1)
        self._changed()

    def action_mark_all(self) -> None:
        """All but what somebody may be sending: a fresh one is marked by hand, or not at all."""
        if not self._refuses():
            free = (row.upload_id for row in self._rows if not row.busy and not row.fresh)
            self._list.model.marks |= set(free)
            self._remarked()

    def action_mark_none(self) -> None:
        self._list.model.mark_none()
        self._remarked()

    def _remarked(self) -> None:
        self._hint = EMPTY
        self._list.refresh()
        self._changed()

    def _refuses(self) -> bool:
        if self._refused:
            self._hint = one(f"nothing can be aborted: {self._refused}", "warn")
            self._note.poke()
        return bool(self._refused)

    def action_confirm(self) -> None:
        marked = self._marked
        if marked and self._guard.passes():
            self.dismiss(marked)
