"""What bytes look like: text, JSON, figures."""

import pytest

from s3dash.stores.explore.preview import LINES, LONGEST, preview


def test_text_is_text() -> None:
    look = preview(b"one\r\ntwo\n\tthree", total=15)
    assert (look.what, look.lines, look.note) == ("text", ("one", "two", "    three"), "")


def test_a_character_that_the_look_cuts_is_no_reason_to_show_figures() -> None:
    body = "naïve ☃".encode()
    assert preview(body[:-1], total=len(body) + 5).lines == ("naïve ",)
    assert preview(body[:-1], total=len(body) - 1).what == "hex"


def test_json_is_laid_out_with_its_own_order_and_numbers() -> None:
    look = preview(b'{"b":1.10,"a":[1,2]}', total=20)
    assert look.what == "json"
    assert look.lines[:2] == ("{", '  "b": 1.10,')


@pytest.mark.parametrize("body", [b'{"cut": ', b"[" * 100_000, b"{not json}", b"12"])
def test_what_is_no_whole_json_is_text(body: bytes) -> None:
    assert preview(body, total=len(body)).what == "text"


def test_bytes_are_figures_and_characters() -> None:
    look = preview(bytes(range(10)) + b"hello", total=15)
    assert look.what == "hex"
    assert look.lines[1] == "000008  080968656c6c6f    ..hello"


def test_a_long_line_and_many_lines_are_cut_and_told() -> None:
    body = b"x" * 10_000 + b"\n" * (LINES + 50)
    look = preview(body, total=len(body))
    assert (len(look.lines), len(look.lines[0])) == (LINES, LONGEST)
    assert look.note == "50 more lines"


def test_escape_sequences_stay_text_to_be_made_safe() -> None:
    assert preview(b"\x1b[31mred\x1b[0m", total=12).what == "text"
