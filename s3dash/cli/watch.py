"""`s3dash watch`: auto-sync without a screen, as a service that runs until it is stopped."""

import os
import shlex
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer
from msgspec.structs import replace

from s3dash.cli.diagnostics import INTERRUPTED, OK
from s3dash.cli.interrupts import SERVICE_STOP
from s3dash.cli.output import Output
from s3dash.cli.session import Session
from s3dash.core.cancel import CancelToken
from s3dash.core.text import count, duration, size
from s3dash.errors import CacheBusy, UsageError

if TYPE_CHECKING:
    from s3dash.core.service import WatchSettings
    from s3dash.engine.api import EngineApi
    from s3dash.service.loop import Summary


class LogStyle(StrEnum):
    """How a line of the log is written."""

    TEXT = "text"
    JSON = "json"


def register(app: typer.Typer) -> None:
    app.command()(watch)


def watch(
    context: typer.Context,
    metrics: Annotated[
        str | None,
        typer.Option(
            metavar="[HOST:]PORT",
            help="Serve OpenMetrics and /healthz here; without HOST on this machine only; "
            "port 0 is any that is free.",
        ),
    ] = None,
    log_format: Annotated[
        LogStyle | None, typer.Option(help="Lines of logfmt, or of JSON; else as configured.")
    ] = None,
    on_event: Annotated[
        str | None,
        typer.Option(
            metavar="COMMAND",
            help="Run this on a conflict, deletions that wait, a stale lock, repeated failure and "
            "recovery; no shell, JSON on its standard input.",
        ),
    ] = None,
    deletes: Annotated[
        bool | None,
        typer.Option(
            "--deletes/--no-deletes",
            help="Deletions go without being asked, as far as the guard allows.",
        ),
    ] = None,
    max_delete: Annotated[
        int | None,
        typer.Option(metavar="N", min=1, help="With --deletes: at most N in one sync."),
    ] = None,
) -> int:
    """Keep the cache and the bucket in sync until a signal comes; the log goes to standard error.

    Conflicts wait for a person, and so do deletions unless --deletes is given. SIGTERM ends it in
    order, with exit code 0.
    """
    session = Session.of(context)

    def job(cancel: CancelToken) -> "Summary":
        engine, configured = session.services.service(session.options.single(), cancel)
        try:
            _refuse_foreign(engine)
            wanted = _wanted(configured, metrics, log_format, on_event, deletes, max_delete)
            cancel.check()
            return _run(session, engine, wanted, cancel)
        finally:
            engine.stop()

    summary, signal = session.until_stopped(job)
    session.output.emit(summary.document(), lambda out: _write(out, summary))
    return OK if signal in (SERVICE_STOP, "") else INTERRUPTED


def _refuse_foreign(engine: "EngineApi") -> None:
    """To look only is fine beside another process; two that sync one cache are not."""
    who = engine.snapshot().read_only
    from s3dash.core.snapshot import BY_CHOICE  # late: as all that --help need not load

    if who and who != BY_CHOICE:
        raise CacheBusy(
            f"this cache belongs to another s3dash ({who})",
            hint="stop that one first; or only look, with --readonly",
        )


def _wanted(
    configured: "WatchSettings",
    metrics: str | None,
    log_format: LogStyle | None,
    on_event: str | None,
    deletes: bool | None,
    max_delete: int | None,
) -> "WatchSettings":
    """What the options say over what the file says."""
    given: dict[str, Any] = {
        "log_format": log_format.value if log_format else None,
        "hook": _command(on_event) if on_event is not None else None,
        "deletes": deletes,
        "max_delete": max_delete,
    }
    if metrics is not None:
        from s3dash.core.service import address_of

        given["metrics"] = address_of(metrics)
        if given["metrics"] is None:
            raise UsageError("--metrics must be like 9464 or 127.0.0.1:9464")
    wanted = replace(configured, **{k: v for k, v in given.items() if v is not None})
    if max_delete is not None and not wanted.deletes:
        raise UsageError("--max-delete is for --deletes")
    return wanted


def _command(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"--on-event is no command line: {error}") from None


def _run(
    session: Session, engine: "EngineApi", wanted: "WatchSettings", cancel: CancelToken
) -> "Summary":
    from s3dash.clock import SystemClock
    from s3dash.service.loop import Service

    service = Service(
        engine,
        wanted,
        write=session.diagnostics.note,
        clock=SystemClock(),
        environ=os.environ,
        verbose=session.options.verbose,
    )
    return service.run(cancel)


def _write(out: Output, summary: "Summary") -> None:
    files = summary.files
    done = ", ".join(f"{number:,} {what.replace('_', ' ')}" for what, number in files.items())
    out.line(
        f"watched for {duration(summary.seconds)}: {count(summary.syncs, 'sync')}"
        f"{', ' + done if done else ''}, {size(summary.bytes_up)} up, "
        f"{size(summary.bytes_down)} down, {count(summary.requests, 'request')}"
    )
