"""The contract of a filesystem over objects, as tests: subclass `FileSystemTests`.

    class TestMine(FileSystemTests):
        @pytest.fixture
        def fs(self) -> AbstractFileSystem:
            return MyFileSystem()

        @pytest.fixture
        def root(self) -> str:
            return "bucket/some-empty-place"

For any fsspec filesystem, beside fsspec's own suite (`fsspec.tests.abstract`): it asks for what
that leaves open, directories that are told truly, and writes that are whole or not at all.
Numbers in the names are those of the scenarios that s3dash builds.
"""

import errno
from typing import Any

import pytest

MIB = 1 << 20
SIZES = (0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 13 * MIB)
"""Nothing, a little, and around where one request becomes several."""
ODD_NAMES = ("with space", "a+b", "what?", "number#1", "per%20cent", "naïve", "ï/ü")
BAD_PATHS = ("..", "a/../b", "nul\0")


class Broke(Exception):
    """The program failed while it wrote."""


class FileSystemTests:
    """Every test has a filesystem from `fs` and an empty place of its own from `root`."""

    def test_fs_01_prefixes_are_directories(self, fs: Any, root: str) -> None:
        fs.makedirs(f"{root}/d/empty")
        fs.pipe({f"{root}/d/one": b"1", f"{root}/d/sub/two": b"22"})
        assert _kinds(fs, f"{root}/d") == {
            "empty": "directory",
            "one": "file",
            "sub": "directory",
        }
        assert fs.ls(f"{root}/d/empty") == []
        assert [one["size"] for one in fs.ls(f"{root}/d/one")] == [1]
        with pytest.raises(FileNotFoundError):
            fs.ls(f"{root}/nothing")

    def test_fs_02_a_directory_outlives_its_children(self, fs: Any, root: str) -> None:
        fs.mkdir(f"{root}/d")
        fs.pipe_file(f"{root}/d/child", b"x")
        with pytest.raises(OSError, match="empty") as told:
            fs.rmdir(f"{root}/d")
        assert told.value.errno == errno.ENOTEMPTY
        fs.rm(f"{root}/d/child")
        assert fs.isdir(f"{root}/d")
        fs.rmdir(f"{root}/d")
        assert not fs.exists(f"{root}/d")

    def test_fs_03_an_unmarked_directory_goes_with_its_last_child(self, fs: Any, root: str) -> None:
        fs.pipe({f"{root}/d/only": b"x", f"{root}/stays": b"x"})
        fs.rm(f"{root}/d/only")
        assert not fs.exists(f"{root}/d")
        assert _kinds(fs, root) == {"stays": "file"}
        with pytest.raises(FileNotFoundError):
            fs.ls(f"{root}/d")

    def test_fs_04_a_file_and_a_directory_of_one_name_coexist(self, fs: Any, root: str) -> None:
        fs.pipe({f"{root}/x": b"file", f"{root}/x/y": b"below"})
        assert fs.info(f"{root}/x")["type"] == "file"
        assert [one["name"] for one in fs.ls(f"{root}/x/")] == [f"{root}/x/y"]
        assert fs.cat_file(f"{root}/x") == b"file"
        with pytest.raises(FileExistsError):
            fs.mkdir(f"{root}/x")
        assert fs.cat_file(f"{root}/x") == b"file"

    def test_fs_05_nothing_is_there_before_it_is_closed(self, fs: Any, root: str) -> None:
        with fs.open(f"{root}/f", "wb") as file:
            file.write(b"half")
            assert not fs.exists(f"{root}/f")
        with fs.open(f"{root}/empty", "wb"):
            pass
        assert (fs.size(f"{root}/f"), fs.size(f"{root}/empty")) == (4, 0)

    @pytest.mark.parametrize("size", SIZES)
    def test_fs_06_sizes_round_trip(self, fs: Any, root: str, size: int) -> None:
        body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
        with fs.open(f"{root}/f", "wb") as file:
            for start in range(0, size, 3 * MIB):
                file.write(body[start : start + 3 * MIB])
        assert fs.size(f"{root}/f") == size
        assert fs.cat_file(f"{root}/f") == body

    @pytest.mark.parametrize("size", [10, 9 * MIB])
    def test_fs_07_an_exception_leaves_what_was_there(self, fs: Any, root: str, size: int) -> None:
        fs.pipe_file(f"{root}/f", b"old")
        for name in ("f", "new"):
            with pytest.raises(Broke):
                _write_and_break(fs, f"{root}/{name}", size)
        assert fs.cat_file(f"{root}/f") == b"old"
        assert not fs.exists(f"{root}/new")

    def test_fs_08_ranges_are_slices(self, fs: Any, root: str) -> None:
        fs.pipe_file(f"{root}/f", b"hello world")
        for start, end, body in (
            (0, 5, b"hello"),
            (6, None, b"world"),
            (None, 5, b"hello"),
            (-5, None, b"world"),
            (0, 9999, b"hello world"),
            (100, 200, b""),
        ):
            assert fs.cat_file(f"{root}/f", start, end) == body
            assert fs.cat_file(f"{root}/f", start=start, end=end) == body

    @pytest.mark.parametrize("mode", ["r+b", "w+b", "ab"])
    def test_fs_09_what_an_object_store_cannot_do_is_refused(
        self, fs: Any, root: str, mode: str
    ) -> None:
        fs.pipe_file(f"{root}/f", b"hello")
        with pytest.raises(OSError, match="cannot") as told:
            fs.open(f"{root}/f", mode)
        assert told.value.errno == errno.ENOTSUP
        assert fs.cat_file(f"{root}/f") == b"hello"

    @pytest.mark.parametrize("size", [10, 9 * MIB])
    def test_fs_12_an_exclusive_file_is_the_first_one(self, fs: Any, root: str, size: int) -> None:
        with pytest.raises(FileExistsError):
            _write_behind(fs, f"{root}/f", size)
        assert fs.cat_file(f"{root}/f") == b"theirs"
        with pytest.raises(FileExistsError):
            fs.open(f"{root}/f", "xb")

    def test_fs_13_a_directory_is_renamed(self, fs: Any, root: str) -> None:
        fs.pipe({f"{root}/d/a": b"1", f"{root}/d/sub/b": b"22", f"{root}/f": b"3"})
        fs.mv(f"{root}/d", f"{root}/e", recursive=True)
        fs.mv(f"{root}/f", f"{root}/g")
        assert fs.find(root) == [f"{root}/e/a", f"{root}/e/sub/b", f"{root}/g"]
        with pytest.raises(OSError, match="itself"):
            fs.mv(f"{root}/e", f"{root}/e/inside", recursive=True)
        assert fs.find(root) == [f"{root}/e/a", f"{root}/e/sub/b", f"{root}/g"]

    def test_fs_14_times_are_whole_seconds_and_stat_equals_ls(self, fs: Any, root: str) -> None:
        fs.pipe({f"{root}/f": b"x", f"{root}/sub/g": b"x"})
        assert sorted(fs.ls(root), key=_name) == [fs.info(f"{root}/f"), fs.info(f"{root}/sub")]
        assert fs.modified(f"{root}/f").microsecond == 0

    def test_fs_15_odd_names_round_trip(self, fs: Any, root: str) -> None:
        for name in ODD_NAMES:
            fs.pipe_file(f"{root}/{name}", name.encode())
        assert fs.find(root) == sorted(f"{root}/{name}" for name in ODD_NAMES)
        for name in ODD_NAMES:
            assert fs.cat_file(f"{root}/{name}") == name.encode()

    @pytest.mark.parametrize("path", BAD_PATHS)
    def test_fs_15_what_can_be_no_path_is_refused(self, fs: Any, root: str, path: str) -> None:
        with pytest.raises(OSError, match="cannot be") as told:
            fs.pipe_file(f"{root}/{path}", b"x")
        assert told.value.errno == errno.EINVAL

    def test_fs_18_a_key_just_written_shows(self, fs: Any, root: str) -> None:
        for number in range(3):
            fs.pipe_file(f"{root}/d/{number}", b"x")
            assert len(fs.ls(f"{root}/d")) == number + 1


def _kinds(fs: Any, path: str) -> dict[str, str]:
    return {one["name"].rpartition("/")[2]: one["type"] for one in fs.ls(path)}


def _name(one: dict[str, Any]) -> str:
    return str(one["name"])


def _write_and_break(fs: Any, path: str, size: int) -> None:
    with fs.open(path, "wb") as file:
        file.write(bytes(size))
        raise Broke


def _write_behind(fs: Any, path: str, size: int) -> None:
    with fs.open(path, "xb") as file:
        file.write(bytes(size))
        fs.pipe_file(path, b"theirs")
