"""Lazy hydration: which content a cache may leave in the bucket, and how much of it is here.

A lazy pull leaves out `data/**/raw` (`paths.is_lazy_skippable`). What is not here then is never a
deletion, whatever else happens to it.
"""

from bisect import bisect_left
from collections.abc import Mapping
from itertools import accumulate
from typing import Literal

import msgspec

Hydration = Literal["lazy", "full", "below", "only"]
"""What a pull does about the content that a lazy cache leaves out. «lazy» leaves it out, from now
on; «full» brings it all, and the cache is lazy no more; «below» brings what is selected, «only»
that and nothing else. None in its place: as the cache is kept."""


class Hydrated(msgspec.Struct, frozen=True):
    """How many entries of the index, and how many of their bytes, have their content here."""

    files: int = 0
    of: int = 0
    bytes: int = 0
    of_bytes: int = 0

    @property
    def share(self) -> float:
        """0 to 1, by bytes; nothing is all here."""
        return self.bytes / self.of_bytes if self.of_bytes else 1.0


class Below(msgspec.Struct, frozen=True):
    """What hydrating a path would bring. `names` complete the path, sorted: files, and directories
    with a slash; at most as many as were asked for."""

    files: int = 0
    bytes: int = 0
    names: tuple[str, ...] = ()


class LeftOut:
    """What is not here, in order, so that a path among a million is looked up at once."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._rels = sorted(sizes)
        self._sums = [0, *accumulate(sizes[rel] for rel in self._rels)]

    def below(self, start: str, *, most: int) -> Below:
        """A path that is only begun brings nothing, but has names; the empty one is all."""
        start = start.lstrip("/")
        exact = start.rstrip("/")
        first, end = self._range(f"{exact}/") if exact else (0, len(self._rels))
        at = bisect_left(self._rels, exact)
        file = range(at, at + (self._rels[at : at + 1] == [exact]))
        files, size = end - first + len(file), self._sums[end] - self._sums[first]
        size += self._sums[file.stop] - self._sums[file.start]
        return Below(files, size, tuple(self._names(start, most)))

    def _names(self, start: str, most: int) -> list[str]:
        names: list[str] = []
        at, end = self._range(start)
        while at < end and len(names) < most:
            rel = self._rels[at]
            slash = rel.find("/", len(start))
            names.append(rel if slash < 0 else rel[: slash + 1])
            at = at + 1 if slash < 0 else self._range(names[-1])[1]
        return names

    def _range(self, start: str) -> tuple[int, int]:
        """The places of all that begins so; an empty beginning is everything's."""
        if not start:
            return 0, len(self._rels)
        behind = start[:-1] + chr(ord(start[-1]) + 1)
        return bisect_left(self._rels, start), bisect_left(self._rels, behind)
