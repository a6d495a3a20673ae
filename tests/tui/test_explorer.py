"""View 8: datastores, levels, looking closer, verifying, downloading."""

import threading
from pathlib import Path

import pytest

from s3dash.core.settings import Datastore
from s3dash.errors import AccessDenied
from s3dash.objectstore.memory import Hook
from s3dash.objectstore.memory_bucket import Kept, MemoryBucket
from s3dash.stores.blobs import keys as blob_keys
from s3dash.stores.blobs import sri
from s3dash.stores.opened import Opened
from s3dash.tui.screens.detail import DetailScreen
from s3dash.tui.screens.leave import LeaveScreen
from s3dash.tui.screens.naming import NameScreen
from s3dash.tui.shelves import Shelves
from tests.tui.driver import NARROW, Stage, play
from tests.tui.fake_engine import HOSTILE
from tests.tui.shelves import THEN, Buckets, endless, store

DOCS = store("docs")
TREE = {
    "a.txt": b"hello\nworld\n",
    "sub/b.json": b'{"x":[1,2]}',
    "sub/deep/c": b"",
    "z.bin": b"\0\1",
}


def docs() -> Buckets:
    return Buckets({DOCS: TREE})


async def opened(stage: Stage, *keys: str) -> None:
    """Go to the Explorer and into its first datastore."""
    await stage.press("8", "enter")
    await stage.until(lambda: stage.app.exploring.state == "listed")
    await stage.rest()
    await stage.press(*keys)


def under(stage: Stage) -> str:
    """The key of the row under the cursor."""
    row = stage.main.pane.model.current
    return row.key if row is not None else ""


def waiting(op: str, event: threading.Event) -> Hook:
    """Lets an operation of a store wait."""

    def hook(asked: str, _: str) -> None:
        if asked == op:
            event.wait()

    return hook


async def listed(stage: Stage) -> None:
    await stage.until(lambda: stage.app.exploring.state != "listing")
    await stage.rest()


def test_datastores_come_first_and_enter_goes_in() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("8")
        assert "docs" in stage.rows()[0]
        await stage.press("enter")
        await listed(stage)
        assert next(row.split()[0] for row in stage.rows()) == "▌"
        text = "\n".join(stage.rows())
        assert "sub/" in text
        assert "a.txt" in text
        assert "b.json" not in text

    play(script, shelves=docs().shelves())


def test_backspace_goes_up_to_where_it_came_from() -> None:
    async def script(stage: Stage) -> None:
        await opened(stage, "enter")
        await listed(stage)
        assert stage.app.exploring.prefix == "sub/"
        await stage.press("enter")
        await listed(stage)
        assert stage.app.exploring.prefix == "sub/deep/"
        await stage.press("backspace")
        await listed(stage)
        assert under(stage) == "sub/deep/"
        await stage.press("backspace")
        await listed(stage)
        await stage.press("backspace")
        assert stage.app.exploring.at is None
        assert under(stage) == "docs"

    play(script, shelves=docs().shelves())


def test_a_look_at_an_object_comes_by_itself() -> None:
    async def script(stage: Stage) -> None:
        await opened(stage, "j")
        await stage.until(lambda: "world" in stage.line("#detail"))
        assert "text" in stage.line("#detail")

    play(script, shelves=docs().shelves())


@pytest.mark.parametrize("size", [(120, 40), NARROW])
def test_enter_shows_an_object(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        await opened(stage, "G", "enter")
        await stage.opened(DetailScreen)
        await stage.until(lambda: "0001" in stage.line("#detail-text"))
        assert "hex" in stage.line("#detail-text")

    play(script, shelves=docs().shelves(), size=size)


def test_hostile_names_are_shown_safe() -> None:
    name = HOSTILE.replace("\udc80", "").replace("/", "|")

    async def script(stage: Stage) -> None:
        await opened(stage)
        assert "\x1b[31m" not in stage.text()
        assert "\\x1b[31m" in stage.text()

    play(
        script,
        shelves=Buckets({DOCS: {f"dir{name}/x": b"1", f"file{name}": b"\x1b[31m"}}).shelves(),
    )


def test_verify_tells_that_plain_files_promise_nothing() -> None:
    async def script(stage: Stage) -> None:
        await opened(stage, "a", "v")
        await stage.until(lambda: "without a proof" in stage.event)
        assert "0 verified, 4 without a proof" in stage.event
        assert "? no digest" in "\n".join(stage.rows())

    play(script, shelves=docs().shelves())


def test_a_file_is_downloaded_and_never_over_another(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await opened(stage, "j", "D")
        dialog = await stage.opened(NameScreen)
        dialog.query_one("#name-typed").value = str(tmp_path / "here")
        await stage.press("enter")
        await stage.until(lambda: "downloaded" in stage.event)
        assert (tmp_path / "here").read_bytes() == b"hello\nworld\n"
        await stage.press("D")
        dialog = await stage.opened(NameScreen)
        dialog.query_one("#name-typed").value = str(tmp_path / "here")
        await stage.press("enter")
        await stage.until(lambda: "is there already" in stage.event)

    play(script, shelves=docs().shelves())


# --- long levels, filters, orders ---------------------------------------------------------------


def test_a_long_level_shows_its_first_page_while_the_rest_still_comes() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("8", "enter")
        await stage.until(lambda: len(stage.main.pane.model) >= 1000)
        assert stage.app.exploring.state == "listing"
        await stage.press("G", "g", "j")
        assert under(stage) == "session-000001"
        await stage.until(lambda: len(stage.app.exploring.rows) == 3000)
        await stage.press("backspace")
        assert under(stage) == "sessions"

    play(script, shelves=endless())


def test_a_level_of_100_000_keys_opens_at_once_and_fills() -> None:
    held = {f"k{n:06}": b"" for n in range(100_000)}

    async def script(stage: Stage) -> None:
        await opened(stage)
        assert len(stage.main.pane.model) == 100_000
        assert "100,000 entries" in stage.line("#explorer-summary")
        await stage.press("G")
        assert under(stage) == "k099999"

    buckets = Buckets({store("many", "keys"): {}})
    buckets.bucket = MemoryBucket(
        objects={f"many/{key}": Kept(body, "e", THEN, "") for key, body in held.items()}
    )
    play(script, shelves=buckets.shelves())


def test_a_level_that_is_left_is_listed_no_further() -> None:
    buckets = Buckets({store("many", "keys"): {f"a/{n:05}": b"" for n in range(30)}})

    async def script(stage: Stage) -> None:
        await opened(stage, "enter")
        await listed(stage)
        before = buckets.opened[0].usage.requests
        await stage.press("backspace", "backspace")
        await listed(stage)
        assert stage.app.exploring.at is None
        assert buckets.opened[0].usage.requests == before + 1

    play(script, shelves=buckets.shelves())


def test_a_filter_belongs_to_its_level() -> None:
    async def script(stage: Stage) -> None:
        await opened(stage, "slash", "s", "u", "b", "enter")
        assert len(stage.main.pane.model) == 1
        await stage.press("enter")
        await listed(stage)
        assert len(stage.main.pane.model) == 2

    play(script, shelves=docs().shelves())


def test_the_order_is_name_then_size_then_age() -> None:
    def names(stage: Stage) -> list[str]:
        return [stage.main.pane.model.row(line).name for line in range(len(stage.main.pane.model))]

    async def script(stage: Stage) -> None:
        await opened(stage)
        assert names(stage) == ["d/", "a", "b"]
        await stage.press("o")
        await stage.until(lambda: names(stage) == ["d/", "b", "a"])
        await stage.until(lambda: "by size" in stage.line("#explorer-summary"))
        await stage.press("o", "o")
        await stage.until(lambda: names(stage) == ["d/", "a", "b"])

    held = {"a": b"1", "b": b"333", "d/x": b""}
    play(script, shelves=Buckets({DOCS: held}).shelves())


def test_a_bucket_is_looked_at_as_something_else_and_then_only_looked_at() -> None:
    async def script(stage: Stage) -> None:
        await opened(stage, "t")
        await listed(stage)
        assert stage.app.exploring.shape == "keys"
        await stage.press("d")
        assert "it holds files, and is looked at as keys" in stage.event

    play(script, shelves=docs().shelves())


def test_what_cannot_be_listed_says_so_and_is_listed_again() -> None:
    buckets = docs()

    def open_(settings: Datastore) -> Opened:
        found = buckets.open(settings)
        buckets.opened[-1].before = refuse
        return found

    def refuse(op: str, _: str) -> None:
        if op == "list":
            raise AccessDenied("ListBucket is not allowed", hint="ask ann")

    async def script(stage: Stage) -> None:
        await stage.press("8", "enter")
        await stage.until(lambda: stage.app.exploring.state == "failed")
        await stage.rest()
        assert "ListBucket is not allowed" in stage.text()
        buckets.opened[0].before = None
        await stage.press("r")
        await stage.until(lambda: stage.app.exploring.state == "listed")
        assert len(stage.main.pane.model) == 3

    play(script, shelves=Shelves(stores=(DOCS,), open=open_))


# --- the screen where there is no cache ---------------------------------------------------------


def test_a_datastore_that_was_named_is_open_from_the_start() -> None:
    async def script(stage: Stage) -> None:
        await stage.until(lambda: stage.app.exploring.state == "listed")
        await stage.rest()
        assert stage.main.pane.view.name == "explorer"
        assert "a.txt" in stage.text()
        await stage.press("backspace", "1", "8")
        assert stage.app.exploring.at is None

    play(script, shelves=docs().shelves(first="docs"))


def test_the_uri_of_a_row_is_that_of_its_own_bucket() -> None:
    async def script(stage: Stage) -> None:
        await opened(stage, "j", "Y")
        await stage.until(lambda: "s3://team/docs/a.txt" in stage.text())

    play(script, shelves=docs().shelves())


def test_quitting_asks_while_the_explorer_is_at_work() -> None:
    held = threading.Event()

    def open_(settings: Datastore) -> Opened:
        found = docs_.open(settings)
        docs_.opened[-1].before = waiting("download", held)
        return found

    docs_ = docs()

    async def script(stage: Stage) -> None:
        await opened(stage, "j", "v")
        await stage.until(lambda: stage.app.exploring.job is not None)
        await stage.press("q")
        await stage.opened(LeaveScreen)
        assert "The Explorer is verifying." in stage.line("#leave-text")
        await stage.press("escape", "x")
        held.set()
        await stage.until(lambda: stage.app.exploring.job is None)
        await stage.until(lambda: "stopped" in stage.event)

    play(script, shelves=Shelves(stores=(DOCS,), open=open_))


def test_damage_is_told_at_the_tab_and_from_the_directory_above() -> None:
    bad = blob_keys.encode(sri.of(b"as it was"))
    blobs = store("packages", "blobs")

    async def script(stage: Stage) -> None:
        await opened(stage, "v")
        await stage.until(lambda: "1 DAMAGED" in stage.event)
        assert "✖ DAMAGED" in stage.rows()[0]
        assert "Explorer 1!" in stage.line("#tabs")
        await stage.press("backspace")
        await listed(stage)
        assert "✖ DAMAGE in" in stage.rows()[0]

    play(script, shelves=Buckets({blobs: {bad: b"as it is"}}).shelves())
