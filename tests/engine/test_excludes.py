"""What an exclude means: nothing of it moves either way, and what is in the bucket stays."""

import pytest

from s3dash.errors import ConfigError
from tests.engine.conftest import Join
from tests.engine.world import contents


def test_an_exclude_takes_effect_at_once_and_deletes_nothing(join: Join) -> None:
    """In the same engine: pushed, then ignored, changed and deleted here; the bucket keeps it."""
    ada = join("ada")
    ada.write("logs/a.log", "first")
    ada.write("logs/b.log", "first")
    ada.write("files/kept", "kept")
    engine = ada.engine()
    try:
        engine.push()
        before = contents(ada.store())
        engine.excludes.change(["*.log"])
        assert engine.settings.exclude == ("*.log",)
        ada.write("logs/a.log", "changed here")
        ada.write("logs/new.log", "new here")
        (ada.base / "logs/b.log").unlink()
        assert engine.status().local.dirty == []
        for direction in ("push", "pull", "sync"):
            plan = engine.plan(direction)
            assert plan.items == ()
            assert engine.run(plan).deleted_remote == 0
        after = contents(ada.store())
        assert {k: v for k, v in after.items() if "log" in k} == {
            k: v for k, v in before.items() if "log" in k
        }
        assert ada.read("logs/a.log") == b"changed here"
        assert not (ada.base / "logs/b.log").exists()
    finally:
        engine.stop()
    bob = join("bob")
    bob.pull()
    assert bob.read("logs/a.log") == b"first", "others still get what is in the bucket"


def test_taken_back_everything_is_as_it_would_have_been(join: Join) -> None:
    ada = join("ada", exclude=("*.log",))
    ada.write("a.log", "text")
    engine = ada.engine()
    try:
        assert engine.status().local.dirty == []
        engine.excludes.change([])
        assert [row.path for row in engine.status().local.dirty] == ["a.log"]
    finally:
        engine.stop()


def test_a_pattern_that_is_none_changes_nothing(join: Join) -> None:
    engine = join("ada", exclude=("*.log",)).engine()
    try:
        with pytest.raises(ConfigError, match="exclude"):
            engine.excludes.change(["!"])
        assert engine.settings.exclude == ("*.log",)
    finally:
        engine.stop()


def test_a_plan_from_before_does_not_touch_what_is_ignored_now(join: Join) -> None:
    ada = join("ada")
    ada.write("a.log", "text")
    ada.write("b.txt", "text")
    engine = ada.engine()
    try:
        plan = engine.plan("push")
        engine.excludes.change(["*.log"])
        result = engine.run(plan)
        assert result.pushed == 1
        assert [blocked.path for blocked in result.blocked] == ["a.log"]
        assert "a.log" not in contents(ada.store())
    finally:
        engine.stop()


def test_the_engine_looks_again_by_itself(join: Join) -> None:
    ada = join("ada", poll_interval_s=3600.0)
    ada.write("a.log", "text")
    engine = ada.engine()
    box = engine.subscribe()
    try:
        engine.start()
        while not engine.snapshot().dirty:
            assert box.wait(30)
            box.drain()
        engine.excludes.change(["*.log"])
        while engine.snapshot().dirty:
            assert box.wait(30)
            box.drain()
    finally:
        engine.stop()


def test_an_edit_that_is_ignored_now_stays_marked_for_the_peers_on_this_cache(join: Join) -> None:
    """Else a plain client would take it for pushed, and fetch over the only copy there is."""
    ada = join("ada")
    ada.write("a.log", "pushed")
    ada.push()
    engine = ada.engine()
    try:
        ada.write("a.log", "edited")
        engine.status()
        assert ada.sidecar()["dirtyPaths"] == ["a.log"]
        engine.excludes.change(["*.log"])
        ada.write("b.txt", "new")
        assert engine.push().pushed == 1
        assert ada.sidecar()["dirtyPaths"] == ["a.log"]
        engine.excludes.change([])
        assert engine.push().pushed == 1
        assert ada.sidecar()["dirtyPaths"] == []
    finally:
        engine.stop()
