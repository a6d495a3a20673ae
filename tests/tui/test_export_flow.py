import json
import threading
from pathlib import Path
from typing import Any

import pytest

from s3dash.tui.screens.export import ExportScreen
from s3dash.tui.views.dirty import DirtyView
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import FakeEngine, dirty, idle

OFFERED = "s3dash-dirty-20260314T140209Z.csv"


def engine(number: int = 4) -> FakeEngine:
    return FakeEngine(idle(dirty=tuple(dirty(f"p/{n}") for n in range(number))))


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


async def typed(stage: Stage, name: str) -> None:
    screen = await stage.opened(ExportScreen)
    screen.query_one("#export-name").value = name
    await stage.rest()


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20), TINY])
def test_enter_writes_what_the_filter_shows(tmp_path: Path, size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "slash", *"p/2", "enter", "E")
        await stage.opened(ExportScreen)
        assert "csv" in stage.text().lower()
        assert OFFERED[3:] in stage.text()
        await stage.press("enter")
        await stage.until(lambda: "wrote 1 row" in stage.event)
        assert OFFERED in stage.event

    play(script, engine(), size=size)
    [file] = tmp_path.iterdir()
    assert file.name == OFFERED
    assert "p/2" in file.read_text()
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("downs", "ending", "begin"),
    [(0, "csv", '"path"'), (1, "jsonl", '{"path"'), (2, "txt", "CHANGE"), (3, "svg", "<svg")],
)
def test_up_and_down_choose_the_format(tmp_path: Path, downs: int, ending: str, begin: str) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "E")
        await stage.opened(ExportScreen)
        await stage.press(*("down",) * downs, "enter")
        await stage.until(lambda: "wrote " in stage.event)

    play(script, engine())
    [file] = tmp_path.iterdir()
    assert file.suffix == f".{ending}"
    assert file.read_text().startswith(begin)


def test_the_picture_is_of_the_view_not_of_the_dialog(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "E")
        await stage.opened(ExportScreen)
        await stage.press("up", "enter")
        await stage.until(lambda: "wrote the screen" in stage.event)

    play(script, engine())
    [file] = tmp_path.iterdir()
    picture = file.read_text()
    assert "p/3" in picture
    assert "spreadsheets" not in picture
    assert "url(http" not in picture


def test_a_name_of_ones_own_keeps_its_ending_in_step(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "E")
        await typed(stage, "mine.csv")
        await stage.press("down", "enter")
        await stage.until(lambda: "mine.jsonl" in stage.event)

    play(script, engine())
    assert [json.loads(s)["path"] for s in (tmp_path / "mine.jsonl").read_text().splitlines()] == [
        "p/0", "p/1", "p/2", "p/3",
    ]  # fmt: skip


def test_what_is_there_stays_without_a_y(tmp_path: Path) -> None:
    there = tmp_path / "mine.csv"
    there.write_text("mine")

    async def script(stage: Stage) -> None:
        await stage.press("2", "E")
        await typed(stage, "mine.csv")
        await stage.press("enter")
        assert "There is a file of that name" in stage.line("#export-note")
        await stage.press("enter", "enter", "enter")
        stage.clock.advance(1.0)
        assert not stage.at_home
        button = stage.app.screen.query_one("#cancel")
        await stage.until(lambda: not button.has_class("-active"))
        await stage.press("enter")
        await stage.until(lambda: stage.at_home)

    play(script, engine())
    assert there.read_text() == "mine"


def test_y_replaces_it_after_the_guard(tmp_path: Path) -> None:
    there = tmp_path / "mine.csv"
    there.write_text("mine")

    async def script(stage: Stage) -> None:
        await stage.press("2", "E")
        await typed(stage, "mine.csv")
        await stage.press("enter", "y")
        assert not stage.at_home
        stage.clock.advance(1.0)
        await stage.press("y")
        await stage.until(lambda: "wrote 4 rows" in stage.event)

    play(script, engine())
    assert "p/3" in there.read_text()


def test_a_bad_name_is_told_and_can_be_mended(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "E")
        await typed(stage, "no/such/place.csv")
        await stage.press("enter")
        assert "does not exist" in stage.line("#export-note")
        await typed(stage, "good.csv")
        assert "does not exist" not in stage.line("#export-note")
        await stage.press("enter")
        await stage.until(lambda: "good.csv" in stage.event)

    play(script, engine())
    assert (tmp_path / "good.csv").exists()


def test_escape_writes_nothing(tmp_path: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "E")
        await stage.opened(ExportScreen)
        await stage.press("escape")
        assert stage.at_home

    play(script, engine())
    assert list(tmp_path.iterdir()) == []


class SlowView(DirtyView):
    """Its rows take as long as the test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.gate, self.begun = threading.Event(), threading.Event()

    def raw(self, row: Any, look: Any) -> Any:
        self.begun.set()
        assert self.gate.wait(20)
        return super().raw(row, look)


@pytest.mark.parametrize("stop", [True, False])
def test_keys_are_served_meanwhile_and_the_key_again_stops_it(tmp_path: Path, stop: bool) -> None:
    slow = SlowView()

    async def script(stage: Stage) -> None:
        await stage.press("2")
        stage.main.pane.view = slow
        await stage.press("E")
        await typed(stage, "slow.csv")
        await stage.press("enter")
        await stage.until(slow.begun.is_set)
        await stage.press("j", "j")
        assert stage.main.pane.model.cursor == 2
        await stage.until(lambda: "0 rows; E stops it" in stage.event or "rows; E" in stage.event)
        if stop:
            await stage.press("E")
        slow.gate.set()
        told = "slow.csv was not written" if stop else "wrote 600 rows"
        await stage.until(lambda: told in stage.event)

    play(script, engine(600))
    assert (tmp_path / "slow.csv").exists() is not stop
    assert len(list(tmp_path.iterdir())) == (0 if stop else 1)


def test_leaving_stops_it_and_nothing_half_written_stays(tmp_path: Path) -> None:
    slow = SlowView()

    async def script(stage: Stage) -> None:
        await stage.press("2")
        stage.main.pane.view = slow
        await stage.press("E")
        await typed(stage, "slow.csv")
        await stage.press("enter")
        await stage.until(slow.begun.is_set)

    app = play(script, engine(600))
    slow.gate.set()
    pool = [t for t in threading.enumerate() if t.name.startswith("s3dash-screen")]
    for thread in pool:
        thread.join(10)
    assert app.return_code in (None, 0)
    assert list(tmp_path.iterdir()) == []
