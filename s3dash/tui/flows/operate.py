"""Push, pull and sync: plan, show, run, tell."""

from collections.abc import Collection
from functools import partial
from typing import TYPE_CHECKING

from s3dash.core.cancel import CancelToken
from s3dash.core.hydration import Hydration
from s3dash.core.plan import Action, Direction, Plan
from s3dash.core.report import Result
from s3dash.engine.api import EngineApi
from s3dash.errors import Cancelled, S3DashError
from s3dash.tui.cells import Cell
from s3dash.tui.format import count, duration, safe, size
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.screens.plan import PlanAnswer, PlanScreen

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


async def choose(
    app: "DashApp",
    direction: Direction,
    selection: Collection[str],
    models: Collection[str] = (),
) -> None:
    """Show the plan; when the user says so, start it."""
    await planned(app, direction, selection, models)


async def planned(
    app: "DashApp",
    direction: Direction,
    selection: Collection[str] = (),
    models: Collection[str] = (),
    hydration: Hydration | None = None,
) -> bool:
    """As `choose`; False when there was no plan, or the user decided against what it holds."""
    engine, site = app.engine, app.look.site
    where = site.name + (f" / {site.settings.namespace}" if site.settings.namespace else "")
    if selection and hydration == "only":
        where += f" · {', '.join(selection)}"
    elif selection:
        where += f" · {count(len(selection), 'marked path')}"
    if models:
        where += f" · model {', '.join(models)}"
    verb = "hydrate" if hydration == "only" else direction
    screen = PlanScreen(verb, safe(where), look=lambda: app.look, clock=app.clock)
    answered = await ask_user(app, screen)
    if answered.done():
        return False
    shown: Plan | None = None
    try:
        plan = await app.ask(
            lambda: engine.plan(
                direction, selection=tuple(selection), models=models, hydration=hydration
            )
        )
    except S3DashError as error:
        screen.failed(error)
    else:
        shown = plan
        screen.ready(plan)
    answer = await answered
    withhold(engine, shown, answer)
    if answer is not None and app.engine is not engine:
        app.tell(f"{site.name} was opened anew meanwhile; nothing was done", level="warning")
        return False
    if answer is not None:
        app.carry_out(direction, direction, partial(run, answer=answer))
    return answer is not None or (shown is not None and not shown.items)


def withhold(engine: EngineApi, shown: Plan | None, answer: PlanAnswer | None) -> None:
    """Deletions that the user saw and did not let run are not for auto-sync to start."""
    if shown is None:
        return
    let = {item.path for item in answer.plan.items} if answer is not None else frozenset[str]()
    deletes = shown.by(Action.DELETE_REMOTE, Action.DELETE_LOCAL)
    engine.auto.withhold([item.path for item in deletes if item.path not in let])


async def run(app: "DashApp", cancel: CancelToken, *, answer: PlanAnswer) -> None:
    """Carry the plan out in the background and tell how it went."""
    engine, direction, verb = app.engine, answer.plan.direction, answer.plan.name
    app.operation.plan = answer.plan
    app.tell(f"{verb} started")
    try:
        result = await app.ask(
            lambda: engine.run(answer.plan, cancel=cancel, max_delete=answer.max_delete)
        )
    except Cancelled:
        app.tell(f"{verb} cancelled; what was finished stays, nothing is half done")
    except S3DashError as error:
        app.tell(f"{verb} failed: {error.message}  {error.hint}".rstrip(), level="error")
    else:
        app.tell_cell(summary(result), level="warning" if result.exit_code else "info")
    finally:
        app.operation_ended(direction)


def summary(result: Result) -> Cell:
    """How an operation ended, in one line."""
    counts = (
        (result.pushed, "up", "up"),
        (result.pulled, "down", "down"),
        (result.copied, "copied", "up"),
        (result.deleted_remote, "deleted in the bucket", "del"),
        (result.deleted_local, "deleted here", "del"),
        (len(result.conflicts), "in conflict", "clash"),
        (len(result.blocked), "not touched", "warn"),
        (len(result.failed), "failed", "bad"),
        (len(result.cancelled), "cancelled", "warn"),
    )
    parts: list[tuple[str, str]] = [
        (f"{result.action} done: ", "good" if not result.failed else "warn")
    ]
    told = [(f"{number:,} {what}", look) for number, what, look in counts if number]
    for number, part in enumerate(told or [("nothing to do", "dim")]):
        parts += [(", ", "dim")] * bool(number) + [part]
    moved = result.bytes_up + result.bytes_down
    parts.append((f"  {size(moved)} in {duration(result.seconds)}", "dim"))
    if result.commit_seq is not None:
        parts.append((f"  commit {result.commit_seq:,}", "dim"))
    if result.failed:
        first = result.failed[0]
        parts.append((f"  {safe(first.path)}: {safe(first.error)}", "bad"))
    return tuple(parts)
