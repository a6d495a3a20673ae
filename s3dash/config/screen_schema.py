"""The fields of `[screen]` and `[themes.NAME]`: their types, limits and documentation.

Which commands, keys and themes there are is the screen's to say; here only the form is checked.
"""

import re
from collections.abc import Mapping
from typing import Annotated

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from s3dash.core.screen import NIGHT, Keys, Palette, ScreenSettings

_COLOR = re.compile(r"#(?:[0-9a-fA-F]{3}|[0-9a-fA-F]{6})")
_COMMAND = re.compile(r"[a-z][a-z.-]{0,40}")
_THEME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}")
_MANY = 8


def _color(text: str) -> str:
    if not _COLOR.fullmatch(text):
        raise ValueError("must be a colour like '#1e90ff'")
    return text


def is_theme_name(name: str) -> bool:
    return _THEME.fullmatch(name) is not None


def _theme_name(name: str) -> str:
    if not is_theme_name(name):
        raise ValueError("must be the name of a theme: letters, digits, '.', '_' and '-'")
    return name


def _keys(value: object) -> object:
    """Command → its keys; a text is one key, `false` takes all keys away."""
    if not isinstance(value, Mapping):
        return value  # the type of the field says what is wrong
    return {str(name): _keys_of(str(name), given) for name, given in value.items()}


def _keys_of(name: str, given: object) -> Keys:
    if not _COMMAND.fullmatch(name):
        raise ValueError("a name in it is none of a command; quote names: 'transfers.pause' = 'p'")
    if given is False:
        return ()
    keys = [given] if isinstance(given, str) else given
    texts = [key for key in keys if isinstance(key, str)] if isinstance(keys, list) else []
    if not isinstance(keys, list) or len(texts) != len(keys) or len(keys) > _MANY:
        raise ValueError(f"{name}: must be a key, a list of up to {_MANY} keys, or false")
    if not all(0 < len(text) <= 40 and text.isprintable() for text in texts):
        raise ValueError(f"{name}: a key must be its name, like 'ctrl+t', 'f5' or 'x'")
    return tuple(texts)


Color = Annotated[str, AfterValidator(_color)]


class ScreenTable(BaseModel):
    """The table `[screen]`."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    theme: Annotated[str, AfterValidator(_theme_name)] = Field(
        default=NIGHT,
        description="the colours: one of ours, of Textual's or a `[themes.NAME]` of this file",
    )
    keys: Annotated[dict[str, Keys], BeforeValidator(_keys)] = Field(
        default={},
        description="command = key, list of keys, or false for none; `?` shows the commands",
    )
    mouse: bool = Field(
        default=True, description="take clicks and the wheel; else they are the terminal's"
    )
    accessible: bool = Field(
        default=False,
        description="for screen readers: the real cursor, words, no frames, nothing moves",
    )
    no_color: bool = Field(
        default=False, description="no colours, like NO_COLOR in the environment"
    )
    notify_after_s: Annotated[float, Field(ge=0, le=86_400)] = Field(
        default=10.0,
        description="tell the terminal when what took this many seconds ends; 0 is never",
    )


class ThemeTable(BaseModel):
    """A table `[themes.NAME]`. What is left out follows from the other colours."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    primary: Color = Field(description="titles, frames of dialogs, uploads")
    dark: bool = Field(default=True, description="whether the background is dark")
    secondary: Color | None = Field(default=None, description="downloads")
    accent: Color | None = Field(default=None, description="keys and what is modified")
    success: Color | None = Field(default=None, description="what is well, and what is added")
    warning: Color | None = Field(default=None, description="what needs a look")
    error: Color | None = Field(default=None, description="what failed, and what is deleted")
    foreground: Color | None = Field(default=None, description="text")
    background: Color | None = Field(default=None, description="behind lists")
    surface: Color | None = Field(default=None, description="behind dialogs")
    panel: Color | None = Field(default=None, description="behind the first and the last line")
    border: Color | None = Field(default=None, description="the frame")
    conflict: Color | None = Field(default=None, description="conflicts")
    cursor: Color | None = Field(default=None, description="behind the row under the cursor")


def settings(screen: ScreenTable, themes: Mapping[str, ThemeTable]) -> ScreenSettings:
    """Both kinds of table as the one value that the screen takes."""
    palettes = {name: Palette(**table.model_dump()) for name, table in themes.items()}
    return ScreenSettings(**screen.model_dump(), themes=palettes)
