"""All catalogs searched as one types, a file fetched from one, our own exported."""

import threading
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.catalog import Catalog, CatalogEntry
from s3dash.errors import AccessDenied, Integrity, TargetTaken
from s3dash.tui.screens.catalogs import CatalogsScreen
from s3dash.tui.screens.decide import DecideScreen
from tests.fake_catalogs import INFRA, SHA, TIME, WEB
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine, idle


def filled() -> FakeEngine:
    engine = FakeEngine()
    engine.names = ["infra", "web"]
    return engine


async def opened(stage: Stage, *, files: str = "3 files in 2 namespaces") -> None:
    await stage.press("ctrl+f")
    await stage.until(lambda: isinstance(stage.app.screen, CatalogsScreen))
    await stage.until(lambda: files in note(stage))
    await stage.rest()


def note(stage: Stage) -> str:
    return stage.line("#catalogs-note")


def rows(stage: Stage) -> list[str]:
    return stage.rows("#catalogs-list")


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
@pytest.mark.parametrize("view", ["1", "5"])
def test_all_catalogs_stand_in_one_list(size: tuple[int, int], view: str) -> None:
    async def script(stage: Stage) -> None:
        await stage.press(view)
        await opened(stage)
        shown = rows(stage)
        assert [row.split()[1 if row.startswith("▌") else 0] for row in shown] == [
            "infra", "infra", "web",
        ]  # fmt: skip
        assert "notes.txt" in shown[0]
        assert "\x1b" not in stage.text()
        if size == WIDE:
            assert "● here" in shown[0]
            assert "by the catalog of" in note(stage)
            assert "1 entry left out" in note(stage)
        await stage.press("escape")
        assert stage.at_home

    play(script, filled(), size=size)


def test_results_come_as_one_types() -> None:
    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press(*"LOG")
        assert [row for row in rows(stage) if "logs/app.log" in row] == rows(stage)
        assert "1 of 3 files" in note(stage)
        await stage.press("escape")
        assert "3 files in 2 namespaces" in note(stage)
        assert isinstance(stage.app.screen, CatalogsScreen)
        await stage.press(*"ns:web")
        assert len(rows(stage)) == 1
        await stage.press("escape", *"here:yes")
        assert "notes.txt" in rows(stage)[0]
        await stage.press("escape", *"nowhere")
        assert "Nothing matches «nowhere»." in stage.text()
        await stage.press("escape", "escape")
        assert stage.at_home

    play(script, filled())


def test_letters_are_words_in_the_line_and_keys_in_the_list() -> None:
    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("q", "f", "y")
        assert isinstance(stage.app.screen, CatalogsScreen)
        assert stage.app.screen.query_one("#catalogs-search").value == "qfy"  # type: ignore[attr-defined]
        await stage.press("escape", "down", "j")
        assert "infra/files/[/x]\\x1b[31m.txt" in note(stage).splitlines()[1]
        await stage.press("slash", *"app", "enter")
        assert "web/logs/app.log" in note(stage)

    play(script, filled())


def test_hundreds_of_thousands_are_filtered_in_slices() -> None:
    engine = filled()
    many = tuple(CatalogEntry(f"data/m/{n:06d}/raw", n) for n in range(200_000))
    engine.catalogs.read_ = (Catalog(namespace="infra", source="catalog", entries=many), WEB)

    async def script(stage: Stage) -> None:
        await opened(stage, files="200,001 files in 2 namespaces")
        for key in "199999":
            await stage.press(key)
        await stage.until(lambda: "1 of 200,001 files" in note(stage) and " …" not in note(stage))
        assert "data/m/199999/raw" in rows(stage)[0]

    play(script, engine)


# --- fetch -------------------------------------------------------------------------------


async def to_field(stage: Stage, target: Path | str) -> None:
    """Open the line that asks where to, and type over what stands there."""
    await stage.press("f")
    field = stage.app.screen.query_one("#catalogs-to")
    assert stage.app.focused is field
    field.value = str(target)  # type: ignore[attr-defined]
    await stage.rest()


def test_a_file_is_fetched_where_the_user_says(tmp_path: Path) -> None:
    engine, target = filled(), tmp_path / ("m" * 150)

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("enter", "enter")
        field = stage.app.screen.query_one("#catalogs-to")
        assert field.value == "./notes.txt"  # type: ignore[attr-defined]
        field.value = str(target)  # type: ignore[attr-defined]
        await stage.press("enter")
        await stage.until(lambda: "✔ fetched" in note(stage))
        assert "✔ fetched, verified, 9 B: /" in note(stage)
        assert f"fetched infra/files/notes.txt as {target}"[:100] in stage.event

    play(script, engine)
    assert target.read_bytes() == b"the bytes"
    assert engine.catalogs.calls[-1] == (
        "fetch",
        ("infra", "files/notes.txt", str(target), False),
    )


def test_the_place_can_be_left_by_escape() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("down")
        await stage.press("f", "escape")
        assert isinstance(stage.app.screen, CatalogsScreen)
        assert "where to" not in note(stage)
        assert [name for name, _ in engine.catalogs.calls] == ["read", "read"]

    play(script, engine)


@pytest.mark.parametrize("yes", [True, False])
def test_over_another_file_only_when_the_user_insists(tmp_path: Path, yes: bool) -> None:
    engine = filled()
    engine.catalogs.taken = TargetTaken("mine is there already, and is another file")

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("down")
        await to_field(stage, tmp_path / "mine")
        await stage.press("enter")
        await stage.opened(DecideScreen)
        assert "mine is there already" in stage.text()
        await stage.press("enter" if not yes else "y")
        told = "✔ fetched" if yes else "nothing was fetched"
        await stage.until(lambda: isinstance(stage.app.screen, CatalogsScreen))
        await stage.until(lambda: told in note(stage))

    play(script, engine)
    forced = [what[3] for name, what in engine.catalogs.calls if name == "fetch"]
    assert forced == ([False, True] if yes else [False])


def test_a_failed_fetch_is_told() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage)
        engine.catalogs.error = Integrity(f"{HOSTILE} is damaged", hint="try again in a moment")
        await stage.press("down")
        await to_field(stage, "x")
        await stage.press("enter")
        await stage.until(lambda: "is damaged" in note(stage))
        assert "try again in a moment" in note(stage)
        assert "\x1b" not in note(stage)

    play(script, engine)


def test_a_fetch_can_be_stopped(tmp_path: Path) -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("down", "x")
        assert "nothing is being fetched" in note(stage)
        engine.catalogs.held = threading.Event()
        await to_field(stage, tmp_path / "mine")
        await stage.press("enter")
        await stage.until(lambda: engine.catalogs.calls[-1][0] == "fetch")
        assert "fetching infra/files/notes.txt" in note(stage)
        await to_field(stage, tmp_path / "other")
        await stage.press("enter")
        await stage.until(lambda: "another file is being fetched" in note(stage))
        await stage.press("x")
        await stage.until(lambda: "stopped, nothing was written" in note(stage))

    play(script, engine)
    assert not (tmp_path / "mine").exists()


def test_a_fetch_outlives_the_dialog(tmp_path: Path) -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await opened(stage)
        held = engine.catalogs.held = threading.Event()
        await stage.press("down")
        await to_field(stage, tmp_path / "mine")
        await stage.press("enter")
        await stage.until(lambda: engine.catalogs.calls[-1][0] == "fetch")
        await stage.press("escape")
        assert stage.at_home
        held.set()
        await stage.until(lambda: "fetched infra/files/notes.txt" in stage.event)

    play(script, engine)


# --- the rest ----------------------------------------------------------------------------


def test_the_uri_is_copied() -> None:
    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.press("down", "y")
        await stage.until(lambda: "sent s3://team-data/swamp/infra/files/notes.txt" in note(stage))

    play(script, filled())


def test_what_cannot_be_read_is_told_beside_what_can() -> None:
    engine = filled()
    engine.names = ["infra", "ops", "web"]
    engine.catalogs.refused["ops"] = AccessDenied("no rights")

    async def script(stage: Stage) -> None:
        await opened(stage)
        await stage.until(lambda: "✖ ops: no rights" in note(stage))
        engine.catalogs.read_ = (INFRA, WEB, Catalog(
            namespace="ops",
            source="index",
            entries=(CatalogEntry("x", 1, TIME, SHA),),
            note="it has no catalog: read by its index",
        ))  # fmt: skip
        await stage.press("down", "r")
        await stage.until(lambda: "4 files in 3 namespaces" in note(stage))
        await stage.press("j", "j")
        assert "by the index" in note(stage)
        assert "no rights" not in note(stage)

    play(script, engine)


def test_while_it_reads_it_says_so_and_closing_ends_it() -> None:
    engine = filled()
    engine.catalogs.held = threading.Event()

    async def script(stage: Stage) -> None:
        await stage.press("ctrl+f")
        await stage.until(lambda: isinstance(stage.app.screen, CatalogsScreen))
        await stage.until(lambda: "reading 2 more" in note(stage))
        assert "Reading the catalogs" in stage.text()
        await stage.press("escape")
        assert stage.at_home
        await stage.until(
            lambda: engine.catalogs.held is not None and engine.catalogs.held.is_set()
        )

    play(script, engine)


def test_our_own_is_exported_from_the_namespaces() -> None:
    engine = filled()

    async def script(stage: Stage) -> None:
        await stage.press("5", "C")
        await stage.until(lambda: "catalog of infra: as it was, 2 entries, 300 B" in stage.event)
        assert engine.catalogs.calls == [("export", False)]

    play(script, engine)


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"namespace": None}, "only a namespace has a catalog"),
        ({"read_only": "s3dash 1 on vm"}, "read-only"),
    ],
    ids=["solo", "another owner"],
)
def test_where_nothing_can_be_exported_it_says_why(fields: dict[str, Any], why: str) -> None:
    engine = FakeEngine(idle(**fields))

    async def script(stage: Stage) -> None:
        await stage.press("5", "C")
        assert why in stage.event
        assert engine.catalogs.calls == []

    play(script, engine)
