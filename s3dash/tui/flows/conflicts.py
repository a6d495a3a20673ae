"""Deciding conflicts one by one, each only while it is the one that was shown."""

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from s3dash.core.cancel import CancelToken
from s3dash.core.plan import WAYS
from s3dash.core.report import ConflictInfo, Result
from s3dash.core.settings import Take
from s3dash.errors import Cancelled, S3DashError
from s3dash.tui.format import count
from s3dash.tui.screens.decide import DecideScreen
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def decide(app: "DashApp", conflicts: Sequence[ConflictInfo], take: Take) -> None:
    """Ask; when the user says so, start it."""
    screen = DecideScreen(conflicts, take, clock=app.clock)
    if await (await ask_user(app, screen)):
        work = partial(run, conflicts=conflicts, take=take)
        app.carry_out(f"conflicts.{take}", WAYS[take][0], work)


async def run(
    app: "DashApp", cancel: CancelToken, *, conflicts: Sequence[ConflictInfo], take: Take
) -> None:
    """Settle them in the background and tell how many remain, and why the first one does."""
    settled, reasons = 0, []
    for conflict in conflicts:
        try:
            reason = await _settle(app, conflict, take, cancel)
        except Cancelled:
            reasons.append("cancelled")
            break
        except S3DashError as error:
            reason = error.message
        settled += not reason
        reasons += [reason] if reason else []
    told = f"{count(settled, 'conflict')} settled: took {take}"
    if reasons:
        told += f"; {len(conflicts) - settled:,} remain: {reasons[0]}"
    app.tell(told, level="warning" if reasons else "info")
    app.operation_ended(WAYS[take][0])


async def _settle(app: "DashApp", conflict: ConflictInfo, take: Take, cancel: CancelToken) -> str:
    """Why it remains; empty when it is settled."""
    engine = app.engine
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
