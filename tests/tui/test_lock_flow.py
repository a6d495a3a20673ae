"""Force release: look again, confirm as strongly as the risk is, release only what was shown."""

import pytest

from s3dash.errors import LockHeld, NotFound
from s3dash.tui.screens.release import ReleaseScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine, idle, lock, refusing

KEY = ".locks/infra.lock"


def holding(**fields: object) -> FakeEngine:
    return FakeEngine(idle(locks=(lock(**fields),)))  # type: ignore[arg-type] # passed through


async def asked(stage: Stage, engine: FakeEngine) -> None:
    """Open the dialog on the first lock and wait until the lock was read again."""
    await stage.press("4")
    await stage.until(lambda: engine.asked("locks"))
    await stage.press("F")
    await stage.opened(ReleaseScreen)
    await stage.until(lambda: "Reading" not in stage.line("#release-note"))
    stage.clock.advance(1.0)


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_a_stale_lock_is_released_with_y_and_the_nonce_shown(size: tuple[int, int]) -> None:
    engine = holding(stale=True)

    async def script(stage: Stage) -> None:
        await asked(stage, engine)
        for part in ("STALE", "ann@ci", "ci-7", "4711", "nonce-1"):
            assert part in stage.line("#release-facts")
        await stage.press("y")
        await stage.until(lambda: engine.asked("release_lock"))
        assert engine.asked("release_lock") == [(KEY, "nonce-1")]
        await stage.until(lambda: "released .locks/infra.lock" in stage.event)

    play(script, engine, size=size)


def test_a_live_lock_asks_for_the_name_of_its_host() -> None:
    engine = holding()

    async def script(stage: Stage) -> None:
        await asked(stage, engine)
        assert "LIVE" in stage.line("#release-facts")
        await stage.press("y", "enter")
        assert "That is not ci-7" in stage.line("#release-note")
        assert not engine.asked("release_lock")
        stage.clock.advance(1.0)
        await stage.press("backspace", "c", "i", "minus", "7")
        stage.clock.advance(1.0)
        await stage.press("enter")
        await stage.until(lambda: engine.asked("release_lock"))
        assert engine.asked("release_lock") == [(KEY, "nonce-1")]

    play(script, engine)


@pytest.mark.parametrize("stale", [True, False])
def test_repeated_enter_releases_nothing(stale: bool) -> None:
    engine = holding(stale=stale)

    async def script(stage: Stage) -> None:
        await asked(stage, engine)
        for _ in range(8):
            stage.clock.advance(1.0)
            await stage.press("enter")
        assert not engine.asked("release_lock")

    play(script, engine)


def test_a_y_that_comes_with_the_answer_is_too_early() -> None:
    engine = holding(stale=True)

    async def script(stage: Stage) -> None:
        await asked(stage, engine)
        screen = stage.app.screen
        assert isinstance(screen, ReleaseScreen)
        screen.ready(lock(stale=True))
        await stage.press("y")
        assert not engine.asked("release_lock")
        stage.clock.advance(0.5)
        await stage.press("y")
        await stage.until(lambda: engine.asked("release_lock"))

    play(script, engine)


def test_the_lock_is_read_again_before_it_is_shown() -> None:
    engine = holding(stale=True)

    async def script(stage: Stage) -> None:
        await stage.press("4")
        await stage.until(lambda: engine.asked("locks"))
        engine.found = [lock("zoe@new", nonce="nonce-2")]
        await stage.press("F")
        await stage.opened(ReleaseScreen)
        await stage.until(lambda: "zoe@new" in stage.line("#release-facts"))
        assert "Re-acquired by zoe@new since you looked." in stage.line("#release-note")
        assert "LIVE" in stage.line("#release-facts")
        stage.clock.advance(1.0)
        await stage.press("y")
        assert not engine.asked("release_lock")

    play(script, engine)


def test_a_silent_holder_that_is_heard_of_again_keeps_its_lock() -> None:
    engine = holding(stale=True)

    async def script(stage: Stage) -> None:
        await asked(stage, engine)
        engine.found = [lock()]
        await stage.press("y")
        await stage.until(lambda: "ann@ci is alive again, nothing released" in stage.event)
        assert not engine.asked("release_lock")

    play(script, engine)


def test_a_live_lock_whose_time_runs_out_while_it_is_shown_still_asks_for_its_host() -> None:
    engine = holding()

    async def script(stage: Stage) -> None:
        await asked(stage, engine)
        stage.clock.advance(120)
        await stage.press("tab", "y")
        assert not engine.asked("release_lock")
        assert not stage.at_home

    play(script, engine)


def test_a_lock_that_is_gone_meanwhile_needs_no_release() -> None:
    engine = holding(stale=True)

    async def script(stage: Stage) -> None:
        await stage.press("4")
        await stage.until(lambda: engine.asked("locks"))
        engine.found = []
        await stage.press("F")
        await stage.opened(ReleaseScreen)
        await stage.until(lambda: "gone already" in stage.line("#release-note"))
        await stage.press("y")
        await stage.press("escape")
        assert stage.at_home
        assert not engine.asked("release_lock")

    play(script, engine)


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (LockHeld("it was re-acquired by zoe, nothing released"), "re-acquired by zoe, nothing"),
        (NotFound("no such key"), "was gone already; nothing was released"),
        (refusing("access denied"), "was not released: access denied"),
    ],
)
def test_a_release_that_does_not_happen_is_told(error: Exception, told: str) -> None:
    engine = holding(stale=True)
    engine.error["release_lock"] = error

    async def script(stage: Stage) -> None:
        await asked(stage, engine)
        await stage.press("y")
        await stage.until(lambda: told in stage.event)

    play(script, engine)


def test_a_bucket_that_cannot_be_asked_releases_nothing() -> None:
    engine = holding(stale=True)
    engine.error["locks"] = refusing("connection refused")

    async def script(stage: Stage) -> None:
        await stage.press("4")
        await stage.until(lambda: "could not be listed: connection refused" in stage.event)
        await stage.press("F")
        await stage.opened(ReleaseScreen)
        await stage.until(lambda: "connection refused" in stage.line("#release-note"))
        await stage.press("y")
        assert not engine.asked("release_lock")

    play(script, engine)


def test_a_lock_without_a_host_asks_for_a_word() -> None:
    engine = holding(hostname="", holder="(unreadable lock)", nonce="")

    async def script(stage: Stage) -> None:
        await asked(stage, engine)
        await stage.press(*"release", "enter")
        await stage.until(lambda: engine.asked("release_lock"))

    play(script, engine)


def test_without_a_lock_there_is_nothing_to_release() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("4", "F")
        assert stage.at_home
        assert "no lock to release" in stage.event

    play(script)


def test_opening_the_view_lists_all_locks_but_not_at_every_turn() -> None:
    engine = holding()

    async def script(stage: Stage) -> None:
        await stage.press("4")
        await stage.until(lambda: len(engine.asked("locks")) == 1)
        await stage.press("1", "4")
        assert len(engine.asked("locks")) == 1
        await stage.press("r")
        await stage.until(lambda: len(engine.asked("locks")) == 2)
        stage.clock.advance(60)
        await stage.press("1", "4")
        await stage.until(lambda: len(engine.asked("locks")) == 3)

    play(script, engine)


def test_a_hostile_holder_breaks_nothing() -> None:
    engine = holding(holder=HOSTILE, hostname=HOSTILE, nonce=HOSTILE, stale=True)

    async def script(stage: Stage) -> None:
        await asked(stage, engine)
        assert "a[/x]\\x1b[31m" in stage.line("#release-facts")
        assert "\x1b" not in stage.text()

    play(script, engine)


def test_a_lock_whose_host_has_no_name_to_type_can_be_released() -> None:
    engine = holding(hostname="   ")

    async def script(stage: Stage) -> None:
        await asked(stage, engine)
        assert "Type release and press enter" in stage.line("#release-note")
        stage.clock.advance(1.0)
        await stage.press(*"release", "enter")
        await stage.until(lambda: engine.asked("release_lock"))

    play(script, engine)
