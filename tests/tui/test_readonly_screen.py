"""A screen that was opened to look only: a badge, and every writing command says why not."""

import pytest
from msgspec.structs import replace

from s3dash.core.snapshot import BY_CHOICE
from s3dash.tui import keys, permits
from s3dash.tui.keymap import built_in
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import FakeEngine, busy, idle

WHY = "read-only: opened to look only (readonly)"
HARMLESS_KINDS = {
    "move", "mark", "read", "view", "copy", "diff", "filter", "export", "modal", "setup", "list",
    "leave", "search",
}  # fmt: skip
"""Kinds of commands (before the dot) of which none can write to the bucket or the cache."""
HARMLESS = {
    "help", "filter", "palette", "namespace", "refresh", "freeze", "zoom", "wide", "export",
    "reload", "trash", "next-view", "previous-view", "back", "suspend", "quit", "quit.now",
    "palette.now", "locks.copy", "log.copy", "namespaces.count", "namespaces.again",
    "conflicts.diff", "conflicts.skip", "dirty.diff", "endpoints.stop", "endpoints.uploads",
    "fleet", "fleet.again", "fleet.filter", "records", "records.own", "records.again",
    "records.filter", "endpoints.again", "trash.filter", "uploads.toggle", "uploads.all",
    "uploads.none", "catalogs", "catalogs.fetch", "catalogs.copy", "catalogs.search",
    "catalogs.again", "catalogs.stop", "namespaces.stand", "namespaces.search", "index.verify",
    "index.repair", "index.migrate", "care.verify", "care.full", "care.sample", "care.repair",
    "care.migrate", "care.stop", "explorer.up", "explorer.verify", "explorer.download",
    "explorer.shape", "explorer.order", "explorer.stop", "explorer.again",
}  # fmt: skip
"""What repairs and migrates an index opens a plan: only its `care.confirm` writes."""
OF_WHAT_RUNS = {
    "transfers.pause", "transfers.pause-all", "transfers.cancel", "transfers.cancel-all",
    "transfers.sooner", "transfers.later", "transfers.more", "transfers.fewer",
    "transfers.bandwidth", "reload.wait", "reload.stop",
}  # fmt: skip
"""They act on an operation that was begun, which none is here."""
AFTER_ANOTHER = {
    "plan.toggle", "plan.all", "plan.range", "plan.filter", "plan.run", "plan.confirm",
    "decide.confirm", "release.confirm", "moving.confirm",
}  # fmt: skip
"""They stand in a dialog that a writing command opens."""
ELSEWHERE = {
    "explorer.upload", "explorer.delete", "explorer.copy", "explorer.move", "explorer.mkdir",
}  # fmt: skip
"""They write to the datastore that is open in the Explorer, which says by itself whether it may."""
CONFIGURES = {"dirty.ignore"}
"""Writes to the configuration alone."""


def looking() -> FakeEngine:
    return FakeEngine(replace(busy(), read_only=BY_CHOICE))


def test_every_command_is_known_to_write_or_to_be_harmless() -> None:
    known = HARMLESS | OF_WHAT_RUNS | AFTER_ANOTHER | ELSEWHERE | CONFIGURES | permits.WRITING
    others = [
        key.name
        for key in keys.ALL
        if key.name not in known and key.name.partition(".")[0] not in HARMLESS_KINDS
    ]
    assert others == [], "say `writes=True` in the key table, or name it here"
    assert set() == permits.WRITING & (HARMLESS | OF_WHAT_RUNS | AFTER_ANOTHER)


@pytest.mark.parametrize("name", sorted(permits.WRITING))
def test_every_writing_command_says_why_it_cannot_be_given(name: str) -> None:
    async def script(stage: Stage) -> None:
        assert stage.app.why_not(name) == WHY

    play(script, looking())


@pytest.mark.parametrize(
    ("view", "name"),
    [
        ("1", "push"), ("1", "pull"), ("1", "sync"), ("1", "auto"), ("4", "locks.release"),
        ("6", "conflicts.local"), ("6", "conflicts.remote"), ("6", "conflicts.both"),
        ("7", "endpoints.check"),
    ],
)  # fmt: skip
def test_its_key_does_nothing_but_tell(view: str, name: str) -> None:
    engine = looking()

    async def script(stage: Stage) -> None:
        await stage.press(view)
        await stage.rest()
        before = len(engine.calls)
        await stage.press(built_in(keys.BY_NAME[name])[0])
        assert stage.at_home
        assert stage.event.endswith(f"{keys.BY_NAME[name].text}: {WHY}")
        assert engine.calls[before:] == []

    play(script, engine)


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_it_is_told_in_header_banner_help_and_key_bar(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        assert " RO " in stage.line("#header")
        assert "READ-ONLY  opened to look only" in stage.line("#banner")
        await stage.press("question_mark")
        assert "not now: read-only" in stage.line("#help-text")

    play(script, looking(), size=size)


def test_the_smallest_screen_tells_it_too() -> None:
    async def script(stage: Stage) -> None:
        assert "RO" in stage.text()

    play(script, looking(), size=TINY)


def test_a_lock_may_be_forced_open_while_another_process_owns_the_cache() -> None:
    async def script(stage: Stage) -> None:
        assert stage.app.why_not("locks.release") == ""
        assert stage.app.why_not("push") == "read-only: this cache belongs to pid 12 on vm"

    play(script, FakeEngine(idle(read_only="pid 12 on vm")))
