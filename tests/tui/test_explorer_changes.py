"""What the Explorer changes: only after it was said, and only what was shown."""

import asyncio
import threading
from pathlib import Path

import pytest
from msgspec.structs import replace

from s3dash.core.settings import Datastore
from s3dash.stores.opened import Opened
from s3dash.tui.screens.decide import DecideScreen
from s3dash.tui.screens.deletion import DeletionScreen
from s3dash.tui.screens.naming import NameScreen
from s3dash.tui.shelves import Shelves
from tests.tui.driver import Stage, play
from tests.tui.shelves import Buckets, store
from tests.tui.test_explorer import DOCS, TREE, docs, listed, opened, under


async def typed(stage: Stage, text: str) -> None:
    """Answer the dialog that asks for a name."""
    dialog = await stage.opened(NameScreen)
    dialog.query_one("#name-typed").value = text
    await stage.press("enter")


async def again(stage: Stage, words: str) -> None:
    """Wait for what is told, and for the level to be listed anew."""
    await stage.until(lambda: words in stage.event)
    await listed(stage)


def test_a_deletion_shows_what_goes_and_y_does_it() -> None:
    buckets = docs()

    async def script(stage: Stage) -> None:
        await opened(stage, "d")
        await stage.opened(DeletionScreen)
        await stage.until(lambda: "Delete 2 objects, 11 B" in stage.text())
        assert "sub/deep/c" in stage.text()
        await stage.press("enter")
        assert len(buckets.keys("docs")) == len(TREE)
        stage.clock.advance(1.0)
        await stage.press("d")
        await stage.opened(DeletionScreen)
        await stage.until(lambda: "Delete 2 objects" in stage.text())
        stage.clock.advance(1.0)
        await stage.press("y")
        await again(stage, "2 objects deleted")
        assert buckets.keys("docs") == ["a.txt", "z.bin"]

    play(script, shelves=buckets.shelves())


def test_many_objects_want_their_name_typed() -> None:
    buckets = Buckets({DOCS: {f"logs/{n:03}": b"x" for n in range(25)}})

    async def script(stage: Stage) -> None:
        await opened(stage, "d")
        await stage.opened(DeletionScreen)
        await stage.until(lambda: "Type logs" in stage.text())
        stage.clock.advance(1.0)
        await stage.press("y", "enter")
        assert "That is not logs" in stage.text()
        await stage.press("backspace", "l", "o", "g", "s")
        stage.clock.advance(1.0)
        await stage.press("enter")
        await again(stage, "25 objects deleted")
        assert buckets.keys("docs") == []

    play(script, shelves=buckets.shelves())


def test_a_key_that_is_held_down_deletes_nothing() -> None:
    buckets = docs()

    async def script(stage: Stage) -> None:
        await opened(stage, "d")
        await stage.until(lambda: isinstance(stage.app.screen, DeletionScreen))
        await stage.until(lambda: "Delete 2 objects" in stage.text())
        for _ in range(20):
            stage.clock.advance(0.03)
            await stage.press("y")
        assert isinstance(stage.app.screen, DeletionScreen)
        assert len(buckets.keys("docs")) == len(TREE)

    play(script, shelves=buckets.shelves())


def test_a_file_is_uploaded_and_replaces_only_after_a_question(tmp_path: Path) -> None:
    buckets, source = docs(), tmp_path / "a.txt"
    source.write_bytes(b"new here")

    async def script(stage: Stage) -> None:
        await opened(stage, "enter")
        await listed(stage)
        await stage.press("u")
        await typed(stage, str(source))
        await again(stage, "uploaded 8 B as sub/a.txt")
        assert under(stage) == "sub/a.txt"
        source.write_bytes(b"newer")
        await stage.press("u")
        await typed(stage, str(source))
        await stage.opened(DecideScreen)
        await stage.press("escape")
        await stage.until(lambda: "nothing was sent" in stage.event)
        await stage.press("u")
        await typed(stage, str(source))
        await stage.opened(DecideScreen)
        await stage.press("y")
        await again(stage, "uploaded 5 B")

    play(script, shelves=buckets.shelves())
    assert buckets.body("docs", "sub/a.txt") == b"newer"


def test_an_object_is_copied_renamed_and_a_directory_made() -> None:
    buckets = docs()

    async def script(stage: Stage) -> None:
        await opened(stage, "j", "c")
        await typed(stage, "b.txt")
        await again(stage, "copied a.txt to b.txt")
        await stage.press("m")
        await typed(stage, "/sub/b.txt")
        await again(stage, "renamed b.txt to sub/b.txt")
        await stage.press("n")
        await typed(stage, "made")
        await again(stage, "made made/")
        await stage.press("n")
        await typed(stage, "../out")
        await again(stage, "is no name for it")

    play(script, shelves=buckets.shelves())
    assert set(buckets.keys("docs")) == {*TREE, "sub/b.txt", "made/"}


def test_a_directory_is_renamed_with_all_that_is_in_it(tmp_path: Path) -> None:
    settings = store("docs", state_dir=tmp_path)
    buckets = Buckets({settings: TREE})

    async def script(stage: Stage) -> None:
        await opened(stage, "m")
        await typed(stage, "moved")
        await again(stage, "renamed sub/ to moved")
        assert under(stage) == "moved/"
        await stage.press("c")
        await stage.until(lambda: "only an object can be copied here" in stage.event)

    play(script, shelves=buckets.shelves())
    held = buckets.keys("docs")
    assert {"moved/b.json", "moved/deep/c"} <= set(held)
    assert not any(key.startswith("sub/") for key in held)


@pytest.mark.parametrize("key", ["d", "u", "c", "m", "n"])
def test_a_shared_cache_is_only_looked_at_and_says_why(key: str) -> None:
    async def script(stage: Stage) -> None:
        await opened(stage, key)
        assert stage.at_home
        assert "written by push alone" in stage.event

    held: dict[Datastore, dict[str, bytes]] = {store("team", "cache"): {"a": b"1"}}
    play(script, shelves=Buckets(held).shelves())


def test_a_deletion_that_is_stopped_keeps_the_rest() -> None:
    pair = replace(DOCS, push_concurrency=2)
    buckets = Buckets({pair: {f"{n}": b"x" for n in range(8)}})
    asked, gate = threading.Barrier(3, timeout=30), threading.Event()

    def hold(op: str, _: str) -> None:
        if op == "delete":
            asked.wait()
            gate.wait()

    def open_(_: Datastore) -> Opened:
        found = buckets.open(pair)
        buckets.opened[-1].before = hold
        return found

    async def script(stage: Stage) -> None:
        await opened(stage, "a", "d")
        await stage.until(lambda: "Delete 8 objects" in stage.text())
        stage.clock.advance(1.0)
        await stage.press("y")
        await asyncio.to_thread(asked.wait)
        await stage.press("x")
        gate.set()
        await again(stage, "stopped")

    play(script, shelves=Shelves(stores=(pair,), open=open_))
    assert len(buckets.keys("docs")) == 6, "the two that were asked for went, and no other"
