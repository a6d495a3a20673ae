"""Registering namespaces: first writer wins, the same repository again is fine, others are told."""

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.errors import (
    NamespaceTaken,
    ReadOnly,
    S3DashError,
    Unreachable,
    UnsafeEndpoint,
    UsageError,
)
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities, ObjectStore, Stored
from tests.engine.conftest import Join
from tests.engine.test_census import HOSTILE, Counting, opened, register
from tests.engine.world import Machine, Stores, contents, fill, golden_bucket

Store = Callable[[], ObjectStore]
SAFE = Capabilities(create=True, replace=True, delete=True, races=True, dated=True)


class Careless(MemoryStore):
    """Takes every PUT, whatever its conditions."""

    def put(self, key: str, body: bytes, **options: Any) -> Stored:
        return super().put(key, body, content_type=options.get("content_type", "text/plain"))


def test_the_first_writer_wins_and_the_same_repository_may_come_again(
    join: Join, store: Store
) -> None:
    ada = join("ada", namespace="infra")
    bob = join("bob", namespace="infra")
    engine = ada.engine()
    try:
        first = engine.registry.register(repo_id="repo-a")
        assert (first.namespace, first.repo_id, first.created) == ("infra", "repo-a", True)
        written = contents(store(), "infra/")
        body = json.loads(written["infra/.namespace.json"])
        assert body == {
            "namespace": "infra",
            "repoId": "repo-a",
            "registeredAt": first.registered_at,
        }
        assert list(body) == ["namespace", "repoId", "registeredAt"]
        again = engine.registry.register(repo_id="repo-a")
        assert (again.created, again.registered_at) == (False, first.registered_at)
        assert "registered infra for repository repo-a" in [r.text for r in engine.history()]
    finally:
        engine.stop()
    engine = bob.engine()
    try:
        with pytest.raises(NamespaceTaken, match="belongs to repository repo-a, not to repo-b"):
            engine.registry.register(repo_id="repo-b")
    finally:
        engine.stop()
    assert contents(store(), "infra/") == written
    assert NamespaceTaken.exit_code == 1


def test_a_manifest_has_the_bytes_that_a_peer_writes(join: Join, store: Store) -> None:
    """The same order, indent and end as in the golden bucket."""
    golden = golden_bucket("gold-ns")["team/infra/.namespace.json"]
    body = json.loads(golden)
    engine = join("ada").engine()
    try:
        done = engine.registry.register("infra", repo_id=body["repoId"])
    finally:
        engine.stop()
    ours = contents(store(), "infra/")["infra/.namespace.json"]
    assert ours.replace(done.registered_at.encode(), body["registeredAt"].encode()) == golden


class Meeting:
    """A store whose writes of some keys wait until all who share `gate` are there as well."""

    def __init__(self, inner: ObjectStore, tail: str, gate: threading.Barrier) -> None:
        self._inner = inner
        self._tail = tail
        self._gate = gate

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def put(self, key: str, body: bytes, **options: Any) -> Any:
        if key.endswith(self._tail):
            self._gate.wait()
        return self._inner.put(key, body, **options)


def test_of_many_at_once_one_wins_and_the_others_hear_its_name(join: Join, store: Store) -> None:
    """All have seen that there is no manifest before the first of them writes one."""
    gate = threading.Barrier(6, timeout=60)
    outcomes: dict[str, object] = {}

    def run(repo: str) -> None:
        machine = join(repo, namespace="infra")
        make = machine.store
        machine.store = lambda: Meeting(make(), "/.namespace.json", gate)
        engine = machine.engine()
        try:
            outcomes[repo] = engine.registry.register(repo_id=repo).created
        except NamespaceTaken as error:
            outcomes[repo] = error.message
        finally:
            engine.stop()

    threads = [threading.Thread(target=run, args=(f"repo-{n}",)) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(90)
    (winner,) = [repo for repo, outcome in outcomes.items() if outcome is True]
    manifest = json.loads(contents(store(), "infra/")["infra/.namespace.json"])
    assert manifest["repoId"] == winner
    losers = [str(outcome) for outcome in outcomes.values() if outcome is not True]
    assert len(losers) == 5
    assert all(f"belongs to repository {winner}" in told for told in losers)


def test_a_lost_reply_is_no_lost_race(memory: MemoryBucket, tmp_path: Path) -> None:
    """The PUT was applied, its answer lost, and the repeated one is refused: it was ours."""
    cut = threading.Event()

    def lose(op: str, key: str) -> None:
        if op == "put" and key == "infra/.namespace.json" and not cut.is_set():
            cut.set()
            raise Unreachable("the reply was lost")

    store = MemoryStore(memory, after=lose)
    machine = Machine(tmp_path / "ada", Stores(lambda: store, SAFE), namespace="infra")
    engine = machine.engine()
    try:
        assert engine.registry.register(repo_id="mine").created
    finally:
        engine.stop()
    assert cut.is_set()


@pytest.mark.parametrize(
    ("name", "repo", "says"),
    [
        (None, "r", "which namespace"),
        ("infra", "", "for which repository"),
        ("a/b", "r", "cannot be a namespace"),
        ("..", "r", "cannot be a namespace"),
        ("data", "r", "directory of every datastore"),
        ("infra", "x" * 300, "cannot be the id"),
        ("infra", HOSTILE, "cannot be the id"),
    ],
)
def test_what_makes_no_sense_is_refused_before_anything_is_asked(
    memory: MemoryBucket, tmp_path: Path, name: str | None, repo: str, says: str
) -> None:
    hook = Counting()
    with opened(tmp_path, memory, hook) as engine, pytest.raises(UsageError, match=says):
        engine.registry.register(name, repo_id=repo)
    assert hook.asked == {}


def test_the_id_comes_from_the_configuration_when_none_is_given(join: Join) -> None:
    engine = join("ada", namespace="infra", repo_id="from-the-file").engine()
    try:
        assert engine.registry.register().repo_id == "from-the-file"
        with pytest.raises(NamespaceTaken, match="from-the-file"):
            engine.registry.register(repo_id="another")
    finally:
        engine.stop()


def test_readonly_writes_nothing(join: Join, store: Store) -> None:
    engine = join("ada", namespace="infra", readonly=True).engine()
    try:
        with pytest.raises(ReadOnly):
            engine.registry.register(repo_id="r")
    finally:
        engine.stop()
    assert contents(store()) == {}


def test_whoever_owns_the_cache_another_process_may_register(join: Join) -> None:
    first, second = join("ada", namespace="infra").engine(), join("ada", namespace="infra").engine()
    try:
        assert second.read_only
        assert second.registry.register(repo_id="r").created
        assert not first.registry.register(repo_id="r").created
    finally:
        second.stop()
        first.stop()


def test_a_manifest_that_cannot_be_read_is_somebodys(memory: MemoryBucket, tmp_path: Path) -> None:
    plain = MemoryStore(memory)
    plain.put("infra/.namespace.json", b"<html>")
    plain.put("web/.namespace.json", b"{}")
    engine = Machine(tmp_path / "ada", lambda: plain).engine()
    try:
        with pytest.raises(NamespaceTaken, match="cannot be read"):
            engine.registry.register("infra", repo_id="r")
        with pytest.raises(NamespaceTaken, match="belongs to nobody that it names"):
            engine.registry.register("web", repo_id="r")
    finally:
        engine.stop()
    assert contents(plain)["infra/.namespace.json"] == b"<html>"


def test_a_directory_of_the_solo_datastore_is_no_namespace(join: Join, store: Store) -> None:
    """Registered, it would be fenced off: its files would belong to nobody (scenario 53)."""
    solo = join("solo")
    solo.write("own-folder/a", "a")
    solo.push()
    engine = join("ada").engine()
    try:
        with pytest.raises(UsageError, match="directory of the datastore without namespaces"):
            engine.registry.register("own-folder", repo_id="r")
        assert engine.registry.register("fresh", repo_id="r").created
    finally:
        engine.stop()
    solo.write("own-folder/b", "b")
    assert solo.push().pushed == 1


def test_one_that_was_pushed_to_before_it_was_registered_can_be(join: Join, store: Store) -> None:
    ada = join("ada", namespace="infra")
    ada.write("files/a", "a")
    ada.push()
    join("solo").push()
    engine = ada.engine()
    try:
        assert engine.registry.register(repo_id="r").created
    finally:
        engine.stop()
    ada.write("files/b", "b")
    assert ada.push().pushed == 1


def test_an_endpoint_that_ignores_conditions_is_refused(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    careless = Careless(memory)
    machine = Machine(tmp_path / "ada", lambda: careless, namespace="infra")
    engine = machine.engine()
    try:
        with pytest.raises(UnsafeEndpoint):
            engine.registry.register(repo_id="r")
    finally:
        engine.stop()
    machine.settings = replace(machine.settings, locking="unsafe")
    engine = machine.engine()
    try:
        assert engine.registry.register(repo_id="r").created
        with pytest.raises(NamespaceTaken, match="repository r,"):
            engine.registry.register(repo_id="another")
    finally:
        engine.stop()


def test_details_cost_a_few_requests_each_and_list_no_objects(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    """3,000 objects in 20 namespaces: the number of requests knows only the 20."""
    plain = MemoryStore(memory)
    for n in range(20):
        register(plain, f"ns-{n:02}")
        plain.put(f"ns-{n:02}/_index/_meta.json", b'{"version":2,"partitions":[],"commitSeq":7}')
        for m in range(150):
            plain.put(f"ns-{n:02}/files/{m}", b"x")
    hook = Counting()
    with opened(tmp_path, memory, hook, "ns-03") as engine:
        before = engine._ctx.store.usage.requests
        rows = engine.registry.details()
        requests = engine._ctx.store.usage.requests - before
    assert [row.namespace for row in rows] == [f"ns-{n:02}" for n in range(20)]
    assert all((r.registered, r.index_version, r.commit_seq) == (True, 2, 7) for r in rows)
    assert all(row.last_commit.at for row in rows)
    assert hook.asked == {"list_dirs": 1, "get_range": 20, "get": 20}
    assert requests == 41


def test_details_of_a_golden_bucket(join: Join, store: Store) -> None:
    """`infra` is on version 1, `web` on version 2; a plain client signs no commit."""
    fill(store(), {k.removeprefix("team/"): v for k, v in golden_bucket("gold-ns").items()})
    web = join("web", namespace="web")
    engine = web.engine()
    try:
        infra, row = engine.registry.details()
    finally:
        engine.stop()
    assert (infra.index_version, infra.commit_seq, infra.last_commit.by) == (1, None, "")
    assert infra.repo_id == "aaaaaaaa-0000-4000-8000-000000000001"
    assert (row.index_version, row.last_commit.by) == (2, "")
    before = row.commit_seq or 0
    web.pull()
    web.write("files/mine", "x")
    web.push()
    engine = web.engine()
    try:
        _, row = engine.registry.details()
        holder = engine._ctx.identity.holder
    finally:
        engine.stop()
    assert (row.commit_seq, row.last_commit.by) == (before + 1, holder)


def test_what_cannot_be_read_of_one_is_told_at_its_row(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    plain = MemoryStore(memory)
    for slug in ("broken", "good", "secret"):
        register(plain, slug)
    plain.put("broken/_index/_meta.json", b"<html>")
    plain.put("nobody/_index/_meta.json", b'{"version":2,"partitions":[],"commitSeq":1}')
    plain.put("folder/a", b"x")

    def deny(op: str, key: str) -> None:
        if key.startswith("secret/"):
            raise S3DashError("access denied")

    with opened(tmp_path, memory, Counting(deny), "mine") as engine:
        rows = {row.namespace: row for row in engine.registry.details()}
    assert set(rows) == {"broken", "good", "mine", "nobody", "secret"}
    assert "is no index meta" in rows["broken"].problem
    assert rows["broken"].repo_id == "repo-broken"
    assert rows["secret"].problem == "access denied"
    assert (rows["nobody"].registered, rows["nobody"].index_version) == (False, 2)
    assert (rows["mine"].registered, rows["mine"].problem) == (False, "")
