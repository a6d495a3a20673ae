"""`s3dash` where nothing is configured: a guide to a configuration, then what it leads to."""

from s3dash.cli.demo import look_around
from s3dash.cli.diagnostics import OK
from s3dash.cli.session import Session


def first_run(session: Session) -> int:
    """Needs a terminal. Nothing is written unless the user goes to the end."""
    from s3dash.tui.setup.app import run_first_run

    answer, code = run_first_run(session.services.setup(), no_color=session.options.no_color)
    if answer is None:
        if not code:
            session.diagnostics.note(
                "s3dash: nothing was written; `s3dash init` and `s3dash demo` are there as well"
            )
        return code or OK
    if answer.what == "demo":
        return look_around(session)
    session.diagnostics.note(f"s3dash: wrote {answer.path}")
    return session.services.dashboard(session.options, session.diagnostics.note)
