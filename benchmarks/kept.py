"""The bucket and the directory are in step: nothing changed, one file changed, a rename."""

import itertools
import shutil
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from benchmarks import contents, limit
from benchmarks.contest import OURS
from benchmarks.counting import counting
from benchmarks.ground import Ground, Stage
from benchmarks.limit import Load
from benchmarks.peers import Peer
from benchmarks.place import Place
from benchmarks.runs import RunFailed, Spent
from benchmarks.standing import Counted
from benchmarks.works import Work

STRIDE = 37
OLD, NEW = "bench", "moved"
SINGLE, BULK = "one loop, deletions one by one", "one loop, one bulk deletion"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """A bucket and a directory in step. `place` is the datastore when they are ours."""

    bucket: str
    files: Path
    place: Place | None = None


class Kept(Stage):
    """Everyone has a pair of its own, filled before, and brings it in step again in each run."""

    shared = False
    """Whether the peers may have one pair together: when nobody changes it."""

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self.pairs = {OURS: self._ours()}
        for peer in ground.peers:
            first = self.pairs.get(ground.peers[0].name) if self.shared else None
            self.pairs[peer.name] = first or self._filled(peer)
        self.numbers = itertools.count()

    def _filled(self, peer: Peer) -> Pair:
        files = self.ground.root / f"files-{peer.name}"
        shutil.copytree(self.ground.source, files)
        bucket = self.ground.filled(files)
        return Pair(bucket=bucket, files=files)

    def _ours(self) -> Pair:
        bucket = self.ground.bucket()
        place = Place(self.ground.server, self.ground.root, "ours", bucket=bucket)
        shutil.copytree(self.ground.source, place.cache, dirs_exist_ok=True)
        self.ground.ours(place, "push")
        self.ground.hold(bucket, self.ground.wanted, "filling")
        return Pair(bucket=bucket, files=place.cache, place=place)

    @property
    def forms(self) -> tuple[str, ...]:
        return (limit.FORMS_FOR_SMALL[0],)

    def ours(self) -> Spent:
        pair = self.pairs[OURS]
        assert pair.place is not None
        return self._played(OURS, partial(self.ground.ours, pair.place, "push"))

    def peer(self, peer: Peer, way: str) -> Spent:
        pair = self.pairs[peer.name]
        return self._played(
            peer.name, lambda: self.ground.peer(peer, self.work, way, pair.bucket, pair.files)
        )

    def _played(self, name: str, play: Callable[[], Spent]) -> Spent:
        pair = self.pairs[name]
        self.change(pair.files)
        wanted = contents.of_directory(pair.files)
        before = contents.versions(self.ground.server, pair.bucket)
        spent = play()
        self.ground.hold(pair.bucket, wanted, name)
        self.compared(name, before, contents.versions(self.ground.server, pair.bucket))
        return spent

    def counted(self) -> Counted:
        """Another address is another datastore to s3dash: it gets to know that one first."""
        place = self.pairs[OURS].place
        assert place is not None
        if not self.ground.task.goal.is_counted:
            return Counted()
        with counting(self.ground.server) as counted:
            place.point_at(counted.server)
            self.ground.ours(place, "sync")
            for _ in range(2):
                self.change(place.cache)
                counted.clear()
                self.ground.ours(place, "push")
            asked = counted.requests
        size = self.ground.task.size
        return Counted(requests=len(asked), uploaded=sum(s.up for s in asked if s.up == size))

    @abstractmethod
    def change(self, files: Path) -> None:
        """What a run has to bring over."""

    def compared(self, name: str, before: contents.Versions, after: contents.Versions) -> None:
        """Raises RunFailed when more was written than had changed."""


class Nothing(Kept):
    """In step already. The bare generator lists the index once: less cannot be asked."""

    shared = True

    def change(self, files: Path) -> None:
        """Nothing."""

    def compared(self, name: str, before: contents.Versions, after: contents.Versions) -> None:
        if before != after:
            raise RunFailed(f"{name} wrote objects again, though nothing had changed")

    def bare(self, form: str) -> Spent:
        bucket = self.pairs[OURS].bucket
        return self.ground.bare(limit.listing(self.ground.server, bucket, "_index/"), form)


class Changed(Kept):
    """One file was edited and has the size that it had. The bare generator sends that file."""

    def change(self, files: Path) -> None:
        rels, number = sorted(self.ground.wanted), next(self.numbers)
        with (files / rels[number * STRIDE % len(rels)]).open("r+b") as out:
            out.write(f"edit {number:08d}".encode())

    def compared(self, name: str, before: contents.Versions, after: contents.Versions) -> None:
        """A peer that goes by whole seconds may send the last run's file again: that is its way."""
        written = sum(before.get(key) != version for key, version in after.items())
        if name == OURS and written != 1:
            raise RunFailed(f"{name} wrote {written} objects, though 1 file had changed")

    def bare(self, form: str) -> Spent:
        bucket = self.ground.bucket()
        load = limit.puts(self.ground.server, bucket, ["one"], self.ground.task.size)
        spent = self.ground.bare(load, form)
        self.ground.drop(bucket)
        return spent


class Renamed(Kept):
    """The directory with all files gets a name in each run that nothing had before.

    Back to an old name within a quarter of an hour, ours looks at each object once more.

    The bare generator copies each object on the server, then deletes its source: one request each,
    as ours does (it deletes only the version that it knows), or one for all.
    """

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._side = ground.filled(ground.source)
        self._there = False

    def change(self, files: Path) -> None:
        data = files / "data"
        (old,) = data.iterdir()
        old.rename(data / f"{NEW}-{next(self.numbers)}")

    @property
    def forms(self) -> tuple[str, ...]:
        return (SINGLE, BULK)

    def bare(self, form: str) -> Spent:
        load = self._moves(bulk=form == BULK)
        self._there = not self._there
        return self.ground.bare(load, limit.FORMS_FOR_SMALL[0])

    def _moves(self, *, bulk: bool) -> Load:
        pairs = [(rel, rel.replace(f"/{OLD}/", f"/{NEW}/", 1)) for rel in self.ground.wanted]
        if self._there:
            pairs = [(new, old) for old, new in pairs]
        return limit.moves(self.ground.server, self._side, pairs, bulk=bulk)


STAGES: dict[Work, type[Kept]] = {
    Work.NOTHING: Nothing,
    Work.CHANGED: Changed,
    Work.RENAME: Renamed,
}
