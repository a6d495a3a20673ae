"""What a user may do to single transfers: `engine.transfers`. See `api.TransfersApi`."""

from collections.abc import Callable, Collection

from msgspec.structs import replace

from s3dash.core.cancel import CancelToken
from s3dash.core.plan import Action, Direction, Plan
from s3dash.core.progress import Limits, Transfer
from s3dash.core.report import Blocked, Result
from s3dash.engine.context import Context
from s3dash.engine.health import Health

_MOVES = (Action.UPLOAD, Action.DOWNLOAD, Action.KEEP_BOTH, Action.ADOPT)
NOT_A_TRANSFER = "it is no transfer any more; the plan shows what it has become"

MakePlan = Callable[[Direction, Collection[str]], Plan]
RunPlan = Callable[[Plan, CancelToken | None], Result]


class Transfers:
    """The transfers of one engine, by the ids of their rows."""

    def __init__(self, ctx: Context, health: Health, *, plan: MakePlan, run: RunPlan) -> None:
        self._ctx = ctx
        self._traffic = ctx.traffic
        self._plan = plan
        self._run = run
        ctx.patience.told = ctx.traffic.telling(health.backing_off, lambda: ctx.patience.cancel)

    @property
    def limits(self) -> Limits:
        return self._traffic.limits

    def pause(self, ids: Collection[int] | None = None) -> int:
        return self._traffic.pause(ids)

    def resume(self, ids: Collection[int] | None = None) -> int:
        return self._traffic.resume(ids)

    def cancel(self, ids: Collection[int] | None = None) -> int:
        return self._traffic.cancel(ids)

    def raise_priority(self, ids: Collection[int]) -> int:
        return self._traffic.shift(ids, 1)

    def lower_priority(self, ids: Collection[int]) -> int:
        return self._traffic.shift(ids, -1)

    def allow(self, *, up: int | None = None, down: int | None = None) -> Limits:
        return self._traffic.allow(up=up, down=down)

    def throttle(self, bandwidth: int) -> Limits:
        return self._traffic.throttle(bandwidth)

    def retry(self, ids: Collection[int], *, cancel: CancelToken | None = None) -> Result:
        rows = self._ctx.accounting.failed(frozenset(ids))
        direction = _direction(rows)
        paths = {row.path for row in rows}
        if not paths:
            return Result(action=direction)
        plan = self._plan(direction, paths)
        items = tuple(i for i in plan.items if i.path in paths and i.action in _MOVES)
        clashes = tuple(i for i in plan.conflicts if i.path in paths)
        others = {i.path for i in plan.items if i.path in paths} - {i.path for i in items + clashes}
        result = self._run(replace(plan, items=items + clashes, blocked={}), cancel)
        result.blocked += [Blocked(path, NOT_A_TRANSFER) for path in sorted(others)]
        self._ctx.accounting.forget(paths - {item.path for item in items})
        return result


def _direction(rows: Collection[Transfer]) -> Direction:
    ways = {row.direction for row in rows}
    if ways == {"up"}:
        return "push"
    return "pull" if ways == {"down"} else "sync"
