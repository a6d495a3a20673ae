"""Copying: the terminal's clipboard, a native one, or the text shown to be selected.

No terminal answers, so what is told is «sent», and by which ways; the same key again shows it.
"""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from s3dash.tui.copying import Copied
from s3dash.tui.format import count, safe, shorten, size
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.screens.shown import ShownScreen
from s3dash.tui.sequences import MAX_COPY, clipboard, is_deaf

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

AGAIN_S = 4.0
"""Within this time the same key says that nothing arrived."""
NAMED = 48


class Copying:
    """Remembers what was sent last."""

    def __init__(self) -> None:
        self._last = ("", float("-inf"))

    async def send(self, app: "DashApp", *, make: Callable[[], Copied], what: str) -> None:
        """`what` is the kind of thing, in the singular: path, URI, holder."""
        copied = await app.ask(make)
        if not copied.text:
            app.tell(f"there is no {what} to copy here")
            return
        last, at = self._last
        now = app.clock.monotonic()
        self._last = (copied.text, now)
        if copied.text == last and now - at < AGAIN_S:
            self._last = ("", now)
            await show(app, copied, "sent before")
            return
        ways = await _ways(app, copied.text)
        if ways:
            app.tell(_told(copied, what, ways))
        else:
            await show(app, copied, _why_shown(copied.text))


async def _ways(app: "DashApp", text: str) -> list[str]:
    """Send it by every way there is; their names."""
    outside, ways = app.outside, []
    if len(text.encode()) <= MAX_COPY and not is_deaf(outside.environ):
        outside.emit(app, clipboard(text, outside.environ))
        ways.append("OSC 52")
    tool = await app.ask(partial(outside.hand_over, text))
    return [*ways, tool] if tool else ways


def _told(copied: Copied, what: str, ways: list[str]) -> str:
    length = size(len(copied.text.encode()))
    named = shorten(safe(copied.text), NAMED)
    sent = named if copied.number == 1 else f"{count(copied.number, what)}, {length},"
    escaped = ", control characters escaped" if copied.escaped else ""
    small = "" if "OSC 52" in ways else f", {length} are too much for OSC 52"
    return f"sent {sent} by {' and '.join(ways)}{small}{escaped}; the same key again shows it"


def _why_shown(text: str) -> str:
    length = len(text.encode())
    if length > MAX_COPY:
        return f"{size(length)} are too much for OSC 52 (at most {size(MAX_COPY)}), and no tool"
    return "this terminal takes no OSC 52, and there is no clipboard tool"


async def show(app: "DashApp", copied: Copied, why: str) -> None:
    """The text over the whole screen, without a frame, for the terminal's own selection."""
    await (await ask_user(app, ShownScreen(copied.text, why)))
