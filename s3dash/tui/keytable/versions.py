"""The keys of Conflicts, of diffs and of the trash: all that has to do with versions of a path."""

from s3dash.tui.keytable.key import Key

CONFLICTS = (
    Key(
        name="conflicts.local",
        keys="l",
        action="take('local')",
        text="take local",
        footer=11,
        about="the local version goes to the bucket, the other one to the trash",
        writes=True,
    ),
    Key(
        name="conflicts.remote",
        keys="r",
        action="take('remote')",
        text="take remote",
        footer=12,
        about="the bucket's version is fetched, the local one goes to the trash",
        writes=True,
    ),
    Key(
        name="conflicts.both",
        keys="b",
        action="take('both')",
        text="keep both",
        footer=13,
        about="the bucket's version keeps the name, the local one gets another",
        writes=True,
    ),
    Key(
        name="conflicts.diff",
        keys="d",
        action="diff",
        text="diff",
        footer=14,
        about="what differs between this host's version, the bucket's, and what both last had",
    ),
    Key(
        name="conflicts.skip",
        keys="s",
        action="skip",
        text="put off",
        footer=15,
        about="put a conflict off for this session, or take it up again; it stays one",
    ),
    Key(
        name="conflicts.undo",
        keys="U",
        action="undo",
        text="undo",
        footer=16,
        about="take the last decision of this session back: it is a conflict again",
        writes=True,
    ),
)
DIRTY_DIFF = (
    Key(
        name="dirty.diff",
        keys="d",
        action="diff",
        text="diff",
        footer=12,
        about="what differs between this host's version and what was synced last",
    ),
)
DIFF = (
    Key(name="diff.next", keys="n", action="change(1)", text="next change", footer=1),
    Key(name="diff.previous", keys="N", action="change(-1)", text="change before", footer=2),
    Key(name="diff.sides", keys="tab", action="next_pair", text="other sides", footer=3),
    Key(name="diff.here", keys="1", action="pair('base','local')", text="base and local"),
    Key(name="diff.there", keys="2", action="pair('base','remote')", text="base and remote"),
    Key(name="diff.clash", keys="3", action="pair('local','remote')", text="local and remote"),
    Key(name="diff.context", keys="c", action="context", text="all lines, or changes", footer=4),
    Key(name="diff.layout", keys="u", action="layout", text="one below or beside", footer=5),
)
TRASH = (
    Key(
        name="trash.restore",
        keys="u",
        action="restore",
        text="put back",
        footer=1,
        writes=True,
    ),
    Key(
        name="trash.elsewhere",
        keys="o",
        action="elsewhere",
        text="put back as …",
        footer=2,
        writes=True,
    ),
    Key(
        name="trash.drop",
        keys="x",
        action="drop",
        text="drop for good",
        footer=3,
        writes=True,
    ),
    Key(name="trash.filter", keys="/", action="filter", text="filter", footer=4),
)
