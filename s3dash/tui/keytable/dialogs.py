"""The keys of the filter line and of the dialogs."""

from s3dash.tui.keytable.key import Key

FILTER = (
    Key(name="filter.keep", keys="enter", action="submit", text="keep the filter", footer=1),
    Key(name="filter.discard", keys="escape", action="discard", text="show all again", footer=2),
)
MODAL = (
    Key(name="modal.cancel", keys="escape,q", action="dismiss_modal", text="close", footer=90),
)
READ = (
    Key(name="read.down", keys="j,down", action="scroll(1)", text="down"),
    Key(name="read.up", keys="k,up", action="scroll(-1)", text="up"),
    Key(name="read.page-down", keys="pagedown,ctrl+d,space", action="scroll(10)", text="on"),
    Key(name="read.page-up", keys="pageup,ctrl+u", action="scroll(-10)", text="back"),
)
PLAN = (
    Key(name="plan.toggle", keys="space", action="leave_out", text="leave a row out", footer=1),
    Key(name="plan.run", keys="enter", action="run", text="run", footer=2),
    Key(name="plan.confirm", keys="y", action="confirm", text="yes, run it", footer=3),
)
DECIDE = (Key(name="decide.confirm", keys="y", action="confirm", text="yes, decide so", footer=1),)
RELEASE = (
    Key(name="release.confirm", keys="y", action="confirm", text="yes, release it", footer=1),
)
LEAVE = (
    Key(name="leave.wait", keys="w", action="answer('wait')", text="wait, then quit", footer=1),
    Key(name="leave.stop", keys="s", action="answer('stop')", text="stop cleanly, quit", footer=2),
)
