"""The sidecar and the index copy, as the peers wrote them and as they must be able to read them."""

import json
from dataclasses import dataclass
from pathlib import Path

import msgspec
import pytest

from s3dash.core import sidecar as wire
from s3dash.core.index import Entry
from s3dash.core.paths import INDEX_FILE, SIDECAR_FILE
from s3dash.core.sidecar import LOST, Sidecar
from s3dash.errors import LocalError
from s3dash.local import fsio
from s3dash.local.sidecar import SidecarFile

GOLDEN = Path(__file__).parents[1] / "golden"
CACHES: dict[str, dict[str, dict[str, str]]] = json.loads((GOLDEN / "caches.json").read_text())
SIDECARS = {name: files[SIDECAR_FILE]["text"] for name, files in CACHES.items()}
INDEXES = {n: files[INDEX_FILE]["text"] for n, files in CACHES.items() if INDEX_FILE in files}


@dataclass
class Cache:
    root: Path

    @property
    def sidecar(self) -> Path:
        return self.root / SIDECAR_FILE

    @property
    def index(self) -> Path:
        return self.root / INDEX_FILE

    def stray(self) -> list[str]:
        known = {SIDECAR_FILE, INDEX_FILE}
        return [p.name for p in self.root.rglob("*") if p.is_file() and p.name not in known]


@pytest.fixture
def cache(tmp_path: Path) -> Cache:
    return Cache(tmp_path)


def with_mark(rel: str) -> Sidecar:
    return Sidecar(localDirty=True, dirtyPaths=(rel,))


# --- the wire format --------------------------------------------------------------------


@pytest.mark.parametrize("name", SIDECARS)
def test_every_golden_sidecar_survives_a_round_trip(name: str) -> None:
    raw = SIDECARS[name].encode()
    assert json.loads(wire.encode(wire.decode(raw))) == json.loads(raw)


@pytest.mark.parametrize("name", SIDECARS)
def test_every_golden_sidecar_is_read_as_what_it_says(name: str) -> None:
    said, read = json.loads(SIDECARS[name]), wire.decode(SIDECARS[name].encode())
    assert read.localDirty is said["localDirty"]
    assert read.dirtyPaths == tuple(said["dirtyPaths"])
    assert read.commitSeq == said.get("commitSeq")
    assert read.lazyPullActive is ("lazy" in name)
    assert read.walk_everything is any(w in name for w in ("bulk", "overflow", "escape"))


def test_unknown_fields_survive_a_change() -> None:
    raw = b'{"version":2,"localDirty":false,"lastCatalogHash":"abc","dataKeyMigrated":true,"x":[1]}'
    changed = json.loads(wire.encode(wire.mark(wire.decode(raw), ["a"])))
    assert changed["lastCatalogHash"] == "abc"
    assert changed["dataKeyMigrated"] is True
    assert changed["x"] == [1]
    assert changed["dirtyPaths"] == ["a"]


def test_version_1_is_read_and_written_as_version_2() -> None:
    raw = b'{"version":1,"remoteIndexETag":"e","lastVerifiedAt":"t","localDirty":true}'
    read = wire.decode(raw)
    assert (read.version, read.remoteIndexETag, read.localDirty) == (2, "e", True)
    assert json.loads(wire.encode(read))["bulkInvalidated"] is False


@pytest.mark.parametrize(
    "raw",
    [b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"version":3}', b'{"version":2,"dirtyPaths":"a"}',
     b'{"version":2,"localDirty":"yes"}', b"[" * 100_000],
)  # fmt: skip
def test_a_broken_sidecar_means_walk_everything(raw: bytes) -> None:
    assert wire.decode(raw) == LOST


@pytest.mark.parametrize("rel", ["../x", "/x", "a//b", ""])
def test_a_mark_that_escapes_means_walk_everything(rel: str) -> None:
    read = wire.decode(json.dumps({"version": 2, "dirtyPaths": ["good", rel]}).encode())
    assert read.dirtyPaths == ("good",)
    assert read.walk_everything
    assert read.localDirty


def test_marks_cover_what_is_below_them() -> None:
    marked = wire.mark(wire.mark(Sidecar(), ["data", "a/b"]), ["data/x", "a/b", "a"])
    assert marked.dirtyPaths == ("data", "a/b", "a")
    assert marked.localDirty
    assert marked.marked("data/deep/x")
    assert not marked.marked("database")
    assert not Sidecar().marked("data")


def test_more_marks_than_the_peers_take_mean_walk_everything() -> None:
    full = wire.mark(Sidecar(), [f"f{n}" for n in range(wire.MAX_DIRTY_PATHS)])
    assert not full.walk_everything
    over = wire.mark(full, ["one-more"])
    assert over.bulkInvalidated
    assert over.dirtyPathsOverflowed
    assert len(over.dirtyPaths) == wire.MAX_DIRTY_PATHS


def test_settling_clears_what_was_seen_and_keeps_what_came_later() -> None:
    sidecar = Sidecar(localDirty=True, dirtyPaths=("a", "b", "late"), bulkInvalidated=True)
    settled = wire.settle(sidecar, still_dirty=["b"], seen=("a", "b"))
    assert set(settled.dirtyPaths) == {"late", "b"}
    assert settled.localDirty
    assert not settled.bulkInvalidated
    clean = wire.settle(sidecar, still_dirty=[], seen=None)
    assert clean.dirtyPaths == ()
    assert not clean.localDirty


# --- the file ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", SIDECARS)
def test_golden_sidecars_are_read_from_the_cache(cache: Cache, name: str) -> None:
    cache.sidecar.write_text(SIDECARS[name])
    assert SidecarFile(cache.root).read() == wire.decode(SIDECARS[name].encode())


def test_a_missing_sidecar_is_lost_even_in_an_empty_cache(cache: Cache) -> None:
    assert SidecarFile(cache.root).read() == LOST


def test_an_update_is_written_whole_and_in_the_peers_form(cache: Cache) -> None:
    cache.sidecar.write_text(SIDECARS["sidecar-clean-v2"])
    file = SidecarFile(cache.root)
    result = file.update(lambda now: wire.mark(now, ["logs"]))
    expected = json.loads(SIDECARS["sidecar-clean-v2"])
    expected.update(localDirty=True, dirtyPaths=["logs"])
    assert cache.sidecar.read_text() == json.dumps(expected, indent=2)
    assert file.read() == result
    assert cache.stray() == []


def test_an_update_that_changes_nothing_writes_nothing(cache: Cache) -> None:
    cache.sidecar.write_text('{"version":1,"localDirty":false}')
    before = cache.sidecar.stat()
    SidecarFile(cache.root).update(lambda now: now)
    after = cache.sidecar.stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_an_update_of_a_missing_sidecar_makes_one(cache: Cache) -> None:
    file = SidecarFile(cache.root)
    file.update(lambda now: wire.settle(now, still_dirty=["a"], seen=None))
    assert file.read() == with_mark("a")


def test_a_mark_of_a_peer_between_reading_and_writing_survives(cache: Cache) -> None:
    file = SidecarFile(cache.root)
    file.update(lambda _: Sidecar(lastVerifiedAt="t"))
    seen: list[tuple[str, ...]] = []

    def change(now: Sidecar) -> Sidecar:
        if not seen:
            cache.sidecar.write_bytes(wire.encode(with_mark("theirs")))
        seen.append(now.dirtyPaths)
        return wire.mark(now, ["ours"])

    file.update(change)
    assert seen == [(), ("theirs",)]
    assert file.read().dirtyPaths == ("theirs", "ours")


def test_a_sidecar_that_never_stands_still_is_an_error(cache: Cache) -> None:
    count = iter(range(1000))

    def change(now: Sidecar) -> Sidecar:
        cache.sidecar.write_bytes(wire.encode(Sidecar(lastVerifiedAt=str(next(count)))))
        return wire.mark(now, ["ours"])

    with pytest.raises(LocalError, match="keeps changing"):
        SidecarFile(cache.root).update(change)


def test_a_missing_cache_is_not_made(tmp_path: Path) -> None:
    file = SidecarFile(tmp_path / "unmounted")
    assert file.read() == LOST
    with pytest.raises(LocalError, match="cannot be written"):
        file.update(lambda now: wire.settle(now, still_dirty=[], seen=None))
    assert list(tmp_path.iterdir()) == []


def test_something_else_in_its_place_is_an_error(cache: Cache) -> None:
    cache.sidecar.mkdir()
    with pytest.raises(LocalError, match="cannot be read"):
        SidecarFile(cache.root).read()


def test_a_write_that_fails_leaves_no_temporary_file(cache: Cache) -> None:
    cache.index.mkdir()
    with pytest.raises(LocalError, match="cannot be"):
        fsio.write_atomic(cache.index, b"{}")
    assert cache.stray() == []


# --- the index copy ---------------------------------------------------------------------


@pytest.mark.parametrize("name", INDEXES)
def test_a_golden_index_is_read_and_written_back_as_it_was(cache: Cache, name: str) -> None:
    cache.index.write_text(INDEXES[name])
    file = SidecarFile(cache.root)
    said = json.loads(INDEXES[name])
    entries = file.read_index()
    assert {rel: e.sha256 for rel, e in entries.items()} == {
        rel: e["sha256"] for rel, e in said["entries"].items()
    }
    file.write_index(entries, said["lastPulled"])
    assert cache.index.read_text() == INDEXES[name]
    assert cache.stray() == []


@pytest.mark.parametrize("name", INDEXES)
def test_a_new_index_has_the_form_of_the_peers(cache: Cache, name: str) -> None:
    said = json.loads(INDEXES[name])
    entries = {rel: msgspec.convert(one, Entry) for rel, one in said["entries"].items()}
    SidecarFile(cache.root).write_index(entries, said["lastPulled"])
    assert cache.index.read_text() == INDEXES[name]


def test_writing_the_index_adds_changes_and_drops_and_keeps_what_it_does_not_know(
    cache: Cache,
) -> None:
    old = {
        "version": 1, "lastPulled": "then", "theirs": {"x": 1},
        "entries": {
            "same": {"key": "same", "size": 1, "sha256": "a" * 64, "extra": 1},
            "changed": {"key": "changed", "size": 1, "localMtime": "m", "extra": 2},
            "gone": {"key": "gone", "size": 1},
        },
    }  # fmt: skip
    cache.index.write_text(json.dumps(old))
    SidecarFile(cache.root).write_index(
        {
            "same": Entry(key="same", size=1, sha256="a" * 64),
            "changed": Entry(key="changed", size=2),
            "new": Entry(key="new", size=3),
        },
        "now",
    )
    assert json.loads(cache.index.read_text()) == {
        "version": 1, "lastPulled": "now", "theirs": {"x": 1},
        "entries": {
            "same": {"key": "same", "size": 1, "sha256": "a" * 64, "extra": 1},
            "changed": {"key": "changed", "size": 2, "extra": 2},
            "new": {"key": "new", "size": 3},
        },
    }  # fmt: skip


@pytest.mark.parametrize("raw", [None, b"", b"{", b'{"version":1}', b"\xff"])
def test_a_broken_or_missing_index_is_empty_and_can_be_replaced(
    cache: Cache, raw: bytes | None
) -> None:
    if raw is not None:
        cache.index.write_bytes(raw)
    file = SidecarFile(cache.root)
    assert file.read_index() == {}
    file.write_index({"a": Entry(key="a", size=1)}, "now")
    assert set(file.read_index()) == {"a"}
