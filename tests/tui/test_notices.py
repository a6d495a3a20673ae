import threading
from typing import Any

import pytest
from msgspec.structs import replace
from textual import events

from s3dash.core.diff import Verdict
from s3dash.core.snapshot import Snapshot
from s3dash.tui import sequences
from s3dash.tui.look import Look, Running
from s3dash.tui.notices import GAP_S, Notices
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine, change, conflict, idle, lock
from tests.tui.outside import FakeOutside
from tests.tui.test_views import look as look_at

AWAY: dict[str, Any] = {"away": True, "sure": True}
HERE: dict[str, Any] = {"away": False, "sure": True}
UNKNOWN: dict[str, Any] = {"away": False, "sure": False}


def at(mono: float, snapshot: Snapshot | None = None, *, running: bool = False) -> Look:
    look = look_at(snapshot or idle(), mono=mono)
    push = Running(direction="push", site=look.site.name, since=1000.0)
    return replace(look, running=push if running else None)


# --- when ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("took", "focus", "told"),
    [
        (30.0, AWAY, "push of prod-minio ended after 30 s"),
        (30.0, UNKNOWN, "push of prod-minio ended after 30 s"),
        (30.0, HERE, ""),
        (9.0, AWAY, ""),
    ],
)
def test_the_end_of_a_long_operation(took: float, focus: dict[str, bool], told: str) -> None:
    notices = Notices()
    assert notices.due(at(1000, running=True), **focus) == ""
    assert notices.due(at(1000 + took, running=True), **focus) == ""
    assert notices.due(at(1000 + took), **focus) == told
    assert notices.due(at(1020 + took), **focus) == ""


def test_what_an_engine_does_by_itself_counts_as_well() -> None:
    notices = Notices(after_s=5)
    notices.due(at(1000), **AWAY)
    notices.due(at(1001, idle(state="pulling")), **AWAY)
    notices.due(at(1009, idle(state="committing")), **AWAY)
    assert "ended after 9.0 s" in notices.due(at(1010), **AWAY)


def test_conflicts_and_stale_locks_are_told_to_who_is_away() -> None:
    notices = Notices()
    notices.due(at(1000), **AWAY)
    clash = idle(conflicts=(conflict("a"), conflict("b")))
    assert notices.due(at(1001, clash), **AWAY) == "2 new conflicts in prod-minio"
    stale = replace(clash, locks=(lock(stale=True),))
    assert notices.due(at(1050, stale), **AWAY) == "1 stale lock in prod-minio"
    assert notices.due(at(1100, stale), **AWAY) == ""


@pytest.mark.parametrize("focus", [HERE, UNKNOWN])
def test_who_looks_on_sees_it_anyway(focus: dict[str, bool]) -> None:
    notices = Notices()
    notices.due(at(1000), **focus)
    clash = idle(conflicts=(conflict("a"),))
    assert notices.due(at(1001, clash), **focus) == ""
    assert notices.due(at(1100, clash), **AWAY) == ""


def test_what_was_there_before_the_screen_is_no_news() -> None:
    assert Notices().due(at(1000, idle(conflicts=(conflict("a"),))), **AWAY) == ""


def test_a_flood_is_told_once_and_together() -> None:
    notices, told = Notices(), []
    notices.due(at(1000), **AWAY)
    for number in range(1, 400):
        clash = idle(conflicts=tuple(conflict(f"p/{n}") for n in range(number)))
        told.append(notices.due(at(1000 + number * 0.25, clash), **AWAY))
    said = [text for text in told if text]
    assert len(said) <= 1 + 100 / GAP_S
    assert "more" in said[1]


def test_nobody_is_called_who_does_not_want_it() -> None:
    notices = Notices(after_s=0)
    notices.due(at(1000, running=True), **AWAY)
    clash = idle(conflicts=(conflict("a"),))
    assert notices.due(at(2000, clash), **AWAY) == ""


# --- how ----------------------------------------------------------------------------------


def test_a_notice_is_osc_9_and_a_bell() -> None:
    sent = sequences.notice("s3dash", "push ended", {"TERM": "xterm-256color"})
    assert sent == "\x1b]9;s3dash: push ended\x07\x07"


@pytest.mark.parametrize("environ", [{"TERM": "xterm", "VTE_VERSION": "7600"}, {"TERM": "foot"}])
def test_osc_777_where_that_is_the_way(environ: dict[str, str]) -> None:
    assert sequences.notice("s3dash", "a;b", environ) == "\x1b]777;notify;s3dash;a,b\x07\x07"


def test_tmux_passes_it_on_and_rings() -> None:
    sent = sequences.notice("s3dash", "x", {"TERM": "tmux-256color", "TMUX": "y"})
    assert sent == "\x1bPtmux;\x1b\x1b]9;s3dash: x\x07\x1b\\\x07"


def test_a_console_only_rings() -> None:
    assert sequences.notice("s3dash", "x", {"TERM": "linux"}) == "\x07"


def test_nothing_foreign_in_it_is_obeyed() -> None:
    sent = sequences.notice("s3dash", HOSTILE * 50, {"TERM": "xterm"})
    assert sent.count("\x1b") == 1
    assert sent.count("\x07") == 2
    assert len(sent) < 300


# --- on the screen ------------------------------------------------------------------------


def test_a_long_push_calls_back_who_looks_elsewhere() -> None:
    outside, engine = FakeOutside(), FakeEngine()
    engine.changes = [change("a", Verdict.LOCAL_ADDED)]
    engine.gate = threading.Event()

    async def script(stage: Stage) -> None:
        await stage.press("P")
        await stage.until(lambda: "run push" in stage.text())
        stage.clock.advance(1)
        await stage.press("enter")
        await stage.until(engine.running.is_set)
        await stage.settle()
        stage.main.show()
        stage.app.app_focus = False
        stage.clock.advance(42)
        assert engine.gate is not None
        engine.gate.set()
        await stage.until(lambda: "push done" in stage.event)
        await stage.until(lambda: outside.written)

    play(script, engine, outside=outside)
    assert outside.written == ["\x1b]9;s3dash: push of prod-minio ended after 42 s\x07\x07"]


@pytest.mark.parametrize(("event", "called"), [(events.AppBlur, True), (events.AppFocus, False)])
def test_a_conflict_calls_back_only_who_is_away(event: type[events.Event], called: bool) -> None:
    outside, engine = FakeOutside(), FakeEngine()

    async def script(stage: Stage) -> None:
        stage.app.post_message(events.AppBlur())
        await stage.rest()
        stage.app.post_message(event())
        await stage.rest()
        engine.snap = replace(engine.snap, conflicts=(conflict("a"),))
        await stage.settle()
        assert "6 Conflicts 1!" in stage.line("#tabs")

    play(script, engine, outside=outside)
    told = ["\x1b]9;s3dash: 1 new conflict in prod-minio\x07\x07"]
    assert outside.written == (told if called else [])
