"""A view as a file: CSV, JSON lines, or a table of plain text. Pure; rows come one by one.

CSV and JSON lines carry the rows' own values, the text what the screen shows, all columns of it.
CSV is read by spreadsheets: a text that they would take for a formula gets an apostrophe before
it, and what a terminal obeys is escaped. JSON lines keep every text as it is, escaped as JSON does.
"""

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar

import msgspec
from msgspec.structs import fields

from s3dash.tui.cells import plain
from s3dash.tui.columns import Column
from s3dash.tui.format import fit, safe, width_of
from s3dash.tui.look import Look

if TYPE_CHECKING:
    from s3dash.tui.views.base import View

R = TypeVar("R")
Format = Literal["csv", "jsonl", "txt", "svg"]
"""Also what the file's name ends with."""

FORMATS: dict[Format, str] = {
    "csv": "CSV for spreadsheets",
    "jsonl": "JSON lines, raw values",
    "txt": "plain text, as shown",
    "svg": "picture of the screen",
}
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
Counted = Callable[[int], None]
"""Called with the number of rows so far; may raise to stop."""


class Table(msgspec.Struct, Generic[R], frozen=True, kw_only=True):
    """The rows of a view at one moment, with the test of its filter; None lets all pass."""

    view: "View[R]"
    rows: Sequence[R]
    test: Callable[[R], bool] | None
    look: Look

    def shown(self) -> Iterable[R]:
        """What the list shows, in its order."""
        passing = self.rows if self.test is None else filter(self.test, self.rows)
        return passing if self.view.order is None else sorted(passing, key=self.view.order)


def file_name(view: str, kind: Format, now: datetime) -> str:
    """`s3dash-dirty-20260314T140209Z.csv`."""
    return f"s3dash-{view}-{now:%Y%m%dT%H%M%SZ}.{kind}"


def lines(table: Table[R], kind: Format, counted: Counted) -> Iterator[str]:
    """The lines of the file, each with its end. Every kind but SVG."""
    writers = {"csv": _csv, "jsonl": _json_lines, "txt": _text}
    return writers[kind](table, counted)


# --- CSV and JSON lines ---------------------------------------------------------------------


class _Echo:
    """Hands back what the csv module writes."""

    def write(self, text: str) -> str:
        return text


def _csv(table: Table[R], counted: Counted) -> Iterator[str]:
    writer: Any = csv.writer(_Echo(), quoting=csv.QUOTE_NONNUMERIC, lineterminator="\n")
    head: list[str] = []
    for number, row in enumerate(table.shown(), 1):
        counted(number)
        raw = table.view.raw(row, table.look)
        if not head:
            head = list(raw)
            yield writer.writerow([defused(name) for name in head])
        yield writer.writerow([_csv_cell(raw[name]) for name in head])


def _csv_cell(value: object) -> str | int | float:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return value
    return defused(value if isinstance(value, str) else _json(value))


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula, and no terminal obeys."""
    told = safe(text)
    return f"'{told}" if told.lstrip().startswith(_FORMULA) else told


def _json_lines(table: Table[R], counted: Counted) -> Iterator[str]:
    for number, row in enumerate(table.shown(), 1):
        counted(number)
        yield _json(dict(table.view.raw(row, table.look))) + "\n"


def _json(value: object) -> str:
    """ASCII only, so that lone surrogates of a name on disk go in and come out again."""
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"), default=str)


# --- plain text -----------------------------------------------------------------------------


def _text(table: Table[R], counted: Counted) -> Iterator[str]:
    """Twice over the rows: how wide the columns get is known only after the first time."""
    columns, look = table.view.columns, table.look
    widths = [max(column.width, width_of(column.title)) for column in columns]
    for number, row in enumerate(table.shown(), 1):
        counted(-number)
        told = (width_of(plain(column.cell(row, look))) for column in columns)
        widths = [max(pair) for pair in zip(widths, told, strict=True)]
    yield _line(columns, [column.title for column in columns], widths)
    for number, row in enumerate(table.shown(), 1):
        counted(number)
        yield _line(columns, [plain(column.cell(row, look)) for column in columns], widths)


def _line(columns: Sequence[Column[Any]], cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        fit(cell, width, right=column.right)
        for column, cell, width in zip(columns, cells, widths, strict=True)
    )
    return "  ".join(padded).rstrip() + "\n"


# --- SVG ------------------------------------------------------------------------------------


def self_contained(picture: str) -> str:
    """An SVG without the web font: a picture must not ask any server for anything."""
    kept, inside = [], False
    for line in picture.splitlines():
        inside = inside or "@font-face" in line
        if not inside:
            kept.append(line.rstrip())
        inside = inside and line.strip() != "}"
    return "\n".join(kept) + "\n"


def raw_of(row: object) -> dict[str, object]:
    """The fields of a dataclass or a struct as plain values, those at their default too."""
    names = getattr(row, "__struct_fields__", None) or [field.name for field in fields(row)]  # type: ignore[arg-type]  # a row is one of both
    return {name: msgspec.to_builtins(getattr(row, name), enc_hook=str) for name in names}
