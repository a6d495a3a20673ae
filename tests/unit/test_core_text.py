"""Harmless text and readable numbers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3dash.core.text import count, duration, safe, size


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain name [/x].txt", "plain name [/x].txt"),
        ("naïve ☃ 漢字", "naïve ☃ 漢字"),
        ("a\x1b[31mb", "a\\x1b[31mb"),
        ("a\x9bb", "a\\x9bb"),
        ("a\tb\r\nc\x00", "a\\tb\\r\\nc\\x00"),
        ("\u202egpj.exe", "\\u202egpj.exe"),
        ("a\u2066b\u200bc\ufeff", "a\\u2066b\\u200bc\\ufeff"),
        ("\u2028", "\\u2028"),
        ("\udc80", "\\udc80"),
        ("\U000e0041", "\\U000e0041"),
        ("a\u00a0b", "a\\xa0b"),
        ("a\u3164b", "a\\u3164b"),
    ],
)
def test_what_a_terminal_obeys_or_nobody_sees_is_escaped(raw: str, shown: str) -> None:
    assert safe(raw) == shown


@given(st.text(alphabet=st.characters()))
def test_the_answer_is_printable_encodable_and_stable(text: str) -> None:
    shown = safe(text)
    assert shown.isprintable()
    shown.encode()
    assert safe(shown) == shown


def test_all_single_characters_are_harmless() -> None:
    for code in (*range(0x110), *range(0x2000, 0x2070), *range(0xD800, 0xE000, 0x80)):
        shown = safe(chr(code))
        assert shown.isprintable()


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "0.98 KiB"),
        (1024, "1.00 KiB"),
        (12_345, "12.1 KiB"),
        (1023 * 1024, "1.00 MiB"),
        (5 * 2**30, "5.00 GiB"),
        (123 * 2**40, "123 TiB"),
        (2**63, "8192 PiB"),
    ],
)
def test_sizes_have_three_figures(number: int, shown: str) -> None:
    assert size(number) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (-1, "0 ms"),
        (0.04, "40 ms"),
        (0.9996, "1.0 s"),
        (9.96, "10 s"),
        (59.6, "1 min"),
        (185, "3 min 5 s"),
        (7800, "2 h 10 min"),
        (3600, "1 h"),
        (90_000, "1 d 1 h"),
    ],
)
def test_durations_have_two_units(seconds: float, shown: str) -> None:
    assert duration(seconds) == shown


def test_counts_agree_with_their_noun() -> None:
    assert count(1, "file") == "1 file"
    assert count(1234, "file") == "1,234 files"
    assert count(0, "entry", "entries") == "0 entries"
