"""What is done to transfers: each tells what has come of it."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from s3dash.core.cancel import CancelToken
from s3dash.core.plan import Direction
from s3dash.core.progress import Limits, Transfer
from s3dash.engine.api import EngineApi
from s3dash.errors import Cancelled, S3DashError
from s3dash.tui.cells import one
from s3dash.tui.flows import operate
from s3dash.tui.format import count, rate
from s3dash.tui.look import Look, Running
from s3dash.tui.screens.bandwidth import BandwidthScreen
from s3dash.tui.screens.decide import DecideScreen
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

Choice = Callable[[], Sequence[Transfer]]
FEW = 3
"""Transfers that are cancelled without a question."""
FINE = 10
COARSE = 5


async def pause(app: "DashApp", choice: Choice) -> None:
    """Those that are not over; when all of them stand still already, they go on."""
    engine = app.engine
    rows = await app.ask(choice)
    ids = [row.id for row in rows]
    if any(_moves(row) for row in rows):
        changed = await app.ask(lambda: engine.transfers.pause(ids))
        app.tell(_told("paused", rows, changed, "nothing to pause"))
    else:
        changed = await app.ask(lambda: engine.transfers.resume(ids))
        app.tell(_told("resumed", rows, changed, "nothing to resume"))
    app.poll()


async def pause_all(app: "DashApp") -> None:
    engine, rows = app.engine, app.look.snapshot.progress.transfers
    if any(_moves(row) for row in rows):
        changed = await app.ask(engine.transfers.pause)
        app.tell(f"paused all: {count(changed, 'transfer')}; once more lets them go on")
    else:
        changed = await app.ask(engine.transfers.resume)
        app.tell(f"all go on: {count(changed, 'transfer')}")
    app.poll()


async def cancel(app: "DashApp", choice: Choice) -> None:
    """At once: nothing is lost by it, the path stays as it is on both sides."""
    engine = app.engine
    rows = await app.ask(choice)
    changed = await app.ask(lambda: engine.transfers.cancel([row.id for row in rows]))
    told = _told("cancelled", rows, changed, "nothing to cancel")
    app.tell(f"{told}, nothing changed" if changed else told)
    app.poll()


async def cancel_all(app: "DashApp") -> None:
    """The whole operation. With more than a few transfers the user is asked."""
    running = app.look.running
    if running is None:
        return
    names = [site.name for site in app.look.sites]
    at = names.index(running.site)
    engine, left = app.engine_at(at), app.look.sites[at].snapshot.progress.counts.unfinished
    if left > FEW:
        told = f"{running.name.capitalize()} of {running.site}: {count(left, 'transfer')} to go."
        lines = [one(told, "warn")]
        yes = "cancel them all; what is done already stays"
        screen = DecideScreen("cancel all", lines, yes, clock=app.clock)
        if not await (await ask_user(app, screen)):
            return
        if not _is_same(running, app.look.running):
            app.tell(f"{running.name} had ended already: nothing was cancelled")
            return
    await app.ask(engine.transfers.cancel)
    if app.look.running is not None:
        app.cancel_operation()


def _is_same(asked: Running, now: Running | None) -> bool:
    """Whether what runs now is what the question was about."""
    if now is None or (now.site, now.name) != (asked.site, asked.name):
        return False
    return asked.auto or now.since == asked.since


async def retry(app: "DashApp", choice: Choice) -> None:
    """Only those that failed, as an operation that can be cancelled as any other."""
    rows = [row for row in await app.ask(choice) if row.state == "failed"]
    if not rows:
        app.tell("nothing to retry: only what failed is tried again")
        return
    ways: dict[frozenset[str], Direction] = {
        frozenset({"up"}): "push",
        frozenset({"down"}): "pull",
    }
    direction = ways.get(frozenset(row.direction for row in rows), "sync")
    work = partial(_retry, engine=app.engine, rows=rows, direction=direction)
    app.carry_out("transfers.retry", direction, work)


async def _retry(
    app: "DashApp",
    cancel: CancelToken,
    *,
    engine: EngineApi,
    rows: Sequence[Transfer],
    direction: Direction,
) -> None:
    ids = [row.id for row in rows]
    app.tell(f"trying {_names(rows, len(rows))} again")
    try:
        result = await app.ask(lambda: engine.transfers.retry(ids, cancel=cancel))
    except Cancelled:
        app.tell("retry cancelled, nothing changed")
    except S3DashError as error:
        app.tell(f"retry failed: {error.message}  {error.hint}".rstrip(), level="error")
    else:
        app.tell_cell(operate.summary(result), level="warning" if result.exit_code else "info")
    finally:
        app.operation_ended(direction)


async def shift(app: "DashApp", choice: Choice, step: int) -> None:
    engine = app.engine
    rows = await app.ask(choice)
    ids = [row.id for row in rows]
    transfers = engine.transfers
    change = transfers.raise_priority if step > 0 else transfers.lower_priority
    changed = await app.ask(lambda: change(ids))
    word = "sooner" if step > 0 else "later"
    app.tell(_told(f"{word}:", rows, changed, f"no {word}"))
    app.poll()


async def allow(app: "DashApp", step: int) -> None:
    """In the direction that moves; when both do or none, in both."""
    engine, ways = app.engine, _ways(app.look)
    now = _limits(app.look)
    up = stepped(now.up, step) if "up" in ways else None
    down = stepped(now.down, step) if "down" in ways else None
    limits = await app.ask(lambda: engine.transfers.allow(up=up, down=down))
    told = {"up": f"{count(limits.up, 'upload')}", "down": f"{count(limits.down, 'download')}"}
    app.tell(f"{' and '.join(told[way] for way in sorted(ways, reverse=True))} at once")
    app.poll()


async def bandwidth(app: "DashApp") -> None:
    engine = app.engine
    screen = BandwidthScreen(_limits(app.look).bandwidth)
    limit = await (await ask_user(app, screen))
    if limit is not None:
        limits = await app.ask(lambda: engine.transfers.throttle(limit))
        app.tell(told_bandwidth(limits))
        app.poll()


def told_bandwidth(limits: Limits) -> str:
    most = limits.bandwidth
    return f"at most {rate(most)} over all transfers" if most else "no bandwidth limit"


def stepped(number: int, step: int) -> int:
    """The next number of transfers at once: by one up to ten, beyond in fives."""
    if number < FINE or (number == FINE and step < 0):
        return max(1, number + step)
    whole = number // COARSE * COARSE
    if step > 0:
        return whole + COARSE
    return whole - COARSE if whole == number else whole


def _limits(look: Look) -> Limits:
    """As they are, or as configured while an engine has told nothing yet."""
    limits, settings = look.snapshot.progress.limits, look.settings
    if limits.up:
        return limits
    return Limits(settings.push_concurrency, settings.pull_concurrency, settings.bandwidth_limit)


def _ways(look: Look) -> set[str]:
    rows = look.snapshot.progress.transfers
    return {row.direction for row in rows if row.state == "active"} or {"up", "down"}


def _moves(row: Transfer) -> bool:
    """It is on its way, or will be, and nobody has asked it to stop."""
    return row.state in ("queued", "active") and not row.wish


def _told(done: str, rows: Sequence[Transfer], changed: int, nothing: str) -> str:
    if changed:
        return f"{done} {_names(rows, changed)}"
    if len(rows) != 1:
        return nothing
    return f"{nothing}: {rows[0].path} is {rows[0].state}"


def _names(rows: Sequence[Transfer], changed: int) -> str:
    return rows[0].path if len(rows) == changed == 1 else count(changed, "transfer")
