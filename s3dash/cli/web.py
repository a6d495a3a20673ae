"""textual-serve, kept to its own pages: no other site's page may drive the screen.

A browser lets any page open a WebSocket to this machine, with the page's own origin; and a name
that an attacker owns may lead here. So host and origin must be ours.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from contextlib import suppress
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from s3dash.errors import UsageError

TITLE = "s3dash"

_FOREIGN = re.compile(r"<link\b[^>]*\bhref=\"https?://fonts\.[^>]*>")

Handler = Callable[[Any], Awaitable[Any]]


def run(
    command: str,
    *,
    host: str,
    port: int,
    public: str,
    hosts: frozenset[str],
    ready: Callable[[], None],
) -> None:
    """Serve until SIGINT or SIGTERM; each tab of a browser runs `command`, a shell's line.

    `ready` is called when it listens. Raises UsageError without the extra, OSError when it cannot
    listen.
    """
    try:
        web, served = import_module("aiohttp.web"), import_module("textual_serve.server")
    except ModuleNotFoundError as error:
        raise UsageError(
            f"the screen in a browser needs the extra `web` ({error.name} is missing)",
            hint="pip install 's3dash[web]'",
        ) from None
    server = served.Server(command, host=host, port=port, title=TITLE, public_url=public)

    async def listening() -> None:
        app = await server._make_app()
        app.middlewares.append(guard(web, hosts))
        app.on_startup.clear()  # it would print a banner of its own
        runner = web.AppRunner(app, handle_signals=True)
        await runner.setup()
        try:
            await web.TCPSite(runner, host.strip("[]"), port).start()
            ready()
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    with suppress(web.GracefulExit):  # so a signal ends it
        asyncio.run(listening())


def guard(web: Any, hosts: frozenset[str]) -> Callable[[Any, Handler], Awaitable[Any]]:
    """A middleware that turns other hosts and other sites' pages away.

    What a page would load from elsewhere is left out of it: a font, which would tell of its use.
    """

    @web.middleware  # type: ignore[untyped-decorator]  # aiohttp comes with an extra
    async def check(request: Any, handler: Handler) -> Any:
        if is_ours(request.headers.get("Host"), request.headers.get("Origin"), hosts):
            answer = await handler(request)
            if answer.content_type == "text/html" and isinstance(answer, web.Response):
                answer.text = _FOREIGN.sub("", answer.text)
            return answer
        raise web.HTTPForbidden(text="s3dash: this host or page is not let in (see --url)")

    return check  # type: ignore[no-any-return]


def is_ours(host: str | None, origin: str | None, hosts: frozenset[str]) -> bool:
    """Whether a request names us as its host, and comes from a page of ours or from no page."""
    if host is None or host.lower() not in hosts:
        return False
    return origin is None or urlsplit(origin).netloc.lower() in hosts
