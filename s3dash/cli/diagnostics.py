"""Standard error and exit codes: errors, notes, progress. Nobody else decides either.

Messages of unexpected exceptions are never shown: they may hold anything, secrets included.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

from s3dash.cli.output import Output, bars_on
from s3dash.cli.streams import forget, has_gone
from s3dash.core.text import count, safe, size
from s3dash.errors import S3DashError

if TYPE_CHECKING:
    from rich.progress import Progress

    from s3dash.core.snapshot import Snapshot

Moved = Callable[[int, str], None]
"""Told how many bytes moved just now, and of what."""
REDRAW_S = 0.2
WIDEST = 40
OK, FAILED, USAGE, REMAINS, NO_LOCK, PARTLY, INTERRUPTED = 0, 1, 2, 3, 4, 5, 130

_RED, _DIM, _RESET = "\x1b[1;31m", "\x1b[2m", "\x1b[0m"


class Diagnostics:
    """Writes to one stream, for people; scripts read the exit code and the JSON document."""

    def __init__(self, stream: TextIO, *, color: bool = False, verbose: bool = False) -> None:
        self._stream = stream
        self._color = color
        self._verbose = verbose

    def note(self, text: str) -> None:
        self._write(safe(text))

    def waiting(self, text: str) -> None:
        """A note for somebody who watches a command that takes a while."""
        if self._stream.isatty():
            self._write(self._painted(safe(text), _DIM))

    def detail(self, text: str) -> None:
        """A note that only `-v` shows."""
        if self._verbose:
            self._write(self._painted(safe(text), _DIM))

    def failed(self, error: BaseException, output: Output) -> int:
        """Tell an error, as a document on standard output with `--json`; the exit code."""
        known = error if isinstance(error, S3DashError) else _Unexpected(error)
        if output.as_json and not output.written:
            output.document(known.document())
        else:
            self._tell(known)
        if known is not error and self._verbose:
            self._write("\n".join(_frames(error)))
        return known.exit_code

    def _tell(self, error: S3DashError) -> None:
        first, *more = error.message.splitlines() or [type(error).__name__]
        self._write(self._painted("s3dash:", _RED) + " " + safe(first))
        for line in more:
            self._write("  " + safe(line))
        if error.hint:
            self._write(self._painted("  hint:", _DIM) + " " + safe(error.hint))

    @contextmanager
    def progress(self) -> "Iterator[Callable[[Snapshot], None]]":
        """Something to show snapshots with while work goes on.

        On a terminal a line that moves; in a log only that the endpoint makes us wait, and why.
        """
        if not self._stream.isatty():
            yield _Waits(self.note).show
            return
        with bars_on(self._stream, color=self._color) as bars:
            yield _Bar(bars).show

    @contextmanager
    def steps(self) -> "Iterator[Callable[[int, int, str], None] | None]":
        """Something to tell (done, of how many, what) to; None when nobody would see it."""
        if not self._stream.isatty():
            yield None
            return
        with bars_on(self._stream, color=self._color) as bars:
            yield _Steps(bars).show

    @contextmanager
    def bytes_moved(self, total: int | None = None) -> "Iterator[Moved | None]":
        """Something to tell each piece that moved, of so many bytes in all where that is known;
        None when nobody would see it."""
        if not self._stream.isatty():
            yield None
            return
        with bars_on(self._stream, color=self._color) as bars:
            yield _Bytes(bars, total).moved

    def _painted(self, text: str, code: str) -> str:
        return f"{code}{text}{_RESET}" if self._color else text

    def _write(self, text: str) -> None:
        """Who reads this may go: that breaks off nothing of what is being done."""
        encoding = getattr(self._stream, "encoding", None) or "utf-8"
        try:
            self._stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
            self._stream.flush()
        except OSError as error:
            if not has_gone(error):
                raise
            forget(self._stream)


class _Waits:
    """A line each time a request is to be tried again, one for all requests at once, and one for
    each lock that is waited for."""

    def __init__(self, note: "Callable[[str], None]") -> None:
        self._note = note
        self._told = ""

    def show(self, snapshot: "Snapshot") -> None:
        if snapshot.state == "backing off":
            self._tell(snapshot.detail.rpartition(", ")[2], snapshot.detail)
        elif snapshot.state == "waiting for lock":
            who = snapshot.detail.rpartition(" for ")[0] or snapshot.detail
            self._tell(who, f"{snapshot.state}: {snapshot.detail}")

    def _tell(self, what: str, text: str) -> None:
        """`what` is the text without what changes by the second."""
        if what != self._told:
            self._told = what
            self._note(text)


class _Bar:
    """One line of a running operation: what it does, how far it is, how fast it goes."""

    def __init__(self, bars: "Progress") -> None:
        self._bars = bars
        self._task = bars.add_task("starting", total=None, amount="", rate="")

    def show(self, snapshot: "Snapshot") -> None:
        counts, rate = snapshot.progress.counts, snapshot.progress.rate
        files = counts.queued + counts.active + counts.paused + counts.done
        files += counts.failed + counts.cancelled
        amount = f"{size(counts.bytes_done)} of {size(counts.bytes_total)}" if files else ""
        self._bars.update(
            self._task,
            description=safe(_doing(snapshot)),
            total=counts.bytes_total or None,
            completed=counts.bytes_done,
            amount=f"{amount}, {counts.done:,} of {count(files, 'file')}" if files else "",
            rate=f"{size(rate.up + rate.down)}/s" if counts.active else "",
        )
        self._bars.refresh()


class _Steps:
    """One line of a command that does a number of things, 0 where it is not known."""

    def __init__(self, bars: "Progress") -> None:
        self._bars = bars
        self._task = bars.add_task("starting", total=None, amount="", rate="")
        bars.refresh()

    def show(self, done: int, of: int, what: str) -> None:
        amount = f"{done:,} of {of:,}" if of else f"{done:,}"
        self._bars.update(
            self._task, description=safe(what), total=of or None, completed=done, amount=amount
        )
        self._bars.refresh()


class _Bytes:
    """One line of a command that moves bytes; any thread may tell of them."""

    def __init__(self, bars: "Progress", total: int | None) -> None:
        self._bars = bars
        self._total = total
        self._done = 0
        self._shown = 0.0
        self._lock = threading.Lock()
        self._task = bars.add_task("starting", total=total, amount="", rate="")
        bars.refresh()

    def moved(self, count: int, what: str) -> None:
        """Pieces come by the thousand: the line is drawn a few times a second."""
        with self._lock:
            self._done += count
            if time.monotonic() - self._shown < REDRAW_S:
                return
            self._shown = time.monotonic()
            amount = size(self._done) + (f" of {size(self._total)}" if self._total else "")
            self._bars.update(
                self._task, description=safe(what)[:WIDEST], completed=self._done, amount=amount
            )
            self._bars.refresh()


def _doing(snapshot: "Snapshot") -> str:
    return f"{snapshot.state} ({snapshot.detail})" if snapshot.detail else snapshot.state


class _Unexpected(S3DashError):
    """An exception that nobody foresaw, told by its type alone."""

    def __init__(self, error: BaseException) -> None:
        self._kind = type(error).__name__
        super().__init__(
            f"unexpected error ({self._kind})",
            hint="this is a bug in s3dash; run it again with -v to see where it happened",
        )

    def document(self) -> dict[str, dict[str, str]]:
        return {"error": {"type": self._kind, "message": self.message, "hint": self.hint}}


def _frames(error: BaseException) -> Iterator[str]:
    """Where an exception came from: no values, no messages, no directories of this machine."""
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    if cause is not None:
        yield from _frames(cause)
    yield f"{type(error).__name__} at"
    import traceback  # late: hardly any run has use for it

    for frame in traceback.extract_tb(error.__traceback__):
        place = Path(frame.filename)
        yield f"  {place.parent.name}/{place.name}:{frame.lineno} in {frame.name}"
