"""The keys of Dirty alone; see `versions` for its diff."""

from s3dash.tui.keytable.key import Key

DIRTY = (
    Key(
        name="dirty.push-model",
        keys="M",
        action="push_model",
        text="push this model",
        footer=14,
        about="push all of the model that the row belongs to, or the marked rows, under its lock",
        writes=True,
    ),
    Key(
        name="dirty.ignore",
        keys="i",
        action="ignore",
        text="ignore",
        footer=13,
        about="leave these paths out for good: a pattern in the configuration",
    ),
)
