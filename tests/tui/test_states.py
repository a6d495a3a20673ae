"""What the screen says when things are not as they should be, and where foreign text shows."""

from typing import Any

import pytest
from msgspec.structs import replace
from textual.color import Color

from s3dash.core.endpoint import EndpointFacts, Finding
from s3dash.core.progress import Rate
from s3dash.core.report import Blocked
from s3dash.core.snapshot import HistoryRow, WatchState
from s3dash.core.trouble import LastCommit, Trouble
from s3dash.tui.format import moment
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import (
    HOSTILE,
    NOW,
    FakeEngine,
    ago,
    busy,
    conflict,
    dirty,
    idle,
    lock,
    moving,
    refusing,
    transfer,
)

BLACK = Color(0, 0, 0)
OBEYED = ("\x1b", "\u202e", "\u200b", "\udc80")


def hostile() -> FakeEngine:
    bad = replace(transfer(1, "failed", 5), path=HOSTILE, error=HOSTILE)
    made = FakeEngine(
        idle(
            dirty=(replace(dirty(HOSTILE), why=HOSTILE),),
            conflicts=(conflict(HOSTILE),),
            blocked=(Blocked(HOSTILE, HOSTILE),),
            locks=(lock(HOSTILE, hostname=HOSTILE),),
            progress=moving([bad], Rate()),
            message=HOSTILE,
            detail=HOSTILE,
        )
    )
    made.rows = [HistoryRow(HOSTILE, HOSTILE, "error", HOSTILE)]
    return made


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_no_view_passes_foreign_text_on_to_the_terminal(size: tuple[int, int]) -> None:
    engine = hostile()

    async def script(stage: Stage) -> None:
        engine.note(HOSTILE, operation=HOSTILE)
        await stage.settle()
        for key in "123469":
            await stage.press(key)
            shown = stage.text()
            assert not [char for char in OBEYED if char in shown], key
            await stage.press("enter")
            shown = stage.text()
            assert not [char for char in OBEYED if char in shown], key
            await stage.press("escape")

    play(script, engine, size=size)


def test_a_foreign_reason_breaks_neither_help_nor_palette() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("question_mark")
        assert "a[/x]\\x1b" in stage.line("#help-text")
        await stage.press("escape", "colon")
        await stage.press(*"push")
        await stage.until(lambda: "a[/x]\\x1b" in stage.text())

    play(script, FakeEngine(idle(read_only=HOSTILE)))


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_offline_is_a_banner_and_comes_and_goes(size: tuple[int, int]) -> None:
    engine = FakeEngine()

    async def script(stage: Stage) -> None:
        assert not stage.main.query_one("#banner").display
        engine.snap = replace(engine.snap, healthy=False, message="connection refused")
        await stage.settle()
        assert "○ OFFLINE  connection refused" in stage.text()
        engine.snap = replace(engine.snap, healthy=True, message="")
        await stage.settle()
        assert "OFFLINE" not in stage.text()

    play(script, engine, size=size)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"read_only": "pid 12 on vm"}, "READ-ONLY  this cache belongs to pid 12 on vm"),
        ({"watch": WatchState("polling", "raise max_user_watches")}, "POLLING  raise max_user"),
    ],
)
def test_banners(fields: dict[str, object], text: str) -> None:
    async def script(stage: Stage) -> None:
        assert text in stage.text()

    play(script, FakeEngine(replace(idle(), **fields)))


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_an_empty_view_says_what_it_means(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        for key, text in (
            ("2", "Nothing dirty."),
            ("3", "Nothing moves."),
            ("4", "No locks."),
            ("6", "No conflicts."),
            ("9", "Nothing happened yet."),
        ):
            await stage.press(key)
            assert text in stage.text()

    play(script, size=size)


def test_an_engine_that_does_not_start_is_told() -> None:
    engine = FakeEngine()
    engine.error["start"] = refusing("the cache is not a directory")

    async def script(stage: Stage) -> None:
        await stage.until(lambda: "prod-minio: the cache is not a directory" in stage.event)

    play(script, engine)


def test_notes_of_other_datastores_carry_their_name() -> None:
    other = FakeEngine(idle("staging", None))

    async def script(stage: Stage) -> None:
        other.note("1 pulled", operation="pull")
        await stage.settle()
        assert "staging: pull: 1 pulled" in stage.event

    play(script, FakeEngine(), other)


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_without_colours_nothing_but_attributes_is_sent(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        for key in ("1", "2", "4", "question_mark"):
            await stage.press(key)
            for strip in stage.app.screen._compositor.render_strips(stage.app.size):
                filtered = strip.apply_filter(stage.app.get_line_filters()[0], BLACK)
                styles = [segment.style for segment in filtered if segment.style]
                assert all(style.color is None and style.bgcolor is None for style in styles)

    play(script, FakeEngine(busy()), size=size, no_color=True)


def test_without_colours_the_cursor_is_reversed() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        strip = stage.main.pane.list.render_line(0)
        assert any(segment.style and segment.style.reverse for segment in strip)
        other = stage.main.pane.list.render_line(1)
        assert not any(segment.style and segment.style.reverse for segment in other)

    play(script, FakeEngine(busy()), no_color=True)


SIZES = [WIDE, NARROW, (60, 20), TINY]
UNSAFE = Finding(at=ago(60), locking="unsafe", checks=())
DENIED = Trouble("denied", "access denied", "s3:PutObject", "team-data/a", "see `s3dash doctor`")
STATES: dict[str, tuple[dict[str, object], list[str]]] = {
    "offline": (
        {
            "healthy": False,
            "message": "no answer from http://minio",
            "offline_since": "2026-03-14T14:00:00.000Z",
            "trouble": Trouble("offline", "no answer", hint="check the network"),
            "next_look_s": 12.0,
        },
        ["○ OFFLINE", "since", "no answer", "check the network", "next look in 00:12"],
    ),
    "denied": (
        {
            "healthy": False,
            "message": "access denied",
            "trouble": DENIED,
            "endpoint": EndpointFacts(identity="AKIA…WXYZ"),
        },
        ["⊘ NO PERMISSION", "s3:PutObject", "team-data/a", "AKIA…WXYZ", "s3dash doctor"],
    ),
    "expired": (
        {
            "healthy": False,
            "message": "the credentials ran out",
            "trouble": Trouble("expired", "", hint="log in again"),
        },
        ["⊘ CREDENTIALS EXPIRED", "the credentials ran out", "log in again"],
    ),
    "missing": (
        {"healthy": False, "message": "there is no bucket x", "trouble": Trouble("missing", "")},
        ["✖ NO BUCKET", "there is no bucket x"],
    ),
    "failing": (
        {"healthy": False, "message": "500 from it", "trouble": Trouble("failing", "")},
        ["✖ FAILING", "500 from it"],
    ),
    "skew": (
        {"endpoint": EndpointFacts(skew_s=42.0)},
        ["◷ CLOCKS DIFFER", "42 s ahead of", "locks and versions do not go by it"],
    ),
    "far skew": (
        {"endpoint": EndpointFacts(skew_s=-3600.0)},
        ["◷ CLOCKS DIFFER", "behind", "refused", "set this clock"],
    ),
    "polling": (
        {"watch": WatchState("polling", "no events; sudo sysctl fs.inotify.max_user_watches=1")},
        ["POLLING", "sudo sysctl fs.inotify.max_user_watches=1"],
    ),
    "unsafe": (
        {"endpoint": EndpointFacts(finding=UNSAFE)},
        ["⚠ LOCKS UNSAFE", "holds no lock", "nothing is pushed"],
    ),
    "read-only": ({"read_only": "pid 12 on vm"}, ["READ-ONLY", "belongs to pid 12 on vm"]),
    "waiting": (
        {"state": "backing off", "detail": "503 SlowDown, waiting 12 s, retry 3 of 5"},
        ["◷ BACKING OFF", "waiting 12 s"],
    ),
}


def flowing(shown: str) -> str:
    """The text of the terminal without frame and line breaks."""
    return " ".join(shown.replace("│", " ").split())


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("state", STATES)
def test_each_state_can_be_read_at_every_size(state: str, size: tuple[int, int]) -> None:
    """The first words always; all of it but on the smallest terminal."""
    fields, words = STATES[state]

    async def script(stage: Stage) -> None:
        for key in ("1", "2"):
            await stage.press(key)
            shown = flowing(stage.text())
            assert words[0] in shown
            for word in words if size != TINY else ():
                assert word in shown, word

    play(script, FakeEngine(replace(busy(), **fields)), size=size)


@pytest.mark.parametrize("size", SIZES)
def test_a_small_difference_of_the_clocks_is_not_worth_a_word(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        assert "CLOCKS" not in stage.text()

    play(script, FakeEngine(idle(endpoint=EndpointFacts(skew_s=4.0))), size=size)


def test_the_header_names_a_lacking_permission_by_word_and_glyph() -> None:
    async def script(stage: Stage) -> None:
        assert "⊘ no permission" in stage.line("#header")

    play(script, FakeEngine(idle(healthy=False, trouble=DENIED, message="no")))


@pytest.mark.parametrize("size", SIZES)
def test_the_first_look_counts_what_it_found_so_far(size: tuple[int, int]) -> None:
    made = FakeEngine(idle(state="scanning", detail="12,400 files", checked_at="", files=0))

    async def script(stage: Stage) -> None:
        await stage.press("2")
        assert "◔ scanning" in stage.text()
        assert "12,400 files" in stage.text()
        made.snap = replace(made.snap, state="comparing", detail="5,000 paths compared")
        await stage.settle()
        assert "5,000 paths compared" in stage.text()
        made.snap = idle()
        await stage.settle()
        assert "Nothing dirty." in stage.text()

    play(script, made, size=size)


@pytest.mark.parametrize("size", SIZES)
def test_nothing_dirty_says_when_and_by_whom_something_last_came(size: tuple[int, int]) -> None:
    made = FakeEngine(idle(last_commit=LastCommit(ago(60), "ann@ci")))
    when = moment(ago(60), NOW)

    async def script(stage: Stage) -> None:
        await stage.press("2")
        assert f"Last push {when} by ann@ci." in stage.text()
        assert "p pull" in stage.text()

    play(script, made, size=size)


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"last_commit": LastCommit(ago(60))}, f"Last push {moment(ago(60), NOW)}."),
        ({"last_push": ago(90)}, f"Last push {moment(ago(90), NOW)}."),
        ({"last_push": ""}, "Nothing was pushed from here yet."),
    ],
)
def test_without_a_name_the_time_alone_is_told(fields: dict[str, Any], text: str) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        assert text in stage.text()

    play(script, FakeEngine(idle(**fields)))


def test_a_full_walk_is_told_in_dirty_and_nowhere_else() -> None:
    async def script(stage: Stage) -> None:
        assert "FULL WALK" not in stage.text()
        await stage.press("2")
        assert "FULL WALK" in stage.text()
        await stage.press("3")
        assert "FULL WALK" not in stage.text()

    play(script, FakeEngine(idle(bulk_dirty=True)))


def test_nothing_dirty_does_not_hide_that_the_bucket_cannot_be_seen() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        assert "the bucket cannot be seen" in stage.text()

    play(script, FakeEngine(idle(healthy=False, message="refused")))
