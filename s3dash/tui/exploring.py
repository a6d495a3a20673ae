"""Where the Explorer stands and what it knows, without a widget: filled by flows, read by views."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

import msgspec

from s3dash.core.settings import Datastore
from s3dash.errors import S3DashError
from s3dash.stores.explore.entry import SHAPES, Entry, Shape
from s3dash.stores.explore.job import Job
from s3dash.stores.explore.preview import Preview
from s3dash.stores.explore.shapes import home, refusal, shape_of
from s3dash.tui.format import safe
from s3dash.tui.shelves import Shelves
from s3dash.tui.verdicts import Verdicts

if TYPE_CHECKING:  # it is not needed before a bucket is opened, and loads a lot
    from s3dash.stores.explore.explorer import Explorer

ROWS_MOST = 200_000
"""Lines of one level; what is longer is for a filter on the command line."""

State = Literal["top", "listing", "listed", "cut", "failed"]
Order = Literal["name", "size", "age"]
ORDERS: tuple[Order, ...] = ("name", "size", "age")
CHANGING: dict[str, str] = {
    "explorer.upload": "", "explorer.delete": "", "explorer.copy": "", "explorer.move": "",
    "explorer.mkdir": "files",
}  # fmt: skip
"""Commands that write, and the only shape that they make sense in."""
MOVING = ("explorer.copy", "explorer.move")
NEED_PLACE = (*CHANGING, "explorer.verify", "explorer.download", "explorer.shape")

_KEYS: dict[Order, Callable[[Entry], Any]] = {
    "name": lambda entry: (not entry.is_dir, entry.name),
    "size": lambda entry: (not entry.is_dir, -entry.size, entry.name),
    "age": lambda entry: (not entry.is_dir, entry.modified, entry.name),
}


class Looked(msgspec.Struct, frozen=True, kw_only=True):
    """What was read of one object to be shown; `problem` says why there is nothing."""

    key: str
    etag: str
    found: Preview | None = None
    problem: str = ""


class Exploring:
    """Changed in the loop of the screen alone; `verdicts` are those of the datastore that is open,
    or was last."""

    def __init__(self, shelves: Shelves) -> None:
        self.shelves = shelves
        self.explorers: dict[str, Explorer] = {}
        self.at: Datastore | None = None
        self.shape: Shape = "files"
        self.prefix = ""
        self.state: State = "top"
        self.problem: S3DashError | None = None
        self.order: Order = "name"
        self.rows: list[Entry] = []
        self.goal = ""
        self.verdicts = Verdicts()
        self.looked: Looked | None = None
        self.job: Job | None = None
        self.begun = False
        self._judged = ""
        self.fresh = False
        self.painted = float("-inf")
        self.visit = 0
        self._version = 0
        self.to_top()

    @property
    def version(self) -> tuple[int, int]:
        """Another one whenever the rows are others."""
        return self._version, len(self.rows)

    def close(self) -> None:
        """Stop what is being done, and let go of all buckets."""
        if self.job is not None:
            self.job.cancel.cancel()
        for explorer in self.explorers.values():
            explorer.close()

    # --- where --------------------------------------------------------------------------

    def to_top(self, *, goal: str = "") -> None:
        """To the datastores."""
        self._leave()
        self.at, self.prefix, self.state, self.goal = None, "", "top", goal
        self.rows = [
            Entry(key=one.name, name=one.name, kind="datastore") for one in self.shelves.stores
        ]

    def take_up(self, shelves: Shelves) -> None:
        """Other datastores; the one that is open stays open when nothing of it changed."""
        self.shelves = shelves
        if self.at is None or self.at not in shelves.stores:
            self.to_top()

    def go(self, settings: Datastore, prefix: str, shape: Shape, *, goal: str = "") -> int:
        """Begin to list a level: a number that is true of it as long as it is the one shown."""
        self._leave()
        if settings.name != self._judged:
            self.verdicts, self._judged = Verdicts(), settings.name
        self.at, self.prefix, self.shape, self.goal = settings, prefix, shape, goal
        self.state, self.rows = "listing", []
        self.begun = self.fresh = True
        return self.visit

    def _leave(self) -> None:
        self.visit += 1
        self._version += 1
        self.problem = None
        self.looked = None

    def is_current(self, visit: int) -> bool:
        return visit == self.visit

    def start_of(self, name: str) -> tuple[Datastore, str, Shape]:
        """Where a datastore is entered."""
        settings = next(one for one in self.shelves.stores if one.name == name)
        shape = shape_of(settings)
        return settings, home(settings), shape

    def settings_of(self, row: Entry) -> Datastore | None:
        """Those of the datastore that a row is, or lies in."""
        if row.kind != "datastore":
            return self.at
        return next((one for one in self.shelves.stores if one.name == row.key), None)

    # --- what comes in ------------------------------------------------------------------

    def take(self, page: Sequence[Entry]) -> bool:
        """More of the level; False when no more can be taken."""
        self.rows.extend(page)
        if len(self.rows) >= ROWS_MOST:
            self.state = "cut"
            return False
        return True

    def ended(self, rows: list[Entry]) -> None:
        """All of the level is here, in its order."""
        self.rows = rows
        self._version += 1
        self.state = "listed" if self.state == "listing" else self.state

    def failed(self, error: S3DashError) -> None:
        self.state, self.problem = "failed", error

    # --- what is told -------------------------------------------------------------------

    @property
    def crumbs(self) -> str:
        """Where we are; foreign text."""
        if self.at is None:
            return ""
        return f"{self.at.name}/{self.prefix}"

    @property
    def next_shape(self) -> Shape:
        return SHAPES[(SHAPES.index(self.shape) + 1) % len(SHAPES)]

    def why_not(self, name: str) -> str:
        """Why a command of the Explorer cannot be given now; empty when it can."""
        if name == "explorer.stop":
            return "" if self.job else "nothing is being done"
        if name in NEED_PLACE and self.at is None:
            return "choose a datastore first: enter opens it"
        if name in CHANGING and self.at is not None:
            return self._why_unchanged(name, self.at)
        return ""

    def _why_unchanged(self, name: str, at: Datastore) -> str:
        if reason := refusal(at, self.shape):
            return safe(reason)
        if CHANGING[name] and CHANGING[name] != self.shape:
            return f"there are no directories among {self.shape}"
        if self.shape == "blobs" and name in MOVING:
            return "a blob's name is what it holds"
        if self.job is not None:
            return f"{self.job.what} is still going on; x stops it"
        return ""


def in_order(rows: Sequence[Entry], order: Order) -> list[Entry]:
    """Directories first; the largest or the oldest before the others."""
    return sorted(rows, key=_KEYS[order])
