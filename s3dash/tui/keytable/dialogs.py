"""The keys of the filter line and of the dialogs."""

from s3dash.tui.keytable.key import Key

FILTER = (
    Key(name="filter.keep", keys="enter", action="submit", text="keep the filter", footer=1),
    Key(name="filter.discard", keys="escape", action="discard", text="show all again", footer=2),
    Key(name="filter.older", keys="up", action="older(1)", text="filter before", footer=3),
    Key(name="filter.newer", keys="down", action="older(-1)", text="filter after"),
)
EXPORT = (
    Key(name="export.next", keys="down", action="format(1)", text="next format", footer=1),
    Key(name="export.previous", keys="up", action="format(-1)", text="format before"),
    Key(name="export.confirm", keys="y", action="confirm", text="yes, replace it", footer=3),
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
    Key(name="plan.all", keys="a", action="leave_all", text="all that are shown, or in again"),
    Key(name="plan.range", keys="v", action="leave_range", text="from the last one to here"),
    Key(name="plan.filter", keys="/", action="filter", text="filter the rows", shown="/"),
    Key(name="plan.run", keys="enter", action="run", text="run", footer=2),
    Key(name="plan.confirm", keys="y", action="confirm", text="yes, run it", footer=3),
)
DECIDE = (Key(name="decide.confirm", keys="y", action="confirm", text="yes, decide so", footer=1),)
MOVING = (Key(name="moving.confirm", keys="y", action="confirm", text="yes, do it", footer=1),)
UPLOADS = (
    Key(name="uploads.toggle", keys="space", action="mark", text="mark the row", footer=1),
    Key(
        name="uploads.all",
        keys="a",
        action="mark_all",
        text="mark all that nobody seems to be sending",
        footer=2,
    ),
    Key(name="uploads.none", keys="\\", action="mark_none", text="take all marks away"),
    Key(
        name="uploads.confirm",
        keys="y",
        action="confirm",
        text="yes, abort them",
        footer=3,
        writes=True,
    ),
)
RELEASE = (
    Key(name="release.confirm", keys="y", action="confirm", text="yes, release it", footer=1),
)
RELOAD = (
    Key(name="reload.wait", keys="w", action="answer('wait')", text="wait, then take up", footer=1),
    Key(name="reload.stop", keys="y", action="answer('stop')", text="stop it, take up", footer=2),
)
LEAVE = (
    Key(name="leave.wait", keys="w", action="answer('wait')", text="wait, then quit", footer=1),
    Key(name="leave.stop", keys="s", action="answer('stop')", text="stop cleanly, quit", footer=2),
    Key(name="leave.detach", keys="d", action="answer('detach')", text="detach, quit", footer=3),
)
