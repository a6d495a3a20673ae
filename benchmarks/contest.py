"""Rounds in which everybody takes a turn, and what came of them."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks import machine
from benchmarks.figures import median
from benchmarks.runs import Spent

OURS, LIMIT = "s3dash", "limit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entrant:
    """One who takes part. `play` does the work once in a way, has it checked, and says the cost."""

    name: str
    ways: Sequence[str]
    play: Callable[[str], Spent]


@dataclass(slots=True, kw_only=True)
class Played:
    """What one entrant did. `tried`: seconds of each of its ways in the trial round.

    `runs` are those of the fastest, `loads` the load averages before them.
    """

    way: str
    tried: Mapping[str, float]
    runs: list[Spent] = field(default_factory=list)
    loads: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        return median([run.seconds for run in self.runs])

    @property
    def processor_s(self) -> float:
        return median([run.processor_s for run in self.runs])

    @property
    def server_s(self) -> float:
        return median([run.server_s for run in self.runs])

    @property
    def peak_mb(self) -> float:
        return max(run.peak_mb for run in self.runs)


def hold(
    entrants: Sequence[Entrant], rounds: int, *, say: str, trial: bool = True
) -> dict[str, Played]:
    """A trial round, in which each tries all its ways, then `rounds` with the fastest of each.

    Without a trial each takes its first way. Each round begins with another entrant, so that nobody
    always comes after the same one, and a change of the machine meets all alike.
    """
    played = {}
    for entrant in entrants:
        tried = {way: entrant.play(way).seconds for way in entrant.ways} if trial else {}
        way = min(tried, key=tried.__getitem__) if trial else entrant.ways[0]
        played[entrant.name] = Played(way=way, tried=tried)
        for done, seconds in tried.items():
            _tell(f"{say}: {entrant.name} {done}: {seconds:.2f} s")
    for number in range(rounds):
        _tell(f"{say}: round {number + 1} of {rounds}")
        for entrant in turned(entrants, number):
            mine = played[entrant.name]
            mine.loads.append(machine.load())
            mine.runs.append(entrant.play(mine.way))
    return played


def turned(entrants: Sequence[Entrant], by: int) -> list[Entrant]:
    """The same circle, begun `by` places further on."""
    first = by % len(entrants)
    return [*entrants[first:], *entrants[:first]]


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)
