"""Into a namespace, out of one, and putting one right: shown first, then done on the server."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from s3dash.core.cancel import CancelToken
from s3dash.core.foreign import Foreign, ForeignReport
from s3dash.core.moves import Migrated, MigrationPlan, place_name
from s3dash.engine.api import EngineApi
from s3dash.errors import Cancelled, S3DashError
from s3dash.tui.cells import Cell, one
from s3dash.tui.flows import namespaces
from s3dash.tui.format import count, safe, size
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.screens.moving import MoveRow, MovingScreen, Shown
from s3dash.tui.screens.register import RegisterScreen, Wanted

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

T = TypeVar("T")

_MIGRATION = {"copy": "up", "delete": "del", "entry": "warn", "stay": "warn"}
_FOREIGN = {"drop": "del", "move": "up", "set-aside": "up", "keep": "warn"}


async def migrate(app: "DashApp", name: str) -> None:
    """Ask for the namespace and whose it is, show the plan, move, and work there."""
    site = app.look.site
    screen = RegisterScreen(
        site.name,
        name,
        site.settings.repo_id,
        clock=app.clock,
        title=f"move {safe(site.name)} into a namespace",
        promise="the plan is shown before anything moves",
    )
    wanted = await (await ask_user(app, screen))
    if wanted is not None:
        await _migrate(app, wanted, to_solo=False)


async def to_solo(app: "DashApp", name: str) -> None:
    """Show the plan, move it out of the namespace, and work in the solo layout."""
    await _migrate(app, Wanted(name, ""), to_solo=True)


async def _migrate(app: "DashApp", wanted: Wanted, *, to_solo: bool) -> None:
    engine, to = app.engine, place_name(None if to_solo else wanted.namespace)
    part = engine.migration
    if not await _agreed(
        app,
        f"move {app.look.site.name} to {to}",
        lambda: part.plan(wanted.namespace, to_solo=to_solo, repo_id=wanted.repo_id),
        _migration_shown,
    ):
        return
    work = partial(_move, engine=engine, wanted=wanted, to_solo=to_solo)
    app.carry_out("namespaces.to-solo" if to_solo else "namespaces.migrate", "sync", work)


async def repair(app: "DashApp", name: str) -> None:
    """Show what is foreign in a namespace, and put it right when the user says so."""
    engine = app.engine
    if await _agreed(
        app,
        f"foreign objects in namespace {name}",
        lambda: engine.foreign.look(name),
        _foreign_shown,
    ):
        work = partial(_repair, engine=engine, name=name)
        app.carry_out("namespaces.repair", "sync", work)


async def _agreed(
    app: "DashApp", title: str, ask: Callable[[], T], shown: Callable[[T], Shown]
) -> bool:
    """Whether the user said yes to what was found, and the engine is still the same."""
    engine = app.engine
    screen = MovingScreen(title, look=lambda: app.look, clock=app.clock)
    answered = await ask_user(app, screen)
    if answered.done():
        return False
    try:
        found = await app.ask(ask)
    except S3DashError as error:
        screen.failed(error)
    else:
        screen.ready(shown(found))
    yes = bool(await answered)
    if yes and app.engine is not engine:
        app.tell("the datastore was opened anew meanwhile; nothing was done", level="warning")
        return False
    return yes


# --- what is shown ------------------------------------------------------------------------


def _migration_shown(plan: MigrationPlan) -> Shown:
    rows = [
        MoveRow(
            action=row.action,
            path=row.path,
            reason=row.reason,
            size=row.size,
            look=_MIGRATION.get(row.action, ""),
        )
        for row in plan.rows
    ]
    rows += [
        MoveRow(action="stay", path=kept.path, reason=kept.reason, size=None, look="warn")
        for kept in plan.kept
    ]
    going = sum(1 for row in plan.rows if row.action == "copy")
    begun = "goes on: " if plan.resumed else ""
    totals: Cell = (
        (f"{begun}{count(going, 'object')}, {size(plan.size)}", "strong"),
        (f" copied on the server; {count(plan.cache_files, 'file')} renamed here", "dim"),
    )
    yes = "" if plan.nothing else "moves it all; the originals are deleted when all is there"
    return Shown(rows=rows, totals=totals, yes=yes, empty="Nothing is left to move in the bucket.")


def _foreign_shown(report: ForeignReport) -> Shown:
    due, kept = report.by("drop", "move", "set-aside"), report.by("keep")
    totals: Cell = one("nothing that is the only copy of some bytes is deleted", "dim")
    if report.foreign:
        told = f"{count(len(due), 'object')} to put right"
        totals = ((told, "strong"), (f", {len(kept):,} for you to look at", "dim"))
    yes = f"puts {count(len(due), 'object')} right" if due else ""
    rows = [_foreign_row(row) for row in report.foreign]
    return Shown(rows=rows, totals=totals, yes=yes, empty="No foreign objects.")


def _foreign_row(row: Foreign) -> MoveRow:
    return MoveRow(
        action=row.action,
        path=row.path,
        reason=row.reason,
        size=row.size,
        look=_FOREIGN[row.action],
    )


# --- doing --------------------------------------------------------------------------------


async def _move(
    app: "DashApp", cancel: CancelToken, *, engine: EngineApi, wanted: Wanted, to_solo: bool
) -> None:
    name = wanted.namespace
    app.tell(f"moving to {place_name(None if to_solo else name)} …  X in 3 Transfers stops it")
    done: Migrated | None = None
    try:
        done = await app.ask(
            lambda: engine.migration.run(
                name, to_solo=to_solo, repo_id=wanted.repo_id, cancel=cancel
            )
        )
    except Cancelled:
        app.tell("the move was stopped; nothing is lost, the next one goes on from there")
    except S3DashError as error:
        app.tell(f"not moved: {error.message}  {error.hint}".rstrip(), level="error")
    finally:
        app.operation_ended("sync")
    if done is not None:
        await _settle(app, engine, done)


async def _settle(app: "DashApp", engine: EngineApi, done: Migrated) -> None:
    """Be where the datastore is now, and say how it went there."""
    to = None if done.to_solo else done.namespace
    if app.engine is engine and engine.settings.namespace != to:
        await namespaces.settle_in(app, to)
    app.tell(_told(done), level="warning" if done.kept else "info")


def _told(done: Migrated) -> str:
    to = place_name(None if done.to_solo else done.namespace)
    what = f"in {to}: {count(done.copied, 'object')} copied, {count(done.cache_files, 'file')} here"
    if done.kept:
        return f"{what}; {len(done.kept):,} stay behind, first {done.kept[0].path}"
    set_to = "no namespace" if done.to_solo else f'namespace = "{done.namespace}"'
    return f"{what}; configure {set_to} on every client"


async def _repair(app: "DashApp", cancel: CancelToken, *, engine: EngineApi, name: str) -> None:
    app.tell(f"repairing namespace {name} …")
    try:
        report = await app.ask(lambda: engine.foreign.repair(name, cancel=cancel))
    except Cancelled:
        app.tell("the repair was stopped; what was done stays done")
    except S3DashError as error:
        app.tell(f"not repaired: {error.message}  {error.hint}".rstrip(), level="error")
    else:
        done, kept = report.by("drop", "move", "set-aside"), report.by("keep")
        told = f"{count(len(done), 'foreign object')} put right"
        more = f", {len(kept):,} kept: {kept[0].reason}" if kept else ""
        app.tell(told + more, level="warning" if kept else "info")
    finally:
        app.operation_ended("sync")
