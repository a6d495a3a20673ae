"""`s3dash serve`: the screen in a browser, by textual-serve, for whoever sits at this machine."""

import ipaddress
import shlex
import socket
import sys
from typing import Annotated
from urllib.parse import urlsplit

import typer

from s3dash.cli.diagnostics import OK
from s3dash.cli.session import Session
from s3dash.errors import S3DashError, UsageError

_USUAL = {"http": 80, "https": 443}
LOOPBACK = ("127.0.0.1", "localhost", "[::1]")


def register(app: typer.Typer) -> None:
    app.command()(serve)


def serve(
    context: typer.Context,
    host: Annotated[
        str, typer.Option(metavar="HOST", help="Listen there; there is no authentication.")
    ] = "127.0.0.1",
    port: Annotated[
        int, typer.Option(min=0, max=65_535, metavar="PORT", help="0 is any free one.")
    ] = 8000,
    url: Annotated[
        str | None, typer.Option(metavar="URL", help="How browsers reach it, behind a proxy.")
    ] = None,
) -> int:
    """Show the screen in a browser, until ctrl+c. Only this machine reaches it, unless told so.

    There is no authentication: who reaches it acts with your credentials.
    """
    session = Session.of(context)
    session.diagnostics.detail("loading the web server")
    port = port or _free_port(host)
    public = (url or f"http://{_reached_as(host)}:{port}").rstrip("/")
    hosts = allowed(host, port, public)
    if not is_loopback(host):
        session.diagnostics.note(
            f"warning: {host} is not this machine alone, and there is no authentication: whoever "
            "reaches it can push, pull and delete with your credentials; --readonly lets them look"
        )
    from s3dash.cli.web import run

    arguments = [sys.executable, "-P", "-m", "s3dash", *session.options.arguments()]
    try:
        run(
            shlex.join(arguments),
            host=host,
            port=port,
            public=public,
            hosts=hosts,
            ready=lambda: session.diagnostics.note(f"s3dash is at {public}; ctrl+c ends it"),
        )
    except OSError as error:
        raise S3DashError(
            f"{host}:{port} cannot be listened to: {error.strerror}",
            hint="another --port, or --port 0 for any free one",
        ) from error
    return OK


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there."""
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host == "localhost"


def allowed(host: str, port: int, public: str) -> frozenset[str]:
    """What a browser may give as host and as origin; anything else is another site's page."""
    parts = urlsplit(public)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UsageError("--url must be like https://s3dash.example.org")
    names = {parts.netloc.lower(), f"{host}:{port}".lower()}
    if is_loopback(host):
        names |= {f"{name}:{port}" for name in LOOPBACK}
    usual = f":{_USUAL[parts.scheme]}"  # a browser leaves it out
    return frozenset(names | {name.removesuffix(usual) for name in names})


def _reached_as(host: str) -> str:
    """A name for a browser: that of this machine when it listens to all addresses."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - compared with, not bound to
        return socket.gethostname()
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def _free_port(host: str) -> int:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as found:
        found.bind((host.strip("[]"), 0))
        port: int = found.getsockname()[1]
        return port
