"""Every key of the screen, in one table. Widgets take their bindings from here by section."""

from dataclasses import dataclass

from textual.binding import Binding, BindingType


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One command. `name` is what a remapping refers to; `footer` orders the key bar, 0 hides.

    `about` says more than `text` and puts the command into the palette.
    """

    name: str
    keys: str
    action: str
    text: str
    footer: int = 0
    shown: str = ""
    priority: bool = False
    about: str = ""


MOVE = (
    Key(name="move.down", keys="j,down", action="move(1)", text="down"),
    Key(name="move.up", keys="k,up", action="move(-1)", text="up"),
    Key(name="move.first", keys="g,home", action="first", text="first row"),
    Key(name="move.last", keys="G,end", action="last", text="last row"),
    Key(name="move.page-down", keys="pagedown", action="page(1.0)", text="a page down"),
    Key(name="move.page-up", keys="pageup", action="page(-1.0)", text="a page up"),
    Key(name="move.half-down", keys="ctrl+d", action="page(0.5)", text="half a page down"),
    Key(name="move.half-up", keys="ctrl+u", action="page(-0.5)", text="half a page up"),
)

OPEN = (
    Key(name="list.open", keys="enter", action="choose", text="details of the row"),
)  # fmt: skip

MARK = (
    Key(name="mark.toggle", keys="space", action="mark", text="mark the row", footer=10),
    Key(name="mark.range", keys="v", action="mark_range", text="mark from the last mark to here"),
    Key(name="mark.all", keys="a", action="mark_all", text="mark all that the filter shows"),
    Key(name="mark.none", keys="\\", action="mark_none", text="take all marks away"),
)

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


def _view(number: str, title: str, about: str) -> Key:
    name = title.lower()
    action = f"view('{name}')"
    return Key(name=f"view.{name}", keys=number, action=action, text=title, about=about)


VIEWS = (
    _view("1", "Overview", "every datastore at a glance"),
    _view("2", "Dirty", "what differs from what was synced last"),
    _view("3", "Transfers", "what moves, and what became of it"),
    _view("4", "Locks", "who holds what"),
    _view("6", "Conflicts", "what both sides changed, and what is blocked"),
    _view("9", "Log", "what happened, line by line"),
)

TRANSFERS = (
    Key(
        name="transfers.cancel",
        keys="x",
        action="cancel",
        text="cancel",
        footer=11,
        about="stop the running push, pull or sync; nothing half done stays",
    ),
)
LOCKS = (
    Key(
        name="locks.release",
        keys="F",
        action="release",
        text="force release",
        footer=11,
        about="open a lock whose holder has gone",
    ),
)
CONFLICTS = (
    Key(
        name="conflicts.local",
        keys="l",
        action="take('local')",
        text="take local",
        footer=11,
        about="the local version goes to the bucket, the other one to the trash",
    ),
    Key(
        name="conflicts.remote",
        keys="r",
        action="take('remote')",
        text="take remote",
        footer=12,
        about="the bucket's version is fetched, the local one goes to the trash",
    ),
    Key(
        name="conflicts.both",
        keys="b",
        action="take('both')",
        text="keep both",
        footer=13,
        about="the bucket's version keeps the name, the local one gets another",
    ),
)
LOG = (
    Key(
        name="log.freeze",
        keys="f",
        action="freeze",
        text="freeze",
        footer=11,
        about="let the log stand still, or go on",
    ),
)

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

ALL = (
    *MOVE, *OPEN, *MARK, *GLOBAL, *APP, *VIEWS, *TRANSFERS, *LOCKS, *CONFLICTS, *LOG, *FILTER,
    *MODAL, *READ, *PLAN, *DECIDE, *RELEASE, *LEAVE,
)  # fmt: skip
BY_NAME = {key.name: key for key in ALL}


def bindings(*sections: tuple[Key, ...]) -> list[BindingType]:
    """Textual's bindings of some sections; their ids are our names."""
    return [
        Binding(
            key.keys.replace("\\", "backslash"),
            key.action,
            key.text,
            show=bool(key.footer),
            key_display=key.shown or None,
            priority=key.priority,
            id=key.name,
        )
        for section in sections
        for key in section
    ]
