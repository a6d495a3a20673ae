"""The trash as a user sees it: what was replaced or deleted is listed, comes back, has limits."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from s3dash.clock import SystemClock
from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine
from s3dash.errors import CacheBusy, LocalError, PathBlocked, UsageError
from s3dash.local.scan import FileStat
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.conftest import Join
from tests.engine.ends import Store, all_have, base, trash
from tests.engine.faults import machine
from tests.engine.faults import pair as pair_on
from tests.engine.test_scenarios_edits import pair
from tests.engine.world import Machine, digest


class Later(SystemClock):
    """A clock that a test sets ahead."""

    def __init__(self, days: float) -> None:
        self.ahead = timedelta(days=days)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def replaced(join: Join) -> tuple[Machine, Machine]:
    """Bob has pulled Ada's edit of `files/a` and her deletion of `files/gone`."""
    ada, bob = pair(join, a="base", gone="gone")
    ada.write("files/a", "edited")
    (ada.cache / "files/gone").unlink()
    ada.push()
    bob.pull()
    return ada, bob


def test_what_a_pull_replaced_or_deleted_is_listed(join: Join) -> None:
    _, bob = replaced(join)
    items = bob.trash()
    assert {(i.path, i.sha256, i.size, i.reason, i.expires) for i in items} == {
        ("files/a", digest(b"base"), 4, "replaced by a pull", True),
        ("files/gone", digest(b"gone"), 4, "deleted in the bucket", True),
    }
    assert [i.at for i in items] == sorted(i.at for i in items)


def test_a_deleted_file_comes_back_where_it_was_and_is_new_again(join: Join, store: Store) -> None:
    ada, bob = replaced(join)
    (item,) = [i for i in bob.trash() if i.path == "files/gone"]
    assert bob.restore_trash(item.id) == "files/gone"
    assert bob.read("files/gone") == b"gone"
    assert [i.path for i in bob.trash()] == ["files/a"]
    assert [d.path for d in bob.status().local.dirty] == ["files/gone"]
    assert "files/gone" in bob.sidecar()["dirtyPaths"]
    bob.sync()
    ada.sync()
    all_have(store, {"files/a": "edited", "files/gone": "gone", "files/stay": "stay"}, ada, bob)


def test_a_replaced_file_comes_back_beside_never_over_the_new_one(join: Join) -> None:
    _, bob = replaced(join)
    (item,) = [i for i in bob.trash() if i.path == "files/a"]
    with pytest.raises(UsageError, match="not overwritten"):
        bob.restore_trash(item.id)
    assert bob.read("files/a") == b"edited"
    assert bob.restore_trash(item.id, to="new/deep/a.old") == "new/deep/a.old"
    assert (bob.read("files/a"), bob.read("new/deep/a.old")) == (b"edited", b"base")
    assert base(bob)["files/a"] == digest(b"edited")


def test_the_same_bytes_in_the_place_are_left_alone(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = with_trash(tmp_path, memory)
    (item,) = bob.trash()
    bob.write("files/gone", "gone")
    before = FileStat.of((bob.cache / "files/gone").stat())  # not when it was read: that may move
    bob.restore_trash(item.id)
    assert FileStat.of((bob.cache / "files/gone").stat()) == before
    assert len(bob.trash()) == 1


def test_mode_and_time_come_back(tmp_path: Path, memory: MemoryBucket) -> None:
    ada, bob = pair_on(tmp_path, memory, gone="gone", stay="stay")
    path = bob.cache / "files/gone"
    path.chmod(0o640)
    os.utime(path, ns=(10**18, 10**18))
    (ada.cache / "files/gone").unlink()
    ada.push()
    bob.pull()
    bob.restore_trash(bob.trash()[0].id)
    assert (path.stat().st_mode & 0o777, path.stat().st_mtime_ns) == (0o640, 10**18)


def with_trash(home: Path, memory: MemoryBucket, **settings: Any) -> Machine:
    """Bob, whose `files/gone` was deleted by Ada."""
    ada, bob = machine(home / "ada", memory), machine(home / "bob", memory, **settings)
    for name in ("gone", "stay"):
        ada.write(f"files/{name}", name)
    ada.push()
    bob.pull()
    (ada.cache / "files/gone").unlink()
    ada.push()
    bob.pull()
    return bob


def test_from_another_disk_the_whole_file_comes_back_or_none(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """Where there is no second disk this shows the same on one."""
    with other_disk() as disk:
        bob = with_trash(tmp_path, memory, state_dir=disk / "state")
        (item,) = bob.trash()
        assert not list(bob.cache.rglob("_catalog*"))
        bob.restore_trash(item.id)
        assert bob.read("files/gone") == b"gone"
        assert (bob.trash(), list((disk / "state/trash").iterdir())) == ([], [])


@contextmanager
def other_disk() -> Iterator[Path]:
    """A directory on another file system where this machine has one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.mark.parametrize(
    "to", ["../out", "/etc/x", "files/../../out", ".datastore.lock", "_index/x", "a\0b", "files"]
)
def test_nothing_is_restored_outside_or_over_what_is_no_file(
    tmp_path: Path, memory: MemoryBucket, to: str
) -> None:
    bob = with_trash(tmp_path, memory)
    (item,) = bob.trash()
    with pytest.raises(PathBlocked):
        bob.restore_trash(item.id, to=to)
    assert len(bob.trash()) == 1
    assert not (tmp_path / "out").exists()


def test_nothing_is_restored_through_a_link(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = with_trash(tmp_path, memory)
    (tmp_path / "outside").mkdir()
    (bob.cache / "link").symlink_to(tmp_path / "outside")
    with pytest.raises(PathBlocked):
        bob.restore_trash(bob.trash()[0].id, to="link/x")
    assert list((tmp_path / "outside").iterdir()) == []


def test_a_file_whose_record_was_lost_wants_a_place(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = with_trash(tmp_path, memory)
    (record,) = (bob.home / "state/trash").glob("*.json")
    record.unlink()
    (item,) = bob.trash()
    assert (item.path, item.sha256, item.size, item.expires) == ("", "", 4, False)
    with pytest.raises(UsageError, match="record was lost"):
        bob.restore_trash(item.id)
    bob.restore_trash(item.id, to="files/found")
    assert bob.read("files/found") == b"gone"


def test_unknown_ids_are_refused(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = with_trash(tmp_path, memory)
    for id in ("", "../x", "20261121T100000123-0123456789ab"):
        with pytest.raises(LocalError, match="not in the trash"):
            bob.restore_trash(id)
        with pytest.raises(LocalError, match="not in the trash"):
            bob.drop_trash(id)


def test_what_the_user_drops_is_gone_and_noted(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = with_trash(tmp_path, memory)
    (item,) = bob.trash()
    assert bob.drop_trash(item.id) == item
    assert bob.trash() == []
    assert any(digest(b"gone") in row.text for row in bob.history())


def test_a_second_process_lists_but_moves_nothing(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = with_trash(tmp_path, memory)
    first, second = bob.engine(), bob.engine()
    try:
        (item,) = second.trash()
        for act in (second.restore_trash, second.drop_trash):
            with pytest.raises(CacheBusy):
                act(item.id)
    finally:
        second.stop()
        first.stop()
    assert bob.trash() == [item]


def test_a_namespace_never_sees_another_ones_trash(tmp_path: Path, memory: MemoryBucket) -> None:
    """They share a cache and its state directory (scenario 53)."""
    home = tmp_path / "bob"
    for name in ("infra", "web"):
        mine = machine(home, memory, namespace=name)
        other = machine(tmp_path / f"ada-{name}", memory, namespace=name)
        mine.write("files/gone", name)
        mine.write("files/stay", "stay")
        mine.push()
        other.pull()
        (other.base / "files/gone").unlink()
        other.push()
        mine.pull()
    infra, web = (machine(home, memory, namespace=name) for name in ("infra", "web"))
    (theirs,) = web.trash()
    assert [i.sha256 for i in infra.trash()] == [digest(b"infra")]
    with pytest.raises(LocalError, match="not in the trash"):
        infra.restore_trash(theirs.id)
    web.restore_trash(theirs.id)
    assert (web.base / "files/gone").read_bytes() == b"web"
    assert not (infra.base / "files/gone").exists()


# --- limits ----------------------------------------------------------------------------------


@pytest.fixture
def aged(tmp_path: Path, memory: MemoryBucket) -> Machine:
    """Bob with one file that was replaced and one edit of his that lost a conflict."""
    ada, bob = pair_on(tmp_path, memory, a="base", lost="base")
    ada.write("files/a", "edited")
    ada.write("files/lost", "ada's")
    ada.push()
    bob.write("files/lost", "bob's own")
    bob.pull(policy="remote")
    assert trash(bob) == [("files/a", b"base"), ("files/lost", b"bob's own")]
    return bob


def later(machine: Machine, days: float, memory: MemoryBucket, **settings: Any) -> Engine:
    made = Machine(machine.home, lambda: MemoryStore(memory), **settings)
    return open_engine(made.settings, store=MemoryStore(memory), clock=Later(days))


def test_age_takes_what_was_replaced_but_not_what_lost(aged: Machine, memory: MemoryBucket) -> None:
    for days, want in ((29, 2), (31, 1), (9999, 1)):
        engine = later(aged, days, memory)
        engine.sync()
        left = engine.trash()
        engine.stop()
        assert len(left) == want, days
    assert [(i.path, i.expires) for i in left] == [("files/lost", False)]
    assert any("left it" in row.text for row in aged.history())


def test_size_takes_the_oldest_but_not_what_lost(aged: Machine, memory: MemoryBucket) -> None:
    engine = later(aged, 0, memory, trash_max_size=9)
    engine.sync()
    engine.stop()
    assert trash(aged) == [("files/lost", b"bob's own")]


def test_what_lost_may_go_once_the_file_is_that_again(aged: Machine, memory: MemoryBucket) -> None:
    aged.write("files/lost", "bob's own")
    engine = later(aged, 31, memory)
    engine.sync()
    engine.stop()
    assert trash(aged) == []
    assert aged.read("files/lost") == b"bob's own"


def test_zero_is_no_limit(aged: Machine, memory: MemoryBucket) -> None:
    engine = later(aged, 9999, memory, trash_max_age_days=0, trash_max_size=0)
    engine.sync()
    engine.stop()
    assert len(trash(aged)) == 2


def test_a_look_or_a_dry_run_drops_nothing(aged: Machine, memory: MemoryBucket) -> None:
    engine = later(aged, 9999, memory)
    engine.status()
    engine.sync(dry_run=True)
    engine.stop()
    assert len(trash(aged)) == 2
