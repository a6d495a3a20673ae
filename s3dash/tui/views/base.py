"""What a view is: a list of rows with columns, a summary line and a detail. Pure."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

from s3dash.tui import copying
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.exporting import raw_of
from s3dash.tui.look import Look

R = TypeVar("R")
K = TypeVar("K")
T = TypeVar("T")

LABEL = 10


class Badge(NamedTuple):
    """The number beside a tab; `urgent` adds an exclamation mark."""

    number: int = 0
    urgent: bool = False


class View(ABC, Generic[R]):
    """One of the numbered views, without a widget. Its methods take the rows as they are."""

    name: ClassVar[str]
    number: ClassVar[str]
    title: ClassVar[str]
    markable: ClassVar[bool] = False
    copies: ClassVar[str] = "path"
    """The kind of thing that `path` answers with."""
    cached: ClassVar[bool] = True
    """Whether it tells of a shared cache, and has nothing to say of any other datastore."""
    columns: tuple[Column[R], ...]
    fields: Mapping[str, Callable[[R], str]]
    order: Callable[[R], Any] | None = None

    @abstractmethod
    def rows(self, look: Look) -> Sequence[R]:
        """The rows; the same object as long as nothing changed."""

    @abstractmethod
    def key(self, row: R) -> str:
        """What names the row for good."""

    @abstractmethod
    def text(self, row: R) -> str:
        """What the filter looks for words in."""

    @abstractmethod
    def summary(self, look: Look) -> Cell:
        """The line above the list."""

    @abstractmethod
    def empty(self, look: Look) -> list[Cell]:
        """What stands there instead of rows."""

    @abstractmethod
    def detail(self, row: R, look: Look) -> list[Cell]:
        """All there is to say about a row, line by line."""

    def path(self, row: R, _look: Look) -> str:
        """What `y` copies: the row's path, or what else names it; empty: nothing."""
        return str(getattr(row, "path", ""))

    def uri(self, row: R, look: Look) -> str:
        """`s3://bucket/key` of what the row is about; empty: it is nowhere in the bucket."""
        path = self.path(row, look)
        return copying.uri(look.settings, path) if path else ""

    def raw(self, row: R, _look: Look) -> Mapping[str, object]:
        """The row's own values by name, for machines; the same names for every row."""
        return raw_of(row)

    def badge(self, _look: Look) -> Badge:
        return Badge()

    def version(self, _look: Look) -> object:
        """For rows that change in place: they are taken anew when this changes, else only painted.

        None: they are taken anew whenever they are another object.
        """
        return None


class Memo(Generic[K, T]):
    """The answer for the object seen last: computed once, however often it is asked for."""

    def __init__(self, compute: Callable[[K], T]) -> None:
        self._compute = compute
        self._seen: list[tuple[K, T]] = []

    def __call__(self, value: K) -> T:
        if not self._seen or self._seen[0][0] is not value:
            self._seen = [(value, self._compute(value))]
        return self._seen[0][1]


def field(label: str, value: str, look: str = "") -> Cell:
    """A line of a detail: a dim label and its value."""
    return ((label.ljust(LABEL), "dim"), (value, look))


def row_of(label: str, value: Cell) -> Cell:
    """Like `field`, for a value that has looks of its own."""
    return ((label.ljust(LABEL), "dim"), *value)


def head(text: str) -> Cell:
    return one(text, "title")


def joined(parts: Sequence[Cell], between: str = "  ") -> Cell:
    """Parts on one line; empty ones are left out."""
    out: list[tuple[str, str]] = []
    for part in parts:
        if not part:
            continue
        if out:
            out.append((between, "dim"))
        out.extend(part)
    return tuple(out)
