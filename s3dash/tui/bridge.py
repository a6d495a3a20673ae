"""Between engines and widgets: polls the ones, posts messages to the others.

Nothing is posted while nothing changes. Calls that block run in threads of our own.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from textual.message import Message

from s3dash.clock import Clock
from s3dash.core.snapshot import HistoryRow
from s3dash.engine.api import EngineApi
from s3dash.tui.feed import Feed
from s3dash.tui.look import Site
from s3dash.tui.messages import Happened, SnapshotChanged
from s3dash.tui.pool import Pool

T = TypeVar("T")

POLL_S = 0.25


class Bridge:
    """All engines that the screen shows, by their order."""

    def __init__(
        self, engines: Sequence[EngineApi], *, clock: Clock, post: Callable[[Message], object]
    ) -> None:
        self._clock = clock
        self._post = post
        self._feeds = [Feed(engine, mono=clock.monotonic()) for engine in engines]
        self.pool = Pool()
        self.sites: tuple[Site, ...] = tuple(feed.site for feed in self._feeds)

    def engine(self, index: int) -> EngineApi:
        return self._feeds[index].engine

    @property
    def engines(self) -> list[EngineApi]:
        return [feed.engine for feed in self._feeds]

    def poll(self) -> None:
        """Look at every engine once; called at 4 Hz. Takes microseconds."""
        mono, changed = self._clock.monotonic(), False
        for feed in self._feeds:
            differs, rows = feed.poll(mono)
            changed |= differs
            for row in rows:
                self._post(Happened(feed.site.name, row))
        if changed:
            self._tell()

    def _tell(self) -> None:
        self.sites = tuple(feed.site for feed in self._feeds)
        self._post(SnapshotChanged())

    async def ask(self, call: Callable[[], T]) -> T:
        """A blocking call of an engine; raises what it raises."""
        return await self.pool.ask(call)

    def take_history(self, index: int, rows: Sequence[HistoryRow]) -> None:
        """What an engine did before the screen was opened."""
        self._feeds[index].take_history(rows)
        self._tell()

    def note(self, index: int, row: HistoryRow) -> None:
        """A line of the screen's own in the log of an engine; it stays on the screen."""
        self._feeds[index].note(row)
        self._tell()

    def replace(self, index: int, engine: EngineApi) -> None:
        """Another engine in the place of one, whose namespace was left."""
        self._feeds[index].close()
        self._feeds[index] = Feed(engine, mono=self._clock.monotonic())
        self._tell()

    def arrange(self, engines: Sequence[EngineApi]) -> None:
        """Other engines, or another order: what is known of those that stay is kept."""
        before = {id(feed.engine): feed for feed in self._feeds}
        stay = {id(engine) for engine in engines}
        mono = self._clock.monotonic()
        self._feeds = [
            before[id(engine)] if id(engine) in before else Feed(engine, mono=mono)
            for engine in engines
        ]
        for key, feed in before.items():
            if key not in stay:
                feed.close()
        self._tell()

    def close(self) -> None:
        for feed in self._feeds:
            feed.close()
        self.pool.close()
