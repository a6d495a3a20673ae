"""`index verify`: what is told of an index, and that nothing is written."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.errors import Cancelled, IndexCorrupt, UsageError
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from tests.engine.faults import machine
from tests.engine.index_world import META, MONOLITH, Keeper, entry, one_machine
from tests.engine.world import contents, fill, golden_bucket

GOLDEN = ("gold-solo-v1", "gold-solo-v2")


def five_files(keeper: Keeper) -> Keeper:
    """A datastore in version 2."""
    for name in "abcde":
        keeper.machine.write(f"files/{name}", f"body of {name}")
    keeper.machine.push()
    return keeper


@pytest.fixture
def eve(tmp_path: Path, memory: MemoryBucket) -> Keeper:
    return five_files(one_machine(tmp_path, lambda: MemoryStore(memory)))


@pytest.fixture
def eve_anywhere(tmp_path: Path, store: Callable[[], ObjectStore]) -> Keeper:
    return five_files(one_machine(tmp_path, store))


@pytest.mark.parametrize("name", GOLDEN)
def test_what_the_real_client_left_is_clean(
    name: str, tmp_path: Path, store: Callable[[], ObjectStore]
) -> None:
    keeper = one_machine(tmp_path, store)
    fill(keeper.store, golden_bucket(name))
    before = keeper.all()
    found = keeper.verify(full=True)
    assert found.problems == ()
    assert (found.checked, found.ok, found.read) == (15, 15, 15)
    assert found.version == (1 if name.endswith("v1") else 2)
    assert keeper.all() == before


def test_a_golden_namespace_is_clean_and_sees_nothing_of_its_neighbour(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    fill(MemoryStore(memory), golden_bucket("gold-ns"))
    for namespace in ("infra", "web"):
        keeper = one_machine(
            tmp_path / namespace, lambda: MemoryStore(memory, prefix="team"), namespace=namespace
        )
        found = keeper.verify(full=True)
        assert found.problems == (), namespace
        assert found.checked == found.ok > 0


def test_each_kind_of_trouble_is_told_by_its_name(eve_anywhere: Keeper) -> None:
    eve = eve_anywhere
    eve.delete("files/a")
    eve.put("files/b", "longer than before")
    eve.put("files/c", "body of C")
    eve.put("files/stray", "nobody names me")
    found = eve.verify(full=True)
    assert [(m.path, m.reason) for m in found.missing] == [("files/a", "its object is not there")]
    sizes, hashes = sorted(found.wrong, key=lambda w: w.path)
    assert (sizes.path, sizes.expected, sizes.found) == ("files/b", 9, 18)
    assert (hashes.path, hashes.reason) == ("files/c", "its object has another content")
    assert len(str(hashes.expected)) == len(str(hashes.found)) == 64
    assert [(o.path, o.size) for o in found.orphans] == [("files/stray", 15)]
    assert (found.checked, found.ok) == (5, 2)
    assert not found.mendable


def test_content_is_not_read_unless_that_is_wanted(eve: Keeper) -> None:
    eve.put("files/c", "body of C")
    found = eve.verify()
    assert found.is_clean
    assert (found.read, found.bytes_read) == (0, 0)


def test_a_sample_is_chosen_by_its_seed(eve: Keeper) -> None:
    eve.put("files/c", "body of C")
    seen = {eve.verify(sample="1", seed=seed).is_clean for seed in range(40)}
    assert seen == {True, False}
    by_seed = {seed: eve.verify(sample="40%", seed=seed) for seed in range(4)}
    again = {seed: eve.verify(sample="40%", seed=seed) for seed in range(4)}
    assert {s: v.wrong for s, v in by_seed.items()} == {s: v.wrong for s, v in again.items()}
    assert {v.read for v in by_seed.values()} == {2}


@pytest.mark.parametrize("sample", ["0.5", "-1", "101%", "many", "%"])
def test_a_sample_that_is_none_is_refused(eve: Keeper, sample: str) -> None:
    with pytest.raises(UsageError, match="is no sample"):
        eve.verify(sample=sample)


def test_shards_that_meta_and_the_listing_do_not_agree_on(eve: Keeper) -> None:
    eve.machine.write("logs/x", "x")
    eve.machine.push()
    eve.change(META, lambda m: m.update(partitions=["files", "ghost"]))
    found = eve.verify()
    assert (found.dropped_shards, found.missing_shards) == (("logs",), ("ghost",))
    assert found.checked == 6
    assert found.mendable


def test_a_corrupt_shard_stops_nothing_else(eve: Keeper) -> None:
    eve.machine.write("logs/x", "x")
    eve.machine.push()
    eve.put("_index/logs.json", b"\x00 not json")
    found = eve.verify()
    assert [c.name for c in found.corrupt_shards] == ["logs"]
    assert (found.checked, found.ok) == (5, 5)
    assert [o.path for o in found.orphans] == ["logs/x"]


def test_zombies(eve_anywhere: Keeper) -> None:
    eve = eve_anywhere
    bodies = {
        "_control/x": entry("_control/x", b"x"),
        "logs/y": entry("logs/y", b"y"),
        "files/a": entry("files/a", b"older"),
    }
    eve.change(
        "_index/files.json", lambda d: d["entries"].update({"_control/x": bodies["_control/x"]})
    )
    eve.put("logs/y", b"y")
    wrong_place = {"version": 1, "entries": {k: bodies[k] for k in ("logs/y", "files/a")}}
    eve.put("_index/audit.json", json.dumps(wrong_place))
    eve.change(META, lambda m: m["partitions"].append("audit"))
    found = eve.verify()
    assert [(z.path, z.shard, z.home) for z in found.zombies] == [
        ("_control/x", "files", ""),
        ("files/a", "audit", ""),
        ("logs/y", "audit", "logs"),
    ]
    assert (found.missing, found.wrong, found.orphans) == ((), (), ())


def test_an_entry_that_came_back_after_its_deletion_is_a_zombie(eve: Keeper) -> None:
    back = eve.entries("files")["files/a"]
    (eve.machine.cache / "files/a").unlink()
    eve.machine.push()
    eve.change("_index/files.json", lambda d: d["entries"].update({"files/a": back}))
    found = eve.verify()
    assert [(z.path, z.reason) for z in found.zombies] == [
        ("files/a", "its object is gone, and its deletion is on record")
    ]
    assert found.missing == ()


def test_a_solo_index_that_names_a_namespaces_files(eve: Keeper) -> None:
    eve.put("web/.namespace.json", '{"namespace":"web","repoId":"r"}')
    eve.put("web/files/a", "theirs")
    eve.put("web/_index/_meta.json", "{}")
    assert eve.verify().is_clean
    eve.put(
        "_index/web.json",
        json.dumps({"version": 1, "entries": {"web/files/a": entry("web/files/a", b"theirs")}}),
    )
    (zombie,) = eve.verify().zombies
    assert zombie.reason == "it belongs to the namespace web"


def test_malformed_entries_are_told_and_stop_nothing(eve: Keeper) -> None:
    odd = {
        "files/odd": {"key": "files/odd", "size": "many"},
        "files/../x": entry("files/../x", b""),
    }
    eve.change("_index/files.json", lambda d: d["entries"].update(odd))
    eve.change("_index/files.json", lambda d: d["entries"]["files/a"].update(key="files/b"))
    found = eve.verify()
    assert {w.path: w.reason for w in found.wrong} == {
        "files/odd": "malformed entry in the index",
        "files/../x": "path segment '..'",
        "files/a": "its field `key` names another path",
    }
    assert found.ok == 4


def test_a_lost_meta_and_a_lost_monolith_are_told(tmp_path: Path, memory: MemoryBucket) -> None:
    keeper = one_machine(tmp_path, lambda: MemoryStore(memory))
    fill(keeper.store, golden_bucket("gold-solo-v1"))
    keeper.delete(MONOLITH)
    found = keeper.verify()
    assert found.monolith.problem == "it is missing"
    assert len(found.orphans) == 15
    keeper.delete(META)
    assert keeper.verify().meta.problem == "it is missing, and there are shards"


def test_an_empty_place_is_clean(tmp_path: Path, memory: MemoryBucket) -> None:
    found = one_machine(tmp_path, lambda: MemoryStore(memory)).verify(full=True)
    assert (found.version, found.checked, found.is_clean) == (0, 0, True)


def test_objects_without_any_index(tmp_path: Path, memory: MemoryBucket) -> None:
    keeper = one_machine(tmp_path, lambda: MemoryStore(memory))
    keeper.put("files/a", "x")
    found = keeper.verify()
    assert found.monolith.problem == "there is no index, but there are objects"
    assert found.mendable


def test_a_version_that_nobody_knows_is_never_judged(eve: Keeper) -> None:
    eve.change(META, lambda m: m.update(version=3))
    with pytest.raises(IndexCorrupt, match="version 3"):
        eve.verify()


# --- while others go on -------------------------------------------------------------------


def raced(tmp_path: Path, memory: MemoryBucket, act: Callable[[Keeper], None]) -> Keeper:
    """A keeper in whose verification `act` happens once, right after the objects were listed."""
    base = five_files(Keeper(machine(tmp_path / "base", memory)))
    done: list[bool] = []

    def after(op: str, key: str) -> None:
        if (op, key) == ("list", "") and not done:
            done.append(True)
            act(base)

    return Keeper(machine(tmp_path / "eve", memory, after=after))


def test_what_moved_while_we_looked_is_looked_at_again(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    bob = machine(tmp_path / "bob", memory)

    def push(_: Keeper) -> None:
        bob.pull()
        bob.write("files/a", "another body, and longer")
        bob.write("files/new", "new")
        (bob.cache / "files/b").unlink()
        bob.push()

    found = raced(tmp_path, memory, push).verify(full=True)
    assert found.problems == ()
    assert found.checked == 5


def test_a_writer_between_upload_and_commit_is_no_finding_once_it_has_committed(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """The object was listed without an entry; when it is looked at again, it has one."""
    store = MemoryStore(memory)
    store.put("files/new", b"new")

    def commit(_: Keeper) -> None:
        shard = json.loads(contents(store)["_index/files.json"])
        shard["entries"]["files/new"] = entry("files/new", b"new")
        store.put("_index/files.json", json.dumps(shard).encode())

    assert raced(tmp_path, memory, commit).verify().is_clean


def test_it_writes_nothing_and_takes_no_lock(tmp_path: Path, memory: MemoryBucket) -> None:
    asked: list[str] = []
    base = one_machine(tmp_path, lambda: MemoryStore(memory))
    base.machine.write("files/a", "x")
    base.machine.push()
    base.delete("files/a")
    base.put("files/stray", "y")
    looking: Hook = lambda op, key: asked.append(op)  # noqa: E731 - one line, used once
    Keeper(machine(tmp_path / "eve", memory, before=looking)).verify(full=True)
    assert set(asked) <= {"list", "list_dirs", "head", "get", "download"}


def test_it_can_be_cancelled(tmp_path: Path, memory: MemoryBucket) -> None:
    cancel = CancelToken()
    with pytest.raises(Cancelled):
        raced(tmp_path, memory, lambda _: cancel.cancel()).verify(full=True, cancel=cancel)
