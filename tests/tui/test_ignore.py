"""`i` in Dirty: what would be written, shown exactly; in force at once; nothing deleted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pathspec import GitIgnoreSpec

from s3dash.config.load import load
from s3dash.core.ignoring import patterns
from s3dash.tui.configured import Configured
from s3dash.tui.screens.ignore import IgnoreScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine, dirty, idle

FILE = """\
# mine
[datastores.prod-minio]
bucket = "team-data"       # ours
cache = "cache"
namespace = "infra"
exclude = ["*.tmp"]
"""
ROWS = (dirty("logs/a.log"), dirty("logs/b.log"), dirty("top"))


def engine(*rows: object) -> FakeEngine:
    return FakeEngine(idle(dirty=rows or ROWS))


def reading(file: Path) -> Callable[[], Configured]:
    def read() -> Configured:
        loaded = load(config=file, datastore=None, namespace=None, environ={}, cwd=file.parent)
        return Configured(
            source=loaded.source,
            datastores=[*loaded.datastores.values()],
            open_engine=lambda _: FakeEngine(),
            path=loaded.path,
        )

    return read


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "s3dash.toml"
    path.write_text(FILE)
    return path


async def asked(stage: Stage) -> IgnoreScreen:
    await stage.press("i")
    screen = await stage.opened(IgnoreScreen)
    assert isinstance(screen, IgnoreScreen)
    return screen


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20), TINY])
def test_the_change_is_shown_then_written_and_in_force(file: Path, size: tuple[int, int]) -> None:
    made = engine()

    async def script(stage: Stage) -> None:
        await stage.press("2")
        await asked(stage)
        assert "this path: /logs/a.log" in stage.text()
        assert '+exclude = ["*.tmp", "/logs/a.log"]' in stage.line("#ignore-change")
        assert file.read_text() == FILE
        await stage.press("j", "j")
        assert '"*.log"]' in stage.line("#ignore-change")
        await stage.press("enter")
        await stage.until(lambda: "ignored from now on: *.log" in stage.event)
        assert made.asked("excludes.change") == [(("*.tmp", "*.log"),)]
        assert file.read_text() == FILE.replace('["*.tmp"]', '["*.tmp", "*.log"]')

    play(script, made, size=size, reload=reading(file))


def test_a_reload_afterwards_finds_nothing_new(file: Path) -> None:
    async def script(stage: Stage) -> None:
        read = stage.app.reload
        assert read is not None
        stage.app.configured = {s.name: s for s in read().datastores}
        await stage.press("2")
        await asked(stage)
        await stage.press("enter")
        await stage.until(lambda: "ignored from now on" in stage.event)
        await stage.press("ctrl+r")
        await stage.until(lambda: "the datastores are the same" in stage.event)

    play(script, engine(), reload=reading(file))


@pytest.mark.parametrize("keys", [["escape"], ["q"], ["tab", "enter"]])
def test_saying_no_writes_nothing(file: Path, keys: list[str]) -> None:
    made = engine()

    async def script(stage: Stage) -> None:
        await stage.press("2")
        await asked(stage)
        await stage.press(*keys)
        await stage.until(lambda: stage.at_home)
        assert file.read_text() == FILE
        assert not made.asked("excludes.change")

    play(script, made, reload=reading(file))


def test_a_held_enter_writes_nothing(file: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "i")
        await stage.until(lambda: isinstance(stage.app.screen, IgnoreScreen))
        for _ in range(30):
            stage.clock.advance(1 / 30)
            await stage.press("enter")
        assert file.read_text() == FILE

    play(script, engine(), reload=reading(file))


def test_the_marked_paths_are_meant_when_there_are_any(file: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "space", "space", "G")
        await asked(stage)
        assert "2 marked paths" in stage.text()
        assert "these paths: /logs/a.log, /logs/b.log" in stage.text()
        assert "their folders: /logs/" in stage.text()

    play(script, engine(), reload=reading(file))


def test_a_path_at_the_top_has_no_folder_to_offer(file: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "G")
        await asked(stage)
        assert stage.rows("#ignore-list") == ["▌ this path: /top"]

    play(script, engine(), reload=reading(file))


def test_a_file_that_changed_meanwhile_is_not_written(file: Path) -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2")
        await asked(stage)
        file.write_text(FILE.replace("*.tmp", "*.bak"))
        await stage.press("enter")
        await stage.until(lambda: "the file changed meanwhile" in stage.event)
        assert "a.log" not in file.read_text()

    play(script, engine(), reload=reading(file))


def test_a_broken_file_is_told(file: Path) -> None:
    async def script(stage: Stage) -> None:
        file.write_text("no TOML")
        await stage.press("2", "i")
        await stage.until(lambda: "nothing is ignored: " in stage.event)

    play(script, engine(), reload=reading(file))


def test_without_a_file_the_line_to_write_is_told() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "i")
        await stage.until(lambda: 'exclude = ["/logs/a.log"]' in stage.event)
        assert stage.at_home

    play(script, engine())


def test_a_file_of_the_peers_is_not_ours_to_write() -> None:
    found = Configured(
        source=".swamp.yaml", datastores=[], open_engine=lambda _: FakeEngine(), path=None
    )

    async def script(stage: Stage) -> None:
        await stage.press("2", "i")
        await stage.until(lambda: ".swamp.yaml is not ours to write" in stage.event)
        assert 'exclude: ["/logs/a.log"]' in stage.event

    play(script, engine(), reload=lambda: found)


def test_without_a_row_there_is_nothing_to_ignore() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "i")
        assert "nothing to ignore" in stage.event

    play(script, FakeEngine(idle()))


@pytest.mark.parametrize(
    "path", ["a b", "#x", "!x", "a*b", "a?b", "[x].txt", "back\\slash", "end ", "d ir/f ile.t*t"]
)
def test_a_pattern_means_its_path_and_no_other(path: str) -> None:
    for kind, others in (("path", ["other", "x/" + path]), ("folder", ["other"])):
        made = patterns([path], kind)  # type: ignore[arg-type] # one of the kinds
        if not made:
            continue
        spec = GitIgnoreSpec.from_lines(made)
        assert spec.match_file(path), made
        assert not any(spec.match_file(other) for other in others)


def test_hidden_files_have_no_ending() -> None:
    assert patterns(["a/.env", "b", "c.tar.gz"], "ending") == ("*.gz",)


def test_a_hostile_name_is_shown_harmless_and_refused_by_the_file(file: Path) -> None:
    """It can be no key either, so it never stands in Dirty; but who knows."""

    async def script(stage: Stage) -> None:
        await stage.press("2", "i")
        await stage.until(lambda: not stage.at_home or "nothing is ignored" in stage.event)
        assert "\x1b" not in stage.text()

    play(script, engine(dirty(HOSTILE)), reload=reading(file))
