"""Pushes that keep to single models: what they select, and whose locks they hold meanwhile."""

import threading
from pathlib import Path

import pytest

from s3dash.core.lock import LockBody, decode_lock, encode_lock
from s3dash.engine.open import open_engine
from s3dash.errors import LockHeld, LockLost, NotFound, UsageError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.clocks import QuickClock
from tests.engine.conftest import Join
from tests.engine.faults import Once, machine
from tests.engine.world import Machine, contents
from tests.tally import Effort

LOCK = "data/acme/vm/one/.lock"
GLOBAL = ".datastore.lock"


def write_models(ada: Machine, *names: str) -> None:
    for name in names:
        ada.write(f"data/acme/vm/{name}/config/1/raw", f"raw of {name}")
        ada.write(f"outputs/acme/vm/{name}/run.yaml", f"run of {name}")
        ada.write(f"definitions-evaluated/acme/vm/{name}/def.yaml", f"def of {name}")
    ada.write("logs/app.log", "log")


def theirs(nonce: str = "theirs", ttl_ms: int = 30_000) -> bytes:
    return encode_lock(LockBody(holder="bob@pc", hostname="pc", pid=9, ttlMs=ttl_ms, nonce=nonce))


def exists(bucket: MemoryBucket, key: str) -> bool:
    return key in bucket.all_keys()


class Seen:
    """Which of some locks were there at every request that writes something else."""

    def __init__(self, bucket: MemoryBucket, *keys: str) -> None:
        self.bucket = bucket
        self.keys = keys
        self.at: dict[str, frozenset[str]] = {}
        self.order: list[tuple[str, str]] = []

    def __call__(self, op: str, key: str) -> None:
        if key.endswith(".lock"):
            self.order.append((op, key))
        elif op in ("put", "upload", "delete"):
            there = set(self.bucket.all_keys())
            self.at[key] = frozenset(k for k in self.keys if k in there)


def test_only_what_is_the_models_own_moves(join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    write_models(ada, "one", "two")
    assert ada.push(models=["acme/vm/one"]).pushed == 3
    assert bob.pull(models=["acme/vm/one", "acme/vm/two"]).pulled == 3
    assert len(bob.files()) == 3
    assert ada.push().pushed == 4
    (ada.cache / "outputs/acme/vm/one/run.yaml").unlink()
    ada.write("logs/app.log", "more")
    done = ada.sync(models=["acme/vm/one"])
    assert (done.pushed, done.deleted_remote) == (0, 1)
    assert bob.pull(models=["acme/vm/two"]).pulled == 3
    assert "logs/app.log" not in bob.files()


def test_paths_and_models_are_taken_together(join: Join) -> None:
    ada = join("ada")
    write_models(ada, "one", "two")
    assert ada.push(["logs"], models=["acme/vm/one"]).pushed == 4


def test_in_a_namespace_the_lock_lies_below_it(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    key = f"infra/{LOCK}"
    seen = Seen(bucket, key)
    ada = machine(tmp_path / "ada", bucket, before=seen, namespace="infra")
    write_models(ada, "one")
    assert ada.push(models=["acme/vm/one"]).pushed == 3
    uploads = {k: locks for k, locks in seen.at.items() if "acme" in k and "_index" not in k}
    assert len(uploads) == 3
    assert set(uploads.values()) == {frozenset({key})}
    assert not exists(bucket, key)


def test_the_models_lock_is_held_from_the_first_upload_to_the_commit(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    seen = Seen(bucket, LOCK, GLOBAL)
    ada = machine(tmp_path / "ada", bucket, before=seen)
    write_models(ada, "one", "two")
    ada.push(models=["acme/vm/one"])
    data = {k: v for k, v in seen.at.items() if k.startswith(("data", "outputs"))}
    index = {k: v for k, v in seen.at.items() if k.startswith("_index")}
    assert set(data.values()) == {frozenset({LOCK})}
    assert set(index.values()) == {frozenset({LOCK, GLOBAL})}
    assert not exists(bucket, LOCK)
    assert not exists(bucket, GLOBAL)
    taken = seen.order.index(("put", LOCK))
    assert ("get", GLOBAL) in seen.order[:taken], "it is looked at before"
    assert ("get", GLOBAL) in seen.order[taken:], "and after"


def test_a_pull_and_a_dry_run_and_nothing_to_push_take_no_lock(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    seen = Seen(bucket)
    ada = machine(tmp_path / "ada", bucket)
    write_models(ada, "one")
    ada.push()
    bob = machine(tmp_path / "bob", bucket, before=seen)
    bob.pull(models=["acme/vm/one"])
    bob.push(models=["acme/vm/one"])
    bob.write("data/acme/vm/one/config/1/raw", "edit")
    bob.push(models=["acme/vm/one"], dry_run=True)
    assert not [key for _, key in seen.order if key == LOCK]
    assert bob.push(models=["acme/vm/one"]).pushed == 1
    assert ("put", LOCK) in seen.order


def test_a_writer_of_the_model_is_waited_for_and_then_its_change_is_seen(tmp_path: Path) -> None:
    """Bob's push of the same model ends while ours waits: what both changed is a conflict."""
    bucket, clock = MemoryBucket(), QuickClock()
    ada, bob = machine(tmp_path / "ada", bucket), machine(tmp_path / "bob", bucket)
    write_models(ada, "one")
    ada.push()
    bob.pull()
    MemoryStore(bucket).put(LOCK, theirs())
    bob.write("data/acme/vm/one/config/1/raw", "bob's")
    bob.write("data/acme/vm/one/config/2/raw", "bob's second")

    def bob_ends() -> None:
        bob.push()
        MemoryStore(bucket).delete(LOCK)

    ada.write("data/acme/vm/one/config/1/raw", "ada's")
    ada.write("data/acme/vm/one/state/1/raw", "ada's own")
    ada = machine(tmp_path / "ada", bucket, before=Once("get", LOCK, bob_ends), clock=clock)
    done = ada.push(models=["acme/vm/one"])
    assert [c.path for c in done.conflicts] == ["data/acme/vm/one/config/1/raw"]
    assert done.pushed == 1
    there = contents(MemoryStore(bucket), "data/acme/vm/one/")
    assert there["data/acme/vm/one/config/1/raw"] == b"bob's"
    assert there["data/acme/vm/one/config/2/raw"] == b"bob's second"


def test_a_holder_that_stays_is_told_and_nothing_was_sent(tmp_path: Path) -> None:
    bucket, clock = MemoryBucket(), QuickClock()
    MemoryStore(bucket).put(LOCK, theirs(ttl_ms=600_000))
    ada = machine(tmp_path / "ada", bucket, clock=clock)
    write_models(ada, "one")
    with pytest.raises(LockHeld, match="bob@pc"):
        ada.push(models=["acme/vm/one"])
    assert bucket.all_keys() == [LOCK]


def test_a_structural_change_keeps_the_models_lock_from_being_taken(tmp_path: Path) -> None:
    bucket, clock = MemoryBucket(), QuickClock()
    MemoryStore(bucket).put(GLOBAL, theirs(ttl_ms=600_000))
    seen = Seen(bucket)
    ada = machine(tmp_path / "ada", bucket, clock=clock, before=seen)
    write_models(ada, "one")
    with pytest.raises(LockHeld, match=r"held by bob@pc.*was not touched"):
        ada.push(models=["acme/vm/one"])
    assert ("put", LOCK) not in seen.order
    assert bucket.all_keys() == [GLOBAL]


def test_a_structural_change_that_begins_meanwhile_makes_us_let_go(tmp_path: Path) -> None:
    """Taken, then the global lock is there: let go, wait for it to end, and take it again."""
    bucket, clock = MemoryBucket(), QuickClock()
    store = MemoryStore(bucket)
    let_go = threading.Event()

    def structural() -> None:
        store.put(GLOBAL, theirs())

    def ended(op: str, key: str) -> None:
        if (op, key) == ("delete", LOCK) and exists(bucket, GLOBAL):
            let_go.set()
        if (op, key) == ("get", GLOBAL) and let_go.is_set() and exists(bucket, GLOBAL):
            store.delete(GLOBAL)

    ada = machine(
        tmp_path / "ada", bucket, clock=clock, before=ended, after=Once("put", LOCK, structural)
    )
    write_models(ada, "one")
    assert ada.push(models=["acme/vm/one"]).pushed == 3
    assert let_go.is_set()
    assert not exists(bucket, LOCK)


def test_who_cannot_get_the_global_lock_in_time_lets_go_of_the_models(tmp_path: Path) -> None:
    bucket, clock = MemoryBucket(), QuickClock()

    def somebody() -> None:
        MemoryStore(bucket).put(GLOBAL, theirs(ttl_ms=600_000))

    ada = machine(
        tmp_path / "ada",
        bucket,
        clock=clock,
        after=Once("upload", "outputs/acme/vm/one/run.yaml", somebody),
    )
    write_models(ada, "one")
    with pytest.raises(LockHeld, match="bob@pc"):
        ada.push(models=["acme/vm/one"])
    assert not exists(bucket, LOCK)


def test_a_global_lock_whose_holder_died_stops_nobody(tmp_path: Path) -> None:
    clock = QuickClock()
    bucket = MemoryBucket(clock=clock)
    MemoryStore(bucket).put(GLOBAL, theirs(ttl_ms=1000))
    clock.wait(threading.Event(), 3600)
    ada = machine(tmp_path / "ada", bucket, clock=clock)
    write_models(ada, "one")
    assert ada.push(models=["acme/vm/one"]).pushed == 3
    assert not exists(bucket, GLOBAL)


def test_several_models_are_locked_in_one_order_whatever_was_asked(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    seen = Seen(bucket)
    ada = machine(tmp_path / "ada", bucket, before=seen)
    write_models(ada, "one", "two")
    ada.push(models=["acme/vm/two", "acme/vm/one", "acme/vm/two"])
    taken = [key for op, key in seen.order if op == "put" and key != GLOBAL]
    assert taken == [LOCK, "data/acme/vm/two/.lock"]
    assert not [key for key in bucket.all_keys() if key.endswith(".lock")]


def test_a_models_lock_that_was_taken_away_stops_the_push(tmp_path: Path) -> None:
    """Somebody forces it open while a file is on its way: nothing is committed."""
    bucket, clock = MemoryBucket(), BeatWhenTold()
    store = MemoryStore(bucket)

    def forced() -> None:
        store.put(LOCK, theirs())
        clock.beat.set()
        for thread in threading.enumerate():
            if thread.name == "s3dash-lease":
                thread.join(20)  # its heartbeat finds another nonce, and that is its end

    ada = machine(
        tmp_path / "ada",
        bucket,
        clock=clock,
        before=Once("upload", "outputs/acme/vm/one/run.yaml", forced),
    )
    write_models(ada, "one")
    with pytest.raises(LockLost, match="bob@pc took it over"):
        ada.push(models=["acme/vm/one"])
    assert decode_lock(contents(store)[LOCK]).nonce == "theirs", "theirs is left alone"
    assert not [key for key in bucket.all_keys() if key.startswith("_index")]
    assert any("a model's lock was lost" in row.text for row in ada.history())


class BeatWhenTold(QuickClock):
    """The lease beats when `beat` is set, and not before."""

    def __init__(self) -> None:
        super().__init__()
        self.beat = threading.Event()

    def wait(self, event: threading.Event, seconds: float) -> bool:
        if threading.current_thread().name != "s3dash-lease":
            return super().wait(event, seconds)
        self.beat.wait(20)
        return event.is_set()


def test_a_plan_that_was_shown_is_carried_out_under_the_lock_too(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    seen = Seen(bucket, LOCK)
    ada = machine(tmp_path / "ada", bucket, before=seen)
    write_models(ada, "one", "two")
    engine = ada.engine()
    plan = engine.plan("push", models=("acme/vm/one",))
    assert plan.models == ("acme/vm/one",)
    left = plan.without({"outputs/acme/vm/one/run.yaml"})
    assert engine.run(left).pushed == 2
    engine.stop()
    assert seen.at["data/acme/vm/one/config/1/raw"] == {LOCK}
    assert not exists(bucket, LOCK)


def test_a_name_that_is_none_is_refused(join: Join) -> None:
    with pytest.raises(UsageError, match="names no model"):
        join("ada").push(models=["../x"])


def test_requests_of_a_scoped_push_among_a_thousand_models(tmp_path: Path, effort: Effort) -> None:
    """Warm, no shard is read but those that it changes; the listing takes a request a thousand."""
    bucket = MemoryBucket()
    ada = machine(tmp_path / "ada", bucket)
    for number in range(1000):
        ada.write(f"data/acme/vm/m{number:04}/config/1/raw", f"{number}")
    ada.push()
    ada.write("data/acme/vm/m0007/config/1/raw", "edit")
    read: list[str] = []

    def watch(op: str, key: str) -> None:
        if op == "get" and "_index/data" in key:
            read.append(key)

    done = machine(ada.home, bucket, before=watch).push(models=["acme/vm/m0007"])
    assert done.pushed == 1
    effort.count("requests of a push of one model among 1,000", done.requests)
    assert read == [], "every shard was known"
    assert done.requests <= 40


def test_locks_left_by_a_killed_push_are_taken_over(tmp_path: Path) -> None:
    clock = QuickClock()
    bucket = MemoryBucket(clock=clock)
    MemoryStore(bucket).put(LOCK, theirs(ttl_ms=1000))
    clock.wait(threading.Event(), 3600)
    ada = machine(tmp_path / "ada", bucket, clock=clock, lock_timeout_ms=60_000)
    write_models(ada, "one")
    engine = open_engine(ada.settings, store=MemoryStore(bucket), clock=clock)
    assert engine.push(models=["acme/vm/one"]).pushed == 3
    engine.stop()
    with pytest.raises(NotFound):
        MemoryStore(bucket).head(LOCK)
