"""The theme, and the looks that pure code names."""

from collections.abc import Mapping

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

NIGHT = Theme(
    name="s3dash-night",
    primary="#62b6b7",
    secondary="#7a9cc6",
    accent="#f2c879",
    success="#8fc97f",
    warning="#e5a85c",
    error="#ec7a7a",
    foreground="#c8d1dc",
    background="#10151c",
    surface="#171e27",
    panel="#212b37",
    dark=True,
    variables={
        "border": "#3a4858",
        "border-blurred": "#2a3543",
        "block-cursor-background": "#2c4a56",
        "block-cursor-foreground": "#f2f6fa",
        "block-cursor-text-style": "bold",
        "scrollbar": "#33414f",
        "scrollbar-hover": "#4b5f72",
        "scrollbar-active": "#62b6b7",
        "scrollbar-background": "#141a22",
        "scrollbar-background-hover": "#141a22",
        "scrollbar-background-active": "#141a22",
        "footer-key-foreground": "#f2c879",
    },
)

LOOKS: dict[str, tuple[str, str]] = {
    "": ("", ""),
    "dim": ("$foreground 55%", ""),
    "faint": ("$foreground 32%", ""),
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
    "clash": ("#c79be8", "bold"),
    "up": ("$primary", ""),
    "down": ("$secondary", ""),
    "struck": ("$foreground 40%", "strike"),
    "tab": ("$primary", "bold reverse"),
    "frame": ("$border", ""),
    "badge": ("$warning", "bold reverse"),
    "alarm": ("$error", "bold reverse"),
}
"""Name → colour and attributes. What must stand out without colours has attributes of its own."""


def _content_style(color: str, attributes: str) -> str:
    return " ".join(part for part in (attributes, color) if part)


CONTENT_STYLES = {name: _content_style(*look) for name, look in LOOKS.items()}


def line_style(look: str, variables: Mapping[str, str], background: Color) -> Style:
    """A look for the line API, in the colours of the theme in force, on `background`."""
    color, attributes = LOOKS[look]
    if not color:
        return Style.null()
    name, _, percent = color.partition(" ")
    front = Color.parse(variables[name[1:]] if name.startswith("$") else name)
    if percent:
        front = front.with_alpha(float(percent.rstrip("%")) / 100)
    return Style.parse(attributes or "none") + Style(color=(background + front).rich_color)
