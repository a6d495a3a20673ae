"""One piece of work of the Explorer, as a screen follows it: how far it is, and how to stop it."""

from s3dash.core.cancel import CancelToken


class Job:
    """Written by the thread that works, read by anybody. `of` and `of_bytes` are 0 while unknown.

    `what` says what is being done, in a clause; `now` names what is being worked on.
    """

    def __init__(self, what: str) -> None:
        self.what = what
        self.cancel = CancelToken()
        self.done = self.of = 0
        self.bytes = self.of_bytes = 0
        self.now = ""

    def begin(self, name: str) -> None:
        """The next piece. Raises Cancelled when the user stopped it."""
        self.cancel.check()
        self.now = name

    def moved(self, count: int) -> None:
        """Bytes went by. Raises Cancelled when the user stopped it."""
        self.cancel.check()
        self.bytes += count

    def finished(self) -> None:
        """One piece is done."""
        self.done += 1
