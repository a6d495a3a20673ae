"""What a diff says of a line, of bytes, and in sum: nothing that differs stays unseen."""

import pytest

from s3dash.tui import hexdump
from s3dash.tui.cells import plain
from s3dash.tui.diffing import (
    common_prefix,
    compared,
    first_difference,
    line_cell,
    nature,
    summary,
)
from tests.tui.fake_engine import HOSTILE
from tests.tui.fake_versions import content


def line(text: str, other: str | None, kind: str = "removed", **at: int) -> list[tuple[str, str]]:
    return list(
        line_cell(text, other, kind=kind, shift=at.get("shift", 0), room=at.get("room", 80))
    )


def test_what_differs_in_a_line_is_set_off() -> None:
    assert line("let x = 10\n", "let y = 10\n") == [
        ("let ", "del"),
        ("x", "del-mark"),
        (" = 10", "del"),
    ]
    assert line("let y = 10\n", "let x = 10\n", "added")[1] == ("y", "add-mark")
    assert line("new\n", None, "added") == [("new", "add")]
    assert line("same\n", None, "same") == [("same", "")]


def test_spaces_that_differ_can_be_seen() -> None:
    assert ("·", "del-mark") in line("a  b\n", "a b\n")
    assert ("→", "add-mark") in line("a\tb\n", "ab\n", "added")
    assert line("end  \n", "end\n") == [("end", "del"), ("··", "del-mark")]
    assert line("\tx\n", "    x\n") == [("→", "del-mark"), ("x", "del")]
    assert line("\tx\n", None) == [("    x", "del")]


def test_line_ends_that_differ_can_be_seen() -> None:
    assert line("a\r\n", "a\n") == [("a", "del"), ("␍␊", "del-mark")]
    assert line("a\n", "a\r\n", "added") == [("a", "add"), ("␊", "add-mark")]
    assert line("a", "a\n")[-1] == ("∅ no line end", "del-mark")
    assert line("a", None, "added")[-1] == ("∅ no line end", "dim")


def test_a_long_line_is_shown_from_where_the_user_is() -> None:
    text, other = "x" * 100_000 + "A" + "y" * 10 + "\n", "x" * 100_000 + "B" + "y" * 10 + "\n"
    shown = line(text, other, shift=99_990, room=40)
    assert shown == [("x" * 10, "del"), ("A", "del-mark"), ("y" * 10, "del")]
    assert plain(tuple(line(text, other, room=40))) == "x" * 40
    assert line(text, None, shift=200_000, room=40) == [("", "del")]


def test_hostile_lines_are_made_safe() -> None:
    for kind, other in (("removed", "b\n"), ("added", None), ("same", None)):
        shown = plain(tuple(line(HOSTILE.replace("\udc80", ""), other, kind)))
        assert "[/x]" in shown
        assert not {"\x1b", "\u202e", "\u200b"} & set(shown)


@pytest.mark.parametrize(
    ("left", "right", "kind"),
    [
        ("a\n", "a\r\n", "ends"),
        ("a\n", "a", "ends"),
        ("a b\n", "a  b\n", "spaces"),
        ("\ta\n", "a\u00a0\n", "spaces"),
        ("a\n", "b\n", "text"),
    ],
)
def test_the_nature_of_a_difference(left: str, right: str, kind: str) -> None:
    assert nature(left, right) == kind


def told(left: bytes | None, right: bytes | None) -> str:
    found = compared(content("local", left), content("remote", right), check=lambda: None)
    return plain(summary(found))


def test_the_sum_says_what_differs_and_how() -> None:
    assert told(b"a\nb\nc\n", b"a\nB\nc\nd\n") == "1 line changed  1 added"
    assert told(b"a\n", b"a\r\n") == "1 line changed  1 differ only in the line end"
    assert told(b"a b\n", b"a  b\n") == "1 line changed  1 differ only in spaces"
    assert told(b"a\n", None) == "1 removed"
    assert told(None, b"a\n") == "1 added"
    assert told(b"x", b"x") == "the same bytes on both sides"
    assert told(b"\0abc", b"\0abd") == "not text; they part at byte 3"
    assert told(b"text", b"\0") == "not text; they part at byte 0"
    assert told(b"\xef\xbb\xbfa\n", b"a\n") == "1 line changed"


def test_what_is_compared_coarsely_says_so() -> None:
    left = b"".join(b"%d\n" % (n % 7) for n in range(3000))
    right = b"".join(b"%d\n" % (n % 5) for n in range(3000))
    assert "coarse" in told(left, right)


@pytest.mark.parametrize("at", [0, 1, 4095, 4096, 4097, 9999])
def test_the_first_byte_that_differs_is_found(at: int) -> None:
    left = bytes(10_000)
    right = left[:at] + b"\1" + left[at + 1 :]
    assert first_difference(left, right) == at
    assert first_difference(left, left[:at]) == at
    assert first_difference(left, left) is None
    assert common_prefix(left, right) == at


def test_the_hex_view_shows_what_is_around_the_first_difference() -> None:
    mine = bytes(range(200))
    yours = mine[:100] + b"\xff" + mine[101:]
    rows = hexdump.rows(mine, yours, 100, width=80, look="", mark="del-mark")
    text = [plain(row) for row in rows]
    assert text[0].startswith("00000040  40 41")
    assert text[0].endswith("@ABCDEFGHIJKLMNO")
    assert len(rows) == hexdump.ROWS
    assert [part for row in rows for part in row if part[1] == "del-mark"] == [("64", "del-mark")]


@pytest.mark.parametrize(("width", "per"), [(80, 16), (60, 8), (36, 4), (10, 2)])
def test_the_hex_view_takes_the_width_there_is(width: int, per: int) -> None:
    rows = hexdump.rows(bytes(64), b"", 0, width=width, look="", mark="del-mark")
    assert len([part for part in rows[0] if part == ("00", "del-mark")]) == per
    assert width < 27 or max(len(plain(row)) for row in rows) <= width


def test_the_hex_view_of_a_side_that_ends_before() -> None:
    (row,) = hexdump.rows(b"", b"abc", 0, width=80, look="", mark="del-mark")
    assert "ends before" in plain(row)
    (row,) = hexdump.rows(b"\x1b[31m", b"", 0, width=80, look="", mark="del-mark")
    assert "\x1b" not in plain(row)


@pytest.mark.parametrize(
    ("mine", "yours", "looks"),
    [
        ("one two three\n", "one too three\n", ["del", "del-mark", "del"]),
        ("one two three\n", "nothing in common at all\n", ["del"]),
        ("a\n", "a  \n", ["del"]),
        ("a  \n", "a\n", ["del", "del-mark"]),
    ],
)
def test_what_differs_is_set_off_unless_it_is_most_of_the_line(
    mine: str, yours: str, looks: list[str]
) -> None:
    cell = line_cell(mine, yours, kind="removed", shift=0, room=80)
    assert [look for _, look in cell] == looks
