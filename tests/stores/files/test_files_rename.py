"""FS-13: renames, in one piece however often they are cut short."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
from msgspec.structs import replace

from s3dash.errors import (
    BadPath,
    Conflict,
    IsDirectory,
    NoDirectory,
    NoSuchFile,
    NotEmpty,
    S3DashError,
    Unreachable,
)
from s3dash.stores.files.files import Files
from tests.stores.files.conftest import Place
from tests.tally import Effort

MANY = 2500
SMALL = {"d/": b"", "d/a": b"1", "d/b": b"22", "d/sub/": b"", "d/sub/c": b"333"}


class Crash(BaseException):
    """The process ends here: nobody catches it."""


def fill(place: Place, objects: dict[str, bytes]) -> None:
    store = place.open().store
    for key, body in objects.items():
        store.put(key, body)


def held(files: Files) -> dict[str, bytes]:
    return {one.key: files.store.get(one.key).body for one in files.store.list()}  # type: ignore[union-attr] # there


def test_fs_13_a_file_is_renamed_over_another(files: Files) -> None:
    files.write("a", b"new")
    files.write("b", b"old")
    assert files.rename("a", "b").files == 1
    assert files.read("b") == b"new"
    assert not files.exists("a")
    files.write("d/x", b"x")
    with pytest.raises(IsDirectory):
        files.rename("b", "d")
    with pytest.raises(NoSuchFile):
        files.rename("a", "b")


def test_fs_13_a_directory_is_renamed_with_its_markers(files: Files) -> None:
    files.mkdir("d/empty")
    files.write("d/a", b"1")
    files.write("d/sub/b", b"22")
    moved: list[tuple[int, int]] = []
    done = files.rename("d", "e", on_moved=lambda count, size: moved.append((count, size)))
    assert (done.files, done.size) == (4, 3)
    assert moved[-1] == (4, 3)
    assert not files.exists("d")
    told = [one.path for one in files.tree("e", dirs=True)]
    assert told == ["e/a", "e/empty", "e/sub", "e/sub/b"]
    assert files.info("e/empty").is_dir
    assert files.unfinished() == []


def test_fs_13_what_is_in_the_way_is_refused(files: Files) -> None:
    files.write("d/a", b"1")
    files.write("full/x", b"x")
    files.write("file", b"x")
    files.mkdir("empty")
    for target in ("d", "d/inside", "d/in/side"):
        with pytest.raises(BadPath):
            files.rename("d", target)
    with pytest.raises(NotEmpty):
        files.rename("d", "full")
    with pytest.raises(NoDirectory):
        files.rename("d", "file")
    assert files.rename("d", "empty").files == 1
    assert files.read("empty/a") == b"1"
    assert files.unfinished() == []


@pytest.mark.parametrize("place", ["moto", "weed"], indirect=True)
def test_fs_13_a_directory_of_2500_keys_is_renamed(place: Place, effort: Effort) -> None:
    """Every source goes after its copy; nothing is lost, nothing twice. moto is slow: there it
    has as many with `--full` only."""
    files, many = place.files(), MANY if place.kind == "weed" else effort.pick(250, MANY)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: files.store.put(f"d/{n % 7}/{n:04}", b"%d" % n), range(many)))
    before = files.store.usage.requests
    assert files.rename("d", "moved/e").files == many
    assert files.store.usage.requests - before < 2 * many + 60
    there = {one.key: one.size for one in files.store.list()}
    assert there == {f"moved/e/{n % 7}/{n:04}": len(b"%d" % n) for n in range(many)}


@pytest.mark.parametrize("when", ["before", "after"])
def test_fs_13_a_crash_at_any_request_is_resumed(memory: Place, when: str) -> None:
    wanted = {f"e{key[1:]}": body for key, body in SMALL.items()}
    number = 0
    while True:
        files = memory.files()
        files.store.delete_many([one.key for one in files.store.list()])
        fill(memory, SMALL)
        left = [number]

        def crashes(_op: str, _key: str, left: list[int] = left) -> None:
            left[0] -= 1
            if left[0] < 0:
                raise Crash

        try:
            memory.files(hooks={when: crashes}).rename("d", "e")
        except Crash:
            kept = held(files)
            for key, body in SMALL.items():  # at one place or the other, whole
                assert kept.get(key, kept.get(f"e{key[1:]}")) == body
        if files.unfinished() or files.exists("d"):  # else it was cut short after the last step
            files.rename("d", "e")
        assert held(files) == wanted
        assert files.unfinished() == []
        if left[0] >= 0:
            break
        number += 1
    assert number > 15


@pytest.mark.parametrize("place", ["moto", "weed"], indirect=True)
def test_fs_13_a_rename_that_was_cut_short_is_resumed_on_a_server(place: Place) -> None:
    place.settings = replace(place.settings, push_concurrency=2)
    files = place.files()
    for number in range(30):
        files.write(f"d/{number}", b"%d" % number)
    cancel, done = files.cancel, Counter[str]()

    def stops(count: int, _size: int) -> None:
        done["moved"] = count
        if count == 10:
            cancel.cancel()

    with pytest.raises(S3DashError):
        files.rename("d", "e", on_moved=stops)
    assert done["moved"] < 30
    again = place.files()
    assert [(one.source, one.target) for one in again.unfinished()] == [("d", "e")]
    again.rename("d", "e")
    assert {one.path for one in again.tree("")} == {f"e/{number}" for number in range(30)}
    assert again.unfinished() == []


def test_fs_13_what_somebody_wrote_at_the_target_meanwhile_stays(memory: Place) -> None:
    fill(memory, SMALL)

    def crashes(op: str, key: str) -> None:
        if op == "delete" and key == "d/b":
            raise Crash

    with pytest.raises(Crash):
        memory.files(hooks={"before": crashes}).rename("d", "e")
    files = memory.files()
    files.write("e/b", b"theirs")
    with pytest.raises(Conflict, match="d/b"):
        files.rename("d", "e")
    assert (files.read("d/b"), files.read("e/b")) == (b"22", b"theirs")
    assert files.read("e/sub/c") == b"333"
    files.remove("e/b")
    files.rename("d", "e")
    assert files.read("e/b") == b"22"
    assert files.unfinished() == []


def test_fs_13_a_source_that_is_written_to_meanwhile_moves_as_it_is_then(memory: Place) -> None:
    fill(memory, SMALL)
    written: list[str] = []

    def writes(op: str, key: str) -> None:
        if op == "delete" and key == "d/a" and not written:
            written.append(key)
            memory.files().write("d/a", b"newer")

    memory.files(hooks={"before": writes}).rename("d", "e")
    files = memory.files()
    assert files.read("e/a") == b"newer"
    assert not files.exists("d")


def test_fs_13_another_rename_of_the_same_waits_for_the_first(memory: Place) -> None:
    fill(memory, SMALL)

    def fails(op: str, _key: str) -> None:
        if op == "copy":
            raise Unreachable("gone")

    with pytest.raises(Unreachable):
        memory.files(hooks={"before": fails}).rename("d", "e")
    files = memory.files()
    with pytest.raises(Conflict, match="cut short"):
        files.rename("d", "f")
    (move,) = files.unfinished()
    assert files.resume(move).files == len(SMALL)
    assert held(files) == {f"e{key[1:]}": body for key, body in SMALL.items()}


def test_fs_13_a_journal_that_is_damaged_is_told(memory: Place) -> None:
    directory = memory.settings.state_dir / "renames"
    directory.mkdir(parents=True)
    (directory / "x.json").write_text("{")
    with pytest.raises(Conflict, match="damaged"):
        memory.files().unfinished()
