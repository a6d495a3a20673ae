from datetime import UTC, datetime

import pytest

from s3dash.tui import format as f
from tests.tui.fake_engine import HOSTILE

NOW = datetime(2026, 3, 14, 14, 2, 9, tzinfo=UTC)


def test_rates_carry_a_unit_and_nothing_reads_zero() -> None:
    assert [f.rate(r) for r in (0.0, 0.4, 512.0, 13_002_342.4)] == [
        "0",
        "0",
        "512 B/s",
        "12.4 MiB/s",
    ]


def test_percent_reaches_100_only_at_the_end() -> None:
    cases = [(0, 10), (999_999, 1_000_000), (10, 10), (11, 10), (0, 0)]
    assert [f.percent(*case) for case in cases] == ["0%", "99%", "100%", "100%", "100%"]


def test_a_bar_always_has_its_width() -> None:
    for done in range(-1, 12):
        filled, rest = f.bar(done, 10, 12)
        assert len(filled + rest) == 12
    assert f.bar(5, 10, 12) == ("━" * 6, "─" * 6)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-3, "00:00"), (8.9, "00:08"), (760, "12:40"), (7380, "2:03:00")],
)
def test_countdown(seconds: float, text: str) -> None:
    assert f.countdown(seconds) == text


@pytest.mark.parametrize(
    ("left", "speed", "text"),
    [(0, 0, "00:00"), (100, 0, "–"), (100, 10, "00:10"), (1e12, 10, ">4 d")],
)
def test_time_to_go(left: float, speed: float, text: str) -> None:
    assert f.eta(left, speed) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(-5, "<1 min"), (59, "<1 min"), (61, "1 min"), (7200, "2 h"), (200_000, "2 d")],
)
def test_age_is_coarse(seconds: float, text: str) -> None:
    assert f.age(seconds) == text


def test_moments_of_today_other_days_and_none() -> None:
    local = NOW.astimezone()
    assert f.moment(NOW.isoformat(), NOW) == local.strftime("%H:%M")
    assert f.moment("2026-03-01T12:00:00Z", NOW).startswith("1 Mar ")
    assert f.moment("", NOW) == "never"
    assert f.moment("soon\x1b", NOW) == "soon\\x1b"


def test_a_moment_to_the_second_names_the_day_only_when_it_is_another() -> None:
    assert f.when(NOW.isoformat(), NOW) == NOW.astimezone().strftime("%H:%M:%S")
    assert f.when("2026-03-01T12:00:00Z", NOW).startswith("1 Mar ")
    assert f.when("\x1b", NOW) == "\\x1b"


def test_what_is_no_time_is_shown_safe() -> None:
    assert f.clock_time("\x1b[2J") == "\\x1b[2J"
    assert f.between("nonsense", NOW) is None
    assert f.between("2026-03-14T14:02:00Z", NOW) == 9.0


def test_safe_leaves_nothing_that_a_terminal_obeys() -> None:
    shown = f.safe(HOSTILE)
    assert shown == "a[/x]\\x1b[31m\\u202egpj.exe\\n\\u200b\\udc80"
    assert shown.encode("utf-8").isascii()


@pytest.mark.parametrize("text", ["", "abc", "ünï", "日本語テキスト", "e\u0301" * 9])
@pytest.mark.parametrize("width", [0, 1, 2, 3, 5, 8, 20])
def test_fitted_text_has_exactly_its_width(text: str, width: int) -> None:
    assert f.width_of(f.fit(text, width)) == width
    assert f.width_of(f.fit(text, width, right=True)) == width


@pytest.mark.parametrize(
    "path", ["data/@acme/server/0f3c/raw.json", "漢字/漢字漢字漢字/漢字漢字.txt", "x" * 90]
)
@pytest.mark.parametrize("width", [0, 1, 2, 6, 12, 25])
def test_a_shortened_path_never_exceeds_its_width(path: str, width: int) -> None:
    assert f.width_of(f.shorten(path, width)) <= width


def test_a_path_is_shortened_in_its_middle_and_keeps_its_name() -> None:
    short = f.shorten("data/@acme/server/0f3c/raw.json", 24)
    assert short.startswith("data/")
    assert short.endswith("/raw.json")
    assert "…" in short
    assert f.shorten("a/b.txt", 24) == "a/b.txt"


def test_hashes_are_short_and_may_be_missing() -> None:
    assert f.short_hash("ab" * 32) == "abababababab"
    assert f.short_hash(None) == "not hashed"
