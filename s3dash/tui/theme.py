"""The themes that are ours, those of the user, and the looks that pure code names."""

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from s3dash.core import screen
from s3dash.core.screen import Palette

CONFLICT_ON_DARK, CONFLICT_ON_LIGHT = "#cfa8ee", "#6d2fa3"

NIGHT = Theme(
    name=screen.NIGHT,
    primary="#6fc0c1",
    secondary="#94b3dc",
    accent="#f2c879",
    success="#93cc84",
    warning="#e9b06a",
    error="#f39191",
    foreground="#c8d1dc",
    background="#10151c",
    surface="#171e27",
    panel="#212b37",
    dark=True,
    variables={
        "border": "#3a4858",
        "border-blurred": "#2a3543",
        "block-cursor-background": "#254150",
        "block-cursor-foreground": "#f2f6fa",
        "block-cursor-text-style": "bold",
        "scrollbar": "#33414f",
        "scrollbar-hover": "#4b5f72",
        "scrollbar-active": "#6fc0c1",
        "scrollbar-background": "#141a22",
        "scrollbar-background-hover": "#141a22",
        "scrollbar-background-active": "#141a22",
        "footer-key-foreground": "#f2c879",
        "conflict": CONFLICT_ON_DARK,
    },
)
DAY = Theme(
    name="s3dash-day",
    primary="#00595c",
    secondary="#234f8c",
    accent="#704a00",
    success="#1f5c1a",
    warning="#7c4200",
    error="#9c1620",
    foreground="#1c242d",
    background="#f7f8fa",
    surface="#eef1f4",
    panel="#e2e7ec",
    dark=False,
    variables={
        "border": "#9aa7b4",
        "border-blurred": "#bcc6d0",
        "block-cursor-background": "#cfe3ea",
        "block-cursor-foreground": "#101820",
        "block-cursor-text-style": "bold",
        "footer-key-foreground": "#704a00",
        "conflict": CONFLICT_ON_LIGHT,
    },
)
CONTRAST = Theme(
    name="s3dash-contrast",
    primary="#5ff3ff",
    secondary="#a8ccff",
    accent="#ffe45c",
    success="#7dff7d",
    warning="#ffc266",
    error="#ffbaba",
    foreground="#ffffff",
    background="#000000",
    surface="#000000",
    panel="#141414",
    dark=True,
    variables={
        "border": "#ffffff",
        "border-blurred": "#b0b0b0",
        "block-cursor-background": "#00335c",
        "block-cursor-foreground": "#ffffff",
        "block-cursor-text-style": "bold",
        "scrollbar": "#ffffff",
        "scrollbar-background": "#000000",
        "footer-key-foreground": "#ffe45c",
        "conflict": "#e6c4ff",
    },
)
CONTRAST_LIGHT = Theme(
    name="s3dash-contrast-light",
    primary="#003f44",
    secondary="#0a2f6b",
    accent="#4a2f00",
    success="#0c3d08",
    warning="#522900",
    error="#780010",
    foreground="#000000",
    background="#ffffff",
    surface="#ffffff",
    panel="#f2f2f2",
    dark=False,
    variables={
        "border": "#000000",
        "border-blurred": "#4d4d4d",
        "block-cursor-background": "#d6ecff",
        "block-cursor-foreground": "#000000",
        "block-cursor-text-style": "bold",
        "scrollbar": "#000000",
        "scrollbar-background": "#ffffff",
        "footer-key-foreground": "#4a2f00",
        "conflict": "#4a0a80",
    },
)
OURS = (NIGHT, DAY, CONTRAST, CONTRAST_LIGHT)

LOOKS: dict[str, tuple[str, str]] = {
    "": ("", ""),
    "dim": ("$foreground 62%", ""),
    "faint": ("$foreground 55%", ""),
    "strong": ("$foreground", "bold"),
    "title": ("$primary", "bold"),
    "accent": ("$accent", ""),
    "key": ("$accent", "bold"),
    "good": ("$success", ""),
    "warn": ("$warning", ""),
    "bad": ("$error", "bold"),
    "add": ("$success", ""),
    "mod": ("$accent", ""),
    "del": ("$error", ""),
    "add-mark": ("$success", "bold reverse"),
    "del-mark": ("$error", "bold reverse"),
    "clash": ("$conflict", "bold"),
    "up": ("$primary", ""),
    "down": ("$secondary", ""),
    "struck": ("$foreground 60%", "strike"),
    "tab": ("$primary", "bold reverse"),
    "frame": ("$border", ""),
    "badge": ("$warning", "bold reverse"),
    "alarm": ("$error", "bold reverse"),
}
"""Name → colour and attributes. What must stand out without colours has attributes of its own."""


def defaults(theme: Theme) -> dict[str, str]:
    """The variables of ours that a theme may lack."""
    return {"conflict": CONFLICT_ON_DARK if theme.dark else CONFLICT_ON_LIGHT}


def of_palette(name: str, palette: Palette) -> Theme:
    """A theme of the user's own; what it leaves out is worked out by Textual."""
    given = {"border": palette.border, "conflict": palette.conflict}
    given["block-cursor-background"] = palette.cursor
    return Theme(
        name=name,
        primary=palette.primary,
        secondary=palette.secondary,
        accent=palette.accent,
        success=palette.success,
        warning=palette.warning,
        error=palette.error,
        foreground=palette.foreground,
        background=palette.background,
        surface=palette.surface,
        panel=palette.panel,
        dark=palette.dark,
        variables={variable: color for variable, color in given.items() if color is not None},
    )


def variables(theme: Theme) -> dict[str, str]:
    """All that looks may refer to in a theme, as the application has it when it is in force."""
    return {**defaults(theme), **theme.to_color_system().generate(), **theme.variables}


def _content_style(color: str, attributes: str) -> str:
    return " ".join(part for part in (attributes, color) if part)


CONTENT_STYLES = {name: _content_style(*look) for name, look in LOOKS.items()}


def line_style(look: str, variables: Mapping[str, str], background: Color) -> Style:
    """A look for the line API, in the colours of the theme in force, on `background`."""
    color, attributes = LOOKS[look]
    if not color:
        return Style.null()
    return Style.parse(attributes or "none") + Style(
        color=(background + color_of(color, variables)).rich_color
    )


def color_of(text: str, variables: Mapping[str, str]) -> Color:
    """`$name`, `$name 55%` or a colour itself, with its transparency."""
    name, _, percent = text.partition(" ")
    front = Color.parse(variables[name[1:]] if name.startswith("$") else name)
    return front.with_alpha(float(percent.rstrip("%")) / 100) if percent else front
