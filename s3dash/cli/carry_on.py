"""What the screen detached goes on here: a process of its own, without a terminal."""

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from s3dash.cli.options import Options
from s3dash.cli.session import Session
from s3dash.errors import LocalError

if TYPE_CHECKING:
    from s3dash.core.cancel import CancelToken
    from s3dash.core.report import Result
    from s3dash.core.settings import Datastore
    from s3dash.engine.api import EngineApi

LOG = "detached.log"
WAIT_S = 60.0
"""How long the screen that detached it may take to let go of the cache."""


def register(app: typer.Typer) -> None:
    app.command(name="carry-on", hidden=True)(carry_on)


def carry_on(
    context: typer.Context, ticket: Annotated[Path, typer.Argument(metavar="TICKET")]
) -> int:
    """Carry on with what a screen detached; for s3dash itself."""
    session = Session.of(context)
    settings = session.services.settings(session.options)
    session.apart(lambda cancel: _wait(settings, cancel))

    def job(engine: "EngineApi", cancel: "CancelToken") -> "Result":
        return engine.handover.carry_on(ticket, cancel=cancel)

    with session.engine() as engine:
        result = session.work(engine, lambda cancel: job(engine, cancel))
    session.output.emit(
        result.document(), lambda out: out.line(f"{result.action} has ended: see `s3dash history`")
    )
    return result.exit_code


def _wait(settings: "Datastore", cancel: "CancelToken") -> None:
    from s3dash.attach import place
    from s3dash.clock import SystemClock
    from s3dash.engine.handover import wait_until_free
    from s3dash.local.owner import OwnerLock

    screen, owner = os.getppid(), OwnerLock(settings.state_dir)

    def is_anothers() -> bool:
        """One that goes on without the screen, and does this for us."""
        return place.address(settings.state_dir) is not None and owner.pid not in (None, screen)

    clock = SystemClock()
    wait_until_free(settings, clock=clock, cancel=cancel, seconds=WAIT_S, unless=is_anothers)


def start(options: Options, settings: "Datastore", ticket: Path) -> str:
    """Start `carry-on` in a session of its own; how to find it.

    It writes to a log beside the state. Raises LocalError when it cannot be started.
    """
    log = settings.state_dir / LOG
    try:
        handle = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW, 0o600)
        try:
            process = subprocess.Popen(  # noqa: S603 - this very program, no shell
                _command(options, settings, ticket),
                stdin=subprocess.DEVNULL,
                stdout=handle,
                stderr=handle,
                start_new_session=True,
            )
        finally:
            os.close(handle)
    except OSError as error:
        raise LocalError(f"no process could be started: {error.strerror}") from error
    return f"without the screen as pid {process.pid} (kill {process.pid} stops it); log: {log}"


def _command(options: Options, settings: "Datastore", ticket: Path) -> list[str]:
    """-P: nothing of the working directory is ever imported."""
    config = ["--config", str(options.config)] if options.config is not None else []
    namespace = ["--namespace", settings.namespace] if settings.namespace else []
    datastore = ["--datastore", settings.name]
    return [
        *(sys.executable, "-P", "-m", "s3dash", *config, *datastore, *namespace),
        *("carry-on", "--", str(ticket)),
    ]
