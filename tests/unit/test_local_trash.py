"""The trash: what goes in comes out, byte for byte, and nothing is destroyed on the way."""

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from s3dash.clock import SystemClock
from s3dash.errors import LocalChanged, LocalError
from s3dash.local import fsio
from s3dash.local.scan import FileStat
from s3dash.local.trash import Trash


class Meddler(SystemClock):
    """A clock that lets something happen when the record is being written."""

    def __init__(self, meddle: Callable[[], object]) -> None:
        self._meddle = meddle

    def now(self) -> datetime:
        self._meddle()
        return datetime(2026, 11, 21, 10, 0, 0, 123000, tzinfo=UTC)


@pytest.fixture
def other_disk() -> Iterator[Path]:
    """A directory on another file system where this machine has one."""
    memory = Path("/dev/shm")
    with tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None) as name:
        yield Path(name)


@pytest.fixture(params=["same disk", "other disk"])
def trash(request: pytest.FixtureRequest, tmp_path: Path, other_disk: Path) -> Trash:
    home = tmp_path if request.param == "same disk" else other_disk
    return Trash(home / "trash", SystemClock())


def put(path: Path, content: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def test_a_kept_file_moves_with_all_that_is_known_of_it(trash: Trash, tmp_path: Path) -> None:
    path = put(tmp_path / "cache/a b", b"content")
    path.chmod(0o640)
    kept = trash.keep(path, "ü/a b", "deleted in the bucket")
    assert not path.exists()
    assert trash.list() == [kept]
    assert (kept.rel, kept.reason, kept.size) == ("ü/a b", "deleted in the bucket", 7)
    assert kept.sha256 == hashlib.sha256(b"content").hexdigest()
    assert kept.at.endswith("Z")
    assert trash.path(kept.id).read_bytes() == b"content"


def test_a_preserved_file_stays_where_it_is(trash: Trash, tmp_path: Path) -> None:
    path = put(tmp_path / "a", b"old")
    kept = trash.preserve(path, "a", "replaced")
    assert path.read_bytes() == b"old"
    put(tmp_path / "new", b"new").replace(path)
    assert trash.path(kept.id).read_bytes() == b"old"


def test_a_kept_file_is_as_it_was(trash: Trash, tmp_path: Path) -> None:
    path = put(tmp_path / "a", b"content")
    path.chmod(0o640)
    os.utime(path, ns=(10**18, 10**18))
    found = trash.path(trash.keep(path, "a", "deleted").id).stat()
    assert (found.st_mode & 0o777, found.st_mtime_ns) == (0o640, 10**18)


def test_a_dropped_file_is_gone_with_its_record(trash: Trash, tmp_path: Path) -> None:
    kept = trash.keep(put(tmp_path / "a", b"content"), "a", "deleted")
    home = trash.path(kept.id).parent
    trash.drop(kept.id)
    assert (trash.list(), list(home.iterdir())) == ([], [])
    with pytest.raises(LocalError, match="not in the trash"):
        trash.drop(kept.id)


def test_the_list_has_what_was_in_this_namespace_and_what_may_have_been(tmp_path: Path) -> None:
    solo, infra, web = (
        Trash(tmp_path / "trash", SystemClock(), namespace=name) for name in (None, "infra", "web")
    )
    for trash, name in ((solo, "s"), (infra, "i"), (web, "w")):
        trash.keep(put(tmp_path / name, name.encode()), name, "deleted")
    lost = web.keep(put(tmp_path / "l", b"lost"), "l", "deleted")
    web.path(lost.id).with_suffix(".json").unlink()
    assert [{t.rel for t in trash.list()} for trash in (solo, infra, web)] == [
        {"s", ""},
        {"i", ""},
        {"w", ""},
    ]
    assert len(solo.sizes()) == 4


def test_a_sweep_takes_only_what_never_arrived(trash: Trash, tmp_path: Path) -> None:
    kept = trash.keep(put(tmp_path / "a", b"content"), "a", "deleted")
    lost = trash.keep(put(tmp_path / "b", b"lost"), "b", "deleted")
    home = trash.path(kept.id).parent
    home.joinpath(f"{lost.id}.json").unlink()
    for name in ("20261121T100000123-0123456789ab.json", "20261121T100000123-0123456789ab.part"):
        put(home / name, b"half")
    trash.sweep()
    assert sorted(p.name for p in home.iterdir()) == sorted(
        [f"{kept.id}.blob", f"{kept.id}.json", f"{lost.id}.blob"]
    )
    Trash(tmp_path / "none", SystemClock()).sweep()


def test_the_list_is_in_order_of_time(trash: Trash, tmp_path: Path) -> None:
    assert trash.list() == []
    for name in "abc":
        trash.keep(put(tmp_path / name, b"x"), name, "deleted")
    listed = trash.list()
    assert sorted(t.rel for t in listed) == ["a", "b", "c"]
    assert [t.at for t in listed] == sorted(t.at for t in listed)


def test_a_known_hash_is_taken_and_an_unexpected_file_refused(trash: Trash, tmp_path: Path) -> None:
    path = put(tmp_path / "a", b"x")
    stat = FileStat.of(path.lstat())
    kept = trash.preserve(path, "a", "why", sha256="f" * 64, expected=stat)
    assert kept.sha256 == "f" * 64
    put(path, b"longer")
    with pytest.raises(LocalChanged):
        trash.keep(path, "a", "why", expected=stat)
    assert path.read_bytes() == b"longer"


@pytest.mark.parametrize("sha256", [None, "f" * 64])
@pytest.mark.parametrize("on", ["same disk", "other disk"])
def test_a_file_replaced_just_before_it_moves_is_put_back(
    tmp_path: Path, other_disk: Path, sha256: str | None, on: str
) -> None:
    path = put(tmp_path / "cache/a", b"old")
    new = put(tmp_path / "new", b"just written")
    home = (tmp_path if on == "same disk" else other_disk) / "trash"
    trash = Trash(home, Meddler(lambda: new.replace(path)))
    with pytest.raises(LocalChanged):
        trash.keep(path, "a", "deleted", sha256=sha256)
    assert path.read_bytes() == b"just written"
    assert [p.name for p in path.parent.iterdir()] == ["a"]
    if on == "same disk":
        assert list(home.iterdir()) == [], "no idle record"


def test_a_file_replaced_while_it_is_preserved_is_told(tmp_path: Path) -> None:
    path = put(tmp_path / "a", b"old")
    new = put(tmp_path / "new", b"just written")
    trash = Trash(tmp_path / "trash", Meddler(lambda: new.replace(path)))
    with pytest.raises(LocalChanged):
        trash.preserve(path, "a", "replaced")
    assert path.read_bytes() == b"just written"


def test_a_file_that_goes_meanwhile_leaves_no_record(tmp_path: Path) -> None:
    path = put(tmp_path / "a", b"old")
    trash = Trash(tmp_path / "trash", Meddler(path.unlink))
    with pytest.raises(LocalError):
        trash.keep(path, "a", "deleted")
    assert list((tmp_path / "trash").iterdir()) == []


def test_only_regular_files_are_taken(trash: Trash, tmp_path: Path) -> None:
    put(tmp_path / "real", b"x")
    (tmp_path / "link").symlink_to("real")
    with pytest.raises(LocalError, match="regular"):
        trash.keep(tmp_path / "link", "link", "deleted")
    with pytest.raises(LocalError):
        trash.keep(tmp_path / "gone", "gone", "deleted")
    assert (tmp_path / "link").is_symlink()


def test_a_lost_record_does_not_hide_its_file(trash: Trash, tmp_path: Path) -> None:
    kept = trash.keep(put(tmp_path / "a", b"content"), "a", "deleted")
    trash.path(kept.id).with_suffix(".json").write_bytes(b"")
    (found,) = trash.list()
    assert (found.id, found.size, found.reason) == (kept.id, 7, "its record was lost")
    assert not found.settled
    assert trash.path(kept.id).read_bytes() == b"content"


@pytest.mark.parametrize("id", ["", "..", "../a", "20261121T100000123-0123456789ab", "x" * 300])
def test_ids_that_are_none_are_refused(trash: Trash, tmp_path: Path, id: str) -> None:
    put(tmp_path / "a.blob", b"not in the trash")
    with pytest.raises(LocalError, match="not in the trash"):
        trash.path(id)
    with pytest.raises(LocalError, match="not in the trash"):
        trash.drop(id)


def test_where_the_disk_has_no_links_a_name_is_claimed_first(tmp_path: Path) -> None:
    source, target = put(tmp_path / "a", b"content"), tmp_path / "b"
    fsio.move_onto_claim(source, target)
    assert (source.exists(), target.read_bytes()) == (False, b"content")
    with pytest.raises(FileExistsError):
        fsio.move_onto_claim(put(source, b"again"), target)
    with pytest.raises(FileNotFoundError):
        fsio.move_onto_claim(tmp_path / "gone", tmp_path / "c")
    assert not (tmp_path / "c").exists()
    assert target.read_bytes() == b"content"
