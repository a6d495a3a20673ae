"""What the plan view promises: left out stays dirty, dry writes nothing, who pushed last."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.plan import Direction
from s3dash.engine.open import open_engine
from s3dash.errors import AccessDenied, StoreError, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.conftest import Join
from tests.engine.world import Machine, contents

WRITES = ("put", "upload", "delete", "delete_many", "copy", "abort_upload")


class ReadsOnly:
    """A store whose every write is a failure of the test, and is remembered."""

    def __init__(self, inner: MemoryStore) -> None:
        self._inner = inner
        self.wrote: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name not in WRITES:
            return getattr(self._inner, name)

        def refused(*_: object, **__: object) -> None:
            self.wrote.append(name)
            raise AssertionError(f"a dry run called {name}")

        return refused


def scene(join: Join) -> Machine:
    """Something of everything: to send, to overwrite, to delete, to fetch, and a conflict."""
    ada, bob = join("ada"), join("bob")
    for path in ("edit", "gone", "theirs", "both", "dropped"):
        ada.write(f"files/{path}", "base")
    ada.push()
    bob.pull()
    bob.write("files/theirs", "by bob")
    bob.write("files/both", "by bob")
    (bob.base / "files/dropped").unlink()
    bob.push()
    ada.write("files/edit", "by ada")
    ada.write("files/both", "by ada")
    ada.write("files/new", "by ada")
    (ada.base / "files/gone").unlink()
    return ada


def test_what_was_left_out_stays_dirty_and_the_bucket_as_it_was(join: Join) -> None:
    ada = scene(join)
    engine = ada.engine()
    try:
        before = contents(ada.store())
        plan = engine.plan("push")
        assert {i.path for i in plan.items} >= {"files/edit", "files/gone", "files/new"}
        result = engine.run(plan.without({"files/edit", "files/gone"}))
        assert result.pushed == 1
        dirty = {row.path: row.change for row in engine.status().local.dirty}
        assert dirty["files/edit"] == "modified"
        assert dirty["files/gone"] == "deleted"
        assert "files/new" not in dirty
        after = contents(ada.store())
        for path in ("files/edit", "files/gone"):
            assert after[path] == before[path]
        again = engine.plan("push")
        assert {"files/edit", "files/gone"} <= {i.path for i in again.items}
    finally:
        engine.stop()


def test_all_left_out_is_nothing_done(join: Join) -> None:
    ada = scene(join)
    engine = ada.engine()
    try:
        before = contents(ada.store(), "files/")
        plan = engine.plan("sync")
        result = engine.run(plan.without({i.path for i in plan.items}))
        assert (result.pushed, result.pulled, result.deleted_remote) == (0, 0, 0)
        assert contents(ada.store(), "files/") == before
        assert {i.path for i in engine.plan("sync").items} == {i.path for i in plan.items}
    finally:
        engine.stop()


@pytest.fixture
def reading(tmp_path: Path) -> Iterator[tuple[Any, ReadsOnly, Machine]]:
    """Ada's engine on a store that cannot write, with something of everything to do."""
    bucket = MemoryBucket()

    def join(name: str, **settings: Any) -> Machine:
        return Machine(tmp_path / name, lambda: MemoryStore(bucket), **settings)

    ada = scene(join)
    store = ReadsOnly(MemoryStore(bucket))
    engine = open_engine(ada.settings, store=store)
    yield engine, store, ada
    engine.stop()


@pytest.mark.parametrize("direction", ["push", "pull", "sync"])
def test_a_dry_run_never_writes_on_either_side(
    reading: tuple[Any, ReadsOnly, Machine], direction: Direction
) -> None:
    engine, store, ada = reading
    before = ada.files()
    rows = getattr(engine, direction)(dry_run=True).plan
    shown = engine.plan(direction)
    assert [row.path for row in rows] == [item.path for item in shown.items]
    assert rows
    assert store.wrote == []
    assert ada.files() == before


def test_the_store_of_that_proof_does_tell_a_write(
    reading: tuple[Any, ReadsOnly, Machine],
) -> None:
    """So that the proof above can fail."""
    engine, store, _ = reading
    with pytest.raises(AssertionError, match="a dry run called"):
        engine.push()
    assert store.wrote


PATIENCE = 600
"""Looks, a tenth of a second apart at the most: nothing is announced when the commit is known."""


def test_who_pushed_last_is_known_from_the_record_of_the_commit(join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    ada.write("a", "by ada")
    ada.push()
    engine = bob.engine()
    box = engine.subscribe()
    try:
        engine.start()
        for _ in range(PATIENCE):
            if engine.snapshot().last_commit.at:
                break
            box.wait(0.1)
            box.drain()
        assert "@" in engine.snapshot().last_commit.by
    finally:
        engine.stop()


class Failing(MemoryStore):
    """Answers nothing but an error."""

    error: StoreError = Unreachable("no answer")

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[Any]:
        raise self.error


@pytest.mark.parametrize(
    ("error", "kind"), [(Unreachable("no answer"), "offline"), (AccessDenied("no"), "denied")]
)
def test_what_failed_is_told_apart(tmp_path: Path, error: StoreError, kind: str) -> None:
    store = Failing(MemoryBucket())
    store.error = error
    error.action, error.resource = "s3:ListBucket", "shared"
    ada = Machine(tmp_path / "ada", lambda: store)
    engine = ada.engine()
    try:
        engine.status()
        trouble = engine.snapshot().trouble
        assert trouble is not None
        assert (trouble.kind, trouble.action) == (kind, "s3:ListBucket")
    finally:
        engine.stop()
