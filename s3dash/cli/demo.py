"""`s3dash demo`: a living datastore on this machine, to look around in."""

from collections.abc import Generator
from contextlib import closing
from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli.diagnostics import FAILED, OK
from s3dash.cli.output import Cell, on_terminal
from s3dash.cli.session import Session

if TYPE_CHECKING:
    from s3dash.demo.check import Step


def register(app: typer.Typer) -> None:
    app.command()(demo)


def demo(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="The same tour without the screen, every step verified.")
    ] = False,
) -> int:
    """Look around in a living datastore on this machine.

    Starts a server, a datastore and a second writer; nothing of it stays. Without a terminal
    it is `--check`.
    """
    session = Session.of(context)
    if check or session.options.as_json or not on_terminal():
        return _check(session)
    return look_around(session)


def look_around(session: Session) -> int:
    """The dashboard, with both namespaces and the other writer at work."""
    from s3dash.cli.screen import show, wished
    from s3dash.core.screen import ScreenSettings
    from s3dash.demo.beside import Beside
    from s3dash.demo.shelves import shelves, stock
    from s3dash.demo.world import YOU, edit_as_you, living

    with living(session.diagnostics.note) as world, Beside(world):
        edit_as_you(world)
        stock(world)
        options = session.options
        return show(
            [world.engine(YOU, name, readonly=options.readonly) for name in ("infra", "web")],
            open_engine=world.reopen,
            wanted=wished(ScreenSettings(), options),
            shelves=shelves(world, readonly=options.readonly),
            no_color=options.no_color,
        )


def _check(session: Session) -> int:
    """The tour; each step is told as it ends, with `--json` all of them at the end."""
    steps = []
    with closing(_tour(session)) as tour:
        for step in tour:
            steps.append(step)
            if not session.output.as_json:
                _tell(session, step)
    good = bool(steps) and all(step.ok for step in steps)
    if session.output.as_json:
        rows = [
            {"name": s.name, "ok": s.ok, "detail": s.detail, "seconds": s.seconds} for s in steps
        ]
        session.output.document({"ok": good, "steps": rows})
    else:
        verified = f"{sum(step.ok for step in steps)} of {len(steps)} steps verified"
        session.output.line(
            Cell(verified, "good" if good else "bad"), "; server and files are gone"
        )
    return OK if good else FAILED


def _tour(session: Session) -> "Generator[Step]":
    from s3dash.clock import SystemClock
    from s3dash.demo.beside import Beside
    from s3dash.demo.check import tour
    from s3dash.demo.world import living

    with living(session.diagnostics.note) as world, Beside(world, follow=True) as beside:
        yield from tour(world, beside, SystemClock())


def _tell(session: Session, step: "Step") -> None:
    state = Cell("ok   ", "good") if step.ok else Cell("WRONG", "bad")
    seconds = Cell(f"{step.seconds:6.2f} s  ", "dim")
    session.output.line(state, "  ", Cell(f"{step.name:17}", "strong"), seconds, step.detail)
