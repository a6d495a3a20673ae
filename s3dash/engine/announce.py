"""Telling the journal of uploads before they begin."""

from collections.abc import Sequence
from contextlib import suppress

import msgspec

from s3dash.core.plan import Item
from s3dash.engine.context import Context
from s3dash.engine.copies import is_one_request, source_of
from s3dash.engine.observe import CLASHES, Observation, wall_ns
from s3dash.engine.publish import Work
from s3dash.engine.recover import Leftovers
from s3dash.engine.transfer import Ready
from s3dash.errors import S3DashError
from s3dash.local.scan import hash_file
from s3dash.local.state import JournalRow
from s3dash.objectstore.port import Capabilities
from s3dash.objectstore.source import Held

HASHED_AHEAD = 16 * 2**20
"""Bytes; a larger file is not read an extra time for the journal."""
HELD_AHEAD = 64 * 2**10
"""Bytes; a file of at most so many is read once: it is held from its announcement until it goes."""


class Announcer(msgspec.Struct, frozen=True):
    """Journals items, each with its hash, before they are given out; small ones are `ready` then.

    So that what a killed push has sent is known for ours, even when the file was edited since. A
    row of an earlier push stays: it tells of an object that is there, and what is sent over it now
    is an attempt until it is known to have arrived. In the place of an overdue deletion, what was
    to be deleted is one.
    """

    ctx: Context
    seen: Observation
    work: Work
    left: Leftovers
    can: Capabilities
    ready: dict[str, Ready]

    def announce(self, items: Sequence[Item]) -> None:
        state, left, now = self.ctx.state, self.left, self.ctx.now()
        clear = set[str]()
        rows = [row for item in items if (row := self._row(item, now, clear)) is not None]
        doomed = (left.deletes[row.rel] for row in rows if row.rel in left.deletes)
        state.attempt((row.rel, row.sha256) for row in doomed if row.sha256)
        state.attempt((row.rel, row.sha256) for row in rows if row.rel in left.uploads)
        state.journal_add([row for row in rows if row.rel not in left.uploads])

    def _row(self, item: Item, now: str, clear: set[str]) -> JournalRow | None:
        """None: it announces itself (a conflict, a claim), or it cannot be read just now."""
        local, remote = item.change.local, item.change.remote
        if item.change.verdict in CLASHES or local is None:
            return None
        sha256, size = local.sha256, local.size
        if item.source is not None and item.path not in self.left.uploads:
            source = source_of(self.seen, item)
            if source is None or not is_one_request(self.can, source):
                return None
            sha256, size = source.sha256, source.size
        else:
            sha256, size = self._read(item, sha256, size, clear)
        if sha256 is None:
            return None
        over = remote.tag if remote else None
        return JournalRow(self.work.nonce, item.path, "upload", sha256, size, None, over, now)

    def _read(
        self, item: Item, sha256: str | None, size: int, clear: set[str]
    ) -> tuple[str | None, int]:
        with suppress(S3DashError):  # the upload meets the same, and tells it
            read_ns = wall_ns(self.ctx)
            path = self.ctx.cache.to_open(item.path, clear)
            held = Held.read(path, at_most=HELD_AHEAD)
            if held is not None:
                self.ready[item.path] = Ready(held, read_ns)
                return held.sha256, held.size
            if sha256 is None and size <= HASHED_AHEAD:
                return hash_file(path, cancel=self.ctx.cancel)[0], size
        return sha256, size
