"""Every look can be read in every theme of ours, by the ratios of WCAG 2."""

import pytest
from textual.color import Color
from textual.theme import BUILTIN_THEMES, Theme

from s3dash.core.screen import Palette, ScreenSettings
from s3dash.tui import theme
from s3dash.tui.theme import CONTRAST, CONTRAST_LIGHT, DAY, LOOKS, NIGHT, OURS
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import FakeEngine, busy

GROUNDS = ("background", "surface", "panel", "block-cursor-background")
QUIET = ("dim", "faint", "struck")
FRAMES = ("frame",)
"""Lines around things, which say nothing themselves."""


def luminance(color: Color) -> float:
    def linear(value: int) -> float:
        part = value / 255
        return part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    return 0.2126 * linear(color.r) + 0.7152 * linear(color.g) + 0.0722 * linear(color.b)


def ratio(one: Color, other: Color) -> float:
    """WCAG 2: from 1 for the same colour to 21 for black on white."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def ratios(given: Theme, look: str) -> dict[str, float]:
    """How well a look stands out of everything that may be behind it."""
    variables = theme.variables(given)
    found = {}
    for ground in GROUNDS:
        below = Color.parse(variables[ground])
        front = theme.color_of(LOOKS[look][0] or "$foreground", variables)
        found[ground] = round(ratio(below + front, below), 2)
    return found


def test_the_ratio_is_the_one_of_the_standard() -> None:
    black, white = Color.parse("#000000"), Color.parse("#ffffff")
    assert ratio(black, white) == pytest.approx(21.0)
    assert ratio(white, white) == 1.0
    assert ratio(Color.parse("#767676"), white) == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("look", [look for look in LOOKS if look not in FRAMES])
@pytest.mark.parametrize("given", OURS, ids=lambda given: given.name)
def test_every_look_has_enough_contrast(given: Theme, look: str) -> None:
    usual = 7.0 if given in (CONTRAST, CONTRAST_LIGHT) else 4.5
    found = ratios(given, look)
    if look in QUIET:
        usual = 3.0
    if look in ("dim", "faint"):  # under the cursor nothing is dimmed
        found.pop("block-cursor-background")
    assert min(found.values()) >= usual, found


def test_there_is_one_of_each_kind() -> None:
    assert [given.dark for given in (NIGHT, DAY, CONTRAST, CONTRAST_LIGHT)] == [
        True,
        False,
        True,
        False,
    ]


@pytest.mark.parametrize("name", BUILTIN_THEMES)
def test_what_a_theme_of_textual_lacks_falls_back(name: str) -> None:
    given = BUILTIN_THEMES[name]
    variables = theme.variables(given)
    for look in LOOKS:
        style = theme.line_style(look, variables, Color.parse(variables["background"]))
        assert (style.color is not None) == bool(LOOKS[look][0])


def test_a_palette_of_the_user_needs_one_colour_alone() -> None:
    made = theme.of_palette("mine", Palette(primary="#ff0000", cursor="#00f"))
    variables = theme.variables(made)
    assert made.name == "mine"
    assert variables["block-cursor-background"] == "#00f"
    assert variables["conflict"] == theme.CONFLICT_ON_DARK
    light = theme.of_palette("day", Palette(primary="#ff0000", dark=False, conflict="#123456"))
    assert theme.variables(light)["conflict"] == "#123456"


def test_every_theme_can_be_chosen_live() -> None:
    seen: dict[str, str] = {}

    async def script(stage: Stage) -> None:
        commands = {c.title for c in stage.app.get_system_commands(stage.main)}
        assert "theme" in commands
        await stage.press("2")
        for name in stage.app.available_themes:
            stage.app.theme = name
            await stage.rest()
            row = stage.main.pane.list.render_line(1)
            seen[name] = next(str(s.style.bgcolor) for s in row if s.style is not None)
            assert "added" in stage.text()

    wanted = ScreenSettings(themes={"acme": Palette(primary="#ff8800", background="#102030")})
    play(script, FakeEngine(busy()), wanted=wanted)
    assert {one.name for one in OURS} | set(BUILTIN_THEMES) | {"acme"} <= set(seen)
    for one in OURS:
        assert str(one.background) in seen[one.name]
    assert "#102030" in seen["acme"]


def test_the_theme_of_the_file_is_in_force_from_the_start_and_an_unknown_one_is_told() -> None:
    async def known(stage: Stage) -> None:
        assert stage.app.theme == "nord"

    async def unknown(stage: Stage) -> None:
        assert stage.app.theme == NIGHT.name
        assert "no such theme" in stage.event

    play(known, wanted=ScreenSettings(theme="nord"))
    play(unknown, wanted=ScreenSettings(theme="nosuch"))
