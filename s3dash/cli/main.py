"""One run of the command line, from arguments to exit code."""

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import ExitStack, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from s3dash import tracing
from s3dash.cli.diagnostics import FAILED, INTERRUPTED, OK, Diagnostics
from s3dash.cli.interrupts import SERVICE_STOP, Interrupts
from s3dash.cli.options import command, hoist, wants
from s3dash.cli.output import Output, is_colored
from s3dash.cli.session import Session
from s3dash.cli.streams import forget, has_gone
from s3dash.cli.wiring import Services, Wiring
from s3dash.errors import Cancelled, UsageError

if TYPE_CHECKING:
    import typer

SERVICE = "watch"
"""The command that is a service."""


def run(
    arguments: Sequence[str],
    *,
    services: Services | None = None,
    stdout: TextIO | None = None,
    stderr: TextIO | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> int:
    """Do what the arguments say; the exit code. Nothing is raised, nothing calls `sys.exit`.

    Streams, environment, directory and services are the process's own unless given.
    """
    environ = os.environ if environ is None else environ
    out, err = stdout or sys.stdout, stderr or sys.stderr
    no_color = wants(arguments, "--no-color")
    output = Output(
        out,
        as_json=wants(arguments, "--json"),
        color=is_colored(out, no_color=no_color, environ=environ),
    )
    diagnostics = Diagnostics(
        err,
        color=is_colored(err, no_color=no_color, environ=environ),
        verbose=wants(arguments, "-v", "--verbose"),
    )
    cwd = cwd or Path.cwd()
    with ExitStack() as closing, Interrupts() as interrupts:
        try:
            closing.callback(tracing.begin(environ))
            session = Session(
                output=output,
                diagnostics=diagnostics,
                services=services or Wiring(environ, cwd=cwd),
                interrupts=interrupts,
                cwd=cwd,
            )
            return _dispatch(arguments, session)
        except BrokenPipeError:
            forget(out)
            return FAILED
        except Cancelled as error:
            code = diagnostics.failed(error, output)
            return OK if _is_in_order(arguments, interrupts) else code
        except OSError as error:
            if not (interrupts.received == "SIGHUP" and has_gone(error)):
                return diagnostics.failed(error, output)
            forget(out)  # the terminal has gone, and we know already
            return INTERRUPTED
        except Exception as error:  # noqa: BLE001 - the edge of the process: no traceback leaves
            return diagnostics.failed(error, output)


def _is_in_order(arguments: Sequence[str], interrupts: Interrupts) -> bool:
    """A service that is told to stop before it has begun has not failed."""
    stopped = interrupts.received == SERVICE_STOP and not interrupts.insisted
    return stopped and command(arguments) == SERVICE


def _dispatch(arguments: Sequence[str], session: Session) -> int:
    if not arguments:  # the screen, at once: Typer takes longer to load than a look at its answer
        from s3dash.cli.dashboard import open_dashboard

        return open_dashboard(session)
    import typer

    from s3dash.cli.app import application

    # Of Typer's exceptions only BadParameter has a public name; what it derives from stands for
    # everything that a user can get wrong on a command line.
    misuse: type[Exception] = typer.BadParameter.__mro__[1]
    try:
        app = application(command(arguments))
        if not wants(arguments, "-h", "--help"):
            return _call(app, arguments, session)
        text = StringIO()
        with redirect_stdout(text):  # Typer prints its help by itself
            _call(app, arguments, session)
    except misuse as error:
        raise _usage_error(error) from None
    _write_help(session.output, text.getvalue())
    return OK


def _call(app: "typer.Typer", arguments: Sequence[str], session: Session) -> int:
    from typer.main import get_command

    code = get_command(app).main(
        hoist(arguments), prog_name="s3dash", standalone_mode=False, obj=session
    )
    return code if isinstance(code, int) else OK


def _write_help(output: Output, text: str) -> None:
    if output.as_json:
        output.document({"help": text})
    else:
        output.raw(text)


def _usage_error(error: Any) -> UsageError:
    path = error.ctx.command_path if error.ctx is not None else "s3dash"
    return UsageError(error.format_message(), hint=f"see `{path} --help`")
