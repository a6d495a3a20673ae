"""Where the cache stands with every namespace: one look, few requests, no one stops the others."""

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from s3dash.core.lock import LockBody, encode_lock
from s3dash.core.outlook import Standing
from s3dash.engine.engine import Engine
from s3dash.errors import Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from tests.engine.conftest import Join
from tests.engine.test_census import Counting, opened, register
from tests.engine.test_registry import SAFE, Meeting
from tests.engine.world import (
    Machine,
    Stores,
    contents,
)

Store = Callable[[], ObjectStore]


def within(machine: Machine, namespace: str) -> Machine:
    """The same cache and state, to work in another namespace as `--namespace` does."""
    other = Machine(machine.home, machine.store, clock=machine.clock)
    other.settings = machine.settings.within(namespace)
    return other


def looked(engine: Engine) -> dict[str | None, Standing]:
    return {row.namespace: row for row in engine.registry.standings()}


def paths(row: Standing) -> dict[str, list[str]]:
    return {
        "dirty": [c.path for c in row.local.dirty],
        "behind": [c.path for c in row.remote.changed],
        "conflicts": [c.path for c in row.conflicts],
    }


def test_every_namespace_in_one_look(join: Join, store: Store) -> None:
    for slug in ("api", "infra", "web"):
        register(store(), slug)
        other = join(f"bob-{slug}", namespace=slug)
        for name in ("edited", "both", "theirs", "same"):
            other.write(f"files/{name}", name)
        other.push()
    ada = join("ada", namespace="infra")
    web = within(ada, "web")
    ada.pull()
    web.pull()
    for user in (ada, web):
        user.write("files/edited", "by ada")
        user.write("files/both", "by ada")
    for slug in ("infra", "web"):
        bob = join(f"bob-{slug}", namespace=slug)
        bob.write("files/both", "by bob")
        bob.write("files/theirs", "by bob!")
        bob.push()
    body = LockBody(holder="carl@ci", hostname="ci", pid=7, ttlMs=30000, nonce="n")
    store().put(".locks/web.lock", encode_lock(body))
    before = contents(store())
    engine = ada.engine()
    try:
        rows = looked(engine)
        tenants = {row.slug: row for row in engine.census.look().rows}
        looked(engine)
        tenants = {row.slug: row for row in engine.snapshot().tenants.rows}
    finally:
        engine.stop()
    assert list(rows) == ["api", "infra", "web"]
    for slug in ("infra", "web"):
        row = rows[slug]
        assert paths(row) == {
            "dirty": ["files/both", "files/edited"],
            "behind": ["files/theirs"],
            "conflicts": ["files/both"],
        }
        assert (row.here, row.healthy, row.registered, row.index.entries) == (True, True, True, 4)
        assert (row.local.files, row.index.commit_seq) == (4, 2)
        assert row.last_commit.by
        assert (tenants[slug].dirty, tenants[slug].behind, tenants[slug].conflicts) == (2, 1, 1)
    assert (rows["infra"].current, rows["web"].current) == (True, False)
    assert [lock.holder for lock in rows["web"].locks] == ["carl@ci"]
    assert rows["infra"].locks == ()
    assert tenants["web"].holder == "carl@ci"
    api = rows["api"]
    assert (api.here, api.registered, api.index.commit_seq) == (False, True, 1)
    assert (api.index.entries, api.local.files, tenants["api"].dirty) == (None, 0, None)
    assert contents(store()) == before
    document: Any = msgspec.to_builtins(list(rows.values()))
    assert msgspec.convert(document, list[Standing]) == list(rows.values())


def test_one_with_a_broken_index_says_so_and_stops_no_other(join: Join, store: Store) -> None:
    ada = join("ada", namespace="infra")
    for slug in ("infra", "web", "worse"):
        register(store(), slug)
        user = within(ada, slug)
        user.write("files/a", slug)
        user.push()
    store().put("web/_index/files.json", b"<html>")
    store().put("worse/_index/_meta.json", b"[")
    within(ada, "web").write("files/new", "x")
    engine = ada.engine()
    try:
        rows = looked(engine)
    finally:
        engine.stop()
    assert (rows["infra"].healthy, rows["infra"].index.entries) == (True, 1)
    assert not rows["web"].healthy
    assert "web/_index/files.json is no index" in rows["web"].message
    assert [c.path for c in rows["web"].local.dirty] == ["files/new"]
    assert rows["web"].index.entries is None
    assert "worse/_index/_meta.json is no index meta" in rows["worse"].message


def test_the_requests_are_bounded_by_the_namespaces(memory: MemoryBucket, tmp_path: Path) -> None:
    """30 namespaces with 3,000 objects, two of them here: no object is listed or asked for."""
    plain = MemoryStore(memory)
    ada = Machine(tmp_path / "ada", Stores(lambda: plain, SAFE), namespace="ns-00")
    for n in range(30):
        register(plain, f"ns-{n:02}")
        if n > 1:
            meta = b'{"version":2,"partitions":[],"commitSeq":3}'
            plain.put(f"ns-{n:02}/_index/_meta.json", meta)
    for slug in ("ns-00", "ns-01"):
        user = within(ada, slug)
        user.write("logs/mine", slug)
        user.push()
    for n in range(30):
        for m in range(100):
            plain.put(f"ns-{n:02}/files/{m}", b"x")
    hook = Counting()
    with opened(tmp_path, memory, hook, "ns-00") as engine:
        rows = looked(engine)
    assert len(rows) == 30
    assert [name for name, row in rows.items() if row.here] == ["ns-00", "ns-01"]
    here = {"list": 2 + 2, "get": 2}  # `_index/` and the records of commits; the latest record
    gates = {"list": 1, "get": 1}
    assert hook.asked == {
        "list_dirs": 1,
        "get_range": 30,
        "get": 30 + here["get"] + gates["get"],
        "list": here["list"] + gates["list"],
    }


def test_a_datastore_without_a_namespace_is_a_row_when_it_has_anything(
    join: Join, store: Store
) -> None:
    register(store(), "web")
    web = join("web", namespace="web")
    web.write("files/a", "a")
    web.push()
    solo = join("solo")
    engine = solo.engine()
    try:
        assert list(looked(engine)) == ["web"]
    finally:
        engine.stop()
    solo.write("files/own", "own")
    solo.push()
    engine = solo.engine()
    try:
        rows = looked(engine)
    finally:
        engine.stop()
    assert list(rows) == [None, "web"]
    assert (rows[None].current, rows[None].local.files, rows[None].index.entries) == (True, 1, 1)
    assert not rows["web"].here


def test_an_empty_solo_root_never_lists_the_whole_bucket(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    plain = MemoryStore(memory)
    register(plain, "web")
    listed: list[str] = []
    hook = Counting(lambda op, key: listed.append(key) if op == "list" else None)
    with opened(tmp_path, memory, hook) as engine:
        looked(engine)
    assert "" not in listed


def test_an_endpoint_that_does_not_answer_is_an_error(memory: MemoryBucket, tmp_path: Path) -> None:
    down = threading.Event()

    def cut(op: str, key: str) -> None:
        if down.is_set():
            raise Unreachable("no answer")

    with opened(tmp_path, memory, Counting(cut), "infra") as engine:
        down.set()
        with pytest.raises(Unreachable, match="no answer"):
            engine.registry.standings()


# --- the lock of a namespace ------------------------------------------------------------------


def test_a_push_takes_the_lock_of_its_namespace_and_no_other(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    taken: set[str] = set()

    def watch(op: str, key: str) -> None:
        if op == "put" and ".lock" in key:
            taken.add(key)

    hook = Counting(watch)
    store = MemoryStore(memory, before=hook)
    for namespace, key in (("infra", ".locks/infra.lock"), (None, ".datastore.lock")):
        taken.clear()
        user = Machine(tmp_path / str(namespace), Stores(lambda: store, SAFE), namespace=namespace)
        user.write("files/a", "a")
        user.push()
        assert taken == {key}
    assert not [k for k in memory.objects() if k.endswith(".lock")]


def test_two_namespaces_push_at_the_same_time(join: Join) -> None:
    """Each is held in the middle of its commit until the other is there too: neither waits."""
    both = threading.Barrier(2, timeout=60)
    done: dict[str, int] = {}

    def run(slug: str) -> None:
        user = join(slug, namespace=slug, lock_timeout_ms=20_000)
        make = user.store
        user.store = lambda: Meeting(make(), "/_index/_meta.json", both)
        user.write("files/a", slug)
        done[slug] = user.push().pushed

    threads = [threading.Thread(target=run, args=(slug,)) for slug in ("infra", "web")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    assert done == {"infra": 1, "web": 1}
    assert not both.broken


def test_a_namespace_whose_lock_is_held_waits_for_nobody_elses(join: Join, store: Store) -> None:
    body = LockBody(holder="carl@ci", hostname="ci", pid=7, ttlMs=30000, nonce="n")
    for key in (".locks/web.lock", ".datastore.lock", "infra/data/m/i/.lock"):
        store().put(key, encode_lock(msgspec.structs.replace(body, nonce=key)))
    infra = join("infra", namespace="infra", lock_timeout_ms=1000)
    infra.write("files/a", "a")
    assert infra.push().pushed == 1
    held = {k for k in contents(store()) if k.endswith(".lock")}
    assert held == {".locks/web.lock", ".datastore.lock", "infra/data/m/i/.lock"}
