"""How the user wants the screen to be. Read from the configuration, taken by the dashboard."""

from collections.abc import Mapping

import msgspec

NIGHT = "s3dash-night"
"""The theme without any wish."""

Keys = tuple[str, ...]
"""The keys of a command by Textual's names or as characters; empty: none."""


class Palette(msgspec.Struct, frozen=True, kw_only=True):
    """A theme of the user's own: colours as `#rgb` or `#rrggbb`. None: worked out of the others."""

    primary: str
    dark: bool = True
    secondary: str | None = None
    accent: str | None = None
    success: str | None = None
    warning: str | None = None
    error: str | None = None
    foreground: str | None = None
    background: str | None = None
    surface: str | None = None
    panel: str | None = None
    border: str | None = None
    conflict: str | None = None
    cursor: str | None = None


class ScreenSettings(msgspec.Struct, frozen=True, kw_only=True):
    """The table `[screen]` and the tables `[themes.NAME]`; see the README for each field.

    `keys` has the remapped commands only. `notify_after_s` is in seconds, 0 is never.
    """

    theme: str = NIGHT
    keys: Mapping[str, Keys] = msgspec.field(default_factory=dict)
    mouse: bool = True
    accessible: bool = False
    no_color: bool = False
    notify_after_s: float = 10.0
    themes: Mapping[str, Palette] = msgspec.field(default_factory=dict)
