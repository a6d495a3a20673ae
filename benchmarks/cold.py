"""Everything goes over: a push into an empty bucket, a pull into an empty directory."""

import shutil
from pathlib import Path

from benchmarks import contents, limit
from benchmarks.ground import Ground, Stage, cleared
from benchmarks.limit import Load
from benchmarks.peers import Peer
from benchmarks.place import Place
from benchmarks.runs import Spent
from benchmarks.works import MIB

PIECE = 16 * MIB
WHOLE, PIECES = "threads", "threads, pieces of 16 MiB"


class Cold(Stage):
    """What push and pull have in common: how the bare generator may move large files."""

    @property
    def forms(self) -> tuple[str, ...]:
        if self.ground.task.size > PIECE:
            return (WHOLE, PIECES)
        return limit.FORMS_FOR_SMALL


class Pushing(Cold):
    """Everyone sends the same files, each run into a bucket of its own, made for it."""

    def ours(self) -> Spent:
        ground = self.ground
        bucket = ground.bucket()
        place = Place(
            ground.server, ground.root, ground.name("ours"), bucket=bucket, cache=ground.source
        )
        spent = ground.ours(place, "push")
        self._hold(bucket, "s3dash")
        cleared(ground.source)
        return spent

    def peer(self, peer: Peer, way: str) -> Spent:
        bucket = self.ground.bucket()
        spent = self.ground.peer(peer, self.work, way, bucket, self.ground.source)
        self._hold(bucket, peer.name)
        return spent

    def bare(self, form: str) -> Spent:
        ground, bucket = self.ground, self.ground.bucket()
        spent = ground.bare(self._load(bucket, form), form.partition(",")[0])
        ground.drop(bucket)
        return spent

    def _load(self, bucket: str, form: str) -> Load:
        keys, size = list(self.ground.wanted), self.ground.task.size
        if form == PIECES:
            parts = [f"{key}-{at}" for key in keys for at in range(0, size, PIECE)]
            return limit.puts(self.ground.server, bucket, parts, PIECE)
        return limit.puts(self.ground.server, bucket, keys, size)

    def _hold(self, bucket: str, who: str) -> None:
        """What is in the bucket, and that the source is as it was."""
        self.ground.hold(bucket, self.ground.wanted, who)
        contents.same(
            contents.of_directory(self.ground.source), self.ground.wanted, f"{who}, the source"
        )
        self.ground.drop(bucket)


class Pulling(Cold):
    """Everyone fetches the same files, each run into a directory of its own, made for it.

    The peers read a bucket that holds the files alone, ours one that s3dash has filled.
    """

    def __init__(self, ground: Ground) -> None:
        super().__init__(ground)
        self._plain = ground.filled(ground.source)
        self._ours = ground.bucket()
        place = Place(ground.server, ground.root, "filler", bucket=self._ours, cache=ground.source)
        ground.ours(place, "push")
        cleared(ground.source)
        ground.hold(self._ours, ground.wanted, "filling")

    def ours(self) -> Spent:
        ground = self.ground
        place = Place(ground.server, ground.root, ground.name("ours"), bucket=self._ours)
        spent = ground.ours(place, "pull")
        self._hold(place.cache, "s3dash")
        return spent

    def peer(self, peer: Peer, way: str) -> Spent:
        ground = self.ground
        target = ground.root / ground.name("target")
        target.mkdir()
        spent = ground.peer(peer, self.work, way, self._plain, target)
        self._hold(target, peer.name)
        return spent

    def bare(self, form: str) -> Spent:
        keys, size = list(self.ground.wanted), self.ground.task.size
        if form == PIECES:
            load = limit.pieces(self.ground.server, self._plain, keys, size, PIECE)
        else:
            load = limit.gets(self.ground.server, self._plain, keys)
        return self.ground.bare(load, form.partition(",")[0])

    def _hold(self, directory: Path, who: str) -> None:
        """What is in the directory. Small files stay until the bench is over.

        ext4 takes no inode again within minutes of its removal: whoever makes files then looks
        for a free one among all that were removed, which would be most of what is measured.
        """
        contents.same(contents.of_directory(directory), self.ground.wanted, f"{who}, the directory")
        if self.ground.task.size > PIECE:
            shutil.rmtree(directory)
