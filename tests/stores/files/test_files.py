"""FS-1 to FS-6, FS-8, FS-14, FS-15 and FS-18, on all three stores."""

from datetime import UTC

import pytest

from s3dash.errors import (
    BadPath,
    FileThere,
    IsDirectory,
    NoDirectory,
    NoSuchFile,
    NotEmpty,
    S3DashError,
)
from s3dash.stores.files.files import Files
from tests.stores.files.conftest import MIB, Place

ODD_NAMES = ("with space", "a+b", "what?", "number#1", "per%20cent", "naïve", "ï/ü", "'\"", "~t")
BAD_PATHS = ("..", "a/../b", ".", "./a", "a//b", "/a", "nul\0", "\ud800", "a" * 1025)


def paths(files: Files, path: str) -> list[tuple[str, str]]:
    return [(one.path, one.kind) for one in files.ls(path)]


def test_fs_01_prefixes_are_directories_and_a_marker_is_hidden(files: Files) -> None:
    files.mkdir("d")
    files.write("d/one", b"1")
    files.write("d/sub/two", b"2")
    files.mkdir("d/empty")
    assert paths(files, "d") == [
        ("d/empty", "directory"),
        ("d/one", "file"),
        ("d/sub", "directory"),
    ]
    assert paths(files, "d/") == paths(files, "d")
    assert paths(files, "d/empty") == []
    assert paths(files, "") == [("d", "directory")]
    assert paths(files, "d/one") == [("d/one", "file")]
    with pytest.raises(NoSuchFile):
        files.ls("nothing")
    with pytest.raises(FileNotFoundError):
        files.ls("d/one/")


def test_fs_01_a_tree_tells_directories_before_what_is_in_them(files: Files) -> None:
    for path in ("a/b/c", "a/b/d", "a/z", "top"):
        files.write(path, b"x")
    files.mkdir("a/empty")
    told = [one.path for one in files.tree("a", dirs=True)]
    assert sorted(told) == ["a/b", "a/b/c", "a/b/d", "a/empty", "a/z"]
    assert told.index("a/b") < told.index("a/b/c")
    assert sorted(one.path for one in files.tree("")) == ["a/b/c", "a/b/d", "a/z", "top"]
    assert list(files.tree("nothing")) == []


def test_fs_02_a_directory_is_a_marker_that_outlives_its_children(files: Files) -> None:
    files.mkdir("d")
    assert [(one.key, one.size) for one in files.store.list("d")] == [("d/", 0)]
    files.write("d/child", b"x")
    with pytest.raises(NotEmpty) as told:
        files.rmdir("d")
    assert told.value.errno == 39
    files.remove("d/child")
    assert files.info("d").is_dir
    files.rmdir("d")
    assert not files.exists("d")
    with pytest.raises(NoSuchFile):
        files.rmdir("d")


def test_fs_02_mkdir_makes_what_is_missing_above(files: Files) -> None:
    files.mkdir("a/b/c")
    files.rmdir("a/b/c")
    assert files.info("a/b").is_dir
    with pytest.raises(NoSuchFile):
        files.mkdir("x/y", parents=False)
    with pytest.raises(FileThere):
        files.mkdir("a/b")
    files.mkdir("a/b", exist_ok=True)


def test_fs_02_mkdir_never_takes_the_place_of_a_file(files: Files) -> None:
    """SeaweedFS would put the marker there, and the bytes were gone."""
    files.write("x", b"bytes")
    files.write("x/below", b"other")
    with pytest.raises(FileThere):
        files.mkdir("x", exist_ok=False)
    files.remove("x/below")
    with pytest.raises(FileThere):
        files.mkdir("x", exist_ok=True)
    with pytest.raises(NoDirectory):
        files.mkdir("x/sub")
    assert files.read("x") == b"bytes"


def test_fs_03_an_unmarked_directory_goes_with_its_last_child(files: Files) -> None:
    files.write("top/d/only", b"x")
    files.write("top/stays", b"x")
    files.remove("top/d/only")
    assert not files.exists("top/d")
    assert paths(files, "top") == [("top/stays", "file")]
    with pytest.raises(NoSuchFile):
        files.ls("top/d")
    with pytest.raises(NoSuchFile):
        files.info("top/d/")


def test_fs_04_a_file_and_a_directory_of_one_name_coexist(files: Files) -> None:
    files.write("x", b"file")
    files.write("x/y", b"below")
    assert files.info("x").kind == "file"
    assert files.info("x/").kind == "directory"
    assert paths(files, "x/") == [("x/y", "file")]
    assert (files.read("x"), files.read("x/y")) == (b"file", b"below")
    files.remove("x")
    assert files.read("x/y") == b"below"


def test_fs_05_nothing_is_there_before_it_is_closed(files: Files) -> None:
    with files.open("f", "wb") as file:
        file.write(b"half")
        assert not files.exists("f")
        file.write(b" and half")
    assert files.read("f") == b"half and half"
    with files.open("empty", "wb"):
        pass
    assert files.info("empty").size == 0


@pytest.mark.parametrize(
    "size", [0, 1, 8 * MIB - 1, 8 * MIB, 8 * MIB + 1, 13 * MIB], ids=lambda size: f"{size}"
)
def test_fs_06_sizes_round_trip_in_one_request_or_in_parts(place: Place, size: int) -> None:
    seen: list[str] = []
    hooks = {"after": lambda op, _key: seen.append(op)} if place.kind == "memory" else {}
    files = place.files(hooks=hooks)
    body = (b"0123456789abcdef" * (size // 16 + 1))[:size]
    with files.open("f", "wb") as file:
        for start in range(0, size, 3 * MIB):
            file.write(body[start : start + 3 * MIB])
    assert files.read("f") == body
    etag = files.info("f").etag
    assert ("-" in etag) == (size > 8 * MIB)
    if size > 8 * MIB:
        assert etag.endswith(f"-{-(-size // (5 * MIB))}")
    if place.kind == "memory":
        assert seen.count("put") == (size <= 8 * MIB)
        assert seen.count("send_part") == (-(-size // (5 * MIB)) if size > 8 * MIB else 0)


def test_fs_08_ranges_are_slices(files: Files) -> None:
    files.write("f", b"hello world")
    wanted = {
        (0, 5): b"hello",
        (6, None): b"world",
        (None, 5): b"hello",
        (-5, None): b"world",
        (0, 9999): b"hello world",
        (100, 200): b"",
        (None, None): b"hello world",
        (2, -2): b"llo wor",
    }
    for (start, end), body in wanted.items():
        assert files.read("f", start, end) == body
        assert files.read("f", start=start, end=end) == body
    with files.open("f") as file:
        file.seek(-5, 2)
        assert (file.read(2), file.tell(), file.read()) == (b"wo", 8, b"rld")


def test_fs_08_what_is_no_file_cannot_be_read(files: Files) -> None:
    files.write("d/f", b"x")
    with pytest.raises(IsDirectory):
        files.read("d")
    with pytest.raises(IsDirectory):
        files.open("d")
    with pytest.raises(NoSuchFile):
        files.read("nothing", 1, None)
    with pytest.raises(NoSuchFile):
        files.open("nothing")


def test_fs_14_times_are_whole_seconds_and_stat_equals_ls(files: Files) -> None:
    files.write("d/f", b"x")
    files.write("d/sub/g", b"x")
    (file, directory) = files.ls("d")
    assert file.mtime is not None
    assert (file.mtime.microsecond, file.mtime.tzinfo) == (0, UTC)
    assert files.info("d/f") == file
    assert files.info("d/sub") == directory
    assert next(files.tree("d")) == file


@pytest.mark.parametrize("path", BAD_PATHS)
def test_fs_15_paths_that_no_file_can_have_are_refused(memory: Place, path: str) -> None:
    files = memory.files()
    for call in (files.info, files.ls, files.read, files.mkdir, files.remove, files.rmdir):
        with pytest.raises(BadPath):
            call(path)
    for move in (files.rename, files.copy):
        with pytest.raises(BadPath):
            move(path, "target")
    with pytest.raises(BadPath):
        files.write(path, b"")
    with pytest.raises(BadPath):
        files.open(path, "wb")
    assert not files.exists(path)


def test_fs_15_odd_names_round_trip(files: Files) -> None:
    for name in ODD_NAMES:
        files.write(f"odd/{name}", name.encode())
    assert sorted(one.path for one in files.tree("odd")) == sorted(f"odd/{n}" for n in ODD_NAMES)
    for name in ODD_NAMES:
        assert files.read(f"odd/{name}") == name.encode()
        assert files.info(f"odd/{name}").size == len(name.encode())
        files.remove(f"odd/{name}")
    assert not files.exists("odd")


def test_fs_18_a_key_just_written_shows(files: Files) -> None:
    for number in range(5):
        files.write(f"d/{number}", b"x")
        assert paths(files, "d")[-1] == (f"d/{number}", "file")


def test_a_removal_takes_all_that_is_below_and_is_proved(files: Files) -> None:
    for path in ("d", "d/a", "d/b/c", "dd"):
        files.write(path, b"x")
    files.mkdir("d/b/empty")
    gone: list[str] = []
    with pytest.raises(IsDirectory):
        files.remove("d/b")
    assert files.remove("d", recursive=True, on_file=gone.append) == 4
    assert sorted(gone) == ["d", "d/a", "d/b/c", "d/b/empty/"]
    assert [one.path for one in files.tree("")] == ["dd"]
    with pytest.raises(NoSuchFile):
        files.remove("d", recursive=True)
    with pytest.raises(BadPath):
        files.remove("", recursive=True)


def test_a_tree_is_copied_with_its_empty_directories(files: Files) -> None:
    files.write("d/a", b"1")
    files.write("d/b/c", b"22")
    files.mkdir("d/empty")
    done = files.copy_tree("d", "e")
    assert (done.files, done.size) == (3, 3)
    assert [one.path for one in files.tree("e", dirs=True)] == ["e/a", "e/b", "e/b/c", "e/empty"]
    with pytest.raises(BadPath):
        files.copy_tree("d", "d/inside")


def test_keys_that_can_be_no_path_are_left_out(memory: Place) -> None:
    files = memory.files()
    for key in ("d/../up", "d//twice", "d/./dot", "d/good", "../out"):
        files.store.put(key, b"x")
    assert paths(files, "d") == [("d/good", "file")]
    assert [one.path for one in files.tree("")] == ["d/good"]
    assert files.remove("d", recursive=True) == 4


def test_a_listing_that_fails_in_the_middle_is_not_cut_short(memory: Place) -> None:
    files = memory.files()
    for number in range(1100):
        files.store.put(f"d/{number:04}", b"")
    pages = iter([None, S3DashError("broke")])

    def fails(op: str, _key: str) -> None:
        if op == "list" and (error := next(pages, None)):
            raise error

    broken = memory.files(hooks={"before": fails})
    with pytest.raises(S3DashError, match="broke"):
        broken.ls("d")
