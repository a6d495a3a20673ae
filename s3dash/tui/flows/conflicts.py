"""Deciding conflicts one by one, each only while it is the one that was shown; and the way back."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from s3dash.core.cancel import CancelToken
from s3dash.core.plan import WAYS
from s3dash.core.report import ConflictInfo, Result
from s3dash.core.settings import Take
from s3dash.engine.api import EngineApi
from s3dash.errors import Cancelled, S3DashError
from s3dash.tui.cells import Cell, one
from s3dash.tui.decisions import Batch, Decisions, place_of
from s3dash.tui.format import count
from s3dash.tui.screens.decide import DecideScreen, listed
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.views.conflicts import ConflictsView

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

_TAKES: dict[Take, tuple[str, str]] = {
    "local": (
        "Take the LOCAL version: it goes to the bucket.",
        "The bucket's version is brought into the trash first.",
    ),
    "remote": (
        "Take the REMOTE version: it is fetched from the bucket.",
        "The local version goes to the trash.",
    ),
    "both": (
        "Keep BOTH: the bucket's version keeps the name.",
        "The local version gets a name of its own, and goes up with the next push.",
    ),
}
_BACK: dict[Take, str] = {
    "local": "The bucket gets its own version back by a push; the local one stays here.",
    "remote": "The local version comes back from the trash; the bucket stays as it is.",
    "both": "The local version gets its name back; the bucket stays as it is.",
}


async def decide(
    app: "DashApp", conflicts: Sequence[ConflictInfo], take: Take, *, made: Decisions
) -> None:
    """Ask; when the user says so, start it."""
    taken, other = _TAKES[take]
    number = len(conflicts)
    yes = f"apply to all {number:,} marked" if number > 1 else "decide this conflict so"
    paths = listed([c.path for c in conflicts])
    lines: list[Cell] = [one(taken, "warn"), one(other, "dim"), one(""), *paths]
    screen = DecideScreen("conflicts", lines, yes, clock=app.clock)
    if await (await ask_user(app, screen)):
        work = partial(run, conflicts=conflicts, take=take, made=made)
        app.carry_out(f"conflicts.{take}", WAYS[take][0], work)


async def run(
    app: "DashApp",
    cancel: CancelToken,
    *,
    conflicts: Sequence[ConflictInfo],
    take: Take,
    made: Decisions,
) -> None:
    """Settle them in the background and tell how many remain, and why the first one does."""
    engine, place = app.engine, place_of(app.look)
    settled: list[str] = []
    reasons: list[str] = []
    for conflict in conflicts:
        try:
            reason = await _settle(app, engine, conflict, take, cancel)
        except Cancelled:
            reasons.append("cancelled")
            break
        except S3DashError as error:
            reason = error.message
        (reasons if reason else settled).append(reason or conflict.path)
    made.settled(place, engine, take, settled)
    told = f"{count(len(settled), 'conflict')} settled: took {take}"
    if reasons:
        told += f"; {len(conflicts) - len(settled):,} remain: {reasons[0]}"
    elif settled:
        told += "; U undoes it"
    app.tell(told, level="warning" if reasons else "info")
    app.operation_ended(WAYS[take][0])


async def _settle(
    app: "DashApp", engine: EngineApi, conflict: ConflictInfo, take: Take, cancel: CancelToken
) -> str:
    """Why it remains; empty when it is settled. The user may look at another datastore by now."""
    result = await app.ask(
        lambda: engine.resolve(conflict.path, take=take, shown=conflict, cancel=cancel)
    )
    return _why(result)


def _why(result: Result) -> str:
    if result.failed:
        return f"{result.failed[0].path}: {result.failed[0].error}"
    if result.blocked:
        return f"{result.blocked[0].path}: {result.blocked[0].reason}"
    return f"{result.conflicts[0].path} changed meanwhile" if result.conflicts else ""


# --- the way back -----------------------------------------------------------------------


async def undo(app: "DashApp", *, made: Decisions) -> None:
    """Ask about what was decided last; when the user says so, take it back."""
    batch = made.latest(app.engine)
    if batch is None:
        app.tell("nothing to undo: no conflict was decided here in this session")
        return
    number = len(batch.paths)
    what = "this decision" if number == 1 else f"these {number:,} decisions"
    lines: list[Cell] = [
        one(f"Undo «take {batch.take}»: in conflict again, as it was.", "warn"),
        one(_BACK[batch.take], "dim"),
        one("Every version stays readable: what leaves its place goes to the trash.", "dim"),
        one(""),
        *listed(batch.paths),
    ]
    screen = DecideScreen("undo", lines, f"take {what} back", clock=app.clock)
    if await (await ask_user(app, screen)):
        work = partial(take_back, batch=batch, made=made)
        app.carry_out("conflicts.undo", WAYS[batch.take][0], work)


async def take_back(app: "DashApp", cancel: CancelToken, *, batch: Batch, made: Decisions) -> None:
    """The latest first. Tells exactly what was done; what could not be can be tried again."""
    undone: dict[str, str] = {}
    reasons: list[str] = []
    for path in reversed(batch.paths):
        try:
            undone[path] = await app.ask(partial(batch.engine.decided.undo, path, cancel=cancel))
        except Cancelled:
            reasons.append("cancelled")
            break
        except S3DashError as error:
            reasons.append(f"{error.message}  {error.hint}".rstrip())
    made.undone(batch, undone)
    told = next(iter(undone.values())) if len(undone) == 1 else ""
    told = told or f"{count(len(undone), 'decision')} undone: in conflict again"
    if reasons:
        left = len(batch.paths) - len(undone)
        told = (
            f"{told}; {left:,} not undone: {reasons[0]}" if undone else f"not undone: {reasons[0]}"
        )
    app.tell(told, level="warning" if reasons else "info")
    app.operation_ended(WAYS[batch.take][0])


# --- who wrote it -----------------------------------------------------------------------


async def find_writers(app: "DashApp", *, paths: Sequence[str], view: ConflictsView) -> None:
    """Ask the bucket who committed its versions; what is not answered stays unknown."""
    contents = app.engine.contents
    try:
        view.learn(await app.ask(lambda: contents.writers(paths)))
    except S3DashError:  # a nicety; the banner says when the bucket does not answer
        return
    app.main.show_detail()
