"""The diff of two versions: from Conflicts and Dirty, by sides and layout, and never frozen."""

import random
import threading
from collections.abc import Callable

import pytest
from textual import events

from s3dash.core.content import Side
from s3dash.errors import Unreachable
from s3dash.tui.screens.diff import DiffScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine, conflict, dirty, idle
from tests.tui.fake_versions import content

BASE = b"".join(b"line %d\n" % n for n in range(1, 41))
LOCAL = BASE.replace(b"line 20\n", b"line twenty\n").replace(b"line 35\n", b"")
REMOTE = BASE.replace(b"line 20\n", b"LINE 20\n").replace(b"line 5\n", b"line 5\nnew\n")


def clashing(
    base: bytes | None = BASE, local: bytes | None = LOCAL, remote: bytes | None = REMOTE
) -> FakeEngine:
    engine = FakeEngine(idle(conflicts=(conflict("files/a"),), dirty=(dirty("files/a"),)))
    for side, body in (("base", base), ("local", local), ("remote", remote)):
        engine.contents.bodies["files/a", side] = body  # type: ignore[index] # one of the three
    return engine


def is_there(stage: Stage) -> bool:
    return bool(stage.line("#diff-summary").strip())


def is_filled(stage: Stage) -> bool:
    return is_there(stage) and bool(lines(stage).strip())


async def opened(stage: Stage, *keys: str, ready: Callable[[Stage], bool] = is_there) -> DiffScreen:
    """Press, wait for the diff and for what it says."""
    await stage.press(*keys)
    await stage.until(lambda: isinstance(stage.app.screen, DiffScreen))
    await stage.until(lambda: ready(stage))
    await stage.rest()
    screen = stage.app.screen
    assert isinstance(screen, DiffScreen)
    return screen


def lines(stage: Stage) -> str:
    screen = stage.app.screen
    assert isinstance(screen, DiffScreen)
    return "\n".join(stage.rows(f"#{screen.shown.id}"))


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_d_in_conflicts_shows_what_differs_here_and_there(size: tuple[int, int]) -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await opened(stage, "6", "d")
        assert "LOCAL" in stage.line("#diff-sides")
        assert "REMOTE" in stage.line("#diff-sides")
        await stage.until(lambda: "1 line changed" in stage.line("#diff-summary"))
        await stage.until(lambda: is_filled(stage))
        await stage.press("c", "n")
        await stage.until(lambda: "new" in lines(stage))
        await stage.press("escape")
        assert stage.at_home
        assert engine.contents.asked == [("files/a", "local"), ("files/a", "remote")]

    play(script, engine, size=size)


def test_d_in_dirty_compares_with_what_was_synced_last() -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await opened(stage, "2", "d")
        shown = stage.line("#diff-sides")
        assert "BASE   what both sides last had" in shown
        assert "LOCAL  this host" in shown
        assert engine.contents.asked == [("files/a", "base"), ("files/a", "local")]

    play(script, engine)


@pytest.mark.parametrize("view", ["2", "6"])
def test_without_a_row_there_is_nothing_to_compare(view: str) -> None:
    async def script(stage: Stage) -> None:
        await stage.press(view, "d")
        assert stage.at_home
        assert "nothing to compare" in stage.event

    play(script)


def test_a_cache_of_another_can_be_looked_at() -> None:
    engine = clashing()
    engine.snap = idle(conflicts=(conflict("files/a"),), read_only="ann, pid 7")

    async def script(stage: Stage) -> None:
        await opened(stage, "6", "d")

    play(script, engine)


def test_the_width_chooses_the_layout_and_u_the_other_one() -> None:
    async def script(stage: Stage) -> None:
        screen = await opened(stage, "6", "d")
        wide = stage.app.size.width >= 120
        assert screen.two is wide
        await stage.press("u")
        await stage.until(lambda: screen.two is not wide and screen.shown.display)
        await stage.rest()
        assert "line" in lines(stage)
        await stage.press("u")
        assert screen.two is wide

    play(script, clashing(), size=WIDE)
    play(script, clashing(), size=NARROW)


def test_a_resize_goes_over_to_the_other_layout() -> None:
    async def script(stage: Stage) -> None:
        screen = await opened(stage, "6", "d")
        assert screen.shown.id == "diff-two"
        await stage.pilot.resize_terminal(80, 24)
        await stage.until(lambda: screen.query_one("#diff-one").display)
        await stage.rest()
        assert "twenty" in lines(stage)

    play(script, clashing(), size=WIDE)


def test_changes_are_gone_through_and_all_lines_shown() -> None:
    async def script(stage: Stage) -> None:
        screen = await opened(stage, "6", "d")
        await stage.press("c")
        await stage.until(lambda: len(screen.shown.model) > 40)
        await stage.press("g")
        places = []
        for key in ("n", "n", "n", "n", "N", "N", "N"):
            await stage.press(key)
            row = screen.shown.model.current
            assert row is not None
            places.append(row.left if row.left >= 0 else row.right)
        assert places == [5, 19, 35, 35, 19, 5, 5]
        await stage.press("c")
        await stage.until(lambda: len(screen.shown.model) < 40)
        assert "equal lines" in lines(stage)
        await stage.press("g", "enter")
        await stage.until(lambda: len(screen.shown.model) > 40)

    play(script, clashing(), size=NARROW)


@pytest.mark.parametrize(
    ("key", "left", "right"),
    [("1", "BASE", "LOCAL"), ("2", "BASE", "REMOTE"), ("tab", "BASE", "LOCAL")],
)
def test_other_sides_can_be_chosen(key: str, left: str, right: str) -> None:
    engine = clashing()

    async def script(stage: Stage) -> None:
        await opened(stage, "6", "d")
        await stage.press(key)
        await stage.until(lambda: left in stage.line("#diff-sides") and is_there(stage))
        first, second = stage.line("#diff-sides").splitlines()
        assert (left in first, right in second) == (True, True)
        await stage.press("3")
        await stage.until(lambda: "LOCAL" in stage.line("#diff-sides").splitlines()[0])
        await stage.until(lambda: is_there(stage))
        assert engine.contents.asked.count(("files/a", "local")) == 1  # read once

    play(script, engine)


def test_long_lines_are_reached_sideways() -> None:
    long = b"x" * 300 + b"END\n"
    engine = clashing(local=long, remote=long.replace(b"END", b"end"))

    async def script(stage: Stage) -> None:
        await opened(stage, "6", "d", ready=is_filled)
        assert "END" not in lines(stage)
        for _ in range(18):
            await stage.press("right")
        assert "END" in lines(stage)
        assert "end" in lines(stage)
        await stage.press("left", "left", "left", "left")
        assert "xxx" in lines(stage)

    play(script, engine)


def test_a_version_that_nobody_has_any_more_is_told_and_the_others_are_there() -> None:
    engine = clashing()
    gone = content("base", None, absent=False, size=1024, sha256="c" * 64, why="nobody has it")
    engine.contents.bodies["files/a", "base"] = gone

    async def script(stage: Stage) -> None:
        await opened(stage, "6", "d")
        await stage.press("1")
        await stage.until(lambda: "BASE: nobody has it" in stage.line("#diff-note"))
        assert "1.00 KiB" in stage.line("#diff-note")
        assert "c" * 64 in stage.line("#diff-note")
        await stage.press("3")
        await stage.until(lambda: is_there(stage))

    play(script, engine)


def test_a_bucket_that_does_not_answer_is_told() -> None:
    engine = clashing()
    engine.contents.bodies["files/a", "remote"] = Unreachable("no answer", hint="is it on?")

    async def script(stage: Stage) -> None:
        await opened(stage, "6", "d", ready=lambda stage: "no answer" in stage.line("#diff-note"))
        assert "is it on?" in stage.line("#diff-note")
        await stage.press("n", "N", "c", "u", "left", "right", "j", "enter", "escape")
        assert stage.at_home

    play(script, engine)


@pytest.mark.parametrize(
    ("local", "remote", "said"),
    [
        (LOCAL, None, "39 removed"),
        (None, REMOTE, "41 added"),
        (LOCAL, LOCAL, "the same bytes"),
        (b"a\n", b"a\r\n", "1 differ only in the line end"),
        (b"a b\n", b"a  b\n", "1 differ only in spaces"),
        (b"", b"", "the same bytes"),
    ],
)
def test_what_differs_is_summed_up(local: bytes | None, remote: bytes | None, said: str) -> None:
    async def script(stage: Stage) -> None:
        await opened(stage, "6", "d")
        assert said in stage.line("#diff-summary")

    play(script, clashing(local=local, remote=remote))


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_what_is_no_text_is_shown_as_bytes(size: tuple[int, int]) -> None:
    local, remote = b"\0" * 100 + b"abc", b"\0" * 100 + b"abd"

    async def script(stage: Stage) -> None:
        await opened(stage, "6", "d")
        assert "they part at byte 102" in stage.line("#diff-summary")
        note = stage.line("#diff-note")
        assert "63" in note
        assert "64" in note
        assert "0000006" in note

    play(script, clashing(local=local, remote=remote), size=size)


def test_hostile_names_and_contents_break_nothing() -> None:
    evil = HOSTILE.replace("\udc80", "").encode()
    path = HOSTILE
    engine = FakeEngine(idle(conflicts=(conflict(path),)))
    for side, body in (("local", evil), ("remote", evil + b"\x1b]0;x\x07 [/red] \xe2\x80\xae")):
        engine.contents.bodies[path, side] = body  # type: ignore[index] # one of the three

    async def script(stage: Stage) -> None:
        await opened(stage, "6", "d", ready=is_filled)
        for key in ("u", "c", "n", "right"):
            await stage.press(key)
            text = stage.text()
            assert not {"\x1b", "\u202e", "\u200b", "\x07"} & set(text)
        await stage.press("left")
        await stage.until(lambda: "[/x]" in lines(stage))

    play(script, engine)


def test_closing_stops_what_is_on_its_way() -> None:
    engine = clashing()
    engine.contents.gate = threading.Event()

    async def script(stage: Stage) -> None:
        await stage.press("6", "d")
        await stage.until(lambda: engine.contents.tokens)
        assert "Reading" in stage.line("#diff-note")
        await stage.press("escape")
        assert stage.at_home
        await stage.until(lambda: engine.contents.tokens[0].cancelled)

    play(script, engine)


def test_another_pair_stops_the_one_that_is_read() -> None:
    engine = clashing()
    gate = engine.contents.gate = threading.Event()

    async def script(stage: Stage) -> None:
        await stage.press("6", "d")
        await stage.until(lambda: engine.contents.tokens)
        await stage.press("1")
        assert engine.contents.tokens[0].cancelled
        gate.set()
        await stage.until(lambda: is_there(stage))
        assert "BASE" in stage.line("#diff-sides")

    play(script, engine)


def test_whatever_is_pressed_in_whatever_order_the_last_wish_is_shown() -> None:
    async def script(stage: Stage) -> None:
        screen = await opened(stage, "6", "d")
        for keys in ("u", "c1u3c", "uu2cc", "tab", "uc3"):
            for key in [keys] if keys == "tab" else keys:
                stage.app.post_message(events.Key(key, key if len(key) == 1 else "\t"))
        await stage.rest()
        await stage.until(lambda: is_there(stage) and screen.shown.display)
        assert [w.split()[1] for w in stage.line("#diff-sides").splitlines()] == ["LOCAL", "REMOTE"]
        await stage.until(lambda: len(screen.shown.model) > 40)  # an odd number of c
        await stage.press("escape")
        assert stage.at_home

    play(script, clashing())


def large(edits: int, *, seed: int) -> bytes:
    rng = random.Random(seed)
    rows = [f"line {n} {n * 7919}" for n in range(100_000)]
    for n in rng.sample(range(100_000), edits):
        rows[n] = f"edited {seed} {n}"
    return "\n".join(rows).encode()


def test_a_hundred_thousand_lines_do_not_freeze_the_keys() -> None:
    """They are compared in small steps: keys are worked off between them."""
    engine = clashing(local=large(2000, seed=1), remote=large(2000, seed=2))
    between: list[str] = []

    async def script(stage: Stage) -> None:
        await stage.press("6", "d")
        await stage.until(lambda: isinstance(stage.app.screen, DiffScreen))
        while not is_there(stage):
            await stage.press("j")
            between.append("j")
        assert len(between) > 10
        await stage.press("c", "j", "k", "G", "g", "n", "n", "N", "u", "j", "G", "pageup")
        assert "lines changed" in stage.line("#diff-summary")

    play(script, engine)


SIDES: tuple[Side, ...] = ("base", "local", "remote")


@pytest.mark.parametrize("side", SIDES)
def test_one_side_that_is_too_large_is_told_with_its_size(side: Side) -> None:
    engine = clashing()
    big = content(side, None, absent=False, size=5 << 20, why="too large to show")
    engine.contents.bodies["files/a", side] = big

    async def script(stage: Stage) -> None:
        key = "1" if side == "base" else "3"
        await stage.press("6", "d")
        await stage.until(lambda: isinstance(stage.app.screen, DiffScreen))
        await stage.press(key)
        await stage.until(lambda: "too large to show" in stage.line("#diff-note"))
        assert "5.00 MiB" in stage.line("#diff-note")

    play(script, engine)
