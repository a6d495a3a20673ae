"""`s3dash` alone: the screen, or what can be said of it where there is none."""

from s3dash.cli.diagnostics import USAGE
from s3dash.cli.output import on_terminal
from s3dash.cli.session import Session
from s3dash.errors import NotConfigured


def open_dashboard(session: Session) -> int:
    """The screen; where nothing is configured the first run.

    Without a terminal the status once, and exit code 2 with a hint.
    """
    if on_terminal() and not session.options.as_json:
        try:
            return session.services.dashboard(session.options, session.diagnostics.note)
        except NotConfigured:
            from s3dash.cli.first_run import first_run

            return first_run(session)
    from s3dash.cli.status import tell_status

    tell_status(session)
    session.diagnostics.note("s3dash: the dashboard needs a terminal; this was `s3dash status`")
    return USAGE
