"""Pixels as characters, two in each."""

from s3dash.tui.halfblocks import lines

R, B, K = (255, 0, 0), (0, 0, 255), (0, 0, 0)


def test_two_rows_are_a_line_and_equal_pairs_are_one_part() -> None:
    assert lines([[R, R, B], [B, B, R]]) == [
        (("▀▀", "#ff0000 on #0000ff"), ("▀", "#0000ff on #ff0000"))
    ]


def test_the_last_row_of_an_odd_number_has_black_below() -> None:
    assert lines([[R], [B], [R]])[1] == (("▀", "#ff0000 on #000000"),)


def test_nothing_is_nothing() -> None:
    assert lines([]) == []
