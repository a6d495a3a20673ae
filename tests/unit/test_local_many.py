"""Small new files, many at a time: durable with few flushes, and each as if it came alone."""

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from s3dash.errors import DiskFull, LocalChanged, LocalError, PathBlocked
from s3dash.local import fsio, renameat2, syncfs
from s3dash.local.atomic import Fresh
from s3dash.local.scan import FileStat
from tests.unit.test_local_atomic import OUTSIDE, World

MTIME_NS = 1_700_000_000_000_000_000


class Flushes:
    """Files and disks that were made durable, in order: paths."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.files: list[Path] = []
        self.disks: list[Path] = []
        flush, whole = fsio.fsync, syncfs._flush

        def one(handle: int, path: Path) -> None:
            self.files.append(path)
            flush(handle, path)

        def all_(handle: int, directory: Path) -> None:
            self.disks.append(directory)
            whole(handle, directory)

        monkeypatch.setattr(fsio, "fsync", one)
        monkeypatch.setattr(syncfs, "_flush", all_)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """On a disk where one flush is enough."""
    monkeypatch.setattr(syncfs, "is_enough", lambda _: True)
    monkeypatch.setattr(syncfs, "is_crowded", lambda: False)
    return World(tmp_path)


@pytest.fixture
def flushes(world: World, monkeypatch: pytest.MonkeyPatch) -> Flushes:
    return Flushes(monkeypatch)


def put(
    world: World, *rels: str, unsettled: set[Path] | None = None
) -> list[FileStat | LocalError]:
    files = [Fresh(rel, f"new {rel}".encode(), MTIME_NS) for rel in rels]
    return world.cache.install_new(files, unsettled=set() if unsettled is None else unsettled)


def test_they_are_there_with_their_times_after_one_flush(world: World, flushes: Flushes) -> None:
    rels = [f"a/{n % 3}/{n}" for n in range(50)]
    unsettled = set[Path]()
    stats = put(world, *rels, unsettled=unsettled)
    assert [world.read(rel) for rel in rels] == [f"new {rel}".encode() for rel in rels]
    assert stats == [world.stat(rel) for rel in rels]
    assert {world.stat(rel).mtime_ns for rel in rels} == {MTIME_NS}
    assert (flushes.files, flushes.disks) == ([], [fsio.staging_dir(world.root)])
    base = world.root
    assert unsettled == {base, base / "a", *(base / f"a/{n}" for n in range(3))}
    assert world.leftovers() == []


def test_before_the_flush_no_file_has_its_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[int] = []

    def flush(_handle: int, directory: Path) -> None:
        assert not (world.root / "a").exists()
        seen.append(len(list(directory.iterdir())))

    monkeypatch.setattr(syncfs, "_flush", flush)
    put(world, "a/1", "a/2")
    assert seen == [2]


@pytest.mark.parametrize("why", ["crowded", "not enough"])
def test_where_one_flush_does_not_do_each_file_has_its_own(
    world: World, flushes: Flushes, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    if why == "crowded":
        monkeypatch.setattr(syncfs, "is_crowded", lambda: True)
    else:
        monkeypatch.setattr(syncfs, "is_enough", lambda _: False)
    put(world, "a/1", "a/2")
    assert (len(flushes.files), flushes.disks) == (2, [])
    assert world.read("a/2") == b"new a/2"


def test_when_the_flush_fails_none_is_installed(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_handle: int, directory: Path) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO), str(directory))

    monkeypatch.setattr(syncfs, "_flush", refuse)
    errors = put(world, "a", "b")
    assert [type(error) for error in errors] == [LocalError, LocalError]
    assert sorted(p.name for p in world.root.iterdir()) == ["_control"]
    assert world.leftovers() == []


def test_one_that_does_not_fit_stops_no_other(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = os.write

    def full(handle: int, data: bytes) -> int:
        if bytes(data) == b"new b":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(handle, data)

    monkeypatch.setattr(os, "write", full)
    stats = put(world, "a", "b", "c")
    assert [type(stat) for stat in stats] == [FileStat, DiskFull, FileStat]
    assert (world.read("a"), world.read("c")) == (b"new a", b"new c")
    assert world.leftovers() == []


def test_a_write_that_is_cut_short_goes_on(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    monkeypatch.setattr(os, "write", lambda handle, data: write(handle, data[:2]))
    put(world, "a")
    assert world.read("a") == b"new a"


def test_what_is_there_stays_and_directories_are_no_room(world: World) -> None:
    world.put("taken")
    world.put("dir/x")
    (world.root / "hollow/deep").mkdir(parents=True)
    (world.root / "link").symlink_to(world.outside)
    (world.root / "dangling").symlink_to(world.outside / "new")
    os.mkfifo(world.root / "pipe")
    rels = ["taken", "taken/below", "dir", "hollow", "link/file", "link/new", "dangling", "pipe"]
    kinds = [type(stat) for stat in put(world, *rels, "z")]
    blocked = [PathBlocked, PathBlocked]
    assert kinds == [LocalChanged, *blocked, FileStat, *blocked, *blocked, FileStat]
    assert (world.read("taken"), world.read("dir/x")) == (b"old", b"old")
    assert [p.name for p in world.outside.iterdir()] == ["file"]
    assert (world.outside / "file").read_bytes() == OUTSIDE
    assert world.leftovers() == []


def test_reserved_names_and_other_namespaces_are_blocked(world: World) -> None:
    world.put("web/.namespace.json", b"{}")
    rels = ["../outside/file", "", "a//b", "_control/x", "web/data/x"]
    assert [type(stat) for stat in put(world, *rels)] == [PathBlocked] * 5
    assert (world.outside / "file").read_bytes() == OUTSIDE


def test_a_disk_that_knows_no_such_rename_gets_them_all_the_same(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("s3dash.local.renameat2._renameat2", lambda: None)
    world.put("taken")
    stats = put(world, "a/1", "taken")
    assert [type(stat) for stat in stats] == [FileStat, LocalChanged]
    assert (world.read("a/1"), world.read("taken")) == (b"new a/1", b"old")
    assert world.leftovers() == []


@pytest.fixture
def elsewhere() -> Iterator[Path]:
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


def test_they_come_across_disks(world: World, elsewhere: Path) -> None:
    (world.root / "_control").symlink_to(elsewhere)
    put(world, "a/1", "a/2")
    assert (world.read("a/1"), world.read("a/2")) == (b"new a/1", b"new a/2")
    assert world.leftovers() == []


def test_a_missing_cache_is_told_and_not_made(tmp_path: Path) -> None:
    world = World(tmp_path)
    world.root.rmdir()
    assert [type(told) for told in put(world, "a", "b")] == [LocalError, LocalError]
    assert not world.root.exists()


def test_a_file_that_goes_at_once_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = renameat2.rename_new

    def gone(source: str, target: str) -> bool:
        done = rename(source, target)
        Path(target).unlink()
        return done

    monkeypatch.setattr(renameat2, "rename_new", gone)
    assert [type(told) for told in put(world, "a")] == [LocalChanged]


# --- whether one flush is enough ----------------------------------------------------------


def test_it_is_asked_of_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not syncfs.is_enough(Path("/proc")), "nothing is durable there"
    assert not syncfs.is_enough(tmp_path / "missing")
    monkeypatch.setattr(syncfs, "_syncfs", lambda: None)
    assert not syncfs.is_enough(tmp_path)


@pytest.mark.parametrize(
    ("release", "told"), [("5.7.19", False), ("5.8.0-1", True), ("6.18", True)]
)
def test_a_kernel_that_does_not_tell_failures_is_not_asked(
    monkeypatch: pytest.MonkeyPatch, release: str, told: bool
) -> None:
    named = os.uname_result(("Linux", "host", release, "", "x86_64"))
    monkeypatch.setattr(os, "uname", lambda: named)
    syncfs._syncfs.cache_clear()
    try:
        assert (syncfs._syncfs() is not None) is told
    finally:
        monkeypatch.undo()
        syncfs._syncfs.cache_clear()


def test_much_that_waits_to_be_written_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    for dirty, crowded in ((64, False), (4 << 20, True)):
        told = f"MemTotal: 1 kB\nDirty:   {dirty} kB\nWriteback: 0 kB\n".encode()
        monkeypatch.setattr(Path, "read_bytes", lambda _, told=told: told)
        assert syncfs.is_crowded() is crowded
