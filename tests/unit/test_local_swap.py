"""Replacing a file that is being saved at the same moment: the save wins, whatever the moment."""

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.clock import SystemClock
from s3dash.errors import LocalChanged
from s3dash.local import fsio, renameat2, swap
from s3dash.local.atomic import CacheDir
from s3dash.local.scan import FileStat
from s3dash.local.trash import Trash


class Desk:
    """A cache with one file, and a user who saves it in between."""

    def __init__(self, home: Path, exchange: swap.Exchange = renameat2.exchange) -> None:
        self.home = home
        (home / "cache").mkdir()
        self.path = home / "cache/a"
        self.path.write_bytes(b"old")
        self.stat = FileStat.of(self.path.lstat())
        self.cache = CacheDir(home / "cache", namespace=None, exchange=exchange)
        self.trash = Trash(home / "trash", SystemClock())

    def save(self, body: bytes) -> None:
        """As editors do: a new file that takes the name."""
        (self.home / "editing").write_bytes(body)
        (self.home / "editing").replace(self.path)

    def install(self) -> Path:
        """Where the staged file was."""
        with self.cache.staging() as temp:
            temp.write(b"new")
            self.cache.install(Path(temp.name), "a", expected=self.stat, trash=self.trash)
        return Path(temp.name)

    def trashed(self) -> list[bytes]:
        return sorted(self.trash.path(t.id).read_bytes() for t in self.trash.list())

    def staged(self) -> list[Path]:
        return list(fsio.staging_dir(self.home / "cache").iterdir())


def meddling(tmp_path: Path, *acts: Callable[[Desk], object]) -> Desk:
    """The n-th act is done just before the n-th exchange."""
    left = list(acts)

    def exchange(one: Path, other: Path) -> bool:
        if left:
            left.pop(0)(desk)
        return renameat2.exchange(one, other)

    desk = Desk(tmp_path, exchange)
    return desk


def test_the_old_file_goes_to_the_trash_and_nothing_else_stays(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.install()
    assert desk.path.read_bytes() == b"new"
    assert (desk.trashed(), desk.staged()) == ([b"old"], [])


def test_a_save_in_the_last_moment_is_back_in_its_place(tmp_path: Path) -> None:
    desk = meddling(tmp_path, lambda desk: desk.save(b"saved"))
    with desk.cache.staging() as temp:
        temp.write(b"new")
        with pytest.raises(LocalChanged):
            desk.cache.install(Path(temp.name), "a", expected=desk.stat, trash=desk.trash)
        assert Path(temp.name).read_bytes() == b"new", "for whoever wants it elsewhere"
    assert desk.path.read_bytes() == b"saved"
    assert (desk.trashed(), desk.staged()) == ([b"old"], [])


def test_a_write_into_the_file_itself_counts_as_well(tmp_path: Path) -> None:
    desk = meddling(tmp_path, lambda desk: desk.path.write_bytes(b"written"))
    with pytest.raises(LocalChanged):
        desk.install()
    assert desk.path.read_bytes() == b"written"


@pytest.mark.parametrize("saves", [2, 3, 4, 20])
def test_of_many_saves_the_last_is_in_place_and_the_rest_in_the_trash(
    tmp_path: Path, saves: int
) -> None:
    bodies = [b"save %02d" % number for number in range(saves)]
    acts = [lambda desk, body=body: desk.save(body) for body in bodies]
    desk = meddling(tmp_path, *acts)
    with pytest.raises(LocalChanged):
        desk.install()
    done = min(saves, 1 + swap.ROUNDS)
    assert desk.path.read_bytes() in bodies[done - 2 : done]
    alive = {desk.path.read_bytes(), *desk.trashed()}
    assert {bodies[done - 1], bodies[done - 2]} <= alive, "the only ones that nobody replaced"
    assert desk.staged() == []


def test_a_file_that_the_user_removes_in_between_is_not_made_again(tmp_path: Path) -> None:
    desk = meddling(tmp_path, lambda desk: desk.path.unlink())
    with pytest.raises(LocalChanged, match="gone"):
        desk.install()
    assert not desk.path.exists()
    assert (desk.trashed(), desk.staged()) == ([b"old"], [])


def test_a_save_that_is_removed_again_is_in_the_trash(tmp_path: Path) -> None:
    desk = meddling(tmp_path, lambda d: d.save(b"saved"), lambda d: d.path.unlink())
    with pytest.raises(LocalChanged):
        desk.install()
    assert (desk.trashed(), desk.staged()) == ([b"old", b"saved"], [])


def test_where_names_cannot_be_exchanged_the_file_is_replaced(tmp_path: Path) -> None:
    desk = Desk(tmp_path, lambda one, other: False)
    desk.install()
    assert desk.path.read_bytes() == b"new"
    assert (desk.trashed(), desk.staged()) == ([b"old"], [])
    with pytest.raises(LocalChanged):
        desk.install()


def test_a_disk_that_refuses_leaves_all_as_it_was(tmp_path: Path) -> None:
    def refuse(one: Path, other: Path) -> bool:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    temp, path = tmp_path / "temp", tmp_path / "path"
    temp.write_bytes(b"new")
    path.write_bytes(b"old")
    with pytest.raises(OSError, match=os.strerror(errno.EIO)):
        swap.replace(temp, path, expected=FileStat.of(path.lstat()), keep=fail, exchange=refuse)
    assert (temp.read_bytes(), path.read_bytes()) == (b"new", b"old")


def fail(path: Path) -> None:
    raise AssertionError(f"{path} was kept")


def test_a_save_that_a_crash_caught_in_the_exchange_goes_to_the_trash(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.cache.check()
    staging = fsio.staging_dir(tmp_path / "cache")
    for name, body in (("1-dead-1.held", b"a save"), ("1-dead-2.held", b"linked"), ("1-d-3", b"?")):
        (staging / name).write_bytes(body)
        os.utime(staging / name, ns=(10**18, 10**18))
    (tmp_path / "other name").hardlink_to(staging / "1-dead-2.held")
    assert desk.cache.sweep() == 2, "what may be somebody's only copy stays, unless"
    assert desk.cache.sweep(trash=desk.trash) == 1
    assert (desk.trashed(), desk.staged()) == ([b"a save"], [])
    assert [t.settled for t in desk.trash.list()] == [False]


# --- the kernel's part ------------------------------------------------------------------


def test_a_rename_to_a_new_name_overwrites_nothing(tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    with pytest.raises(FileExistsError):
        fsio.move_whole(one, other)
    with pytest.raises(FileExistsError):
        fsio.move_new(one, other)
    assert (one.read_bytes(), other.read_bytes()) == (b"1", b"2")
    fsio.move_whole(one, tmp_path / "new")
    assert ((tmp_path / "new").read_bytes(), one.exists()) == (b"1", False)
    with pytest.raises(FileNotFoundError):
        fsio.move_new(one, tmp_path / "newer")


@pytest.mark.parametrize("move", [fsio.move_new, fsio.move_whole])
def test_without_the_kernels_help_a_rename_overwrites_nothing_either(
    tmp_path: Path, move: Callable[..., None]
) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.write_bytes(b"1")
    other.write_bytes(b"2")
    with pytest.raises(FileExistsError):
        move(one, other, rename_new=cannot)
    assert (one.read_bytes(), other.read_bytes()) == (b"1", b"2")
    move(one, tmp_path / "new", rename_new=cannot)
    assert ((tmp_path / "new").read_bytes(), one.exists()) == (b"1", False)


def cannot(source: Path, target: Path) -> bool:
    """A kernel or a disk that does not know renameat2."""
    return False


def test_directories_are_made_durably_with_those_above(tmp_path: Path) -> None:
    fsio.make_dirs(tmp_path / "a/b/c", mode=0o700)
    fsio.make_dirs(tmp_path / "a/b/c", mode=0o700)
    assert [(tmp_path / d).stat().st_mode & 0o77 for d in ("a/b/c",)] == [0]
