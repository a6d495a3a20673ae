"""View 8: the place of the explorer, which comes with the datastores that it explores."""

from collections.abc import Sequence

from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.look import Look
from s3dash.tui.views.base import View


class ExplorerView(View[str]):
    """Has no rows, and says why."""

    name = "explorer"
    number = "8"
    title = "Explorer"
    columns = (Column[str](title="", cell=lambda r, _: one(r)),)

    def __init__(self) -> None:
        self.fields = {}

    def rows(self, _look: Look) -> Sequence[str]:
        return ()

    def key(self, row: str) -> str:
        return row

    def text(self, row: str) -> str:
        return row

    def summary(self, _look: Look) -> Cell:
        return one("explorer", "dim")

    def empty(self, _look: Look) -> list[Cell]:
        return [
            one("The bucket as files, keys or blobs.", "dim"),
            one("It comes with such datastores.", "dim"),
        ]

    def detail(self, _row: str, _look: Look) -> list[Cell]:
        return []
