"""The keys that lead to the care of an index, and those of its dialog."""

from s3dash.tui.keytable.key import Key

OVERVIEW = (
    Key(
        name="index.verify",
        keys="I",
        action="index('verify')",
        text="check the index",
        footer=31,
        about="hold every entry of the index against its object; writes nothing",
    ),
    Key(
        name="index.repair",
        keys="R",
        action="index('plan-repair')",
        text="repair the index",
        about="show what is wrong with the index, then put it right under the lock",
    ),
    Key(
        name="index.migrate",
        keys="M",
        action="index('plan-migrate')",
        text="migrate the index",
        about="from version 1 to version 2: show what that is, then do it under the lock",
    ),
)
INDEX = (
    Key(name="care.verify", keys="v", action="job('verify')", text="check again", footer=1),
    Key(name="care.full", keys="c", action="job('full')", text="with every content", footer=2),
    Key(name="care.sample", keys="s", action="job('sample')", text="with 5% of them", footer=3),
    Key(name="care.repair", keys="r", action="job('plan-repair')", text="repair", footer=4),
    Key(name="care.migrate", keys="m", action="job('plan-migrate')", text="migrate", footer=5),
    Key(name="care.stop", keys="x", action="stop", text="stop it", footer=6),
    Key(name="care.confirm", keys="y", action="confirm", text="yes, do it", footer=7, writes=True),
)
