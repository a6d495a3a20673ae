"""The keys that lead to the views, and those of each view."""

from s3dash.tui.keytable.key import Key


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
