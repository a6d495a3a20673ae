"""Writing into the cache: whole or not at all, never over an edit, never outside, undoable."""

import errno
import os
import stat as modes
import tempfile
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from s3dash.clock import SystemClock
from s3dash.errors import LocalChanged, LocalError, PathBlocked
from s3dash.local import fsio
from s3dash.local.atomic import BESIDE, CacheDir
from s3dash.local.scan import FileStat, scan
from s3dash.local.trash import Trash

OUTSIDE = b"outside"


class World:
    """A cache with a trash, and a directory beside it that nothing may touch."""

    def __init__(self, home: Path, *, namespace: str | None = None) -> None:
        self.root = home / "cache"
        self.root.mkdir()
        self.outside = home / "outside"
        self.outside.mkdir()
        (self.outside / "file").write_bytes(OUTSIDE)
        self.cache = CacheDir(self.root, namespace=namespace)
        self.trash = Trash(home / "trash", SystemClock())

    def put(self, rel: str, content: bytes = b"old") -> FileStat:
        path = self.cache.base / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        return self.stat(rel)

    def stat(self, rel: str) -> FileStat:
        return FileStat.of((self.cache.base / rel).lstat())

    def read(self, rel: str) -> bytes:
        return (self.cache.base / rel).read_bytes()

    def install(self, rel: str, content: bytes, *, expected: FileStat | None) -> FileStat:
        with self.cache.staging() as temp:
            temp.write(content)
            return self.cache.install(Path(temp.name), rel, expected=expected, trash=self.trash)

    def trashed(self) -> list[tuple[str, bytes]]:
        return [(t.rel, self.trash.path(t.id).read_bytes()) for t in self.trash.list()]

    def leftovers(self) -> list[str]:
        """Files that no user and no peer knows of."""
        known = set(scan(self.root).files)
        every = (p.relative_to(self.root) for p in self.root.rglob("*") if p.is_file())
        staging = fsio.staging_dir(self.root)
        staged = [p.name for p in staging.iterdir()] if staging.is_dir() else []
        return [str(p) for p in every if str(p) not in known] + staged


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


@pytest.fixture
def split(tmp_path: Path) -> Iterator[World]:
    """A cache whose staging directory is on another disk, where this machine has one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        world = World(tmp_path)
        (world.root / "_control").symlink_to(name)
        yield world


# --- install ----------------------------------------------------------------------------


@pytest.mark.parametrize("disks", ["world", "split"])
def test_a_new_file_is_installed_whole_with_its_directories(
    request: pytest.FixtureRequest, disks: str
) -> None:
    world: World = request.getfixturevalue(disks)
    stat = world.install("a/b/c", b"new", expected=None)
    assert world.read("a/b/c") == b"new"
    assert stat == world.stat("a/b/c")
    assert world.trashed() == []
    assert world.leftovers() == []


@pytest.mark.parametrize("disks", ["world", "split"])
def test_a_replaced_file_is_in_the_trash(request: pytest.FixtureRequest, disks: str) -> None:
    world: World = request.getfixturevalue(disks)
    old = world.put("a/b", b"old")
    stat = world.install("a/b", b"new", expected=old)
    assert (world.read("a/b"), stat) == (b"new", world.stat("a/b"))
    assert world.trashed() == [("a/b", b"old")]
    assert world.leftovers() == []


def test_a_reader_sees_the_old_or_the_new_file_only(world: World) -> None:
    old = world.put("a", b"old")
    with (world.root / "a").open("rb") as reader:
        world.install("a", b"new", expected=old)
        assert reader.read() == b"old"


@pytest.mark.parametrize("disks", ["world", "split"])
def test_an_edit_that_was_not_expected_is_never_replaced(
    request: pytest.FixtureRequest, disks: str
) -> None:
    world: World = request.getfixturevalue(disks)
    old = world.put("a", b"old")
    world.put("a", b"edited")
    with pytest.raises(LocalChanged):
        world.install("a", b"new", expected=old)
    assert world.read("a") == b"edited"
    with pytest.raises(LocalChanged):
        world.install("a", b"new", expected=None)
    assert world.read("a") == b"edited"
    (world.root / "a").unlink()
    with pytest.raises(LocalChanged):
        world.install("a", b"new", expected=old)
    assert not (world.root / "a").exists()
    assert world.leftovers() == []


def test_a_file_replaced_during_the_install_stays(tmp_path: Path) -> None:
    world = World(tmp_path)
    old = world.put("a", b"old")

    class Meddler(SystemClock):
        def now(self) -> datetime:
            (tmp_path / "edit").write_bytes(b"edited")
            (tmp_path / "edit").replace(world.root / "a")
            return super().now()

    world.trash = Trash(tmp_path / "trash", Meddler())
    with pytest.raises(LocalChanged):
        world.install("a", b"new", expected=old)
    assert world.read("a") == b"edited"


def test_after_a_refusal_the_staged_file_can_go_elsewhere(world: World) -> None:
    world.put("a", b"mine")
    with world.cache.staging() as temp:
        temp.write(b"theirs")
        path = Path(temp.name)
        with pytest.raises(LocalChanged):
            world.cache.install(path, "a", expected=None, trash=world.trash)
        world.cache.install(path, "b", expected=None, trash=world.trash)
    assert (world.read("a"), world.read("b")) == (b"mine", b"theirs")


def test_modes_are_kept_and_new_files_follow_the_umask(world: World) -> None:
    old = world.put("old")
    (world.root / "old").chmod(0o750)
    old = world.stat("old")
    before = os.umask(0o027)
    try:
        world.install("old", b"new", expected=old)
        world.install("new", b"new", expected=None)
    finally:
        os.umask(before)
    assert modes.S_IMODE((world.root / "old").stat().st_mode) == 0o750
    assert modes.S_IMODE((world.root / "new").stat().st_mode) == 0o640


def test_a_staged_file_that_is_not_installed_is_gone(world: World) -> None:
    def fail() -> None:
        with world.cache.staging() as temp:
            temp.write(b"half")
            assert world.leftovers() != []
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert world.leftovers() == []


def test_a_disk_that_refuses_leaves_the_old_file_and_no_temporary(world: World) -> None:
    old = world.put("a", b"old")
    (world.root.parent / "trash").write_bytes(b"a file where the trash should be")
    with pytest.raises(LocalError, match="cannot be"):
        world.install("a", b"new", expected=old)
    assert world.read("a") == b"old"
    assert world.leftovers() == []


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "the disk is full"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EIO, os.strerror(errno.EIO)),
    ],
)
def test_failures_of_the_disk_are_told_in_words(number: int, words: str) -> None:
    with pytest.raises(LocalError, match=words) as caught, fsio.telling("cache/a"):
        raise OSError(number, os.strerror(number))
    assert caught.value.message.startswith("cache/a: ")
    assert isinstance(caught.value.__cause__, OSError)


# --- where nothing may be written -------------------------------------------------------


@pytest.mark.parametrize(
    "rel",
    [
        "", "/etc/x", "../outside/file", "a/../../outside/file", "a/./b", "a//b", "a/", "bell\x07",
        "n" * 256, "_control/x", "_index/a.json", ".datastore-sync-state.json", "a/.lock",
        ".locks/x", "data/_catalog.db-wal", "web/.namespace.json",
    ],
)  # fmt: skip
def test_hostile_and_reserved_paths_are_blocked(world: World, rel: str) -> None:
    with pytest.raises(PathBlocked):
        world.cache.target(rel)
    with pytest.raises(PathBlocked):
        world.install(rel, b"new", expected=None)
    assert (world.outside / "file").read_bytes() == OUTSIDE
    assert scan(world.root).files == {}


def test_nothing_is_written_through_symlinks(world: World) -> None:
    (world.root / "dir").symlink_to(world.outside)
    (world.root / "file").symlink_to(world.outside / "file")
    (world.root / "a").mkdir()
    (world.root / "a/dangling").symlink_to(world.outside / "new")
    for rel in ("dir/file", "dir/new", "dir/deep/new", "file", "a/dangling", "a/dangling/x"):
        with pytest.raises(PathBlocked):
            world.install(rel, b"new", expected=None)
    assert [p.name for p in world.outside.iterdir()] == ["file"]
    assert (world.outside / "file").read_bytes() == OUTSIDE


def test_files_and_directories_do_not_make_room_for_each_other(world: World) -> None:
    world.put("file")
    world.put("dir/x")
    os.mkfifo(world.root / "pipe")
    for rel in ("file/below", "dir", "pipe"):
        with pytest.raises(PathBlocked):
            world.install(rel, b"new", expected=None)
    assert (world.read("file"), world.read("dir/x")) == (b"old", b"old")


def test_other_namespaces_are_not_written_to(world: World) -> None:
    world.put("web/.namespace.json", b"{}")
    with pytest.raises(PathBlocked, match="another namespace"):
        world.install("web/data/x", b"new", expected=None)


def test_a_namespace_lies_in_a_directory_of_its_own(tmp_path: Path) -> None:
    world = World(tmp_path, namespace="web")
    world.cache.check()
    assert world.cache.base == world.root / "web"
    world.put(".namespace.json", b"{}")
    world.install("data/x", b"new", expected=None)
    assert (world.root / "web/data/x").read_bytes() == b"new"
    assert (world.root / "_control").is_dir(), "staged at the top, in what peers never sync"


# --- remove and rename ------------------------------------------------------------------


def test_a_removed_file_is_in_the_trash_and_empty_directories_go(world: World) -> None:
    stat = world.put("a/b/c/file")
    world.put("a/other")
    world.cache.remove("a/b/c/file", expected=stat, trash=world.trash)
    assert world.trashed() == [("a/b/c/file", b"old")]
    assert not (world.root / "a/b").exists()
    assert world.read("a/other") == b"old"


def test_the_base_itself_is_never_removed(tmp_path: Path) -> None:
    world = World(tmp_path, namespace="web")
    stat = world.put("only")
    world.cache.remove("only", expected=stat, trash=world.trash)
    assert world.cache.base.is_dir()


def test_an_edited_or_missing_file_is_not_removed(world: World) -> None:
    stat = world.put("a")
    world.put("a", b"edited")
    with pytest.raises(LocalChanged):
        world.cache.remove("a", expected=stat, trash=world.trash)
    assert world.read("a") == b"edited"
    with pytest.raises(LocalChanged):
        world.cache.remove("gone", expected=stat, trash=world.trash)
    assert world.trashed() == []


def test_a_renamed_file_has_its_stat_and_no_old_name(world: World) -> None:
    stat = world.put("a", b"mine")
    moved = world.cache.rename("a", "deep/a.conflict", expected=stat)
    assert moved == world.stat("deep/a.conflict")
    assert moved.same_content(stat)
    assert world.read("deep/a.conflict") == b"mine"
    assert not (world.root / "a").exists()


def test_a_rename_overwrites_nothing_and_moves_no_edit(world: World) -> None:
    stat = world.put("a", b"mine")
    world.put("b", b"theirs")
    with pytest.raises(LocalChanged, match="exists"):
        world.cache.rename("a", "b", expected=stat)
    assert (world.read("a"), world.read("b")) == (b"mine", b"theirs")
    world.put("a", b"edited")
    with pytest.raises(LocalChanged):
        world.cache.rename("a", "c", expected=stat)
    with pytest.raises(PathBlocked):
        world.cache.rename("a", "../out", expected=stat)
    assert world.read("a") == b"edited"
    assert not (world.root / "c").exists()


# --- the cache itself -------------------------------------------------------------------


def test_a_missing_cache_is_told_and_never_made(tmp_path: Path) -> None:
    cache = CacheDir(tmp_path / "unmounted", namespace="web")
    with pytest.raises(LocalError, match="missing"):
        cache.check()
    with pytest.raises(LocalError), cache.staging():
        pass
    assert cache.sweep() == 0
    assert list(tmp_path.iterdir()) == []


def test_a_cache_is_made_only_when_asked_to(tmp_path: Path) -> None:
    cache = CacheDir(tmp_path / "new/cache", namespace="web")
    cache.create()
    cache.check()
    assert cache.base.is_dir()


def test_a_cache_that_cannot_be_written_is_told(world: World) -> None:
    (world.root / "_control").write_bytes(b"in the way")
    with pytest.raises(LocalError, match="cannot be written"):
        world.cache.check()


def test_a_check_leaves_no_file(world: World) -> None:
    world.cache.check()
    assert world.leftovers() == []


def test_what_a_crash_left_is_swept_and_what_is_in_use_is_not(world: World) -> None:
    world.cache.check()
    staging = fsio.staging_dir(world.root)
    old = staging / "1-deadbeef-000000000000"
    old.write_bytes(b"half")
    os.utime(old, ns=(10**18, 10**18))
    young = staging / "2-deadbeef-000000000000"
    young.write_bytes(b"another process, at work")
    with world.cache.staging() as temp:
        os.utime(temp.name, ns=(10**18, 10**18))
        assert world.cache.sweep() == 1
        assert Path(temp.name).exists()
    assert [p.name for p in staging.iterdir()] == [young.name]


def test_the_temporary_name_beside_a_target_is_one_that_nobody_syncs(world: World) -> None:
    world.put(f"data/{BESIDE}1-2-3")
    assert scan(world.root).files == {}
