"""Somebody else works while a datastore moves: nothing of theirs is lost, what differs is told."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.core.moves import Migrated
from s3dash.errors import Cancelled, LockLost, OtherDatastore, UsageError
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities, ObjectStore
from tests.engine.conftest import Join
from tests.engine.hooked import hooked
from tests.engine.moves import FILES, at, below, filled, index_of, is_moved, migrate
from tests.engine.peer import PlainPeer
from tests.engine.storm import FastClock
from tests.engine.world import Machine, Stores, contents, digest

Store = Callable[[], ObjectStore]
ALL = Capabilities(create=True, replace=True, delete=True, races=True, dated=True, complete=True)
NEWER = b"written by somebody else meanwhile"


def once(op: str, key: str, act: Callable[[], None]) -> Hook:
    """Acts at the first such request."""
    seen: list[str] = []

    def hook(asked: str, at_key: str) -> None:
        if (asked, at_key) == (op, key) and not seen:
            seen.append(key)
            act()

    return hook


def moving(
    tmp_path: Path, store: Store, *, before: Hook | None = None, after: Hook | None = None
) -> Migrated:
    """A machine without a cache of its own moves the datastore."""
    return migrate(Machine(tmp_path / "mover", hooked(store, before, after)), "web")


def test_what_changes_before_the_index_is_written_is_copied_again(
    store: Store, join: Join, tmp_path: Path
) -> None:
    filled(join("ada"))
    change = once("copy", "web/files/a", lambda: put(store, "files/a", NEWER))
    done = moving(tmp_path, store, after=change)
    assert done.kept == ()
    assert below(store, "web") == {**FILES, "files/a": NEWER}
    assert "files/a" not in contents(store())


def test_what_changes_after_it_stays_and_is_told(store: Store, join: Join, tmp_path: Path) -> None:
    filled(join("ada"))
    change = once("delete", "files/a", lambda: put(store, "files/a", NEWER))
    done = moving(tmp_path, store, before=change)
    assert [(k.path, k.reason) for k in done.kept] == [
        ("files/a", "it changed after it was copied; the new version is in the old place")
    ]
    assert done.exit_code == 3
    assert contents(store())["files/a"] == NEWER
    assert below(store, "web") == FILES
    again = moving(tmp_path, store)
    assert [k.path for k in again.kept] == ["files/a"]
    assert contents(store())["files/a"] == NEWER


def test_a_plain_client_that_pushed_again_is_merged_by_the_next_run(
    store: Store, join: Join, tmp_path: Path
) -> None:
    migrate(filled(join("ada")), "web")
    peer = PlainPeer(store())
    for rel, body in {**FILES, "files/a": NEWER, "files/of the peer": b"new"}.items():
        peer.write(rel, body)
    peer.push()
    done = moving(tmp_path, store)
    assert [k.path for k in done.kept] == ["files/a"]
    assert below(store, "web") == {**FILES, "files/of the peer": b"new"}
    assert index_of(store, "web")["files/of the peer"]["sha256"] == digest(b"new")
    left = {key: body for key, body in contents(store()).items() if not key.startswith("web/")}
    assert left["files/a"] == NEWER
    assert set(index_of(store, "")) == {"files/a"}
    assert "files/of the peer" not in left


def test_what_was_deleted_in_the_new_place_is_not_brought_back(
    store: Store, join: Join, tmp_path: Path
) -> None:
    ada = filled(join("ada"))
    migrate(ada, "web")
    there = at(ada, "web")
    (there.base / "files/a").unlink()
    there.push()
    peer = PlainPeer(store())
    peer.write("files/a", FILES["files/a"])
    peer.push()
    done = moving(tmp_path, store)
    assert [(k.path, k.reason) for k in done.kept] == [
        ("files/a", "it was deleted in the new place on purpose")
    ]
    assert "files/a" not in index_of(store, "web")


def test_an_object_that_no_index_names_is_set_aside_and_not_lost(
    store: Store, join: Join, tmp_path: Path
) -> None:
    """A resumed run may find an upload where its copy goes."""
    filled(join("ada"))
    stop = once("put", "web/_index/_meta.json", raising)
    with pytest.raises(OSError, match="pulled"):
        moving(tmp_path, store, before=stop)
    free(store)
    put(store, "web/files/a", NEWER)
    for key in list(contents(store(), "web/_index/")):
        store().delete(key)
    assert moving(tmp_path, store).kept == ()
    assert below(store, "web") == FILES
    displaced = contents(store(), "web/_control/s3dash/displaced/")
    assert list(displaced.values()) == [NEWER]


def test_another_target_is_refused_while_one_is_under_way(
    store: Store, join: Join, tmp_path: Path
) -> None:
    ada = filled(join("ada"))
    stop = once("copy", "web/files/a", raising)
    with pytest.raises(OSError, match="pulled"):
        moving(tmp_path, store, before=stop)
    free(store)
    with pytest.raises(UsageError, match="is being moved to namespace web already"):
        migrate(ada, "api")
    assert migrate(ada, "web").resumed
    assert is_moved(store, FILES, to="web", src="")


def test_a_machine_that_knows_nothing_pushes_nothing_into_the_old_place(
    store: Store, join: Join
) -> None:
    migrate(filled(join("ada")), "web")
    before = contents(store())
    eve = join("eve")
    eve.write("files/e", "eve's")
    with pytest.raises(OtherDatastore, match="moved to namespace web"):
        eve.push()
    assert contents(store()) == before


def test_a_lock_that_is_lost_stops_it_before_anything_is_deleted(tmp_path: Path) -> None:
    clock = FastClock()
    bucket = MemoryBucket(clock=clock)
    filled(Machine(tmp_path / "ada", lambda: MemoryStore(bucket), clock=clock))
    sleep = once("put", "_index/files.json", lambda: asleep(clock))
    mover = Machine(tmp_path / "mover", lambda: MemoryStore(bucket, before=sleep), clock=clock)
    with pytest.raises(LockLost):
        migrate(mover, "web")
    assert {k: v for k, v in contents(MemoryStore(bucket)).items() if k in FILES} == FILES


def test_a_cancelled_move_goes_on_in_the_next_run(store: Store, join: Join, tmp_path: Path) -> None:
    filled(join("ada"))
    token = CancelToken()
    stop = once("copy", "web/files/a", token.cancel)
    with pytest.raises(Cancelled):
        migrate(Machine(tmp_path / "mover", hooked(store, stop, None)), "web", cancel=token)
    assert {k for k in contents(store()) if k.endswith(".lock")} == set()
    assert FILES.items() <= contents(store()).items()
    assert moving(tmp_path, store).resumed
    assert is_moved(store, FILES, to="web", src="")


def test_another_machine_ends_it_where_etags_tell_nothing(tmp_path: Path) -> None:
    """Copied in parts: who has no note of the copies reads both sides once, and believes that."""
    bucket, can = MemoryBucket(), ALL

    def made(before: Hook | None = None) -> Store:
        return Stores(
            lambda: MemoryStore(bucket, before=before, copy_in_parts_above=0, part_size=2), can
        )

    store = made()
    filled(Machine(tmp_path / "ada", store))
    stop = once("put", "web/_index/_meta.json", raising)
    with pytest.raises(OSError, match="pulled"):
        migrate(Machine(tmp_path / "mover", made(stop)), "web")
    free(store)
    read: list[str] = []

    def watch(op: str, key: str) -> None:
        if op in ("copy_part", "download"):
            read.append(f"{op} {key}")

    done = migrate(Machine(tmp_path / "other", made(watch)), "web")
    assert (done.resumed, done.copied, done.kept) == (True, 0, ())
    assert {one.partition(" ")[0] for one in read} == {"download"}
    assert len(read) == len(set(read)), "each is read once"
    assert is_moved(store, FILES, to="web", src="")


def test_what_is_set_aside_may_be_too_large_for_a_single_copy(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    store = Stores(lambda: MemoryStore(bucket), ALL)
    filled(Machine(tmp_path / "ada", store))
    stop = once("put", "web/_index/_meta.json", raising)
    with pytest.raises(OSError, match="pulled"):
        moving(tmp_path, store, before=stop)
    free(store)
    put(store, "web/files/a", NEWER)
    for key in list(contents(store(), "web/_index/")):
        store().delete(key)
    in_one: list[str] = []

    def watch(op: str, key: str) -> None:
        if op == "copy":
            in_one.append(key)

    parts = Stores(
        lambda: MemoryStore(bucket, before=watch, copy_in_parts_above=0, part_size=2), ALL
    )
    assert migrate(Machine(tmp_path / "mover", parts), "web").kept == ()
    assert in_one == []
    displaced = contents(store(), "web/_control/s3dash/displaced/")
    assert list(displaced.values()) == [NEWER]


def asleep(clock: FastClock) -> None:
    """As long as a lease lives, without a heartbeat."""
    clock.wait(threading.Event(), 120.0)


def put(store: Store, key: str, body: bytes) -> None:
    store().put(key, body)


def raising() -> None:
    raise OSError("the plug was pulled")


def free(store: Store) -> None:
    """The locks of whoever was cut off have run out."""
    for key in (".datastore.lock", ".locks/web.lock"):
        store().delete(key)
