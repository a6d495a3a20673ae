"""The delete guard: more deletions than go unasked are refused. Pure; counts item by item."""

from collections import Counter

from s3dash.core.diff import Verdict
from s3dash.core.plan import Action, Item, Plan
from s3dash.errors import GuardTripped

GUARD_SHARE = 0.5
GUARD_COUNT = 1000
_NEW_HERE = Verdict.REMOTE_ADDED


class Deletions:
    """Counts the deletions of a plan as its items come and go.

    A file that only has another name afterwards does not count (scenario 13).
    """

    def __init__(self) -> None:
        self.count = 0
        self._gone: Counter[str] = Counter()
        self._new: Counter[str] = Counter()
        self._deleted: set[str] = set()
        self._sources: set[str] = set()
        self._renames = 0

    @property
    def asked(self) -> int:
        """Deletions less those that are half of a rename, on either side."""
        return self.count - self._renames

    def add(self, item: Item) -> None:
        self._take(item, 1)

    def remove(self, item: Item) -> None:
        self._take(item, -1)

    def _take(self, item: Item, times: int) -> None:
        if item.action is Action.DELETE_REMOTE:
            self.count += times
            self._pair(self._deleted, item.path, self._sources, times)
        elif item.action is Action.DELETE_LOCAL:
            self.count += times
            base = item.change.base
            if base is not None and base.size > 0:
                self._match(self._gone, self._new, base.sha256, times)
        elif item.source is not None:
            self._pair(self._sources, item.source, self._deleted, times)
        elif item.action is Action.DOWNLOAD and item.change.verdict is _NEW_HERE:
            remote = item.change.remote
            if remote is not None and remote.sha256:
                self._match(self._new, self._gone, remote.sha256, times)

    def _pair(self, mine: set[str], path: str, others: set[str], times: int) -> None:
        """A renamed upload and the deletion of what it was."""
        mine ^= {path}
        self._renames += times * (path in others)

    def _match(self, mine: Counter[str], others: Counter[str], content: str, times: int) -> None:
        """Deletions and downloads of the same content, as many as there are of both."""
        before = min(mine[content], others[content])
        mine[content] += times
        self._renames += min(mine[content], others[content]) - before

    def trips(self, *, known: int, max_delete: int | None = None) -> bool:
        """Unasked are up to 1000 and up to half of the known files; or up to `max_delete`."""
        if max_delete is not None:
            return self.asked > max_delete
        return self.asked > GUARD_COUNT or (known > 0 and self.asked > known * GUARD_SHARE)


def deletions_of(plan: Plan) -> Deletions:
    deletions = Deletions()
    for item in plan.items:
        deletions.add(item)
    return deletions


def check_guard(plan: Plan, *, max_delete: int | None = None) -> None:
    """Raises GuardTripped for more deletions than go unasked."""
    deletions = deletions_of(plan)
    if deletions.trips(known=plan.known, max_delete=max_delete):
        number = deletions.asked
        raise GuardTripped(
            f"{plan.direction} would delete {number} of {plan.known} files; nothing was done",
            hint=f"if that is what you want: --max-delete {number}",
        )
