from itertools import pairwise

import pytest

from s3dash.tui.cells import crop, one, plain, spread, width
from s3dash.tui.columns import Column, fitted, heading, layout

NARROW = Column[str](title="SIZE", width=9, right=True, least=60, cell=lambda r, _: one(r))
PATH = Column[str](title="PATH", middle=True, cell=lambda r, _: one(r))
STATE = Column[str](title="STATE", width=10, cell=lambda r, _: one(r))
ALL = (STATE, PATH, NARROW)


@pytest.mark.parametrize("total", [40, 59, 60, 80, 200])
def test_columns_fit_side_by_side(total: int) -> None:
    slots = layout(ALL, total)
    for left, right in pairwise(slots):
        assert left.x + left.width < right.x
    assert slots[-1].x + slots[-1].width <= total


def test_a_narrow_list_drops_a_column() -> None:
    assert [s.column for s in layout(ALL, 60)] == [0, 1, 2]
    assert [s.column for s in layout(ALL, 59)] == [0, 1]


def test_the_open_column_takes_what_is_left() -> None:
    wide, narrow = layout(ALL, 100)[1].width, layout(ALL, 80)[1].width
    assert wide - narrow == 20


@pytest.mark.parametrize("text", ["", "x", "x" * 40, "漢字" * 20])
@pytest.mark.parametrize("column", ALL)
def test_a_cell_takes_exactly_its_room(text: str, column: Column[str]) -> None:
    assert width(fitted(one(text), column, 12)) == 12
    assert width(fitted(((text, ""), (text, "dim")), column, 12)) == 12


def test_paths_are_cut_in_the_middle_and_others_at_the_end() -> None:
    assert plain(fitted(one("aaaaaaaa/bbbb.txt"), PATH, 12)).endswith("b.txt")
    assert plain(fitted(one("aaaaaaaa/bbbb.txt"), STATE, 12)).startswith("aaaaaaaa/b")


def test_the_heading_stands_over_its_columns() -> None:
    line = plain(heading(ALL, 80))
    assert [line.index(title) for title in ("STATE", "PATH")] == [s.x for s in layout(ALL, 80)[:2]]
    last = layout(ALL, 80)[2]
    assert line.endswith("SIZE")
    assert len(line) == last.x + last.width


@pytest.mark.parametrize("room", [0, 1, 3, 5, 9, 30])
def test_both_ends_of_a_line_fill_it(room: int) -> None:
    assert width(spread(one("left end"), one("right"), room)) == room


def test_cropping_ends_with_an_ellipsis() -> None:
    assert plain(crop((("abc", ""), ("defg", "dim")), 5)) == "abcd…"
    assert plain(crop(one("abc"), 3)) == "abc"
