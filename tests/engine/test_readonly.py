"""An engine that was opened to look only: nothing is written anywhere, whatever it is asked."""

import os
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.core.snapshot import BY_CHOICE, why_read_only
from s3dash.engine.engine import Engine
from s3dash.errors import NotFound, ReadOnly
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.opening import open_store
from s3dash.objectstore.port import ObjectStore
from s3dash.objectstore.sealed import Sealed
from tests.engine.conftest import Join
from tests.engine.world import Machine, contents

READS = {
    "list", "levels", "list_dirs", "first", "head", "get", "get_range", "download",
    "list_uploads", "list_parts", "server_time", "close", "usage", "etag_quotes",
}  # fmt: skip


def port() -> set[str]:
    """What the port promises, by name."""
    return {name for name in vars(ObjectStore) if not name.startswith("_")} | {"etag_quotes"}


class Untouchable:
    """A store that must not even be asked."""

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"{name} of the store itself was used")


def everything(root: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file below `root`: inode, time of change, content.

    Without the two files by which SQLite's readers and writers see each other.
    """
    found = {}
    for path in sorted(root.rglob("*")):
        if path.name == "state" or path.name.endswith(("-wal", "-shm")):
            continue
        stat = path.lstat()
        body = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path.relative_to(root))] = (stat.st_ino, stat.st_mtime_ns, body)
    return found


# --- the store ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(port() - READS))
def test_every_write_of_the_port_is_refused_without_the_store_being_asked(name: str) -> None:
    sealed = Sealed(Untouchable())
    with pytest.raises(ReadOnly, match="is refused: this datastore was opened to look only"):
        getattr(sealed, name)("key", "other", if_match="x")


def test_every_read_of_the_port_is_passed_on(store: Callable[[], ObjectStore]) -> None:
    inner = store()
    inner.put("a/b", b"hello")
    sealed = Sealed(inner)
    sink = BytesIO()
    assert [info.key for info in sealed.list("a/")] == ["a/b"]
    assert sealed.list_dirs("") == ("a",)
    assert sealed.head("a/b").size == 5
    fetched = sealed.get("a/b")
    assert fetched is not None
    assert fetched.body == b"hello"
    assert sealed.get("a/b", if_none_match=fetched.info.etag) is None
    assert sealed.get_range("a/b", start=1, length=3) == b"ell"
    assert sealed.download("a/b", sink).size == len(sink.getvalue()) == 5
    assert list(sealed.list_uploads("")) == []
    with pytest.raises(NotFound):
        list(sealed.list_parts("a/b", "no-such-upload"))
    assert sealed.usage.requests == inner.usage.requests
    sealed.etag_quotes = not sealed.etag_quotes
    assert inner.etag_quotes == sealed.etag_quotes
    assert sealed.server_time() == inner.server_time()
    sealed.close()


def test_what_the_port_does_not_name_is_not_reached() -> None:
    class Inner(MemoryStore):
        region = "here"

        def identity(self) -> str:
            return "profile prod"

    sealed = Sealed(Inner(MemoryBucket()))
    assert (sealed.region, sealed.identity()) == ("here", "profile prod")
    assert not hasattr(sealed, "twin")
    assert not hasattr(sealed, "_store")


def test_the_store_of_a_readonly_datastore_is_sealed(join: Join) -> None:
    settings = replace(join("ada").settings, endpoint="http://127.0.0.1:9", readonly=True)
    assert isinstance(open_store(settings, None), Sealed)


# --- the engine -----------------------------------------------------------------------------


@pytest.fixture
def looking(world: tuple[Machine, Machine]) -> Machine:
    """Bob, who only looks, with something to push, to pull, to delete and in conflict."""
    ada, bob = world
    ada.write("files/a", "theirs")
    ada.write("files/new", "new")
    ada.push()
    bob.write("files/a", "mine")
    bob.write("files/own", "own")
    (bob.base / "files/stay").unlink()
    bob.settings = replace(bob.settings, readonly=True)
    return bob


ACTS: dict[str, Callable[[Engine], object]] = {
    "push": lambda engine: engine.push(),
    "pull": lambda engine: engine.pull(),
    "sync": lambda engine: engine.sync(policy="local"),
    "run": lambda engine: engine.run(engine.plan("sync", policy="local")),
    "resolve": lambda engine: engine.resolve("files/a", take="local"),
    "restore": lambda engine: engine.restore_trash("1"),
    "drop": lambda engine: engine.drop_trash("1"),
}


def test_it_sees_all_and_writes_nothing(looking: Machine) -> None:
    before = everything(looking.home), contents(looking.store())
    engine = looking.engine()
    try:
        assert engine.read_only == engine.snapshot().read_only == BY_CHOICE
        status = engine.status()
        assert {row.path for row in status.local.dirty} == {"files/a", "files/own", "files/stay"}
        assert {row.path for row in status.conflicts} == {"files/a"}
        assert len(engine.plan("push").items) == 3
        assert engine.sync(dry_run=True).plan
        engine.start()
        engine.refresh()
        for act in ACTS.values():
            with pytest.raises(ReadOnly, match="opened to look only"):
                act(engine)
    finally:
        engine.stop()
    files, objects = everything(looking.home), contents(looking.store())
    assert {name for name in files | before[0] if files.get(name) != before[0].get(name)} == set()
    assert objects == before[1]


def test_a_lock_is_not_forced_open(looking: Machine) -> None:
    held = looking.store()
    body = b'{"holder":"ann","hostname":"h","pid":1,"acquiredAt":"2026-01-01T00:00:00.000Z",'
    held.put(".datastore.lock", body + b'"ttlMs":1,"nonce":"n"}')
    engine = looking.engine()
    try:
        (lock,) = engine.locks()
        with pytest.raises(ReadOnly):
            engine.release_lock(lock.key, lock.nonce)
        assert [found.key for found in engine.locks()] == [lock.key]
    finally:
        engine.stop()


def test_it_looks_beside_the_owner_of_the_cache_and_hinders_nobody(looking: Machine) -> None:
    watching = looking.engine()
    try:
        looking.settings = replace(looking.settings, readonly=False)
        owner = looking.engine()
        try:
            assert owner.read_only == ""
            assert watching.status().healthy
            owner.push(("files/own",))
        finally:
            owner.stop()
        assert "files/own" not in {row.path for row in watching.status().local.dirty}
    finally:
        watching.stop()


def test_a_cache_without_any_state_is_looked_at_too(join: Join) -> None:
    ada, eve = join("ada"), join("eve", readonly=True)
    ada.write("files/a", "base")
    ada.push()
    eve.write("files/own", "own")
    status = eve.status()
    assert {row.path for row in status.remote.changed} == {"files/a"}
    assert not (eve.home / "state").exists() or os.listdir(eve.home / "state") == []  # noqa: PTH208


def test_the_reason_is_told_in_words() -> None:
    assert why_read_only(BY_CHOICE) == "opened to look only (readonly)"
    assert why_read_only("pid 12 on vm") == "this cache belongs to pid 12 on vm"
