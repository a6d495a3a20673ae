"""`index migrate`: from version 1 to version 2, as the real client does it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.lock import LockBody, encode_lock
from s3dash.errors import CommitConflict, IndexCorrupt, LockHeld, ReadOnly, UsageError
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from tests.engine.faults import Once, machine
from tests.engine.index_world import META, MONOLITH, Keeper, entry, one_machine
from tests.engine.world import fill, golden_bucket


def v1(keeper: Keeper, entries: dict[str, Any], **objects: bytes) -> None:
    """A datastore of version 1 that has nothing but a monolith, and its objects."""
    keeper.put(MONOLITH, json.dumps({"version": 1, "lastPulled": "t", "entries": entries}))
    keeper.put(META, '{"version":1,"partitions":[]}')
    for rel in entries:
        keeper.put(rel, objects.get(rel, b"x"))


@pytest.fixture
def eve(tmp_path: Path, store: Callable[[], ObjectStore]) -> Keeper:
    """The golden datastore of version 1."""
    keeper = one_machine(tmp_path, store)
    fill(keeper.store, golden_bucket("gold-solo-v1"))
    return keeper


@pytest.fixture
def small(tmp_path: Path, memory: MemoryBucket) -> Keeper:
    return one_machine(tmp_path, lambda: MemoryStore(memory))


def test_the_shards_are_those_that_the_real_client_writes_byte_for_byte(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """The golden v2 bucket still has the monolith that its shards were made of; a push then
    changed `files` and `logs` and took `telemetry` away."""
    golden = golden_bucket("gold-solo-v2")
    keeper = one_machine(tmp_path, lambda: MemoryStore(memory))
    keeper.put(MONOLITH, golden[MONOLITH])
    keeper.put(META, '{"version":1,"partitions":[]}')
    done = keeper.migrate()
    theirs = {k: b for k, b in golden.items() if k.startswith("_index/") and k != META}
    changed = {"_index/files.json", "_index/logs.json"}
    ours = keeper.all()
    assert {k for k, b in theirs.items() if ours[k] != b} == changed
    names = sorted([*json.loads(golden[META])["partitions"], "telemetry"])
    assert (
        ours[META]
        == json.dumps(
            {"version": 2, "partitions": names, "commitSeq": 1}, separators=(",", ":")
        ).encode()
    )
    assert (done.entries, done.shards, done.written, done.commit_seq) == (15, 12, 12, 1)


def test_the_golden_datastore_goes_over_and_syncs_on(eve: Keeper) -> None:
    before = eve.all()
    dry = eve.migrate(dry_run=True)
    assert (dry.dry_run, dry.entries, dry.shards) == (True, 15, 12)
    assert eve.all() == before
    done = eve.migrate()
    assert (done.from_version, done.to_version, done.already) == (1, 2, False)
    after = eve.all()
    assert after[MONOLITH] == before[MONOLITH]
    assert ".datastore.lock" not in after
    assert {k: v for k, v in after.items() if "_control/" not in k and k != META} == {
        k: v for k, v in before.items() if k != META
    }
    assert eve.verify(full=True).is_clean
    assert eve.machine.pull().pulled == 15
    eve.machine.write("logs/new", "new")
    assert eve.machine.push().commit_seq == 2


def test_a_second_run_says_that_it_is_done_and_takes_no_lock(small: Keeper) -> None:
    v1(small, {"files/a": entry("files/a", b"x")})
    small.migrate()
    seen = small.all()
    done = small.migrate()
    assert (done.already, done.commit_seq, done.entries) == (True, 1, 1)
    assert "of version 2 already" in done.sentence
    assert small.migrate(dry_run=True).already
    assert small.all() == seen


def test_entries_keep_every_byte_and_their_order(small: Keeper) -> None:
    odd = '{"key":"files/b",  "size":1,"x":{"deep":[1, 2]},"sha256":null,"lastModified":"","y":1e3}'
    plain = '{"key":"files/a","size":1}'
    small.put(
        MONOLITH, f'{{"version":1,"entries":{{"files/b":{odd},"files/a":{plain}}},"extra":[1]}}'
    )
    small.put(META, '{"version":1,"partitions":[],"theirs":true}')
    small.migrate()
    expected = f'{{"version":1,"entries":{{"files/b":{odd},"files/a":{plain}}}}}'
    assert small.all()["_index/files.json"].decode() == expected
    assert small.meta() == {"version": 2, "partitions": ["files"], "theirs": True, "commitSeq": 1}


def test_files_that_plain_clients_know_no_shard_for_get_one_of_their_own(small: Keeper) -> None:
    v1(small, {rel: entry(rel, b"x") for rel in ("odd/place/file", "data/x", "_root/file")})
    small.migrate()
    assert small.meta()["partitions"] == ["data", "odd", "x--_root"]
    assert small.verify(full=True).is_clean


def test_what_is_no_data_stays_behind_and_is_told(small: Keeper) -> None:
    v1(small, {rel: entry(rel, b"x") for rel in ("files/a", "_control/x", "data/t/i/.lock")})
    small.change(MONOLITH, lambda d: d["entries"].update({"../up": entry("../up", b"x")}))
    small.delete("data/t/i/.lock")
    done = small.migrate()
    assert {d.path for d in done.dropped} == {"_control/x", "data/t/i/.lock", "../up"}
    assert small.meta()["partitions"] == ["files"]
    assert "../up" in small.document(MONOLITH)["entries"]


def test_a_stale_copy_does_not_bring_entries_back_and_is_kept(small: Keeper) -> None:
    v1(small, {"files/a": entry("files/a", b"x")})
    stale = json.dumps({"version": 1, "entries": {"logs/old": entry("logs/old", b"o")}})
    small.put("_index/logs.json", stale)
    done = small.migrate()
    assert small.entries("logs") == {}
    assert small.meta()["partitions"] == ["files", "logs"]
    assert small.all()[f"{done.kept}_index/logs.json"].decode() == stale


def test_a_namespace_goes_over_alone(tmp_path: Path, memory: MemoryBucket) -> None:
    fill(MemoryStore(memory), golden_bucket("gold-ns"))
    keeper = one_machine(tmp_path, lambda: MemoryStore(memory, prefix="team"), namespace="infra")
    before = {k: b for k, b in keeper.all().items() if not k.startswith("infra/")}
    keeper.migrate()
    assert keeper.document("infra/_index/_meta.json")["version"] == 2
    after = {k: b for k, b in keeper.all().items() if not k.startswith("infra/")}
    assert after == before


# --- refusals -----------------------------------------------------------------------------


def test_where_there_is_no_index_there_is_nothing_to_migrate(small: Keeper) -> None:
    with pytest.raises(UsageError, match="no index to migrate"):
        small.migrate()


@pytest.mark.parametrize("key", [MONOLITH, META])
def test_a_broken_index_is_to_be_repaired_first(small: Keeper, key: str) -> None:
    v1(small, {"files/a": entry("files/a", b"x")})
    small.put(
        key, b'{"version":1,"entries":[' if key == MONOLITH else b'{"version":1,"partitions":7}'
    )
    seen = small.all()
    with pytest.raises(IndexCorrupt, match="cannot be migrated as it is"):
        small.migrate()
    assert small.all() == seen


def test_it_waits_for_models_and_gives_up(tmp_path: Path, memory: MemoryBucket) -> None:
    keeper = one_machine(tmp_path, lambda: MemoryStore(memory), lock_timeout_ms=1000)
    v1(keeper, {"files/a": entry("files/a", b"x")})
    held = LockBody(holder="ada@vm", hostname="vm", pid=1, ttlMs=600_000, nonce="n")
    keeper.put("data/t/id/.lock", encode_lock(held))
    with pytest.raises(LockHeld, match="t/id held by ada@vm"):
        keeper.migrate()
    assert keeper.meta()["version"] == 1


def test_a_machine_that_only_looks_can_still_see_what_it_would_do(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    keeper = one_machine(tmp_path, lambda: MemoryStore(memory), readonly=True)
    v1(Keeper(machine(tmp_path / "ada", memory)), {"files/a": entry("files/a", b"x")})
    assert keeper.migrate(dry_run=True).entries == 1
    with pytest.raises(ReadOnly):
        keeper.migrate()


# --- plain clients that take no lock --------------------------------------------------------


def pushes_in_between(
    tmp_path: Path, memory: MemoryBucket, op: str, key: str, *, before: bool = True
) -> Keeper:
    """A plain client's push of version 1 at the first such request of the migration."""
    base = Keeper(machine(tmp_path / "eve", memory))
    v1(base, {"files/a": entry("files/a", b"x"), "logs/b": entry("logs/b", b"x")})

    def push() -> None:
        base.put("files/new", b"new")
        new = entry("files/new", b"new", theirs=1)
        base.change(MONOLITH, lambda d: d["entries"].update({"files/new": new}))
        base.change(MONOLITH, lambda d: d["entries"].pop("logs/b"))
        base.delete("logs/b")

    once: Hook = Once(op, key, push)
    hooks = {"before": once} if before else {"after": once}
    return Keeper(machine(tmp_path / "eve", memory, **hooks))


@pytest.mark.parametrize(
    ("op", "key", "before"),
    [
        ("put", ".datastore.lock", True),
        ("put", "_index/files.json", True),
        ("put", "_index/logs.json", False),
        ("head", MONOLITH, True),
        ("head", MONOLITH, False),
        ("put", META, True),
        ("put", META, False),
    ],
)
def test_a_push_in_between_is_in_the_new_index(
    tmp_path: Path, memory: MemoryBucket, op: str, key: str, before: bool
) -> None:
    keeper = pushes_in_between(tmp_path, memory, op, key, before=before)
    keeper.migrate()
    assert keeper.meta()["version"] == 2
    assert keeper.entries("files").keys() == {"files/a", "files/new"}
    if "logs" in keeper.meta()["partitions"]:
        assert keeper.entries("logs") == {}
    assert Keeper(machine(tmp_path / "eve", memory)).verify(full=True).is_clean


def test_a_client_that_writes_meta_back_is_answered_until_it_rests(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    base = Keeper(machine(tmp_path / "eve", memory))
    v1(base, {"files/a": entry("files/a", b"x")})
    left = [3]

    def back(op: str, key: str) -> None:
        if (op, key) == ("put", META) and left[0]:
            left[0] -= 1
            base.put(META, '{"version":1,"partitions":["files"]}')

    keeper = Keeper(machine(tmp_path / "eve", memory, after=back))
    assert not keeper.migrate().already
    assert base.meta()["version"] == 2
    assert left == [0]


def test_a_client_that_never_rests_is_told(tmp_path: Path, memory: MemoryBucket) -> None:
    base = Keeper(machine(tmp_path / "eve", memory))
    v1(base, {"files/a": entry("files/a", b"x")})

    def back(op: str, key: str) -> None:
        if (op, key) == ("put", META):
            base.put(META, '{"version":1,"partitions":["files"]}')

    keeper = Keeper(machine(tmp_path / "eve", memory, after=back))
    with pytest.raises(CommitConflict, match="kept changing"):
        keeper.migrate()
    assert base.meta()["version"] == 1
    assert ".datastore.lock" not in base.all()
