"""The keys that work in every view."""

from s3dash.tui.keytable.key import Key

GLOBAL = (
    Key(
        name="help",
        keys="?,f1",
        action="help",
        text="help",
        footer=1,
        shown="?",
        about="the keys that work here",
    ),
    Key(
        name="filter",
        keys="/",
        action="filter",
        text="filter",
        footer=2,
        shown="/",
        about="show only rows with some words; !word inverts, state:failed asks a field",
    ),
    Key(name="palette", keys=":", action="palette", text="command", footer=3, shown=":"),
    Key(
        name="push",
        keys="P",
        action="operate('push')",
        text="push",
        footer=24,
        about="show what would go up, then send it",
    ),
    Key(
        name="pull",
        keys="p",
        action="operate('pull')",
        text="pull",
        footer=25,
        about="show what would come down, then fetch it",
    ),
    Key(
        name="sync",
        keys="s",
        action="operate('sync')",
        text="sync",
        footer=26,
        about="both ways: show the plan, then do it",
    ),
    Key(
        name="auto",
        keys="A",
        action="auto",
        text="auto-sync",
        footer=27,
        about="turn automatic syncing on or off",
    ),
    Key(
        name="namespace",
        keys="N",
        action="namespace",
        text="namespace",
        footer=28,
        about="work in another namespace of this datastore",
    ),
    Key(
        name="refresh",
        keys="r",
        action="look_again",
        text="look again",
        footer=29,
        about="look at the bucket and the cache now",
    ),
    Key(name="next-view", keys="tab", action="turn(1)", text="next view"),
    Key(name="previous-view", keys="shift+tab", action="turn(-1)", text="previous view"),
    Key(name="back", keys="escape", action="back", text="back one level"),
    Key(
        name="suspend",
        keys="ctrl+z",
        action="suspend_process",
        text="suspend",
        about="back to the shell for a while; fg returns",
    ),
    Key(
        name="quit",
        keys="q",
        action="leave",
        text="quit",
        footer=99,
        about="asks only when something runs",
    ),
)

APP = (
    Key(name="quit.now", keys="ctrl+q,ctrl+c", action="quit", text="quit", priority=True),
    Key(
        name="palette.now",
        keys="ctrl+p",
        action="command_palette",
        text="command",
        priority=True,
    ),
)
