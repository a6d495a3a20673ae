"""The files of all catalogs as rows of a list. Pure; no row is made before it is looked at."""

from bisect import bisect_right
from collections.abc import Callable, Sequence
from itertools import accumulate
from typing import NamedTuple, overload

from s3dash.core.catalog import Catalog, CatalogEntry
from s3dash.core.keys import Keys
from s3dash.core.settings import Datastore
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.copying import uri_of_key
from s3dash.tui.format import moment, safe, size
from s3dash.tui.look import Look


class Row(NamedTuple):
    """One file, and whose it is."""

    catalog: Catalog
    entry: CatalogEntry

    @property
    def name(self) -> str:
        return f"{self.catalog.namespace}/{self.entry.path}"


class Rows(Sequence[Row]):
    """The entries of several catalogs, one after the other."""

    def __init__(self, catalogs: Sequence[Catalog] = ()) -> None:
        self._catalogs = [catalog for catalog in catalogs if catalog.entries]
        ends = accumulate(len(catalog.entries) for catalog in self._catalogs)
        self._starts = [0, *ends]

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, index: int) -> Row: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Row]: ...
    def __getitem__(self, index: int | slice) -> Row | Sequence[Row]:
        if isinstance(index, slice):
            return [self[i] for i in range(*index.indices(len(self)))]
        if not 0 <= index < len(self):
            raise IndexError(index)
        place = bisect_right(self._starts, index) - 1
        catalog = self._catalogs[place]
        return Row(catalog, catalog.entries[index - self._starts[place]])


def key(row: Row) -> str:
    return row.name


def uri(row: Row, settings: Datastore) -> str:
    """`s3://bucket/key` of its object."""
    return uri_of_key(settings, Keys(row.catalog.namespace).data(row.entry.path))


def _when(row: Row, look: Look) -> Cell:
    time = row.entry.last_modified
    return one(moment(time, look.now) if time else "?", "dim")


def _here(row: Row, _: Look) -> Cell:
    return one("● here", "good") if row.entry.here else one("○", "dim")


COLUMNS: tuple[Column[Row], ...] = (
    Column(title="NAMESPACE", width=14, cell=lambda r, _: one(safe(r.catalog.namespace), "dim")),
    Column(title="PATH", middle=True, cell=lambda r, _: one(safe(r.entry.path))),
    Column(
        title="SIZE",
        width=9,
        right=True,
        least=50,
        cell=lambda r, _: one(size(r.entry.size), "dim"),
    ),
    Column(title="WHEN", width=12, least=84, cell=_when),
    Column(title="HERE", width=6, least=66, cell=_here),
)
FIELDS: dict[str, Callable[[Row], str]] = {
    "ns": lambda row: row.catalog.namespace,
    "here": lambda row: "yes" if row.entry.here else "no",
}
