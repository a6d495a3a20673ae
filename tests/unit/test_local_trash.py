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


def test_a_restored_file_is_as_it_was_and_leaves_the_trash(trash: Trash, tmp_path: Path) -> None:
    path = put(tmp_path / "a", b"content")
    path.chmod(0o640)
    os.utime(path, ns=(10**18, 10**18))
    kept = trash.keep(path, "a", "deleted")
    target = tmp_path / "new/deep/a"
    trash.restore(kept.id, target)
    assert target.read_bytes() == b"content"
    assert target.stat().st_mode & 0o777 == 0o640
    assert target.stat().st_mtime_ns == 10**18
    assert trash.list() == []
    with pytest.raises(LocalError, match="not in the trash"):
        trash.path(kept.id)


def test_restoring_never_overwrites(trash: Trash, tmp_path: Path) -> None:
    kept = trash.keep(put(tmp_path / "a", b"old"), "a", "deleted")
    put(tmp_path / "a", b"mine")
    with pytest.raises(LocalError, match="not overwritten"):
        trash.restore(kept.id, tmp_path / "a")
    assert (tmp_path / "a").read_bytes() == b"mine"
    assert trash.path(kept.id).read_bytes() == b"old"


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
def test_a_file_replaced_just_before_it_moves_is_put_back(
    tmp_path: Path, sha256: str | None
) -> None:
    path = put(tmp_path / "a", b"old")
    new = put(tmp_path / "new", b"just written")
    trash = Trash(tmp_path / "trash", Meddler(lambda: new.replace(path)))
    with pytest.raises(LocalChanged):
        trash.keep(path, "a", "deleted", sha256=sha256)
    assert path.read_bytes() == b"just written"
    assert trash.list() == []
    assert list((tmp_path / "trash").iterdir()) == [], "no idle record"


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
    trash.restore(kept.id, tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == b"content"


@pytest.mark.parametrize("id", ["", "..", "../a", "20261121T100000123-0123456789ab", "x" * 300])
def test_ids_that_are_none_are_refused(trash: Trash, tmp_path: Path, id: str) -> None:
    put(tmp_path / "a.blob", b"not in the trash")
    with pytest.raises(LocalError, match="not in the trash"):
        trash.path(id)
    with pytest.raises(LocalError, match="not in the trash"):
        trash.restore(id, tmp_path / "target")


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
