"""The keys of the dialog that searches all catalogs: those of its line, those of its list."""

from s3dash.tui.keytable.key import Key

SEARCH = (
    Key(name="search.list", keys="enter,down", action="to_list", text="to the list", footer=1),
    Key(name="search.leave", keys="escape", action="leave", text="one level back", footer=2),
)
CATALOGS = (
    Key(name="catalogs.fetch", keys="f", action="fetch", text="fetch it here", footer=1),
    Key(name="catalogs.copy", keys="y", action="copy_uri", text="copy its s3:// URI", footer=2),
    Key(name="catalogs.search", keys="/", action="search", text="back to the words", footer=3),
    Key(name="catalogs.again", keys="r", action="again", text="read them again", footer=4),
    Key(name="catalogs.stop", keys="x", action="stop", text="stop the fetch", footer=5),
)
