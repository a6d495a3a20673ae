"""Where the work is done: buckets, directories, and the runs of ours and of the peers in them."""

import itertools
import shutil
import uuid
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from benchmarks import contents
from benchmarks.contest import LIMIT, OURS, Entrant
from benchmarks.limit import Load, sent
from benchmarks.machine import cost
from benchmarks.peers import Peer, Spot
from benchmarks.place import SCRIPT, Place
from benchmarks.runs import Command, Spent, run
from benchmarks.standing import Counted
from benchmarks.works import Task, Work
from tests.servers import Server


class Ground:
    """One task's server, directory and peers. `source` holds its files, `wanted` what they are.

    `code` is a checkout of s3dash to measure instead of this one.
    """

    def __init__(
        self,
        server: Server,
        root: Path,
        peers: Sequence[Peer],
        task: Task,
        *,
        code: Path | None = None,
    ) -> None:
        self.server = server
        self._code = {"PYTHONPATH": str(code)} if code is not None else {}
        self.root = root
        self.peers = peers
        self.task = task
        self.log = root / "log"
        self.source = root / "source"
        contents.fill(self.source, task.count, task.size)
        self.wanted = contents.of_directory(self.source)
        self._numbers = itertools.count()

    def name(self, word: str) -> str:
        """One that nobody else has on this ground."""
        return f"{word}-{next(self._numbers)}"

    # --- buckets ----------------------------------------------------------------------------

    def bucket(self) -> str:
        """A fresh one, empty, whose first volume the server has laid out already."""
        made = self.server.make_bucket(f"bench-{uuid.uuid4().hex[:12]}")
        client = self.server.client()
        client.put_object(Bucket=made, Key="first", Body=b"x")
        client.delete_object(Bucket=made, Key="first")
        return made

    def drop(self, bucket: str) -> None:
        """With all that is in it, so that the server is the same for who comes next."""
        self.server.client().delete_bucket(Bucket=bucket)

    def hold(self, bucket: str, wanted: contents.Contents, who: str) -> None:
        """Every byte of the bucket against what it should be. Raises RunFailed."""
        contents.same(contents.of_bucket(self.server, bucket), wanted, f"{who}, the bucket")

    # --- runs -------------------------------------------------------------------------------

    def run(self, command: Command) -> Spent:
        return self._beside(lambda: run(command, self.log))

    def ours(self, place: Place, *arguments: str) -> Spent:
        """s3dash as a user starts it, with the defaults of its configuration."""
        environ = {"PATH": "/usr/bin:/bin", **place.environ, **self._code}
        argv = [SCRIPT, "--json", *arguments]
        return self.run(Command(argv=argv, environ=environ, cwd=place.root))

    def peer(self, peer: Peer, work: Work, way: str, bucket: str, files: Path) -> Spent:
        home = self.root / peer.name
        home.mkdir(exist_ok=True)
        spot = Spot(bucket=bucket, files=files, home=home)
        return self.run(peer.command(work, way, self.server, spot))

    def filled(self, files: Path) -> str:
        """A bucket with the files as a peer leaves them: nothing of ours beside."""
        made = self.bucket()
        first = self.peers[0]
        self.peer(first, Work.PUSH, next(iter(first.ways[Work.PUSH])), made, files)
        self.hold(made, self.wanted, "filling")
        return made

    def bare(self, load: Load, form: str) -> Spent:
        return self._beside(lambda: sent(self.server, load, form))

    def _beside(self, play: Callable[[], Spent]) -> Spent:
        """With what the server used meanwhile."""
        pid = self.server.process.pid
        before = cost(pid).whole
        spent = play()
        return replace(spent, server_s=cost(pid).whole - before)


class Stage(ABC):
    """One task on its ground. Each method does the work once, has it checked and says the cost."""

    def __init__(self, ground: Ground) -> None:
        self.ground = ground
        self.work = ground.task.work

    def entrants(self) -> list[Entrant]:
        peers = [
            Entrant(name=peer.name, ways=tuple(peer.ways[self.work]), play=partial(self.peer, peer))
            for peer in self.ground.peers
        ]
        ours = Entrant(name=OURS, ways=("",), play=lambda _: self.ours())
        return [ours, *peers, Entrant(name=LIMIT, ways=self.forms, play=self.bare)]

    def counted(self) -> Counted:
        """What ours asks of the server, by somebody else's count, in a run that nobody times."""
        return Counted()

    @property
    @abstractmethod
    def forms(self) -> tuple[str, ...]:
        """The ways of the bare generator."""

    @abstractmethod
    def ours(self) -> Spent: ...

    @abstractmethod
    def peer(self, peer: Peer, way: str) -> Spent: ...

    @abstractmethod
    def bare(self, form: str) -> Spent: ...


def cleared(directory: Path) -> None:
    """Without what s3dash keeps beside the files."""
    for path in directory.iterdir():
        if path.name.startswith("."):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
