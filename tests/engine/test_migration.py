"""A datastore moves between the solo layout and a namespace, and nothing of it is lost."""

import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.core.events import StateChanged
from s3dash.errors import (
    Cancelled,
    LocalError,
    LockHeld,
    NamespaceTaken,
    OtherDatastore,
    ReadOnly,
    UsageError,
)
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities, ObjectStore
from tests.engine.conftest import Join
from tests.engine.ends import base, is_clean
from tests.engine.moves import FILES, REPO, at, below, filled, index_of, is_moved, migrate, planned
from tests.engine.world import Machine, Stores, contents, digest, fill, golden_bucket

Store = Callable[[], ObjectStore]


def test_solo_becomes_a_namespace(store: Store, join: Join) -> None:
    ada = filled(join("ada"))
    seq = ada.status().index.commit_seq
    done = migrate(ada, "web")
    assert (done.copied, done.deleted, done.objects) == (len(FILES),) * 3
    assert (done.kept, done.registered, done.resumed) == ((), True, False)
    assert done.commit_seq == seq + 1
    assert is_moved(store, FILES, to="web", src="")
    manifest = json.loads(contents(store())["web/.namespace.json"])
    assert (manifest["namespace"], manifest["repoId"]) == ("web", REPO)


def test_and_back(store: Store, join: Join) -> None:
    ada = filled(join("ada"))
    migrate(ada, "web")
    done = migrate(at(ada, "web"), "web", to_solo=True)
    assert (done.copied, done.deleted, done.kept) == (len(FILES), len(FILES), ())
    assert is_moved(store, FILES, to="", src="web")
    assert ada.files() == FILES
    assert is_clean(ada)
    assert migrate(ada, "web").kept == ()
    assert is_moved(store, FILES, to="web", src="")


def test_the_cache_moves_and_nothing_is_read_or_fetched_again(store: Store, join: Join) -> None:
    ada = filled(join("ada"))
    known = base(ada)
    assert migrate(ada, "web").cache_files == len(FILES)
    there = at(ada, "web")
    assert there.files() == FILES
    assert base(there) == known
    assert base(ada) == {}
    assert is_clean(there)
    after = there.sync()
    assert (after.pushed, after.pulled, after.bytes_down, after.bytes_up) == (0, 0, 0, 0)


def test_a_second_run_finds_nothing_to_do(store: Store, join: Join) -> None:
    ada = filled(join("ada"))
    migrate(ada, "web")
    assert planned(ada, "web").nothing
    before = contents(store())
    done = migrate(ada, "web")
    assert (done.copied, done.deleted, done.cache_files, done.kept) == (0, 0, 0, ())
    assert contents(store()) == before


def test_the_other_machines_of_the_old_place_are_told(store: Store, join: Join) -> None:
    ada, bob = filled(join("ada")), join("bob")
    bob.pull()
    migrate(ada, "web")
    with pytest.raises(OtherDatastore, match="moved to namespace web"):
        bob.pull()
    bob.write("files/late", "written where nobody looks")
    with pytest.raises(OtherDatastore, match="moved to namespace web"):
        bob.push()
    assert bob.files() == {**FILES, "files/late": b"written where nobody looks"}
    assert is_moved(store, FILES, to="web", src="")
    assert migrate(bob, "web").cache_files == len(FILES) + 1
    there = at(bob, "web")
    assert there.push().pushed == 1
    assert there.files()["files/late"]
    assert is_clean(there)


@pytest.mark.parametrize("name", ["gold-solo-v1", "gold-solo-v2"])
def test_a_real_clients_datastore_keeps_its_index(store: Store, join: Join, name: str) -> None:
    bucket = golden_bucket(name)
    fill(store(), bucket)
    before = index_of(store, "")
    assert migrate(join("ada"), "web").kept == ()
    assert index_of(store, "web") == before
    after = contents(store(), "web/")
    for key, body in bucket.items():
        if not key.endswith("/_meta.json"):
            assert after[f"web/{key}"] == body, key
    old = json.loads(bucket["_index/_meta.json"])
    new = json.loads(after["web/_index/_meta.json"])
    assert new["version"] == old["version"]
    assert set(new["partitions"]) == set(old["partitions"])
    assert new.get("commitSeq", 0) == old.get("commitSeq", -1) + 1
    machine = at(join("bob"), "web")
    machine.pull()
    assert {rel: digest(body) for rel, body in machine.files().items()} == {
        rel: entry["sha256"] for rel, entry in before.items()
    }
    assert migrate(machine, "web", to_solo=True).kept == ()
    assert index_of(store, "") == before


def test_unknown_fields_travel_byte_for_byte(store: Store, join: Join) -> None:
    filled(join("ada"))
    key = "_index/files.json"
    odd = contents(store())[key].replace(b'"key":"files/a"', b'"key":"files/a","odd":{"x": 1.50}')
    store().put(key, odd)
    migrate(join("bob"), "web")
    assert contents(store(), "web/")[f"web/{key}"] == odd


def test_namespaces_in_the_solo_root_are_never_touched(store: Store, join: Join) -> None:
    infra = {k.removeprefix("team/"): v for k, v in golden_bucket("gold-ns").items()}
    fill(store(), infra)
    ada = filled(join("ada"))
    assert migrate(ada, "mine").kept == ()
    after = contents(store())
    assert {k: v for k, v in after.items() if k.startswith(("infra/", "web/"))} == infra
    assert below(store, "mine") == FILES


def test_control_records_move_and_the_lock_is_free(store: Store, join: Join) -> None:
    ada = filled(join("ada"))
    store().put("_control/team/settings", b"any bytes")
    migrate(ada, "web")
    after = contents(store())
    assert after["web/_control/team/settings"] == b"any bytes"
    assert "_control/team/settings" not in after
    assert not [k for k in after if k.endswith(".lock")]


def test_what_is_in_the_trash_can_be_restored_in_the_new_place(store: Store, join: Join) -> None:
    ada, bob = filled(join("ada")), join("bob")
    bob.pull()
    ada.write("files/a", "newer")
    ada.push()
    bob.pull()
    migrate(bob, "web")
    there = at(bob, "web")
    (old,) = there.trash()
    assert (old.path, bob.trash()) == ("files/a", [])
    assert there.restore_trash(old.id, to="files/old a") == "files/old a"
    assert there.files()["files/old a"] == FILES["files/a"]


def test_an_endpoint_that_deletes_without_conditions(tmp_path: Path) -> None:
    bucket, can = MemoryBucket(), Capabilities(create=True, replace=True, races=True, dated=True)
    store = Stores(lambda: MemoryStore(bucket), can)
    ada = filled(Machine(tmp_path / "ada", store))
    assert migrate(ada, "web").kept == ()
    assert is_moved(store, FILES, to="web", src="")


def test_both_places_tell_of_it_in_their_logs(store: Store, join: Join) -> None:
    ada = filled(join("ada"))
    migrate(ada, "web")
    for machine in (ada, at(ada, "web")):
        told = [row.text for row in machine.history() if row.operation == "migrate"]
        assert told[-1].startswith("moved from the solo layout to namespace web: 8 objects copied")


# --- refusals -----------------------------------------------------------------------------


def test_what_is_not_pushed_is_refused(store: Store, join: Join) -> None:
    ada = filled(join("ada"))
    ada.write("files/new", "not pushed")
    before = contents(store())
    with pytest.raises(UsageError, match="1 local change of this cache, first files/new"):
        migrate(ada, "web")
    assert contents(store()) == before


def test_a_namespace_with_content_of_its_own_is_refused(store: Store, join: Join) -> None:
    ada, bob = filled(join("ada")), at(join("bob"), "web")
    filled(bob, {"files/of bob": b"his own"})
    before = contents(store())
    with pytest.raises(UsageError, match="namespace web has content of its own: 1 file"):
        migrate(ada, "web")
    with pytest.raises(UsageError, match="the solo layout has content of its own: 8 files"):
        migrate(bob, "web", to_solo=True)
    assert contents(store()) == before


def test_another_repositorys_namespace_is_refused(store: Store, join: Join) -> None:
    ada = filled(join("ada"))
    engine = ada.engine()
    engine.registry.register("web", repo_id="somebody-else")
    engine.stop()
    before = contents(store())
    with pytest.raises(NamespaceTaken, match="somebody-else"):
        migrate(ada, "web")
    assert contents(store()) == before


def test_nor_is_it_moved_out_of_there(store: Store, join: Join) -> None:
    bob = at(join("bob"), "web")
    engine = bob.engine()
    engine.registry.register("web", repo_id="somebody-else")
    engine.stop()
    filled(bob)
    before = contents(store())
    with pytest.raises(NamespaceTaken, match="somebody-else"):
        migrate(bob, "web", to_solo=True)
    assert contents(store()) == before
    assert migrate(bob, "web", to_solo=True, repo_id="somebody-else").kept == ()


def test_a_link_in_the_cache_moves_and_what_it_leads_to_stays(
    store: Store, join: Join, tmp_path: Path
) -> None:
    ada = filled(join("ada"))
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "letter").write_text("nobody's business")
    (ada.cache / "files/link").symlink_to(outside)
    (ada.cache / "web/files/link").mkdir(parents=True)
    with pytest.raises(LocalError, match="in the way"):
        migrate(ada, "web")
    assert (outside / "letter").read_text() == "nobody's business"
    (ada.cache / "web/files/link").rmdir()
    assert migrate(ada, "web").kept == ()
    assert (ada.cache / "web/files/link").is_symlink()


@pytest.mark.parametrize("key", [".datastore.lock", ".locks/web.lock"])
def test_whoever_waits_for_either_lock_is_told_of_it(store: Store, join: Join, key: str) -> None:
    ada = filled(join("ada"))
    store().put(key, b'{"holder":"eve@there","ttlMs":60000,"nonce":"n"}')
    engine = ada.engine()
    box, told = engine.subscribe(), threading.Event()
    token = CancelToken()

    def listen() -> None:
        while not (token.cancelled or told.is_set()):
            box.wait(1.0)
            changes = (e for e in box.drain() if isinstance(e, StateChanged))
            if any("eve@there" in change.detail for change in changes):
                told.set()
                token.cancel()

    listener = threading.Thread(target=listen)
    listener.start()
    try:
        with pytest.raises(Cancelled):
            engine.migration.run("web", repo_id=REPO, cancel=token)
    finally:
        token.cancel()
        listener.join()
        engine.stop()
    assert told.is_set()


@pytest.mark.parametrize("name", ["data", "a/b", "", ".locks"])
def test_a_name_that_cannot_be_a_namespace(store: Store, join: Join, name: str) -> None:
    with pytest.raises(UsageError, match="cannot be a namespace"):
        migrate(join("ada"), name)


def test_who_says_no_repository_is_refused(store: Store, join: Join) -> None:
    with pytest.raises(UsageError, match="Nothing says its id"):
        migrate(filled(join("ada")), "web", repo_id="")


def test_a_directory_of_that_name_is_refused(store: Store, join: Join) -> None:
    ada = filled(join("ada"), {"web/page": b"a file of the solo layout"})
    with pytest.raises(UsageError, match="would collide with a namespace, first web/page"):
        migrate(ada, "web")


def test_readonly_moves_nothing(store: Store, join: Join) -> None:
    filled(join("ada"))
    before = contents(store())
    with pytest.raises(ReadOnly):
        migrate(join("bob", readonly=True), "web")
    assert contents(store()) == before


def test_a_plan_writes_nothing(store: Store, join: Join) -> None:
    ada = filled(join("ada"))
    before = contents(store())
    plan = planned(ada, "web")
    assert sorted(row.path for row in plan.rows) == sorted(FILES)
    assert {row.action for row in plan.rows} == {"copy"}
    assert plan.size == sum(map(len, FILES.values()))
    assert (plan.registers, plan.cache_files, plan.resumed) == (True, len(FILES), False)
    assert contents(store()) == before
    assert ada.files() == FILES


def test_either_lock_keeps_it_out(store: Store, join: Join) -> None:
    ada = filled(join("ada", lock_timeout_ms=10))
    for key in (".datastore.lock", ".locks/web.lock"):
        store().put(key, b'{"holder":"eve@there","ttlMs":60000,"nonce":"n"}')
        with pytest.raises(LockHeld, match="eve@there"):
            migrate(ada, "web")
        store().delete(key)
    assert migrate(ada, "web").kept == ()
