"""FS-7 and FS-9 to FS-12: what is written is there as a whole, or not at all."""

import errno
import gc
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.errors import (
    Conflict,
    FileThere,
    NoSuchFile,
    NotSupported,
    PreconditionFailed,
    Unreachable,
)
from s3dash.stores.files.files import Files
from tests.stores.files.conftest import MIB, Place

BIG = 9 * MIB
EMULATED = ("r+b", "rb+", "w+b", "ab", "a+b", "x+b")


class Broke(Exception):
    """The program failed while it wrote."""


def write_and_break(files: Files, path: str, size: int) -> None:
    with files.open(path, "wb") as file:
        file.write(bytes(size))
        raise Broke


def write_between(files: Files, mode: str, body: bytes, meanwhile: Callable[[], object]) -> None:
    with files.open("f", mode) as file:
        file.write(body)
        meanwhile()


@pytest.mark.parametrize("size", [10, BIG], ids=["small", "in parts"])
def test_fs_07_an_exception_leaves_what_was_there(files: Files, size: int) -> None:
    files.write("f", b"old")
    for path in ("f", "new"):
        with pytest.raises(Broke):
            write_and_break(files, path, size)
    assert files.read("f") == b"old"
    assert not files.exists("new")
    assert list(files.store.list_uploads()) == []


def test_fs_07_no_upload_stays_open_when_the_endpoint_fails(memory: Place) -> None:
    def fails(op: str, _key: str) -> None:
        if op == "complete_upload":
            raise Unreachable("gone")

    files = memory.files(hooks={"before": fails})
    memory.files().write("f", b"old")
    with pytest.raises(Unreachable), files.open("f", "wb") as file:
        file.write(bytes(BIG))
    assert memory.files().read("f") == b"old"
    assert list(files.store.list_uploads()) == []


def test_fs_07_a_file_that_nobody_closes_is_never_sent(memory: Place) -> None:
    files = memory.files()
    file = files.open("f", "wb")
    file.write(b"half")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        del file
        gc.collect()
    assert [one.category for one in told] == [ResourceWarning]
    assert not files.exists("f")


def test_fs_07_staged_files_leave_nothing_on_the_disk(
    memory: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    files = memory.files(in_memory=10)
    with files.open("f", "wb") as file:
        file.write(bytes(100))
        assert len(list(tmp_path.glob("s3dash-*"))) == 1
    with pytest.raises(Broke):
        write_and_break(files, "f", 200)
    assert files.info("f").size == 100
    assert list(tmp_path.glob("s3dash-*")) == []


@pytest.mark.parametrize("mode", EMULATED)
def test_fs_09_what_s3_cannot_do_is_refused_when_it_is_opened(memory: Place, mode: str) -> None:
    files = memory.files()
    files.write("f", b"hello")
    with pytest.raises(NotSupported) as told:
        files.open("f", mode)
    assert isinstance(told.value, OSError)
    assert told.value.errno == errno.ENOTSUP
    with pytest.raises(NotSupported):
        files.truncate("f", 3)
    with pytest.raises(NotSupported), files.open("f", "wb") as file:
        file.truncate(3)
    assert files.read("f") == b"hello"


def test_fs_10_a_file_is_changed_in_place_by_way_of_a_copy(place: Place) -> None:
    files = place.files(emulate=True)
    files.write("f", b"hello world")
    with files.open("f", "r+b") as file:
        assert file.read(5) == b"hello"
        file.seek(6)
        file.write(b"there")
        file.seek(0)
        assert file.read() == b"hello there"
    assert files.read("f") == b"hello there"
    files.truncate("f", 5)
    assert files.read("f") == b"hello"
    files.truncate("f", 8)
    assert files.read("f") == b"hello\0\0\0"
    with files.open("f", "ab") as file:
        file.write(b"!")
        file.seek(0)
        file.write(b"!")
    assert files.read("f") == b"hello\0\0\0!!"
    with files.open("g", "ab") as file:
        file.write(b"new")
    assert files.read("g") == b"new"
    with files.open("f", "w+b") as file:
        file.write(b"all new")
        file.seek(4)
        assert file.read() == b"new"
    assert files.read("f") == b"all new"
    with pytest.raises(NoSuchFile):
        files.open("nothing", "r+b")


def test_fs_10_what_was_not_written_is_not_sent(memory: Place) -> None:
    seen: list[str] = []
    files = memory.files(hooks={"before": lambda op, _key: seen.append(op)}, emulate=True)
    files.write("f", b"hello")
    seen.clear()
    for mode in ("r+b", "ab"):
        with files.open("f", mode):
            pass
    assert {"put", "upload"} & set(seen) == set()


@pytest.mark.parametrize("size", [10, BIG], ids=["small", "in parts"])
def test_fs_11_a_concurrent_writer_is_a_conflict_and_theirs_stays(place: Place, size: int) -> None:
    files, theirs = place.files(emulate=True), place.files()
    files.write("f", b"old")
    with pytest.raises(Conflict) as told:
        write_between(files, "r+b", b"mine" + bytes(size), lambda: theirs.write("f", b"theirs"))
    assert files.read("f") == b"theirs"
    (kept,) = (place.settings.state_dir / "kept").iterdir()
    assert str(kept) in str(told.value)
    assert kept.read_bytes() == b"mine" + bytes(size)
    assert told.value.exit_code == 3


def test_fs_11_a_file_that_was_made_or_removed_meanwhile_is_a_conflict(memory: Place) -> None:
    files, theirs = memory.files(emulate=True), memory.files()
    with pytest.raises(Conflict):
        write_between(files, "ab", b"mine", lambda: theirs.write("f", b"theirs"))
    assert files.read("f") == b"theirs"
    with pytest.raises(Conflict):
        write_between(files, "ab", b"mine", lambda: theirs.remove("f"))
    assert not files.exists("f")


@pytest.mark.parametrize("size", [10, BIG], ids=["small", "in parts"])
def test_fs_12_an_exclusive_file_is_the_first_one(files: Files, size: int) -> None:
    with pytest.raises(FileExistsError):
        write_between(files, "xb", bytes(size), lambda: files.write("f", b"theirs"))
    assert files.read("f") == b"theirs"
    assert list(files.store.list_uploads()) == []
    with pytest.raises(FileThere):
        files.open("f", "xb")
    with files.open("g", "xb") as file:
        file.write(b"mine")
    assert files.read("g") == b"mine"


def test_a_lost_answer_is_read_back(memory: Place) -> None:
    """Neither sent twice against its own condition, nor taken for another's."""
    lost = [True]

    def after(op: str, _key: str) -> None:
        if op in ("put", "upload") and lost.pop():
            raise Unreachable("the answer was lost")

    for size in (10, 2000):
        lost[:] = [False, True]
        files = memory.files(hooks={"after": after}, in_memory=1000)
        with files.open(f"f{size}", "xb") as file:
            file.write(bytes(size))
        assert files.info(f"f{size}").size == size


def test_a_file_that_is_read_is_of_one_version(files: Files) -> None:
    files.write("f", b"a" * (3 * MIB))
    with files.open("f") as file:
        assert file.read(10) == b"a" * 10
        files.write("f", b"b" * (3 * MIB))
        with pytest.raises(PreconditionFailed):
            file.read()


@pytest.mark.parametrize("mode", ["", "q", "rw", "r+w", "wbx"])
def test_a_mode_that_is_none_is_refused(memory: Place, mode: str) -> None:
    with pytest.raises(ValueError, match="invalid mode"):
        memory.files().open("f", mode)
