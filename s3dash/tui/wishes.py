"""The user's wishes for the screen, put in force: at the start and whenever the file is read."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from textual.theme import BUILTIN_THEMES

from s3dash.core.events import Level
from s3dash.core.screen import ScreenSettings
from s3dash.tui import theme
from s3dash.tui.keymap import keymap

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


def problems(wanted: ScreenSettings) -> list[str]:
    """What of it cannot be: commands, keys and themes that there are not, and clashes of keys."""
    return [*_theme_problems(wanted), *keymap(wanted.keys).problems]


def warnings(wanted: ScreenSettings) -> list[str]:
    """What can be, and may still surprise."""
    return list(keymap(wanted.keys).warnings)


def _theme_problems(wanted: ScreenSettings) -> list[str]:
    names = [*(one.name for one in theme.OURS), *BUILTIN_THEMES, *wanted.themes]
    if wanted.theme in names:
        return []
    return [f"[screen]: theme: no such theme; there are {', '.join(dict.fromkeys(names))}"]


def put_in_force(app: "DashApp", wanted: ScreenSettings, *, before: ScreenSettings | None) -> None:
    """Take what can be taken; what cannot is told and stays as it was.

    A theme that the user chose meanwhile stays while the file says what it said `before`.
    """
    _register(app, wanted, before)
    if before is None or (wanted.theme, wanted.themes) != (before.theme, before.themes):
        fits = not _theme_problems(wanted)
        if fits and app.theme == wanted.theme:  # its colours may be others
            app.theme = theme.CONTRAST.name
        if fits or before is None:
            app.theme = wanted.theme if fits else theme.NIGHT.name
    keys = keymap(wanted.keys)
    if not keys.problems:
        app.set_keymap(keys.bindings)
    app.resurface()
    app.main.notify_after(wanted.notify_after_s)
    tell(app, problems(wanted), keys.warnings)


def _register(app: "DashApp", wanted: ScreenSettings, before: ScreenSettings | None) -> None:
    """All themes by name. One that the file no longer has is Textual's own again, or gone."""
    for one in theme.OURS:
        app.register_theme(one)
    for name in before.themes if before else ():
        if name in wanted.themes:
            continue
        if name in BUILTIN_THEMES:
            app.register_theme(BUILTIN_THEMES[name])
        elif app.get_theme(name) is not None and name not in {one.name for one in theme.OURS}:
            if app.theme == name:
                app.theme = theme.NIGHT.name
            app.unregister_theme(name)
    for name, palette in wanted.themes.items():
        app.register_theme(theme.of_palette(name, palette))


def tell(app: "DashApp", wrong: Iterable[str], careful: Iterable[str]) -> None:
    """All of it in the log, and the first of it as the last event."""
    rows: list[tuple[Level, str]] = [("error", line) for line in wrong]
    rows += [("warning", line) for line in careful]
    for level, line in rows:
        app.note(line, level=level)
    if rows:
        level, line = rows[0]
        more = f" (and {len(rows) - 1} more, see the log)" if len(rows) > 1 else ""
        kept = "the keys and colours stay as they were: " if level == "error" else ""
        app.tell(f"{kept}{line}{more}", level=level)


PLAIN = ("linux", "dumb", "unknown", "ansi", "vt100", "vt102", "vt220")


def is_colorless(environ: Mapping[str, str]) -> bool:
    """True when the user wants no colours (an empty NO_COLOR is none), or the terminal has none."""
    return bool(environ.get("NO_COLOR")) or environ.get("TERM") in ("dumb", "unknown")


def is_plain(environ: Mapping[str, str]) -> bool:
    """True for a terminal whose font or colours are not to be trusted: letters and reverse do."""
    if environ.get("COLORTERM") in ("truecolor", "24bit") or environ.get("TEXTUAL_DRIVER"):
        return False
    term = environ.get("TERM", "")
    return not term or term in PLAIN or term.endswith(("-16color", "-mono", "-m"))
