"""`index repair`: what is put right, what is left, and that all of it can be read afterwards."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from s3dash.core.index_care import Repaired
from s3dash.core.lock import LockBody, encode_lock
from s3dash.engine.index_care.rebuild import Knowledge, rebuilt
from s3dash.errors import IndexCorrupt, LockHeld, ReadOnly
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from tests.engine.faults import Once, machine
from tests.engine.index_world import META, MONOLITH, Keeper, entry, one_machine
from tests.engine.world import Machine, digest, fill, golden_bucket

FILES = {"files/a": "a", "files/b": "bb", "logs/x": "x", "data/t/id/v/1/raw": "raw"}


def four_files(keeper: Keeper) -> Keeper:
    for rel, text in FILES.items():
        keeper.machine.write(rel, text)
    keeper.machine.push()
    return keeper


@pytest.fixture
def eve(tmp_path: Path, memory: MemoryBucket) -> Keeper:
    return four_files(one_machine(tmp_path, lambda: MemoryStore(memory)))


@pytest.fixture
def eve_anywhere(tmp_path: Path, store: Callable[[], ObjectStore]) -> Keeper:
    return four_files(one_machine(tmp_path, store))


def steps(done: Repaired) -> list[tuple[str, str]]:
    return [(step.what, step.name) for step in done.done]


def is_whole(keeper: Keeper) -> bool:
    """The index says of every file what it is, and a stranger gets them all."""
    found = keeper.verify(full=True)
    assert found.problems == ()
    stranger = Machine(keeper.machine.home.parent / "stranger", keeper.machine.store)
    stranger.pull()
    assert stranger.files() == {rel: text.encode() for rel, text in FILES.items()}
    assert ".datastore.lock" not in keeper.all()
    return True


def test_nothing_to_do_takes_no_lock_and_writes_nothing(eve: Keeper) -> None:
    before = eve.all()
    done = eve.repair()
    assert (done.done, done.left, done.kept) == ((), (), "")
    assert done.sentence == "nothing to repair"
    assert eve.all() == before


def test_a_lost_meta_is_made_from_the_listing(eve_anywhere: Keeper) -> None:
    eve = eve_anywhere
    seq = eve.meta()["commitSeq"]
    eve.delete(META)
    before = eve.all()
    dry = eve.repair(dry_run=True)
    assert steps(dry) == [("meta", META)]
    assert eve.all() == before
    done = eve.repair()
    assert steps(done) == [("meta", META)]
    meta = eve.meta()
    assert meta["partitions"] == ["data--t--id", "files", "logs"]
    assert meta["commitSeq"] == done.commit_seq == seq + 1
    assert is_whole(eve)


def test_a_meta_that_makes_no_sense_is_kept_and_made_anew(eve: Keeper) -> None:
    eve.put(META, b"<html>oops</html>")
    done = eve.repair()
    assert steps(done) == [("meta", META)]
    assert eve.all()[f"{done.kept}{META}"] == b"<html>oops</html>"
    assert is_whole(eve)


def test_the_sequence_goes_on_even_for_a_machine_that_knew_nothing(
    eve: Keeper, tmp_path: Path, memory: MemoryBucket
) -> None:
    """The records in the bucket say how far it was."""
    eve.machine.write("files/a", "a")
    for text in ("1", "22", "333"):
        eve.machine.write("files/b", text)
        eve.machine.push()
    eve.delete(META)
    other = one_machine(tmp_path / "other", lambda: MemoryStore(memory))
    assert other.repair().commit_seq == 5


def test_dropped_and_missing_shards_are_back(eve_anywhere: Keeper) -> None:
    eve = eve_anywhere
    eve.change(META, lambda m: m.update(partitions=["files", "ghost", "data--t--id"]))
    eve.delete("_index/files.json")
    done = eve.repair()
    assert steps(done) == [
        ("dropped-shard", "logs"),
        ("missing-shard", "files"),
        ("missing-shard", "ghost"),
    ]
    assert eve.meta()["partitions"] == ["data--t--id", "files", "ghost", "logs"]
    assert eve.entries("ghost") == {}
    assert eve.entries("files").keys() == {"files/a", "files/b"}
    assert is_whole(eve)


def test_a_corrupt_shard_is_saved_from_the_objects_and_kept(eve_anywhere: Keeper) -> None:
    eve = eve_anywhere
    broken = eve.all()["_index/files.json"][:-20]
    eve.put("_index/files.json", broken)
    eve.put("files/pushed-by-another", b"theirs")
    done = eve.repair()
    assert steps(done) == [("corrupt-shard", "files")]
    assert eve.all()[f"{done.kept}_index/files.json"] == broken
    entries = eve.entries("files")
    assert entries["files/a"]["sha256"] == entry("files/a", b"a")["sha256"]
    assert entries["files/a"]["localMtime"]
    theirs = entries["files/pushed-by-another"]
    assert theirs["sha256"] == entry("x", b"theirs")["sha256"]
    assert eve.verify(full=True).is_clean


def test_a_shard_made_anew_does_not_bring_back_what_was_deleted(eve: Keeper) -> None:
    """Its deleter was killed before the object was gone."""
    (eve.machine.cache / "files/a").unlink()
    eve.machine.push()
    eve.put("files/a", b"a")
    eve.put("_index/files.json", b"no index")
    done = eve.repair()
    assert eve.entries("files").keys() == {"files/b"}
    assert [(d.path, "on record" in d.reason) for d in done.left] == [("files/a", True)]


def test_what_came_back_under_the_path_of_a_deleted_file_is_alive(eve: Keeper) -> None:
    """The record tells of one version, and says nothing of what was written there later."""
    for rel in ("files/a", "files/b"):
        (eve.machine.cache / rel).unlink()
    eve.machine.push()
    eve.machine.write("files/a", "written anew")
    eve.machine.push()
    eve.put("files/b", b"a plain client's, anew")
    eve.put("_index/files.json", b"no index")
    done = eve.repair()
    assert {rel: e["sha256"] for rel, e in eve.entries("files").items()} == {
        "files/a": digest(b"written anew"),
        "files/b": digest(b"a plain client's, anew"),
    }
    assert done.left == ()


def test_a_later_version_whose_object_is_gone_is_missing_and_no_zombie(eve: Keeper) -> None:
    (eve.machine.cache / "files/a").unlink()
    eve.machine.push()
    eve.machine.write("files/a", "written anew")
    eve.machine.push()
    eve.delete("files/a")
    found = eve.verify()
    assert ([m.path for m in found.missing], found.zombies) == (["files/a"], ())
    assert eve.repair().done == ()
    assert "files/a" in eve.entries("files")


def test_zombies_are_scrubbed_and_strays_go_home(eve_anywhere: Keeper) -> None:
    eve = eve_anywhere
    home = eve.entries("logs")["logs/x"]
    eve.change(
        "_index/files.json",
        lambda d: d["entries"].update(
            {"_index/y": entry("_index/y", b"y"), "logs/x": {**home, "sha256": "0" * 64}}
        ),
    )
    stray = {**home, "key": "logs/stray", "theirs": [1, 2]}
    eve.put("logs/stray", b"x")
    eve.change("_index/data--t--id.json", lambda d: d["entries"].update({"logs/stray": stray}))
    before = eve.all()
    done = eve.repair()
    assert steps(done) == [
        ("zombie", "_index/y"),
        ("moved", "logs/stray"),
        ("zombie", "logs/x"),
    ]
    assert eve.entries("files").keys() == {"files/a", "files/b"}
    assert eve.entries("logs") == {"logs/x": home, "logs/stray": stray}
    assert eve.entries("data--t--id").keys() == {"data/t/id/v/1/raw"}
    for name in ("files", "logs", "data--t--id"):
        key = f"_index/{name}.json"
        assert eve.all()[f"{done.kept}{key}"] == before[key]
    eve.delete("logs/stray")
    eve.change("_index/logs.json", lambda d: d["entries"].pop("logs/stray"))
    assert is_whole(eve)


def test_an_entry_whose_deletion_is_on_record_goes_and_a_mere_missing_one_stays(
    eve: Keeper,
) -> None:
    back = eve.entries("files")["files/a"]
    (eve.machine.cache / "files/a").unlink()
    eve.machine.push()
    eve.change("_index/files.json", lambda d: d["entries"].update({"files/a": back}))
    eve.delete("files/b")
    assert steps(eve.repair()) == [("zombie", "files/a")]
    assert eve.entries("files").keys() == {"files/b"}


# --- version 1 ------------------------------------------------------------------------------


@pytest.fixture
def golden(tmp_path: Path, memory: MemoryBucket) -> Keeper:
    keeper = one_machine(tmp_path, lambda: MemoryStore(memory))
    fill(keeper.store, golden_bucket("gold-solo-v1"))
    return keeper


def test_a_missing_monolith_is_made_of_its_copies_and_the_objects(golden: Keeper) -> None:
    want = golden.document(MONOLITH)["entries"]
    golden.put("unknown/to/peers", b"only the monolith had it")
    golden.delete(MONOLITH)
    done = golden.repair()
    assert steps(done) == [("monolith", MONOLITH)]
    found = golden.document(MONOLITH)
    extra = found["entries"].pop("unknown/to/peers")
    assert found["entries"] == want
    assert extra["sha256"] == entry("x", b"only the monolith had it")["sha256"]
    assert found["lastPulled"]
    assert golden.meta()["version"] == 1
    assert golden.verify(full=True).is_clean
    assert golden.machine.pull().pulled == 16


def test_a_corrupt_monolith_is_kept(golden: Keeper) -> None:
    golden.put(MONOLITH, b"{")
    done = golden.repair()
    assert golden.all()[f"{done.kept}{MONOLITH}"] == b"{"
    assert len(golden.document(MONOLITH)["entries"]) == 15


def test_a_corrupt_copy_follows_the_monolith_so_that_pushes_work_again(golden: Keeper) -> None:
    want = golden.all()["_index/files.json"]
    golden.put("_index/files.json", b"oops")
    assert steps(golden.repair()) == [("corrupt-shard", "files")]
    assert golden.all()["_index/files.json"] == want


def test_where_we_knew_version_1_a_lost_meta_says_so_again(golden: Keeper) -> None:
    golden.machine.pull()
    golden.delete(META)
    golden.repair()
    assert golden.meta()["version"] == 1
    assert golden.verify(full=True).is_clean


def test_where_nobody_knows_the_rule_what_only_the_monolith_names_is_saved(
    golden: Keeper,
) -> None:
    """A datastore of version 1 whose meta is lost, and a machine that never saw it."""
    old = {"key": "odd/place", "size": 1, "sha256": digest(b"o"), "theirs": [1, 2]}
    gone = {"key": "odd/gone", "size": 1, "sha256": digest(b"g")}
    golden.put("odd/place", b"o")
    golden.change(MONOLITH, lambda d: d["entries"].update({"odd/place": old, "odd/gone": gone}))
    golden.delete(META)
    done = golden.repair()
    assert steps(done) == [("restored", "odd/place"), ("meta", META)]
    assert golden.meta()["version"] == 2
    assert golden.entries("odd") == {"odd/place": old}
    assert golden.verify(full=True).is_clean


def test_an_index_that_is_gone_altogether_is_one_of_version_1_by_a_single_write(
    golden: Keeper,
) -> None:
    golden.machine.pull()
    for key in golden.all():
        if key.startswith("_index/") or key == MONOLITH:
            golden.delete(key)
    done = golden.repair()
    assert steps(done) == [("monolith", MONOLITH)]
    found = golden.verify(full=True)
    assert (found.version, found.problems, found.checked, found.unhashed) == (1, (), 15, 0)
    golden.migrate()
    golden.machine.write("logs/new", "x")
    assert golden.machine.push().pushed == 1
    assert golden.verify(full=True).is_clean


# --- refusals -------------------------------------------------------------------------------


@pytest.mark.parametrize("mark", [META, MONOLITH])
def test_a_namespace_that_nobody_registered_is_no_content_of_the_solo_layout(
    tmp_path: Path, memory: MemoryBucket, mark: str
) -> None:
    """It has an index of its own: made a part of ours, its files could be deleted from here."""
    solo = one_machine(tmp_path, lambda: MemoryStore(memory))
    solo.put("web/data/t/id/v/1/raw", b"theirs")
    solo.put(f"web/{mark}", b"{}")
    before = solo.all()
    assert solo.verify().is_clean
    assert solo.repair().done == ()
    assert solo.all() == before
    solo.machine.write("files/mine", "ours")
    solo.machine.push()
    assert solo.entries("files").keys() == {"files/mine"}
    assert solo.meta()["partitions"] == ["files"]


def test_a_version_that_nobody_knows_is_left_alone(eve: Keeper) -> None:
    eve.change(META, lambda m: m.update(version=3))
    before = eve.all()
    with pytest.raises(IndexCorrupt, match="version 3"):
        eve.repair()
    assert eve.all() == before


def test_it_waits_for_models_and_gives_up(tmp_path: Path, memory: MemoryBucket) -> None:
    keeper = four_files(one_machine(tmp_path, lambda: MemoryStore(memory), lock_timeout_ms=1000))
    keeper.delete(META)
    held = LockBody(holder="ada@vm", hostname="vm", pid=1, ttlMs=600_000, nonce="n")
    keeper.put("data/t/id/.lock", encode_lock(held))
    with pytest.raises(LockHeld, match="t/id held by ada@vm"):
        keeper.repair()
    assert META not in keeper.all()


def test_a_machine_that_only_looks_can_still_see_what_it_would_do(
    eve: Keeper, tmp_path: Path, memory: MemoryBucket
) -> None:
    eve.delete(META)
    looking = one_machine(tmp_path / "ro", lambda: MemoryStore(memory), readonly=True)
    assert steps(looking.repair(dry_run=True)) == [("meta", META)]
    with pytest.raises(ReadOnly):
        looking.repair()


# --- others go on ---------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["_index/files.json", META])
def test_what_another_writes_meanwhile_is_not_lost(
    eve: Keeper, tmp_path: Path, memory: MemoryBucket, at: str
) -> None:
    eve.change(
        "_index/files.json", lambda d: d["entries"].update({"_index/y": entry("_index/y", b"y")})
    )
    new = entry("files/new", b"new")

    def push() -> None:
        eve.put("files/new", b"new")
        eve.change("_index/files.json", lambda d: d["entries"].update({"files/new": new}))
        eve.change(META, lambda m: m.update(commitSeq=m["commitSeq"] + 1))

    racing = Keeper(machine(tmp_path / "eve", memory, before=Once("put", at, push)))
    racing.repair()
    assert eve.entries("files").keys() == {"files/a", "files/b", "files/new"}
    assert eve.verify(full=True).is_clean


def test_what_was_done_is_in_the_log(eve: Keeper) -> None:
    eve.put("_index/files.json", b"oops")
    done = eve.repair()
    notes = eve.notes()
    assert any(text.startswith("repaired files: ") for text in notes)
    assert f"what was replaced is kept below {done.kept}" in notes


def test_what_is_too_much_to_be_read_gets_an_entry_without_a_hash(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """Only what nothing here proves has to be read, and that is bounded."""
    keeper = four_files(one_machine(tmp_path, lambda: MemoryStore(memory)))
    keeper.put("files/large", b"x" * 100)
    keeper.put("files/small", b"small")
    engine = keeper.machine.engine()
    try:
        known = replace(Knowledge.of(engine._ctx), read_most=10)
        objects = {info.key: info for info in keeper.store.list("files/")}
        entries = rebuilt(known, objects, copies=())
    finally:
        engine.stop()
    said = {rel: json.loads(bytes(raw)).get("sha256") for rel, raw in entries.items()}
    assert said.pop("files/large") is None
    assert said == {
        "files/a": digest(b"a"),
        "files/b": digest(b"bb"),
        "files/small": digest(b"small"),
    }
