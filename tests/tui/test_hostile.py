"""Hostile names in every view, every dialog and every line, at every size: nothing gets through.

Views and dialogs are found by themselves, so that a new one is looked at, too.
"""

import re
from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.core.progress import Rate, TransferState
from s3dash.core.report import Blocked, PathChange
from s3dash.core.snapshot import AutoSync, HistoryRow, Snapshot, WatchState
from s3dash.tui.cells import one
from s3dash.tui.panes.all import panes
from tests.tui import dialogs
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import (
    HOSTILE,
    FakeEngine,
    ago,
    conflict,
    dirty,
    idle,
    lock,
    moving,
    settings,
    transfer,
)

SIZES = [(120, 40), (80, 24), (60, 20), (40, 10)]
RAW = re.compile(
    "[\x00-\x08\x0a-\x1f\x7f-\x9f\u061c\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)
"""Control characters, C1, bidi and zero-width ones, lone surrogates: none may reach a terminal."""
NAME = re.compile(r"a\[/x\]|a\[/…|a\[…|a…|…")
"""What is seen of the name where there is room, and a part of it where there is little."""


def bad() -> Snapshot:
    """A datastore in which every foreign string means harm."""
    states: tuple[TransferState, ...] = ("active", "failed", "done", "queued")
    moved = [
        replace(transfer(n, state, 5), path=f"{HOSTILE}{n}", error=HOSTILE)
        for n, state in enumerate(states)
    ]
    return idle(
        HOSTILE,
        HOSTILE,
        state="pushing",
        detail=HOSTILE,
        message=HOSTILE,
        read_only=HOSTILE,
        dirty=tuple(dirty(f"{n}{HOSTILE}") for n in range(3)),
        behind=(PathChange(HOSTILE, "added", 4),),
        conflicts=(conflict(HOSTILE),),
        blocked=(Blocked(HOSTILE, HOSTILE),),
        locks=(
            lock(HOSTILE, hostname=HOSTILE, nonce=HOSTILE, key=HOSTILE, namespace=HOSTILE),
            lock(HOSTILE, scope="model", model=HOSTILE, key=f"2{HOSTILE}", acquired_at=HOSTILE),
        ),
        auto=AutoSync(True, 30.0, 3.0, HOSTILE),
        watch=WatchState("polling", HOSTILE),
        last_push=HOSTILE,
        progress=moving(moved, Rate(1.0, 2.0)),
    )


def engine() -> FakeEngine:
    made = FakeEngine(bad())
    made.settings_ = replace(
        settings(HOSTILE, HOSTILE), bucket=HOSTILE, prefix=HOSTILE, endpoint=HOSTILE
    )
    made.rows = [HistoryRow(ago(5), HOSTILE, "error", HOSTILE) for _ in range(3)]
    made.names = [HOSTILE]
    return made


def assert_clean(stage: Stage, where: str) -> str:
    """The whole terminal as it is painted now."""
    text = stage.text()
    found = [(repr(m[0]), line) for line in text.split("\n") for m in RAW.finditer(line)]
    assert not found, (where, found[:3])
    return text


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_view_and_every_line_of_it(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        views = [pane.view for pane in panes(stage.app)]
        assert len(views) >= 6
        for view in views:
            stage.main.action_view(view.name)
            await stage.settle()
            seen = assert_clean(stage, view.name)
            assert NAME.search(seen), (view.name, seen)
            stage.app.tell(HOSTILE, level="error")
            await stage.press("enter")
            assert_clean(stage, f"{view.name}, opened")
            await stage.press("escape")
            await stage.press("slash", "left_square_bracket", "slash", "x", "right_square_bracket")
            assert_clean(stage, f"{view.name}, filtered")
            await stage.press("escape")
        stage.app.tell_cell(one("x"))

    play(script, engine(), size=size)


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
def test_every_dialog(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        kinds = dialogs.kinds()
        assert len(kinds) >= 9
        for name, kind in kinds.items():
            acted: list[object] = []
            screen: Any = dialogs.make(kind, stage.app, acted)
            await stage.app.push_screen(screen, acted.append)
            await stage.rest()
            dialogs.fill(screen)
            await stage.rest()
            assert stage.app.screen is screen, name
            assert_clean(stage, name)
            dialogs.fails(screen)
            await stage.rest()
            assert_clean(stage, f"{name}, failed")
            screen.dismiss(None)
            await stage.rest()
            assert acted == [None], name

    play(script, engine(), size=size)


def test_the_look_itself_would_see_it() -> None:
    """What is looked for is what the name holds; the sanitiser is what takes it out."""
    assert {repr(m) for m in RAW.findall(HOSTILE)} >= {"'\\x1b'", "'\\u202e'", "'\\u200b'"}
