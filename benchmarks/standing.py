"""Who was how fast, and whether the goals are met. Pure: from numbers to rows, and to a table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.contest import LIMIT, OURS, Played
from benchmarks.figures import median, number
from benchmarks.runs import Spent
from benchmarks.works import Goal, Task, Work

ENOUGH = 0.9
"""The share of the bare generator's speed at which the server, and not we, sets the pace."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What ours asked of the server, by somebody else's count. None: not counted."""

    requests: int | None = None
    uploaded: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One task and all who did it."""

    task: Task
    played: Mapping[str, Played]
    counted: Counted = Counted()

    @property
    def ours(self) -> Played:
        return self.played[OURS]

    @property
    def limit(self) -> float:
        """What the server can do: the generator's fastest run, whichever way and whenever. By its
        median, ours would meet a goal where the generator only met a slow disk."""
        generator = self.played[LIMIT]
        return min([*generator.tried.values(), *(run.seconds for run in generator.runs)])

    @property
    def peers(self) -> dict[str, Played]:
        return {k: v for k, v in self.played.items() if k not in (OURS, LIMIT)}

    @property
    def best(self) -> str:
        """The fastest peer."""
        return min(self.peers, key=lambda name: self.peers[name].seconds)

    @property
    def ratio(self) -> float:
        return self.peers[self.best].seconds / self.ours.seconds

    @property
    def share(self) -> float:
        """How near ours comes to the bare generator: 1 is as fast."""
        return self.limit / self.ours.seconds

    @property
    def missed(self) -> list[str]:
        """The goals that are not met, in words."""
        goal, words = self.task.goal, []
        if self.ratio < goal.ratio and self.share < ENOUGH:
            words.append(f"ratio {self.ratio:.2f}")
        if goal.peak_mb is not None and self.ours.peak_mb > goal.peak_mb:
            words.append(f"peak {self.ours.peak_mb:.0f} MB")
        words += _over("requests", self.counted.requests, goal.requests)
        words += _over("bytes of files sent", self.counted.uploaded, goal.uploaded)
        return words

    @property
    def verdict(self) -> str:
        return f"MISSED: {', '.join(self.missed)}" if self.missed else "met"


def _over(what: str, value: int | None, most: int | None) -> list[str]:
    if most is None:
        return []
    if value is None:
        return [f"{what} not counted"]
    return [f"{value} {what}"] if value > most else []


# --- as a document --------------------------------------------------------------------------


def as_json(row: Row) -> dict[str, Any]:
    """Everything, for `from_json` and for whoever wants to look closer."""
    return {
        "task": asdict(row.task),
        "counted": asdict(row.counted),
        "entrants": {name: _one(played) for name, played in row.played.items()},
        "best_peer": row.best,
        "ratio": row.ratio,
        "limit_s": row.limit,
        "share_of_limit": row.share,
        "verdict": row.verdict,
    }


def _one(played: Played) -> dict[str, Any]:
    return {
        **asdict(played),
        "median_s": played.seconds,
        "processor_s": played.processor_s,
        "server_s": played.server_s,
        "peak_mb": played.peak_mb,
    }


def from_json(found: Mapping[str, Any]) -> Row:
    """The row that `as_json` wrote."""
    given = {**found["task"], "goal": Goal(**found["task"]["goal"])}
    task = Task(**{**given, "work": Work(given["work"])})
    played = {
        name: Played(
            way=one["way"],
            tried=one["tried"],
            runs=[Spent(**run) for run in one["runs"]],
            loads=one["loads"],
        )
        for name, one in found["entrants"].items()
    }
    return Row(task=task, played=played, counted=Counted(**found["counted"]))


# --- as tables ------------------------------------------------------------------------------


def speeds(rows: Sequence[Row]) -> str:
    """The comparison as a Markdown table. Times are seconds: the median, and the span of ours;
    of the limit the fastest run."""
    names = list(rows[0].peers)
    head = ["work", "s3dash", *names, "best / ours", "goal", "limit", "limit / ours", "verdict"]
    lines = []
    for row in rows:
        spent = [run.seconds for run in row.ours.runs]
        lines.append(
            [
                row.task.name,
                f"{number(row.ours.seconds)} ({number(min(spent))}–{number(max(spent))})",
                *(_marked(row, name) for name in names),
                f"{row.ratio:.2f}",
                goal_in_words(row.task.goal),
                number(row.limit),
                f"{row.share:.2f}",
                row.verdict,
            ]
        )
    return markdown([head, *lines])


def _marked(row: Row, name: str) -> str:
    words = number(row.peers[name].seconds)
    return f"**{words}**" if name == row.best else words


def goal_in_words(goal: Goal) -> str:
    words = [f"≥ {number(goal.ratio)}"]
    if goal.requests is not None:
        words.append(f"≤ {goal.requests} requests")
    if goal.peak_mb is not None:
        words.append(f"≤ {number(goal.peak_mb)} MB")
    if goal.uploaded is not None:
        words.append(f"≤ {goal.uploaded} bytes sent" if goal.uploaded else "no bytes sent")
    return ", ".join(words)


def costs(rows: Sequence[Row]) -> str:
    """Processor seconds and peak memory of each, what ours asked for, and the load average.

    «server s» is what the server used meanwhile, in seconds of the processors.
    """
    names = [OURS, *rows[0].peers]
    units = [f"{name} {unit}" for name in names for unit in ("CPU s", "server s", "MB")]
    lines = []
    for row in rows:
        cells = [row.task.name]
        for name in names:
            played = row.played[name]
            cells += [number(n) for n in (played.processor_s, played.server_s, played.peak_mb)]
        cells += [_count(row.counted.requests), _count(row.counted.uploaded)]
        lines.append([*cells, f"{median(row.ours.loads):.1f}"])
    return markdown([["work", *units, "requests", "bytes sent", "load"], *lines])


def _count(value: int | None) -> str:
    return "" if value is None else f"{value:,}"


def ways(rows: Sequence[Row]) -> str:
    """Which way of each peer was the fastest, and what the others took in the trial round."""
    lines = [["work", "who", "way", "the other ways, tried once"]]
    for row in rows:
        for name, played in row.played.items():
            if name == OURS:
                continue
            others = [
                f"{way} {number(seconds)} s"
                for way, seconds in played.tried.items()
                if way != played.way
            ]
            lines.append([row.task.name, name, played.way, "; ".join(others)])
    return markdown(lines)


def markdown(lines: Sequence[Sequence[str]]) -> str:
    """A table in columns; the first line is its head."""
    widths = [max(3, *(len(line[i]) for line in lines)) for i in range(len(lines[0]))]
    rule = ["-" * wide for wide in widths]
    return "\n".join(
        "| " + " | ".join(cell.ljust(wide) for cell, wide in zip(line, widths, strict=True)) + " |"
        for line in (lines[0], rule, *lines[1:])
    )
