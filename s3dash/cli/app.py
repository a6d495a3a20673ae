"""All commands of `s3dash`, and the options before them."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from s3dash.cli.options import Options, names_of
from s3dash.cli.session import Session

MODULES = (
    ("status", ("status",)),
    ("diff", ("diff",)),
    ("sync_ops", ("push", "pull", "sync")),
    ("hydrate", ("hydrate",)),
    ("conflicts", ("conflicts",)),
    ("trash", ("trash",)),
    ("locks", ("locks",)),
    ("namespaces", ("namespaces",)),
    ("history", ("history",)),
    ("index", ("index",)),
    ("doctor", ("doctor",)),
    ("fleet", ("fleet",)),
    ("control", ("control",)),
    ("kv", ("kv",)),
    ("fs", ("fs",)),
    ("blobs", ("blobs",)),
    ("fetch", ("fetch",)),
    ("init", ("init",)),
    ("settings", ("config",)),
    ("demo", ("demo",)),
    ("serve", ("serve",)),
    ("carry_on", ("carry-on",)),
    ("watch", ("watch",)),
)
"""Each module with its commands, in the order of the help."""
SEVERAL = ("push", "pull", "sync", "status", "namespaces")
"""Commands that can work in several namespaces, one after the other."""


def application(meant: str = "") -> typer.Typer:
    """The command line; where `meant` is a command, with that one only: a module costs time."""
    app = typer.Typer(
        name="s3dash",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(globals_)
    found = [module for module, commands in MODULES if meant in commands]
    for module in found or [module for module, _ in MODULES]:
        import_module(f"s3dash.cli.{module}").register(app)
    return app


def globals_(
    context: typer.Context,
    config: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The configuration file.")
    ] = None,
    datastore: Annotated[
        str | None, typer.Option(metavar="NAME", help="The datastore; else the file's first.")
    ] = None,
    namespace: Annotated[
        list[str] | None,
        typer.Option(metavar="NS", help="The namespace to work in; several: NS,NS or repeated."),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON document on standard output.")
    ] = False,
    readonly: Annotated[
        bool, typer.Option("--readonly", help="Only look: nothing is written anywhere.")
    ] = False,
    no_color: Annotated[bool, typer.Option("--no-color", help="No colours.")] = False,
    accessible: Annotated[
        bool, typer.Option("--accessible", help="The screen for screen readers.")
    ] = False,
    no_mouse: Annotated[
        bool, typer.Option("--no-mouse", help="Leave the mouse to the terminal.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Say more on standard error.")
    ] = False,
    version: Annotated[bool, typer.Option("--version", help="The version.")] = False,
) -> None:
    """Watch, push and pull a datastore that people share in an S3 bucket.

    Without a command: the dashboard. The options below may stand after a command as well.
    """
    session = Session.of(context)
    names = names_of(namespace or ())
    session.options = Options(
        config=config,
        datastore=datastore,
        namespace=names[0] if names else None,
        namespaces=names,
        as_json=as_json,
        no_color=no_color,
        verbose=verbose,
        readonly=readonly,
        accessible=accessible,
        no_mouse=no_mouse,
    )
    if context.invoked_subcommand not in SEVERAL:
        session.options.single()
    if version:
        raise typer.Exit(_tell_version(session))
    if context.invoked_subcommand is None:
        from s3dash.cli import dashboard

        raise typer.Exit(dashboard.open_dashboard(session))


def _tell_version(session: Session) -> int:
    from importlib.metadata import version

    found = version("s3dash")
    session.output.emit({"version": found}, lambda out: out.line(f"s3dash {found}"))
    return 0
