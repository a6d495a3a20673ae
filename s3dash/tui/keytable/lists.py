"""The keys of every list: moving, opening, marking."""

from s3dash.tui.keytable.key import Key

MOVE = (
    Key(name="move.down", keys="j,down", action="move(1)", text="down"),
    Key(name="move.up", keys="k,up", action="move(-1)", text="up"),
    Key(name="move.first", keys="g,home", action="first", text="first row"),
    Key(name="move.last", keys="G,end", action="last", text="last row"),
    Key(name="move.page-down", keys="pagedown", action="page(1.0)", text="a page down"),
    Key(name="move.page-up", keys="pageup", action="page(-1.0)", text="a page up"),
    Key(name="move.half-down", keys="ctrl+d", action="page(0.5)", text="half a page down"),
    Key(name="move.half-up", keys="ctrl+u", action="page(-0.5)", text="half a page up"),
    Key(name="move.left", keys="left", action="sideways(-1)", text="to the left columns, in wide"),
    Key(
        name="move.right", keys="right", action="sideways(1)", text="to the right columns, in wide"
    ),
)

OPEN = (
    Key(name="list.open", keys="enter", action="choose", text="details of the row"),
)  # fmt: skip

MARK = (
    Key(name="mark.toggle", keys="space", action="mark", text="mark", footer=10),
    Key(name="mark.range", keys="v", action="mark_range", text="mark from the last mark to here"),
    Key(name="mark.all", keys="a", action="mark_all", text="mark all that the filter shows"),
    Key(name="mark.none", keys="\\", action="mark_none", text="take all marks away"),
)
PICK = tuple(key for key in MARK if key.name != "mark.range")
"""Of a list whose `v` means something else."""
