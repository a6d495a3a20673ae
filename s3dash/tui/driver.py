"""The terminal's driver as the user wants it: with a cursor that can be seen, without a mouse."""

from s3dash.tui.terminal import SturdyDriver

SHOW_CURSOR, HIDE_CURSOR = "\x1b[?25h", "\x1b[?25l"


class DashDriver(SturdyDriver):
    """A sturdy driver whose cursor and mouse can be switched while it runs."""

    def start_application_mode(self) -> None:
        super().start_application_mode()
        if getattr(self._app, "accessible", False):
            self.write(SHOW_CURSOR)

    def show_cursor(self, shown: bool) -> None:
        self.write(SHOW_CURSOR if shown else HIDE_CURSOR)

    def use_mouse(self, used: bool) -> None:
        """Take clicks and the wheel, or leave them to the terminal."""
        if used:
            self._mouse = True
            self._enable_mouse_support()
        else:
            self._disable_mouse_support()
            self._mouse = False
