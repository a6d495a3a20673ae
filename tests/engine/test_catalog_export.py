"""Our own catalog: written after what was committed, never back, and never at a push's expense."""

import hashlib
import json
import threading
from contextlib import closing
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.engine import catalog_export
from s3dash.engine.open import state_file
from s3dash.errors import (
    AccessDenied,
    Cancelled,
    ReadOnly,
    S3DashError,
    Unreachable,
    UsageError,
)
from s3dash.local.state import State
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.catalog_world import Factory, catalog_of, opened, register
from tests.engine.clocks import TestClock
from tests.engine.conftest import Join
from tests.engine.faults import Once, machine
from tests.engine.world import Machine, fill, golden_bucket, golden_cache

KEY = "web/.catalog-export.json"


def test_a_push_exports_what_the_index_says_in_the_peers_own_bytes(
    join: Join, store: Factory
) -> None:
    bob = join("bob", namespace="web")
    bob.write("files/b", "bb")
    bob.write("data/short/model-a/file.json", "{}")
    bob.push()
    fetched = store().get(KEY)
    assert fetched is not None
    found = json.loads(fetched.body)
    assert [row["relPath"] for row in found] == ["data/short/model-a/file.json", "files/b"]
    assert list(found[1]) == ["relPath", "size", "lastModified", "sha256"]
    assert (found[1]["size"], found[1]["sha256"]) == (2, hashlib.sha256(b"bb").hexdigest())
    assert found[1]["lastModified"].endswith("Z")
    compact = json.dumps(found, separators=(",", ":"), ensure_ascii=False).encode()
    assert fetched.body == compact
    assert bob.sidecar()["lastCatalogHash"] == hashlib.sha256(compact).hexdigest()
    (bob.base / "files/b").unlink()
    bob.push()
    assert [row["relPath"] for row in catalog_of(store(), "web")] == [
        "data/short/model-a/file.json"
    ]


def test_the_golden_hash_is_that_of_the_exported_bytes() -> None:
    exported = golden_bucket("gold-ns")["team/infra/.catalog-export.json"]
    sidecar = json.loads(golden_cache("gold-ns-infra")[".datastore-sync-state.json"])
    assert sidecar["lastCatalogHash"] == hashlib.sha256(exported).hexdigest()


def test_a_golden_namespace_gets_a_catalog_of_all_it_holds(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """The peer's own catalog, with an ETag that we never saw, is replaced once."""
    fill(MemoryStore(memory), golden_bucket("gold-ns"))
    ada = Machine(tmp_path / "ada", lambda: MemoryStore(memory, "team"), namespace="infra")
    ada.pull()
    ada.write("files/new", "new")
    ada.push()
    paths = [row["relPath"] for row in catalog_of(MemoryStore(memory, "team"), "infra")]
    assert {"files/new", "files/pictures/ünïcode name.txt"} < set(paths)
    assert (len(paths), paths) == (16, sorted(paths))


def test_solo_mode_has_no_catalog(join: Join, store: Factory) -> None:
    ada = join("ada")
    ada.write("files/a", "a")
    ada.push()
    assert not [i.key for i in store().list() if "catalog" in i.key]
    with opened(ada) as engine, pytest.raises(UsageError, match="only a namespace"):
        engine.catalogs.export()


def test_export_by_hand_skips_what_is_there_and_forces(join: Join, store: Factory) -> None:
    bob = join("bob", namespace="web")
    with opened(bob) as engine, pytest.raises(UsageError, match="no index yet"):
        engine.catalogs.export()
    bob.write("files/b", "bb")
    bob.push()
    with opened(bob) as engine:
        first = engine.catalogs.export()
        assert (first.written, first.entries, first.namespace) == (False, 1, "web")
        before = store().head(KEY)
        assert before.etag == first.etag
        forced = engine.catalogs.export(force=True)
        assert forced.written
        assert forced.sha256 == first.sha256 == bob.sidecar()["lastCatalogHash"]
        store().delete(KEY)
        again = engine.catalogs.export()
        assert again.written
        assert [row.text for row in engine.history() if row.operation == "catalog"] == [
            "exported 1 entry, 150 B",
        ] * 2


def test_a_catalog_that_another_client_wrote_alike_is_not_written_again(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """Its hash is in nobody's state here: the ETag is the MD5 of these bytes."""
    bob = machine(tmp_path / "bob", memory, namespace="web")
    bob.write("files/b", "bb")
    bob.push()
    eve = machine(tmp_path / "eve", memory, namespace="web")
    eve.pull()
    with opened(eve) as engine:
        assert not engine.catalogs.export().written
    assert eve.sidecar()["lastCatalogHash"] == bob.sidecar()["lastCatalogHash"]


def test_one_request_where_nobody_else_exports(tmp_path: Path, memory: MemoryBucket) -> None:
    seen: list[tuple[str, str]] = []
    bob = machine(
        tmp_path / "bob", memory, namespace="web", before=lambda op, key: seen.append((op, key))
    )
    for number in range(3):
        bob.write("files/b", "b" * number)
        bob.push()
    assert [op for op, key in seen if key == KEY] == ["upload"] * 3


def test_a_catalog_never_goes_back(tmp_path: Path, memory: MemoryBucket) -> None:
    """Eve commits and exports between bob's commit and his export: hers stays in it."""
    eve = machine(tmp_path / "eve", memory, namespace="web")
    eve.write("files/eve", "e")

    bob = machine(tmp_path / "bob", memory, namespace="web")
    bob.write("files/0", "0")
    bob.push()
    race = Once("upload", KEY, eve.push)
    bob = machine(tmp_path / "bob", memory, namespace="web", before=race)
    bob.write("files/b", "b")
    bob.push()
    assert race.done
    paths = [row["relPath"] for row in catalog_of(MemoryStore(memory), "web")]
    assert paths == ["files/0", "files/b", "files/eve"]


@pytest.mark.parametrize(
    "error", [AccessDenied("no"), Unreachable("away"), Cancelled("stopped")], ids=lambda e: e.brief
)
def test_a_failed_export_fails_no_push_and_is_tried_again(
    tmp_path: Path, memory: MemoryBucket, error: S3DashError
) -> None:
    def refuse(op: str, key: str) -> None:
        if op == "upload" and key == KEY:
            raise error

    bob = machine(tmp_path / "bob", memory, namespace="web", before=refuse)
    bob.write("files/b", "b")
    with opened(bob) as engine:
        result = engine.push()
        told = [row.text for row in engine.history() if row.operation == "catalog"]
    assert (result.pushed, result.failed, result.exit_code) == (1, [], 0)
    assert told == (
        [] if isinstance(error, Cancelled)
        else [f"the catalog was not exported, the next push tries again: {error.message}"]
    )  # fmt: skip
    assert KEY not in {info.key for info in MemoryStore(memory).list("web/")}
    again = machine(tmp_path / "bob", memory, namespace="web")
    assert again.push().pushed == 0
    assert [row["relPath"] for row in catalog_of(MemoryStore(memory), "web")] == ["files/b"]


def test_a_lost_reply_is_read_back(tmp_path: Path, memory: MemoryBucket) -> None:
    def lose() -> None:
        raise Unreachable("the reply was lost")

    bob = machine(tmp_path / "bob", memory, namespace="web", after=Once("upload", KEY, lose))
    bob.write("files/b", "b")
    bob.push()
    version = MemoryStore(memory).head(KEY).etag
    again = machine(tmp_path / "bob", memory, namespace="web")
    again.push()
    assert MemoryStore(memory).head(KEY).etag == version
    with opened(again) as engine:
        assert not engine.catalogs.export().written


def test_a_large_one_is_not_sent_after_every_push(tmp_path: Path, memory: MemoryBucket) -> None:
    """It stays owed meanwhile, and any push after that time sends it."""
    clock = TestClock()
    bob = machine(tmp_path / "bob", memory, namespace="web", clock=clock)

    def exported() -> list[str]:
        return [row["relPath"] for row in catalog_of(MemoryStore(memory), "web")]

    bob.write("files/a", "a")
    bob.push()
    _as_if_large(bob)
    bob.write("files/b", "b")
    bob.push()
    assert exported() == ["files/a"]
    clock.advance(catalog_export.SPACING.total_seconds() - 1)
    bob.push()
    assert exported() == ["files/a"]
    clock.advance(2)
    bob.push()
    assert exported() == ["files/a", "files/b"]


def test_between_pushes_it_is_kept_up_unasked(tmp_path: Path, memory: MemoryBucket) -> None:
    """What failed is tried again after a while, not every round."""
    tried: list[str] = []

    def refuse(op: str, key: str) -> None:
        if op == "upload" and key == KEY:
            tried.append(key)
            raise AccessDenied("no rights")

    clock = TestClock()
    bob = machine(tmp_path / "bob", memory, namespace="web", before=refuse, clock=clock)
    bob.write("files/b", "b")
    with opened(bob) as engine:
        engine.push()
        engine.catalogs.keep_up()
        assert len(tried) == 1
        clock.advance(catalog_export.SPACING.total_seconds() + 1)
        engine.catalogs.keep_up()
        engine.catalogs.keep_up()
        assert len(tried) == 2
    again = machine(tmp_path / "bob", memory, namespace="web", clock=clock)
    clock.advance(catalog_export.SPACING.total_seconds() + 1)
    with opened(again) as engine:
        engine.catalogs.keep_up()
    assert len(catalog_of(MemoryStore(memory), "web")) == 1


def test_auto_sync_exports_what_is_owed(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = machine(tmp_path / "bob", memory, namespace="web")
    bob.write("files/b", "b")
    bob.push()
    MemoryStore(memory).delete(KEY)
    with closing(State(state_file(bob.settings))) as state:
        state.set(catalog_export.DUE, "2026-01-01T00:00:00.000Z")
    sent = threading.Event()

    def after(op: str, key: str) -> None:
        if op == "upload" and key == KEY:
            sent.set()

    again = machine(tmp_path / "bob", memory, namespace="web", after=after, auto_sync=True)
    with opened(again) as engine:
        engine.start()
        assert sent.wait(60)
    assert len(catalog_of(MemoryStore(memory), "web")) == 1


def _as_if_large(bob: Machine) -> None:
    """What was exported last had more than the bytes that go after every push."""
    with closing(State(state_file(bob.settings))) as state:
        sent = json.loads(state.get(catalog_export.SENT) or "")
        state.set(catalog_export.SENT, json.dumps({**sent, "size": catalog_export.LARGE + 1}))


def test_who_only_looks_exports_nothing(join: Join) -> None:
    bob = join("bob", namespace="web", readonly=True)
    with opened(bob) as engine, pytest.raises(ReadOnly):
        engine.catalogs.export()


def test_a_cancel_ends_an_export(join: Join, store: Factory) -> None:
    bob = join("bob", namespace="web")
    bob.write("files/b", "b")
    bob.push()
    token = CancelToken()
    token.cancel()
    with opened(bob) as engine, pytest.raises(Cancelled):
        engine.catalogs.export(force=True, cancel=token)


def test_registering_is_no_matter_of_the_catalog(join: Join, store: Factory) -> None:
    """A namespace that nobody registered can be pushed to, and is exported all the same."""
    register(store(), "other")
    bob = join("bob", namespace="web")
    bob.write("files/b", "b")
    bob.push()
    assert len(catalog_of(store(), "web")) == 1
