"""Who else is here: one dialog from everywhere, its detail, its filter, and looking again."""

from typing import Any

import pytest

from s3dash.core.fleet import Commit, FleetView, Place, Writer
from s3dash.errors import Unreachable
from s3dash.tui.screens.detail import DetailScreen
from s3dash.tui.screens.fleet import FleetScreen
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import HOSTILE, FakeEngine, ago, idle, lock

LOCK = lock("ada@vm", key=".datastore.lock", scope="global", namespace=None)


def commit(seq: int, seconds: float, **fields: Any) -> Commit:
    known: dict[str, Any] = {"added": 2, "modified": 1, "deleted": 0}
    paths = ("+ files/new", "+ logs/new", "~ files/changed")
    told = {"namespace": "infra", "at": ago(seconds), "seq": seq, "paths": paths}
    return Commit(**{**told, **known, **fields})


def seen(*more: Writer) -> FleetView:
    return FleetView(
        at=ago(0),
        writers=(
            Writer(holder="ada@vm", hostname="vm", locks=(LOCK,)),
            Writer(
                holder="bob@pc",
                hostname="pc",
                client="s3dash/1.0",
                mine=True,
                namespaces=("infra",),
                commits=(commit(18, 60), commit(17, 7200, deleted=3, modified=0)),
            ),
            Writer(holder="", commits=(Commit(namespace="web", at=ago(90_000)),)),
            *more,
        ),
        places=(
            Place(namespace="infra", repo_id="repo-1", seq=18, written_at=ago(60)),
            Place(namespace="web", written_at=ago(90_000), by_plain=True),
        ),
    )


def with_fleet(view: FleetView | None = None) -> FakeEngine:
    engine = FakeEngine(idle())
    engine.fleet.seen = view or seen()
    return engine


def said(stage: Stage) -> str:
    """What the dialog with a writer in full says; empty while there is none."""
    shown = isinstance(stage.app.screen, DetailScreen)
    return stage.line("#detail-text") if shown and stage.app.screen.query("#detail-text") else ""


async def opened(stage: Stage, engine: FakeEngine) -> None:
    await stage.press("W")
    await stage.until(lambda: isinstance(stage.app.screen, FleetScreen))
    await stage.until(lambda: "looked at" in stage.line("#fleet-totals"))
    await stage.rest()


@pytest.mark.parametrize("size", [WIDE, NARROW, TINY])
def test_writers_are_listed_with_what_they_did_last(size: tuple[int, int]) -> None:
    engine = with_fleet()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        rows = stage.rows("#fleet-list")
        assert ["ada@vm" in rows[0], "bob@pc" in rows[1], "somebody" in rows[2]] == [True] * 3
        assert "LIVE" in rows[0]
        assert "ada@vm on vm  a plain client" in stage.line("#fleet-note")
        if size == WIDE:
            assert "+2 ~1" in rows[1]
            assert "infra" in rows[1]
            assert "not on record" in rows[2]
            assert "3 writers  1 holding a lock  in 2 namespaces" in stage.line("#fleet-totals")
        await stage.press("j")
        note = stage.line("#fleet-note")
        assert "bob@pc on pc  s3dash/1.0, 1 min ago" in note
        assert "commit 18" in note
        assert ("commit 17" in note) == (size == WIDE)
        await stage.press("escape")
        assert stage.at_home

    play(script, engine, size=size)


def test_enter_shows_all_of_a_writer_and_escape_leads_back() -> None:
    engine = with_fleet()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("j", "enter")
        await stage.until(lambda: "bob@pc" in said(stage))
        for part in ("same name", "infra of repository repo-1", "+ files/new", "-3"):
            assert part in said(stage)
        await stage.press("escape")
        assert isinstance(stage.app.screen, FleetScreen)

    play(script, engine)


def test_r_looks_again_and_a_failure_keeps_what_was_seen() -> None:
    engine = with_fleet()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        engine.fleet.seen = seen(Writer(holder="zoe@new", client="s3dash/2"))
        await stage.press("r")
        await stage.until(lambda: len(stage.rows("#fleet-list")) == 4)
        assert engine.fleet.looks == 2
        engine.fleet.error = Unreachable("connection refused", hint="is it up?")
        await stage.press("r")
        await stage.until(lambda: "connection refused" in stage.line("#fleet-totals"))
        assert "zoe@new" in "\n".join(stage.rows("#fleet-list"))

    play(script, engine)


def test_a_first_look_that_fails_is_told() -> None:
    engine = with_fleet()
    engine.fleet.error = Unreachable("connection refused")

    async def script(stage: Stage) -> None:
        await stage.press("W")
        await stage.until(lambda: isinstance(stage.app.screen, FleetScreen))
        await stage.until(lambda: "connection refused" in stage.line("#fleet-totals"))
        assert "It could not be read." in stage.text()

    play(script, engine)


def test_the_filter_narrows_by_words_paths_and_fields() -> None:
    engine = with_fleet()

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        await stage.press("slash", *"logs")
        await stage.until(lambda: len(stage.rows("#fleet-list")) == 1)
        assert "bob@pc" in stage.rows("#fleet-list")[0]
        await stage.press("enter")
        assert "1 writer of 3" in stage.line("#fleet-note")
        await stage.press("escape")
        await stage.until(lambda: len(stage.rows("#fleet-list")) == 3)
        assert isinstance(stage.app.screen, FleetScreen)

    play(script, engine)


def test_nobody_is_told_too() -> None:
    engine = with_fleet(FleetView(at=ago(0)))

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        assert "Nobody has written here yet." in stage.text()
        await stage.press("enter", "j", "escape")
        assert stage.at_home

    play(script, engine)


def test_foreign_names_are_harmless() -> None:
    bad = Writer(
        holder=HOSTILE,
        hostname=HOSTILE,
        client=HOSTILE,
        namespaces=(HOSTILE,),
        commits=(commit(1, 5, namespace=HOSTILE, paths=(f"+ {HOSTILE}",)),),
        locks=(lock(HOSTILE, hostname=HOSTILE),),
    )
    view = FleetView(at=ago(0), writers=(bad,), places=(Place(namespace=HOSTILE, problem=HOSTILE),))
    engine = with_fleet(view)

    async def script(stage: Stage) -> None:
        await opened(stage, engine)
        assert "a[/x]\\x1b[31m" in stage.rows("#fleet-list")[0]
        await stage.press("enter")
        await stage.until(lambda: "a[/x]" in said(stage))
        assert "\x1b" not in stage.text()

    play(script, engine)


@pytest.mark.parametrize("view", ["1", "4", "5"])
def test_it_opens_from_every_view_and_the_palette_names_it(view: str) -> None:
    engine = with_fleet()

    async def script(stage: Stage) -> None:
        await stage.press(view)
        commands = {c.title for c in stage.app.get_system_commands(stage.app.screen)}
        assert "who else is here  (W)" in commands
        await opened(stage, engine)

    play(script, engine)
