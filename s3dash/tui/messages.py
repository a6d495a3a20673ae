"""What the bridge tells the application: small facts, in the past tense."""

from textual.message import Message

from s3dash.core.snapshot import HistoryRow


class SnapshotChanged(Message):
    """Something that can be seen is not what it was, in one of the datastores."""


class Happened(Message):
    """The engine of a datastore noted something."""

    def __init__(self, site: str, row: HistoryRow) -> None:
        super().__init__()
        self.site = site
        self.row = row
