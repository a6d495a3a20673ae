"""Putting foreign objects where they belong, under the locks of both namespaces.

In this order: the home has object and entry, then the index of the wrong place loses the entry,
then the object goes, only in the version that was looked at (I1, I2).
"""

from collections.abc import Callable, Mapping

import msgspec
from msgspec.structs import replace

from s3dash.clock import iso
from s3dash.core.foreign import Foreign
from s3dash.core.index import Entry
from s3dash.engine import commit, commit_v1, intents
from s3dash.engine.commit import Committed, Edit
from s3dash.engine.context import Context
from s3dash.engine.deletions import delete_version
from s3dash.engine.lease import Lease
from s3dash.engine.moving_look import head
from s3dash.engine.sameness import sha256_of
from s3dash.errors import NotFound, PreconditionFailed
from s3dash.objectstore.port import Capabilities, ObjectInfo


class Found(msgspec.Struct, frozen=True):
    """A foreign path of a namespace: its object, the one at its home, its entry here."""

    rel: str
    row: Foreign
    info: ObjectInfo | None
    at_home: ObjectInfo | None
    entry: Entry | None = None

    @property
    def home(self) -> str:
        """The namespace that it belongs to; empty for a lock."""
        return self.row.home.partition("/")[0]

    def kept(self, reason: str) -> "Found":
        return replace(self, row=replace(self.row, action="keep", reason=reason))


class Mover:
    """`leases` by the key of the lock; `home` may be the very place that is repaired."""

    def __init__(
        self,
        there: Context,
        home: Context,
        can: Capabilities,
        leases: Mapping[str, Lease],
        guard: Callable[[], None],
    ) -> None:
        self._there = there
        self._home = home
        self._can = can
        self._leases = leases
        self._guard = guard

    def apply(self, found: list[Found]) -> list[Foreign]:
        """What became of each."""
        moves = self._moved([one for one in found if one.row.action == "move"])
        rest = [self._set_aside(one) for one in found if one.row.action == "set-aside"]
        kept = [one for one in found if one.row.action == "keep"]
        gone = [one for one in moves if one.row.action == "move"]
        gone += [one for one in found if one.row.action == "drop"]
        dropped = self._dropped(gone)
        back = [one for one in moves if one.row.action == "keep"]
        return [one.row for one in (*dropped, *back, *rest, *kept)]

    # --- to its home --------------------------------------------------------------------

    def _moved(self, found: list[Found]) -> list[Found]:
        """Copied, and in the index of the home; what could not be is kept."""
        ready: dict[str, Entry] = {}
        answers: list[Found] = []
        for one in found:
            entry = self._copied(one)
            if entry is None:
                answers.append(one.kept("it changed while it was looked at"))
            else:
                ready[one.rel] = entry
        edits = [Edit(e.key, e, None) for e in ready.values()]
        done = self._commit(self._home, edits)
        for one in found:
            if one.rel in ready:
                refused = ready[one.rel].key in done.refused
                answers.append(one.kept("its home got another one meanwhile") if refused else one)
        return answers

    def _copied(self, one: Found) -> Entry | None:
        """The entry for the copy at its home; None when the object moved under our eyes."""
        if one.info is None:
            return None
        store, info = self._there.store, one.info
        sha256 = sha256_of(self._there, info)
        if sha256 is None or _moved(one.at_home, head(self._there, one.row.home)):
            return None
        self._guard()
        try:
            if one.at_home is None:
                store.copy(info.key, one.row.home, if_match=info.etag, size=info.size)
        except (NotFound, PreconditionFailed):
            return None
        there = head(self._there, one.row.home)
        if there is None or there.size != info.size:
            return None
        _, _, rest = one.rel.partition("/")
        when = iso(there.last_modified) if there.last_modified else self._there.now()
        known = one.entry.localMtime if one.entry else None
        return Entry(key=rest, size=info.size, lastModified=when, localMtime=known, sha256=sha256)

    # --- away from here -----------------------------------------------------------------

    def _dropped(self, found: list[Found]) -> list[Found]:
        """Entries first, objects after them."""
        edits = [Edit(one.rel, None, one.entry.tag) for one in found if one.entry is not None]
        done = self._commit(self._there, edits)
        answers = []
        for one in found:
            if one.rel in done.refused:
                answers.append(one.kept("its entry was changed meanwhile"))
            elif self._is_gone(one):
                answers.append(one)
            else:
                answers.append(one.kept("it was replaced meanwhile"))
        return answers

    def _is_gone(self, one: Found) -> bool:
        """Delete the version that was looked at, while its home still has what it had."""
        if one.info is None:
            return True
        known = one.at_home
        if known is not None:
            now = head(self._there, known.key)
            if now is None or now.etag != known.etag:
                return False
        return self._delete(one.info)

    def _delete(self, info: ObjectInfo) -> bool:
        try:
            delete_version(self._there, self._guard, self._can, key=info.key, etag=info.etag)
        except PreconditionFailed:
            return False
        except NotFound:
            return True  # somebody was quicker
        return True

    def _set_aside(self, one: Found) -> Found:
        """A lock is nobody's file, but its bytes may tell somebody what went wrong."""
        there, info = self._there, one.info
        if info is None:
            return one
        shelf = f"{there.keys.control}repairs/{there.nonce()[:8]}/{one.rel}"
        self._guard()
        there.store.copy(info.key, shelf, if_match=info.etag)
        return one if self._delete(info) else one.kept("it was replaced meanwhile")

    # --- the index ----------------------------------------------------------------------

    def _commit(self, ctx: Context, edits: list[Edit]) -> Committed:
        """Also ends what a run that was cut off began: shards of which meta does not know yet."""
        index, lease = ctx.reader.load(), self._leases[ctx.keys.lock]
        if not edits and not index.dropped:
            return Committed()
        nonce = ctx.nonce()
        writer = f"{ctx.identity.client} {nonce}"
        intent = intents.Intent(
            seq=0 if index.version == 1 else (index.commit_seq or 0) + 1,
            writer=writer,
            holder=ctx.identity.holder,
            at=ctx.now(),
            adds=intents.tags((e.rel, e.tag) for e in edits if e.entry is not None),
            tombstones=intents.tags((e.rel, e.over) for e in edits if e.entry is None),
        )
        intents.write(ctx, intent, nonce, guard=self._guard)
        if index.version == 1:
            return commit_v1.commit(ctx, edits, index=index, lease=lease)
        return commit.commit(ctx, edits, index=index, lease=lease, writer=writer)


def _moved(before: ObjectInfo | None, now: ObjectInfo | None) -> bool:
    """Whether another version is there: clients upload before they take the lock."""
    return (before.etag if before else None) != (now.etag if now else None)
