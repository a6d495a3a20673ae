"""How the application meets the terminal: colours, characters, the cursor, the mouse."""

from collections.abc import Sequence
from typing import Any

from textual.app import App
from textual.binding import Binding
from textual.driver import Driver
from textual.drivers.linux_driver import LinuxDriver
from textual.filter import LineFilter
from textual.keys import key_to_character
from textual.screen import Screen

from s3dash.core.screen import ScreenSettings
from s3dash.tui import accessible, theme
from s3dash.tui.driver import DashDriver
from s3dash.tui.nocolor import PureAttributes


class Surface(App[None], inherit_bindings=False):
    """`wanted` is what the user wishes; `colorless` and `plain` is what the terminal is."""

    def __init__(
        self, *, wanted: ScreenSettings | None = None, colorless: bool = False, plain: bool = False
    ) -> None:
        super().__init__()
        self.wanted = wanted or ScreenSettings()
        self.plain = plain
        self._colorless = colorless
        self._mouse_used = self.wanted.mouse
        self.no_color = self._colorless or self.wanted.no_color
        self._parsed_with: dict[str, str] = {}
        self._dress()

    def _dress(self) -> None:
        """The theme before the style sheet is first read, which then is read once, not twice."""
        themes = [theme.of_palette(*given) for given in self.wanted.themes.items()]
        for one in (*theme.OURS, *themes):
            self.register_theme(one)
        fits = self.get_theme(self.wanted.theme) is not None
        self.set_reactive(App.theme, self.wanted.theme if fits else theme.NIGHT.name)
        self._parsed_with = self.get_css_variables()
        self.stylesheet.set_variables(self._parsed_with)

    def refresh_css(self, animate: bool = True) -> None:
        """Textual reads the whole style sheet again each time: only when that says another thing.

        Classes that have changed are looked at in any case.
        """
        variables = self.get_css_variables()
        if variables != self._parsed_with:
            self._parsed_with = variables
            super().refresh_css(animate=animate)
            return
        for screen in (self, *self.screen_stack):
            self.stylesheet.update(screen, animate=animate)

    @property
    def accessible(self) -> bool:
        """Whether the screen is to be read aloud."""
        return self.wanted.accessible

    @property
    def worded(self) -> bool:
        """Whether words are to stand where a sign alone would do."""
        return self.accessible or self.plain

    def resurface(self) -> None:
        """Take up `wanted`, at the start or because it is another one now."""
        before = (self.no_color, self.has_class("-accessible"))
        self.no_color = self._colorless or self.wanted.no_color
        self.set_class(self.no_color, "-no-color")
        self.set_class(self.accessible, "-accessible")
        self.set_class(self.plain, "-plain")
        self.animation_level = "none" if self.worded else "full"
        driver = self._driver
        if isinstance(driver, DashDriver):
            driver.show_cursor(self.accessible)
            if self._mouse_used != self.wanted.mouse:
                driver.use_mouse(self.wanted.mouse)
        self._mouse_used = self.wanted.mouse
        if before != (self.no_color, self.accessible):
            self._repaint()

    def _repaint(self) -> None:
        """Everything, as every character or every colour may be another one."""
        self.refresh_css(animate=False)
        for screen in self.screen_stack:
            for widget in (screen, *screen.query("*")):
                widget.refresh()

    # --- what Textual asks --------------------------------------------------------------

    def get_driver_class(self) -> type[Driver]:
        given = super().get_driver_class()
        return DashDriver if given is LinuxDriver else given

    def get_line_filters(self) -> Sequence[LineFilter]:
        colors = [PureAttributes()] if self.no_color else super().get_line_filters()
        if not self.worded:
            return colors
        return [*colors, accessible.SPOKEN if self.accessible else accessible.LETTERS_ONLY]

    def get_key_display(self, binding: Binding) -> str:
        """Keys by their names where a sign for them would say nothing."""
        if not self.worded:
            return super().get_key_display(binding)
        character = key_to_character(binding.key)
        return character if character and character.strip() else binding.key

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return theme.defaults(self.current_theme)

    def _display(self, screen: Screen[Any], renderable: Any) -> None:
        """With all that is written, the cursor goes where a screen reader is to read."""
        if self.accessible and (point := accessible.reading_point(self.screen)) is not None:
            self.cursor_position = point
        super()._display(screen, renderable)
