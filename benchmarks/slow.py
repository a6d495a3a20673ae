"""Over a line that is far away: what concurrency hides of it, ours and the peers' beside.

Called by `make bench`; alone: python -m benchmarks.slow [--quick] [--tools DIR]

Ideal is what the round trips of the files alone take at the configured number at a time, nothing
else: files × round trip ÷ concurrency. Ours is the whole process: its start, the first look, the
proof of an endpoint that it never saw before, the lock and the commit included. That it may be
faster than ideal is no mistake: it raises the number while that pays.
"""

import argparse
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import obstore

from benchmarks import contents, contest
from benchmarks.cold import Pulling, Pushing
from benchmarks.contest import LIMIT, OURS, Played
from benchmarks.delay import Line
from benchmarks.figures import Figure, number, table
from benchmarks.ground import Ground
from benchmarks.peers import Peer, peers
from benchmarks.place import Place
from benchmarks.runs import Spent
from benchmarks.scenes import FULL, QUICK, Effort, figure
from benchmarks.works import KIB, Goal, Task, Work
from s3dash.core.settings import Datastore
from tests.servers import Server, start_weed

TOOLS = Path(__file__).parents[1] / ".venv-bench"
COUNT, SIZE = 1_000, 5 * KIB
ROUND_TRIPS_MS = (5, 50, 200)
BESIDE_PEERS_MS = 50
JUDGED_MS = 50
"""From here on the line, and not the server or the start of a process, is what takes the time."""
HIDDEN = 0.8
"""The share of the ideal that has to be reached."""
FEWER, MORE = 3, 5
STAGES = {Work.PUSH: Pushing, Work.PULL: Pulling}
_DEFAULTS = Datastore(name="", bucket="", cache=Path(), state_dir=Path())
AT_ONCE = {Work.PUSH: _DEFAULTS.push_concurrency, Work.PULL: _DEFAULTS.pull_concurrency}


class Far(Ground):
    """The runs go over the line; what is made before and checked after them does not."""

    def __init__(
        self, server: Server, line: Line, root: Path, rivals: Sequence[Peer], task: Task
    ) -> None:
        super().__init__(line.before(server), root, rivals, task)
        self._line = line
        self._near = server
        self.told = ""

    def bucket(self) -> str:
        with self._at_home():
            return super().bucket()

    def drop(self, bucket: str) -> None:
        with self._at_home():
            super().drop(bucket)

    def hold(self, bucket: str, wanted: contents.Contents, who: str) -> None:
        with self._at_home():
            super().hold(bucket, wanted, who)

    def filled(self, files: Path) -> str:
        made = self.bucket()
        store = contents.store_of(self._near, made)
        for rel in self.wanted:
            obstore.put(store, rel, (files / rel).read_bytes())
        return made

    def ours(self, place: Place, *arguments: str) -> Spent:
        before = self._line.counts
        spent = super().ours(place, *arguments)
        now = self._line.counts
        requests, connections = (now[n] - before[n] for n in ("requests", "connections"))
        self.told = f"{requests} requests over {connections} connections"
        return spent

    @contextmanager
    def _at_home(self) -> Iterator[None]:
        far, self.server = self.server, self._near
        try:
            yield
        finally:
            self.server = far


def figures(server: Server, root: Path, effort: Effort, *, tools: Path = TOOLS) -> list[Figure]:
    """Without the peers' environment, ours alone."""
    rivals = peers(tools) if tools.is_dir() else []
    rounds = FEWER if effort.rounds <= QUICK.rounds else MORE
    found: list[Figure] = []
    for milliseconds in ROUND_TRIPS_MS:
        beside = rivals if milliseconds == BESIDE_PEERS_MS else []
        for work in STAGES:
            ground = root / f"{work}-{milliseconds}"
            ground.mkdir()
            found += _row(server, ground, work, milliseconds, rivals, beside, rounds)
    return found


def _row(
    server: Server,
    root: Path,
    work: Work,
    milliseconds: int,
    rivals: Sequence[Peer],
    beside: Sequence[Peer],
    rounds: int,
) -> list[Figure]:
    name = f"{work} of {COUNT:,} × {SIZE // KIB} KiB, {milliseconds} ms away"
    task = Task(name=name, work=work, count=COUNT, size=SIZE, goal=Goal(ratio=0))
    with Line(server.endpoint, milliseconds / 1000) as line:
        ground = Far(server, line, root, rivals, task)
        names = {OURS, LIMIT, *(peer.name for peer in beside)}
        entrants = [e for e in STAGES[work](ground).entrants() if e.name in names]
        played = contest.hold(entrants, rounds, say=name)
    own = _of_ours(name, work, milliseconds, played[OURS], ground.told)
    return [own, *(_of_others(name, who, one) for who, one in played.items() if who != OURS)]


def ideal_s(work: Work, milliseconds: int) -> float:
    """Seconds of the files' round trips alone, at the number at a time that is configured."""
    return COUNT * milliseconds / 1000 / AT_ONCE[work]


def _of_ours(name: str, work: Work, milliseconds: int, played: Played, told: str) -> Figure:
    ideal, judged = ideal_s(work, milliseconds), milliseconds >= JUDGED_MS
    note = f"{ideal / played.seconds:.2f} of the ideal, which is {number(ideal)} s; {told}"
    return figure(name, played.seconds, "s", ideal / HIDDEN if judged else None, note)


def _of_others(name: str, who: str, played: Played) -> Figure:
    return figure(f"{name}: {who}", played.seconds, "s", note=played.way)


def main() -> None:
    parser = argparse.ArgumentParser(prog="slow", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="three rounds instead of five")
    parser.add_argument("--tools", type=Path, default=TOOLS, help="the environment of the peers")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="s3dash-slow-") as name:
        server = start_weed(Path(name) / "server")
        try:
            effort = QUICK if given.quick else FULL
            print(table(figures(server, Path(name), effort, tools=given.tools)))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
