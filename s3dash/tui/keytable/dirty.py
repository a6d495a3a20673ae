"""The keys of Dirty alone; see `versions` for its diff."""

from s3dash.tui.keytable.key import Key

DIRTY = (
    Key(
        name="dirty.ignore",
        keys="i",
        action="ignore",
        text="ignore",
        footer=13,
        about="leave these paths out for good: a pattern in the configuration",
    ),
)
