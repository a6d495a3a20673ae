"""What the namespaces hold, read without joining them: bounded, kept, and told where it fails."""

import json
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.core.catalog_wire import MAX_BYTES
from s3dash.errors import AccessDenied, Cancelled, IndexCorrupt, NotFound, UsageError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectInfo, ObjectStore
from tests.engine.catalog_world import Factory, entry, opened, put_catalog, register
from tests.engine.clocks import TestClock
from tests.engine.conftest import Join
from tests.engine.faults import Once, machine
from tests.engine.world import Machine, fill, golden_bucket

KEY = "web/.catalog-export.json"


def test_a_catalog_is_read_with_what_is_here_of_it(join: Join, store: Factory) -> None:
    first = store()
    register(first, "web", "infra")
    put_catalog(first, "web", [entry("files/w", b"12345"), entry("files/v", b"1")])
    ada = join("ada", namespace="infra")
    (ada.cache / "web/files").mkdir(parents=True)
    (ada.cache / "web/files/w").write_text("54321")
    with opened(ada) as engine:
        found = engine.catalogs.read("web")
        assert (found.namespace, found.source, found.note) == ("web", "catalog", "")
        assert [(e.path, e.size, e.here) for e in found.entries] == [
            ("files/v", 1, False),
            ("files/w", 5, True),
        ]
        assert found.etag == first.head(KEY).etag
        assert found.exported_at.endswith("Z")


def test_own_catalog_knows_what_is_here_by_the_cache(join: Join, store: Factory) -> None:
    ada = join("ada", namespace="infra")
    ada.write("files/a", "abc")
    ada.push()
    with opened(ada) as engine:
        (before,) = engine.catalogs.read("infra").entries
        assert before.here
        engine.status()
        (after,) = engine.catalogs.read("infra").entries
        assert after == before


def test_without_a_catalog_the_index_says_it(join: Join, store: Factory) -> None:
    bob = join("bob", namespace="web")
    bob.write("files/b", "bb")
    bob.push()
    store().delete(KEY)
    with opened(join("ada")) as engine:
        found = engine.catalogs.read("web")
        assert (found.source, found.etag) == ("index", "")
        assert found.note == "it has no catalog: read by its index"
        (only,) = found.entries
        assert (only.path, only.size, only.sha256 is not None) == ("files/b", 2, True)


def test_a_golden_bucket_is_read_by_both(tmp_path: Path, memory: MemoryBucket) -> None:
    fill(MemoryStore(memory), golden_bucket("gold-ns"))
    ada = Machine(tmp_path / "ada", lambda: MemoryStore(memory, "team"))
    with opened(ada) as engine:
        both = engine.catalogs.read_all()
        assert [(c.namespace, c.source, len(c.entries)) for c in both.read] == [
            ("infra", "catalog", 1),
            ("web", "catalog", 1),
        ]
        assert both.unread == ()
        MemoryStore(memory).delete("team/web/.catalog-export.json")
        web = engine.catalogs.read("web")
        assert (web.source, len(web.entries), web.left_out) == ("index", 15, 0)


def test_a_broken_catalog_is_told_and_the_index_read(join: Join, store: Factory) -> None:
    bob = join("bob", namespace="web")
    bob.write("files/b", "bb")
    bob.push()
    store().put(KEY, b"<html>no</html>")
    with opened(join("ada")) as engine:
        found = engine.catalogs.read("web")
        assert (found.source, len(found.entries)) == ("index", 1)
        assert found.note.startswith(f"{KEY} is no catalog: ")
        assert engine.catalogs.read("web") == found  # the kept copy is no better


def test_hostile_entries_are_left_out_and_told(join: Join, store: Factory) -> None:
    first = store()
    register(first, "web")
    rows = [entry("../../etc/passwd", b"x"), entry("a\x1b[31m", b"x"), entry("good", b"x"), 7]
    put_catalog(first, "web", rows)
    with opened(join("ada")) as engine:
        found = engine.catalogs.read("web")
        assert [e.path for e in found.entries] == ["good"]
        assert (found.left_out, len(found.blocked)) == (3, 3)


def test_one_that_fails_stops_no_other(tmp_path: Path, memory: MemoryBucket) -> None:
    store = MemoryStore(memory)
    register(store, "infra", "web", "empty")
    put_catalog(store, "web", [entry("files/w", b"12345")])
    put_catalog(store, "infra", [])

    def refuse(op: str, key: str) -> None:
        if op == "head" and key.startswith("infra/.catalog"):
            raise AccessDenied("no rights")

    ada = machine(tmp_path / "ada", memory, before=refuse)
    with opened(ada) as engine:
        found = engine.catalogs.read_all()
        assert [(c.namespace, c.source, len(c.entries)) for c in found.read] == [
            ("empty", "index", 0),
            ("web", "catalog", 1),
        ]
        assert found.read[0].note == "it has no catalog, and nobody pushed to it yet"
        assert [(u.namespace, u.problem) for u in found.unread] == [("infra", "no rights")]


def test_a_namespace_that_is_none(join: Join, store: Factory) -> None:
    register(store(), "infrastructure")
    with opened(join("ada")) as engine:
        with pytest.raises(UsageError, match="no name of a namespace"):
            engine.catalogs.read("../x")
        with pytest.raises(NotFound, match="no namespace infrastucture") as caught:
            engine.catalogs.read("infrastucture")
        assert caught.value.hint == "there is infrastructure"
        with pytest.raises(NotFound) as caught:
            engine.catalogs.read("zzz")
        assert "s3dash namespaces" in caught.value.hint


# --- kept --------------------------------------------------------------------------------


def counted(tmp_path: Path, bucket: MemoryBucket) -> tuple[Machine, list[str]]:
    seen: list[str] = []

    def note(op: str, key: str) -> None:
        if key == KEY:
            seen.append(op)

    return machine(tmp_path / "ada", bucket, before=note), seen


def test_what_did_not_change_is_not_fetched_again(tmp_path: Path, memory: MemoryBucket) -> None:
    """By its ETag, and in the next process too; an older version does not stay."""
    store = MemoryStore(memory)
    register(store, "web")
    put_catalog(store, "web", [entry("one", b"1")])
    ada, seen = counted(tmp_path, memory)
    for _ in range(2):
        with opened(ada) as engine:
            assert [e.path for e in engine.catalogs.read("web").entries] == ["one"]
            assert [e.path for e in engine.catalogs.read("web").entries] == ["one"]
    assert seen == ["head", "download", "head", "head", "head"]
    put_catalog(store, "web", [entry("two", b"2")])
    with opened(ada) as engine:
        assert [e.path for e in engine.catalogs.read("web").entries] == ["two"]
    assert seen[5:] == ["head", "download"]
    assert len(list((tmp_path / "ada/state/catalogs").iterdir())) == 1


def test_a_damaged_copy_is_fetched_again(tmp_path: Path, memory: MemoryBucket) -> None:
    store = MemoryStore(memory)
    register(store, "web")
    put_catalog(store, "web", [entry("one", b"1")])
    ada, seen = counted(tmp_path, memory)
    with opened(ada) as engine:
        engine.catalogs.read("web")
        (kept,) = (tmp_path / "ada/state/catalogs").iterdir()
        kept.write_bytes(kept.read_bytes().replace(b"one", b"two"))
        assert [e.path for e in engine.catalogs.read("web").entries] == ["one"]
    assert seen.count("download") == 2


def test_who_only_looks_keeps_nothing(tmp_path: Path, memory: MemoryBucket) -> None:
    store = MemoryStore(memory)
    register(store, "web")
    put_catalog(store, "web", [entry("one", b"1")])
    ada = machine(tmp_path / "ada", memory, readonly=True)
    with opened(ada) as engine:
        assert len(engine.catalogs.read("web").entries) == 1
        assert not (tmp_path / "ada/state/catalogs").exists()


def test_a_catalog_that_is_replaced_meanwhile_is_read_anew(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    store = MemoryStore(memory)
    register(store, "web")
    put_catalog(store, "web", [entry("one", b"1")])
    race = Once("download", KEY, lambda: put_catalog(store, "web", [entry("two", b"2")]))
    ada = machine(tmp_path / "ada", memory, before=race)
    with opened(ada) as engine:
        assert [e.path for e in engine.catalogs.read("web").entries] == ["two"]
    assert race.done


class Huge(MemoryStore):
    """Says that the catalog is as large as it likes."""

    def __init__(self, bucket: MemoryBucket, size: int) -> None:
        super().__init__(bucket)
        self._says = size

    def head(self, key: str) -> ObjectInfo:
        info = super().head(key)
        return info if key != KEY else ObjectInfo(key, self._says, info.etag)


def test_a_huge_catalog_is_not_fetched(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = machine(tmp_path / "bob", memory, namespace="web")
    bob.write("files/b", "bb")
    bob.push()
    ada = Machine(tmp_path / "ada", lambda: Huge(memory, MAX_BYTES + 1))
    with opened(ada) as engine:
        found = engine.catalogs.read("web")
        assert (found.source, len(found.entries)) == ("index", 1)
        assert "too large to be read: 256 MiB" in found.note
        assert not (tmp_path / "ada/state/catalogs").exists()


def test_a_cancel_ends_the_reading(tmp_path: Path, memory: MemoryBucket) -> None:
    store = MemoryStore(memory)
    register(store, "web")
    put_catalog(store, "web", [entry("one", b"1")])
    token = CancelToken()
    ada = machine(tmp_path / "ada", memory, before=Once("download", KEY, token.cancel))
    with opened(ada) as engine:
        with pytest.raises(Cancelled):
            engine.catalogs.read("web", cancel=token)
        with pytest.raises(Cancelled):
            engine.catalogs.read_all(cancel=token)


def test_a_corrupt_index_beside_no_catalog_is_told(join: Join, store: Factory) -> None:
    first: ObjectStore = store()
    register(first, "web")
    first.put("web/_index/_meta.json", b"nonsense")
    with opened(join("ada")) as engine:
        with pytest.raises(IndexCorrupt):
            engine.catalogs.read("web")
        (unread,) = engine.catalogs.read_all().unread
        assert unread.namespace == "web"


def test_values_survive_a_socket(join: Join, store: Factory) -> None:
    """Everything that crosses the facade is encoded and decoded by its annotation."""
    import msgspec

    from s3dash.core.catalog import Catalogs

    register(store(), "web")
    put_catalog(store(), "web", [entry("one", b"1"), entry("../x", b"1")])
    with opened(join("ada")) as engine:
        found = engine.catalogs.read_all()
    assert msgspec.json.decode(msgspec.json.encode(found), type=Catalogs) == found
    assert json.loads(msgspec.json.encode(found.read[0]))["source"] == "catalog"


def test_a_catalog_that_is_older_than_the_index_says_so(
    tmp_path: Path,
) -> None:
    """A plain client's, or a large one of ours: what came since is not in it."""
    clock = TestClock()
    memory = MemoryBucket(clock=clock)
    store = MemoryStore(memory)
    register(store, "web")
    put_catalog(store, "web", [entry("one", b"1")])
    store.put("web/_index/_meta.json", b'{"version":2,"partitions":[],"commitSeq":1}')
    ada = machine(tmp_path / "ada", memory)
    with opened(ada) as engine:
        assert engine.catalogs.read("web").note == ""
        clock.advance(2)
        store.put("web/_index/_meta.json", b'{"version":2,"partitions":[],"commitSeq":2}')
        assert engine.catalogs.read("web").note.startswith("older than its index")
        clock.advance(2)
        put_catalog(store, "web", [entry("one", b"1"), entry("two", b"2")])
        assert engine.catalogs.read("web").note == ""
