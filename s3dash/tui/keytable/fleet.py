"""The keys of the dialogs about who else is here, and about the records of the control plane."""

from s3dash.tui.keytable.key import Key

FLEET = (
    Key(name="fleet.again", keys="r", action="again", text="look again", footer=1),
    Key(name="fleet.filter", keys="/", action="filter", text="filter", footer=2),
)
RECORDS = (
    Key(name="records.new", keys="n", action="new", text="new record", footer=1, writes=True),
    Key(name="records.replace", keys="u", action="replace", text="replace", footer=2, writes=True),
    Key(name="records.delete", keys="x", action="delete", text="delete", footer=3, writes=True),
    Key(name="records.own", keys="a", action="own", text="s3dash's own too, or not", footer=4),
    Key(name="records.again", keys="r", action="again", text="look again", footer=5),
    Key(name="records.filter", keys="/", action="filter", text="filter", footer=6),
)
