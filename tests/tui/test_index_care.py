"""The care of an index on the screen: seen, planned, done only after a yes."""

import threading
from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.core.cancel import CancelToken
from s3dash.core.index_care import Dropped, Repaired
from s3dash.errors import IndexCorrupt, LockHeld
from s3dash.tui.screens.index_care import IndexScreen
from tests.fake_index_care import AMISS, CLEAN, MIGRATED, REPAIRED
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import FakeEngine, idle

SIZES = [WIDE, NARROW, (60, 20), TINY]


def engine(**fields: Any) -> FakeEngine:
    made = FakeEngine(idle())
    for name, value in fields.items():
        setattr(made.index_care, name, value)
    return made


def asked(fake: FakeEngine) -> list[tuple[str, dict[str, Any]]]:
    return fake.index_care.calls


async def opened(stage: Stage, key: str, fake: FakeEngine, *, calls: int = 1) -> None:
    """Until its first answer is on the screen."""
    await stage.press(key)
    await stage.until(lambda: isinstance(stage.app.screen, IndexScreen))
    await answered(stage, fake, calls)


async def answered(stage: Stage, fake: FakeEngine, calls: int) -> None:
    await stage.until(lambda: len(asked(fake)) == calls and "…  " not in stage.line("#care-head"))
    await stage.rest()
    stage.clock.advance(1.0)


def rows(stage: Stage) -> list[str]:
    return stage.rows("#care-list")


@pytest.mark.parametrize("size", SIZES)
def test_what_is_wrong_is_listed_the_worst_first(size: tuple[int, int]) -> None:
    fake = engine(verified=AMISS)

    async def script(stage: Stage) -> None:
        await opened(stage, "I", fake)
        shown = rows(stage)
        words = ["dropped", "missing", "wrong", "zombie", "orphan"]
        assert [w for row, w in zip(shown, words, strict=False) if w in row] == words[: len(shown)]
        assert "318 entries held against the objects" in stage.line("#care-head").replace("\n", " ")
        assert "\x1b" not in stage.text()
        await stage.press("escape")
        assert stage.at_home

    play(script, fake, size=size)
    assert asked(fake) == [("verify", {"full": False, "sample": "", "seed": None})]


def test_a_clean_index_says_so_and_can_be_looked_at_deeper() -> None:
    fake = engine(verified=replace(CLEAN, read=318))

    async def script(stage: Stage) -> None:
        await opened(stage, "I", fake)
        assert "Nothing is wrong." in stage.text()
        await stage.press("c")
        await answered(stage, fake, 2)
        await stage.press("s")
        await answered(stage, fake, 3)
        await stage.press("v")
        await answered(stage, fake, 4)

    play(script, fake)
    assert [(o["full"], o["sample"]) for _, o in asked(fake)] == [
        (False, ""), (True, ""), (False, "5%"), (False, ""),
    ]  # fmt: skip


@pytest.mark.parametrize("size", SIZES)
def test_a_repair_is_shown_first_and_done_by_y_alone(size: tuple[int, int]) -> None:
    fake = engine()

    async def script(stage: Stage) -> None:
        await opened(stage, "R", fake)
        assert "would be repaired" in stage.line("#care-head").replace("\n", " ")
        assert any("dropped-shard" in row for row in rows(stage))
        await stage.press("enter", "space")
        assert len(asked(fake)) == 1
        await stage.press("y")
        await answered(stage, fake, 2)
        assert "2 things repaired" in stage.line("#care-head").replace("\n", " ")
        assert "2 things repaired" in stage.event

    play(script, fake, size=size)
    assert asked(fake) == [("repair", {"dry_run": True}), ("repair", {"dry_run": False})]


def test_a_key_that_is_held_down_confirms_nothing() -> None:
    fake = engine()

    async def script(stage: Stage) -> None:
        await stage.press("R")
        await stage.until(lambda: isinstance(stage.app.screen, IndexScreen))
        await stage.until(lambda: "would be repaired" in stage.line("#care-head"))
        for _ in range(20):
            await stage.press("y")
            stage.clock.advance(0.05)
        assert len(asked(fake)) == 1
        stage.clock.advance(1.0)
        await stage.press("y")
        await answered(stage, fake, 2)

    play(script, fake)


def test_escape_leaves_the_plan_then_the_dialog() -> None:
    fake = engine()

    async def script(stage: Stage) -> None:
        await opened(stage, "R", fake)
        await stage.press("escape")
        assert "nothing was changed" in stage.line("#care-head")
        await stage.press("y")
        assert len(asked(fake)) == 1
        await stage.press("escape")
        assert stage.at_home

    play(script, fake)


def test_nothing_to_repair_asks_for_nothing() -> None:
    fake = engine(repaired=Repaired(dry_run=False))

    async def script(stage: Stage) -> None:
        await opened(stage, "R", fake)
        assert "There is nothing to repair." in stage.text()
        await stage.press("y")
        assert len(asked(fake)) == 1

    play(script, fake)


def test_what_is_left_is_listed_too() -> None:
    left = (Dropped(path="files/odd", reason="malformed entry in the index"),)
    fake = engine(repaired=replace(REPAIRED, left=left))

    async def script(stage: Stage) -> None:
        await opened(stage, "R", fake)
        assert any("left" in row and "files/odd" in row for row in rows(stage))

    play(script, fake)


def test_a_migration_is_shown_first_and_done_by_y_alone() -> None:
    fake = engine()

    async def script(stage: Stage) -> None:
        await opened(stage, "M", fake)
        assert "would rule in the place of the monolith" in stage.line("#care-head")
        await stage.press("y")
        await answered(stage, fake, 2)
        assert "rule now" in stage.line("#care-head")

    play(script, fake)
    assert asked(fake) == [("migrate", {"dry_run": True}), ("migrate", {"dry_run": False})]


def test_an_index_that_is_there_already() -> None:
    fake = engine(migrated=replace(MIGRATED, already=True, from_version=2))

    async def script(stage: Stage) -> None:
        await opened(stage, "M", fake)
        assert "of version 2 already" in stage.line("#care-head")
        await stage.press("y")
        assert len(asked(fake)) == 1

    play(script, fake)


@pytest.mark.parametrize(
    "error",
    [
        LockHeld("writers are in the middle of 1 model: t/id held by ada@vm", hint="wait"),
        IndexCorrupt("_index/_meta.json has version 3; s3dash knows 1 and 2"),
    ],
)
def test_what_stands_in_the_way_is_told(error: Exception) -> None:
    fake = engine(error=error)

    async def script(stage: Stage) -> None:
        await opened(stage, "R", fake)
        assert str(error) in stage.line("#care-head").replace("\n", " ")
        await stage.press("escape")
        assert stage.at_home

    play(script, fake)


def test_it_shows_how_far_it_is_and_can_be_stopped() -> None:
    begun = threading.Event()

    def until_cancelled(cancel: CancelToken) -> None:
        begun.set()
        cancel.event.wait()
        cancel.check()

    fake = engine(job=until_cancelled)

    async def script(stage: Stage) -> None:
        await stage.press("I")
        await stage.until(begun.is_set)
        fake.snap = replace(fake.snap, state="comparing", detail="12,000 objects listed")
        for _ in range(2):  # a stage is shown once it has lasted
            await stage.settle()
            stage.clock.advance(1.0)
        await stage.settle()
        await stage.until(lambda: "12,000 objects listed" in stage.line("#care-head"))
        assert "checking the index …" in stage.line("#care-head")
        await stage.press("r")
        assert len(asked(fake)) == 1
        await stage.press("escape")
        await stage.until(lambda: "stopped" in stage.line("#care-head"))
        assert not stage.at_home
        await stage.until(lambda: "…" not in stage.line("#care-head"))
        await stage.press("escape")
        assert stage.at_home

    play(script, fake)


def test_where_one_may_only_look_nothing_is_done() -> None:
    fake = engine()
    fake.snap = replace(fake.snap, read_only="readonly")

    async def script(stage: Stage) -> None:
        await opened(stage, "R", fake)
        await stage.press("y")
        await stage.until(lambda: "not now: read-only" in stage.line("#care-head"))

    play(script, fake)
    assert asked(fake) == [("repair", {"dry_run": True})]


def test_the_palette_knows_all_three() -> None:
    fake = engine()

    async def script(stage: Stage) -> None:
        commands = [c.title for c in stage.app.get_system_commands(stage.app.screen)]
        for text in ("check the index", "repair the index", "migrate the index"):
            assert any(title.startswith(text) for title in commands), text

    play(script, fake)
