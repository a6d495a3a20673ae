"""What is measured, and how much better it has to be. Pure."""

from dataclasses import dataclass
from enum import StrEnum


class Work(StrEnum):
    """A kind of work; a peer does it in one or more ways."""

    PUSH = "push"
    PULL = "pull"
    NOTHING = "nothing"
    CHANGED = "changed"
    BIG_PUSH = "big-push"
    BIG_PULL = "big-pull"
    RENAME = "rename"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """`ratio`: the best peer's time to ours, at least. The others bound ours; None: no bound."""

    ratio: float
    requests: int | None = None
    peak_mb: float | None = None
    uploaded: int | None = None

    @property
    def is_counted(self) -> bool:
        """Whether somebody has to count what ours asks of the server."""
        return self.requests is not None or self.uploaded is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """One row: a work on `count` files of `size` bytes."""

    name: str
    work: Work
    count: int
    size: int
    goal: Goal


KIB, MIB = 1 << 10, 1 << 20
GOALS = {
    Work.PUSH: Goal(ratio=1.5),
    Work.PULL: Goal(ratio=1.2),
    Work.NOTHING: Goal(ratio=5, requests=2),
    Work.CHANGED: Goal(ratio=5),
    Work.BIG_PUSH: Goal(ratio=1.0, peak_mb=200),
    Work.BIG_PULL: Goal(ratio=1.0, peak_mb=200),
    Work.RENAME: Goal(ratio=3, uploaded=0),
}
WORDS = {
    Work.PUSH: "cold push",
    Work.PULL: "cold pull",
    Work.NOTHING: "nothing to do",
    Work.CHANGED: "one file changed",
    Work.BIG_PUSH: "push",
    Work.BIG_PULL: "pull",
    Work.RENAME: "rename of a directory",
}
SMALL = 5 * KIB
QUICK = (
    (Work.PUSH, 1_000, SMALL),
    (Work.PULL, 1_000, SMALL),
    (Work.NOTHING, 1_000, SMALL),
    (Work.CHANGED, 1_000, SMALL),
)
QUICK_BY_NAME = (
    (Work.RENAME, 1_000, SMALL),
    (Work.BIG_PUSH, 4, 32 * MIB),
    (Work.BIG_PULL, 4, 32 * MIB),
)
"""Only when asked for: the others have to be done in 90 seconds."""
FULL = (
    (Work.PUSH, 1_000, SMALL),
    (Work.PUSH, 10_000, SMALL),
    (Work.PULL, 1_000, SMALL),
    (Work.PULL, 10_000, SMALL),
    (Work.NOTHING, 10_000, SMALL),
    (Work.CHANGED, 10_000, SMALL),
    (Work.BIG_PUSH, 4, 128 * MIB),
    (Work.BIG_PULL, 4, 128 * MIB),
    (Work.RENAME, 1_000, SMALL),
)


def tasks(*, quick: bool, named: bool = True) -> dict[str, Task]:
    """The rows by the name that the command line knows them by: the work and the count of files.

    `named`: with those that are only measured when they are named.
    """
    found = {}
    rows = (*QUICK, *(QUICK_BY_NAME if named else ())) if quick else FULL
    for work, count, size in rows:
        amount = f"{count:,} × {size // KIB} KiB" if size < MIB else f"{count} × {size // MIB} MiB"
        name = f"{WORDS[work]}, {amount}"
        task = Task(name=name, work=work, count=count, size=size, goal=GOALS[work])
        found[f"{work}-{count}"] = task
    return found
