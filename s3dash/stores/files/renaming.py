"""A directory's rename: every object is copied, verified, and only then goes from its old place.

It can be cut short anywhere and run again. What is at the target by then is ours when its bytes
are the source's; anything else is somebody's, and both stay.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from s3dash.errors import Conflict, NotFound, PreconditionFailed
from s3dash.objectstore.port import ObjectInfo
from s3dash.stores.files import names
from s3dash.stores.files.carrying import carry
from s3dash.stores.files.model import Move, Moved
from s3dash.stores.opened import Opened
from s3dash.stores.steady import Nowhere
from s3dash.stores.turns import in_turn

T = TypeVar("T")
AT_ONCE = 1000
"""Objects that are copied before the first of them goes from its old place."""
ROUNDS = 10
"""How often the source is looked through while others write into it."""
TOLD = 5

OnMoved = Callable[[int, int], None]
"""Called with how many objects have moved so far, and the bytes of them."""


class Renaming:
    """One run of a rename. `fresh`: the target was empty when it began."""

    def __init__(
        self, opened: Opened, move: Move, *, fresh: bool, on_moved: OnMoved | None = None
    ) -> None:
        self._opened = opened
        self._store = opened.store
        self._source = names.below(move.source)
        self._target = names.below(move.target)
        self._move = move
        self._fresh = fresh
        self._on_moved = on_moved
        self._ours: dict[str, str] = {}
        self._clashes: list[str] = []
        self._done = Moved(0, 0)
        self._listed_to = ""

    def run(self) -> Moved:
        """Raises Conflict when something stays at both places."""
        for _ in range(ROUNDS):
            self._clashes.clear()
            self._listed_to = ""
            for chunk in batches(self._store.list(self._source), AT_ONCE):
                self._chunk(chunk)
            if self._clashes or not self._store.first(self._source):
                break
            self._fresh = False
        if self._clashes:
            raise self._clash("are at both places, and differ")
        if left := self._store.first(self._source, most=TOLD):
            self._clashes = [one.key for one in left]
            raise self._clash("were written to again and again")
        return self._done

    def _chunk(self, chunk: Sequence[ObjectInfo]) -> None:
        copied = {
            found.key: etag
            for found, etag in zip(chunk, self._each(self._copied, chunk), strict=True)
            if etag is not None
        }
        there = self._listed(copied)
        ready = [one for one in chunk if one.key in copied]

        def moved(one: ObjectInfo) -> ObjectInfo | None:
            is_whole = self._is_whole(one, copied[one.key], there.get(self._new(one)))
            return one if is_whole and self._gone(one) else None

        for one in self._each(moved, ready):
            if one is not None:
                self._ours.pop(one.key, None)
                self._done = Moved(self._done.files + 1, self._done.size + one.size)
                if self._on_moved is not None:
                    self._on_moved(self._done.files, self._done.size)

    # --- copying ------------------------------------------------------------------------

    def _copied(self, found: ObjectInfo) -> str | None:
        """The ETag of a copy of this very version, None when it must not, or cannot, be made."""
        if not self._fresh:
            there = self._looked_at(self._new(found))
            if there is not None and there.etag != self._ours.get(found.key):
                if self._same(found, there):
                    return there.etag
                self._clashes.append(found.key)
                return None
        etag = carry(self._opened, found, self._new(found))
        if etag is not None:
            self._ours[found.key] = etag
        return etag

    def _same(self, found: ObjectInfo, there: ObjectInfo) -> bool:
        """Whether both have the same bytes. ETags that are equal say so, others say nothing."""
        if found.size != there.size:
            return False
        return found.etag == there.etag or self._sha256(found) == self._sha256(there)

    def _sha256(self, found: ObjectInfo) -> str:
        """Empty, with the key, when that version is gone: equal to no other."""
        try:
            return self._store.download(found.key, Nowhere(), if_match=found.etag).sha256
        except (NotFound, PreconditionFailed):
            return f"gone: {found.key}"

    # --- proving ------------------------------------------------------------------------

    def _listed(self, copied: Iterable[str]) -> dict[str, ObjectInfo]:
        """What a listing tells of the copies: a request for a thousand instead of each. What it
        does not tell is asked for by itself."""
        wanted = {self._target + key[len(self._source) :] for key in copied}
        found: dict[str, ObjectInfo] = {}
        if len(wanted) <= 1:
            return found
        listing = self._store.list(self._target, start_after=self._listed_to)
        for one in islice(listing, 2 * AT_ONCE):
            if one.key in wanted:
                found[one.key] = one
                self._listed_to = one.key
                if len(found) == len(wanted):
                    break
        return found

    def _is_whole(self, found: ObjectInfo, etag: str, there: ObjectInfo | None) -> bool:
        there = there or self._looked_at(self._new(found))
        return there is not None and there.etag == etag and there.size == found.size

    def _gone(self, found: ObjectInfo) -> bool:
        """Delete the version that was copied. False when there is another one by now."""
        try:
            self._opened.steady.delete(found.key, if_match=found.etag)
        except PreconditionFailed:
            return False
        return True

    # --- how ----------------------------------------------------------------------------

    def _new(self, found: ObjectInfo) -> str:
        return self._target + found.key[len(self._source) :]

    def _looked_at(self, key: str) -> ObjectInfo | None:
        """A HEAD of a marker is not believed: some endpoints have one for each directory."""
        if key.endswith(names.SLASH):
            return next((one for one in self._store.first(key) if one.key == key), None)
        try:
            return self._store.head(key)
        except NotFound:
            return None

    def _each(self, do: Callable[[ObjectInfo], T], items: Sequence[ObjectInfo]) -> Iterator[T]:
        ways = max(1, min(self._opened.settings.push_concurrency, len(items)))
        return in_turn(items, do, at_a_time=ways, check=self._opened.patience.cancel.check)

    def _clash(self, what: str) -> Conflict:
        some = ", ".join(repr(key) for key in self._clashes[:TOLD])
        count = len(self._clashes)
        more = f" and {count - TOLD} more" if count > TOLD else ""
        return Conflict(
            f"{self._move.source!r} is not wholly moved to {self._move.target!r}: "
            f"{some}{more} {what}",
            hint="keep one of each, and move it again",
        )


def batches(items: Iterable[T], size: int) -> Iterator[list[T]]:
    left = iter(items)
    while batch := list(islice(left, size)):
        yield batch
