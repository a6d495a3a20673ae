"""All catalogs in one list, searched as one types; a file of any namespace can be fetched."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any, ClassVar, Literal

import msgspec
from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input

from s3dash.core.catalog import Catalog, Unread
from s3dash.tui import filters, keys
from s3dash.tui.cells import Cell, crop, one
from s3dash.tui.columns import heading
from s3dash.tui.format import count, moment, safe, short_hash
from s3dash.tui.look import Look
from s3dash.tui.screens import catalog_rows
from s3dash.tui.screens.catalog_rows import COLUMNS, FIELDS, Row, Rows
from s3dash.tui.screens.modal import Modal
from s3dash.tui.widgets.line import Block, Line
from s3dash.tui.widgets.line_list import LineList
from s3dash.tui.widgets.list_model import LineModel
from s3dash.tui.widgets.search_line import SearchLine
from s3dash.tui.widgets.slices import Slices


class Wish(msgspec.Struct, frozen=True):
    """What the user wants; `to` is where a file is fetched to, as it was typed."""

    what: Literal["fetch", "copy", "again", "stop"]
    row: Row | None = None
    to: str = ""


Do = Callable[[Wish], Coroutine[Any, Any, None]]


class CatalogsScreen(Modal[None]):
    """Catalogs come in one by one. What is done is done by `do`, which tells by `say`."""

    BINDINGS: ClassVar[list[BindingType]] = keys.bindings(keys.CATALOGS, keys.MOVE)
    AUTO_FOCUS = "#catalogs-search"

    def __init__(self, where: str, *, look: Callable[[], Look], do: Do) -> None:
        super().__init__()
        self._where = where
        self._look = look
        self._do = do
        self._catalogs: dict[str, Catalog] = {}
        self._unread: tuple[Unread, ...] = ()
        self._left = 0
        self._given = filters.NOTHING
        self._message: Cell = ()
        self._naming: Row | None = None
        model: LineModel[Row] = LineModel(catalog_rows.key)
        self._list: LineList[Row] = LineList(model, COLUMNS, id="catalogs-list")
        self._words = SearchLine(
            "words of namespace and path   ns:NAME   here:no", id="catalogs-search"
        )
        self._target = Input(id="catalogs-to", compact=True, select_on_focus=False)
        self._note = Block(self._paint_note, id="catalogs-note")
        self._slices = Slices(self, self._list, self._changed)

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog full") as box:
            box.border_title = Content(f"catalogs of {safe(self._where)}")
            yield self._words
            yield Line(lambda width: heading(COLUMNS, width), id="catalogs-heading")
            yield self._list
            yield self._note
            yield self._target
            yield Line(lambda width: crop(_HINT, width), id="hint")

    def on_mount(self) -> None:
        self._target.display = False
        self._list.show(self._look(), Rows())
        self._told_empty()

    # --- what comes in ------------------------------------------------------------------

    def begin(self, number: int) -> None:
        """So many namespaces are being read; what was read before stays until then."""
        self._left, self._unread = number, ()
        self._arrived()

    def take(self, catalog: Catalog) -> None:
        """One of them was read."""
        self._catalogs[catalog.namespace] = catalog
        self._left -= 1
        if self.is_open:
            ordered = [self._catalogs[name] for name in sorted(self._catalogs)]
            self._list.show(self._look(), Rows(ordered))
            if self._words.has_focus:  # nobody chose a row yet
                self._list.move_to(0)
            self._list.refresh()
            self._slices.go_on()
        self._arrived()

    def unread(self, problems: Iterable[Unread]) -> None:
        """Some of them cannot be read."""
        fresh = tuple(problems)
        self._unread += fresh
        self._left -= len(fresh)
        self._arrived()

    def say(self, message: Cell) -> None:
        """How it went."""
        self._message = message
        self._arrived()

    def _arrived(self) -> None:
        if self.is_open:
            self._told_empty()
            self._changed()

    def _changed(self) -> None:
        self._note.refresh(layout=True)

    def _told_empty(self) -> None:
        if self._left > 0:
            lines = [one("Reading the catalogs …", "dim")]
        elif self._given.text:
            lines = [one(f"Nothing matches «{safe(self._given.text)}».", "warn")]
            lines += [one(safe(line), "dim") for line in filters.told(self._given, FIELDS)]
        else:
            lines = [one("No namespace holds anything.", "dim")]
        self._list.set_empty(lines)

    @on(LineList.Moved)
    def _moved(self, event: LineList.Moved) -> None:
        """On another row what was told before is of no use any more."""
        if isinstance(event, LineList.Chosen):
            self.action_fetch()
        else:
            self._message = ()
            self._changed()

    # --- painting -----------------------------------------------------------------------

    def _paint_note(self, width: int) -> list[Cell]:
        lines = [self._totals(), *self._about(self._list.model.current)]
        lines += [one(f"✖ {safe(u.namespace)}: {safe(u.problem)}", "bad") for u in self._unread[:2]]
        if self._naming is not None:
            lines.append(one("Fetch it where to? (enter; esc leaves it)", "warn"))
        lines += [self._message] if self._message else []
        return [crop(cell, width) for cell in lines]

    def _totals(self) -> Cell:
        model = self._list.model
        shown = f"{len(model):,} of {model.total:,} files" if self._given.text else ""
        total = shown or count(model.total, "file")
        parts = [(f"{total} in {count(len(self._catalogs), 'namespace')}", "dim")]
        if model.filtering:
            parts.append((" …", "dim"))
        if self._left > 0:
            parts.append((f"  reading {self._left} more", "accent"))
        return tuple(parts)

    def _about(self, row: Row | None) -> list[Cell]:
        if row is None:
            return []
        catalog, entry = row
        when = f" of {moment(catalog.exported_at, self._look().now)}" if catalog.exported_at else ""
        vouched = f"SHA-256 {short_hash(entry.sha256)}" if entry.sha256 else "no SHA-256 known"
        note = f"  {safe(catalog.note)}" if catalog.note else ""
        out = (
            f"  {count(catalog.left_out, 'entry', 'entries')} left out" if catalog.left_out else ""
        )
        here = ("  ● here", "good") if entry.here else ("", "")
        return [
            ((safe(row.name), "strong"), here),
            ((f"by the {catalog.source}{when}  {vouched}{note}", "dim"), (out, "warn")),
        ]

    # --- keys ---------------------------------------------------------------------------

    def action_fetch(self) -> None:
        """Ask where to; the file's own name in the current directory stands there already."""
        row = self._list.model.current
        if row is None:
            return
        self._naming = row
        self._target.value = f"./{row.entry.path.rpartition('/')[2]}"
        self._target.cursor_position = len(self._target.value)
        self._target.display = True
        self._target.focus()
        self._changed()

    def action_copy_uri(self) -> None:
        self._wish(Wish("copy", self._list.model.current))

    def action_again(self) -> None:
        self._wish(Wish("again"))

    def action_stop(self) -> None:
        self._wish(Wish("stop"))

    def action_search(self) -> None:
        self._words.focus()

    def _wish(self, wish: Wish) -> None:
        self.app.run_worker(self._do(wish), group="catalogs")  # a fetch outlives the dialog

    @on(Input.Submitted, "#catalogs-to")
    def _named(self, event: Input.Submitted) -> None:
        event.stop()
        row, to = self._naming, event.value.strip()
        if row is not None and to:
            self._stop_naming()
            self._wish(Wish("fetch", row, to))

    def _stop_naming(self) -> None:
        self._naming = None
        self._target.display = False
        self._list.focus()
        self._changed()

    @on(SearchLine.Left)
    def _left_words(self, event: SearchLine.Left) -> None:
        if event.down:
            self._list.focus()
        else:
            self.action_dismiss_modal()

    def action_dismiss_modal(self) -> None:
        """One level: first the place to fetch to, then the words, then the dialog."""
        if self._naming is not None:
            self._stop_naming()
        elif self._words.value:
            self._words.value = ""
            self._words.focus()
        else:
            self.dismiss(None)

    # --- searching ----------------------------------------------------------------------

    @on(Input.Changed, "#catalogs-search")
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        before, self._given = self._given, filters.parse(event.value, FIELDS)
        test = filters.test_of(self._given, _text, FIELDS)
        self._list.model.set_filter(test, narrower=filters.narrows(self._given, before))
        self._list.model.move(0)
        self._told_empty()
        self._list.reshape()
        self._list.refresh()
        self._changed()
        self._slices.go_on()


def _text(row: Row) -> str:
    return row.name


_HINT: Cell = (
    ("enter", "key"), (" to the list  ", "dim"), ("f", "key"), (" fetches  ", "dim"),
    ("y", "key"), (" copies the URI  ", "dim"), ("/", "key"), (" words  ", "dim"),
    ("r", "key"), (" reads again  ", "dim"), ("esc", "key"), (" back", "dim"),
)  # fmt: skip
