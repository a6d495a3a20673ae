"""The keys of the first run. Nothing is configured there, so nothing remaps them."""

from s3dash.tui.keytable.key import Key

SETUP = (
    Key(name="setup.back", keys="escape", action="step_back", text="a step back", footer=1),
    Key(name="setup.quit", keys="q", action="step_quit", text="quit"),
    Key(name="setup.down", keys="pagedown,ctrl+d", action="step_scroll(5)", text="read on"),
    Key(name="setup.up", keys="pageup,ctrl+u", action="step_scroll(-5)", text="read back"),
)
SETUP_APP = (
    Key(name="setup.quit-now", keys="ctrl+q,ctrl+c", action="quit", text="quit", priority=True),
    Key(name="setup.next-field", keys="tab", action="focus_next", text="next field"),
    Key(name="setup.previous-field", keys="shift+tab", action="focus_previous", text="back"),
)
