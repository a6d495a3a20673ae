"""Who else writes: from records, locks, manifests and heads of indexes, by few requests."""

import json
from pathlib import Path

import msgspec
import pytest

from s3dash.core.fleet import Announced, Commit, FleetView, Writer, assemble
from s3dash.core.lock import LockBody, encode_lock
from s3dash.engine.fleet import RECORDS
from s3dash.errors import AccessDenied
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.conftest import Join
from tests.engine.faults import machine
from tests.engine.world import Machine, fill, golden_bucket


def intent(store: MemoryStore, root: str, number: int, **fields: object) -> None:
    body = {
        "seq": number,
        "writer": f"s3dash/0.9 n{number}",
        "holder": "eve@far",
        "at": "",
        **fields,
    }
    key = f"{root}_control/s3dash/commits/20260101T0000{number:02}Z-n{number}.json"
    store.put(key, json.dumps(body).encode())


def lock(store: MemoryStore, key: str, holder: str, client: str | None = None) -> None:
    body = LockBody(holder=holder, hostname=f"{holder}.lan", pid=7, nonce=key, client=client)
    store.put(key, encode_lock(body))


def look(machine: Machine) -> FleetView:
    engine = machine.engine()
    try:
        return engine.fleet.look()
    finally:
        engine.stop()


def by_holder(view: FleetView) -> dict[str, Writer]:
    return {writer.holder: writer for writer in view.writers}


def test_our_own_commits_are_told_with_what_they_changed(join: Join) -> None:
    ada = join("ada")
    ada.write("files/a", "a")
    ada.write("files/b", "b")
    ada.push()
    ada.write("files/a", "other")
    ada.write("files/c", "c")
    (ada.cache / "files/b").unlink()
    ada.push()
    (writer,) = look(ada).writers
    assert writer.mine
    assert writer.client is not None
    assert writer.client.startswith("s3dash/")
    assert writer.hostname == writer.holder.rpartition("@")[2]
    last, first = writer.commits
    assert (last.seq, last.added, last.modified, last.deleted) == (2, 1, 1, 1)
    assert last.paths == ("- files/b", "+ files/c", "~ files/a")
    assert (first.seq, first.added, first.modified, first.deleted) == (1, 2, 0, 0)
    document = writer.document()
    assert document["paths"] == ["files/b", "files/c", "files/a"]
    assert (document["commit_seq"], document["added"], document["lock"]) == (2, 1, None)


def test_every_namespace_is_looked_at_and_writers_are_joined(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    store = MemoryStore(bucket)
    for slug, repo in (("infra", "repo-1"), ("web", "repo-2")):
        manifest = {"namespace": slug, "repoId": repo, "registeredAt": "2026-01-01T00:00:00.000Z"}
        store.put(f"{slug}/.namespace.json", json.dumps(manifest).encode())
        intent(store, f"{slug}/", 3, adds={f"files/{slug}": "tag"})
    ada = machine(tmp_path / "ada", bucket, namespace="infra")
    ada.write("files/mine", "x")
    ada.push()
    view = look(ada)
    writers = by_holder(view)
    assert writers["eve@far"].namespaces == ("infra", "web")
    assert (writers["eve@far"].client, writers["eve@far"].hostname) == ("s3dash/0.9", "far")
    places = {place.namespace: place for place in view.places}
    assert set(places) == {"infra", "web"}
    assert (places["web"].repo_id, places["web"].registered_at[:4]) == ("repo-2", "2026")
    assert (places["infra"].seq, places["infra"].by_plain) == (1, False)


def test_who_holds_a_lock_comes_first_and_plain_clients_are_known_by_it(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    store = MemoryStore(bucket)
    ada = machine(tmp_path / "ada", bucket)
    ada.write("files/a", "a")
    ada.push()
    lock(store, ".locks/web.lock", "bob@pc")
    lock(store, ".datastore.lock", "bob@pc")
    lock(store, ".locks/infra.lock", "cyd@vm", client="s3dash/1.0")
    engine = ada.engine()
    lock(store, "data/t/id/.lock", "dan@vm")
    engine.locks()  # the models' locks that are known are read again
    view = engine.fleet.look()
    engine.stop()
    assert [w.holder for w in view.writers][-1] == ada_holder(view)
    writers = by_holder(view)
    bob = writers["bob@pc"]
    assert (bob.client, bob.hostname, bob.mine) == (None, "bob@pc.lan", False)
    assert bob.lock is not None
    assert bob.lock.scope == "global", "the widest of its locks"
    assert writers["cyd@vm"].client == "s3dash/1.0"
    assert writers["dan@vm"].lock is not None
    assert bob.document()["lock"]["key"] == ".datastore.lock"


def ada_holder(view: FleetView) -> str:
    return next(writer.holder for writer in view.writers if writer.mine)


@pytest.mark.parametrize(
    ("bucket_name", "prefix"), [("gold-solo-v1", ""), ("gold-solo-v2", ""), ("gold-ns", "team/")]
)
def test_plain_clients_are_seen_by_the_index_they_wrote(
    tmp_path: Path, bucket_name: str, prefix: str
) -> None:
    """What a real client left: no record, and no writer in the index."""
    bucket = MemoryBucket()
    objects = golden_bucket(bucket_name)
    fill(MemoryStore(bucket), {k.removeprefix(prefix): v for k, v in objects.items()})
    view = look(machine(tmp_path / "ada", bucket))
    (writer,) = view.writers
    assert (writer.holder, writer.client, writer.mine) == ("", None, False)
    assert {c.added for c in writer.commits} == {None}
    expected = {"infra", "web"} if prefix else {None}
    assert {place.namespace for place in view.places} == expected
    assert all(place.by_plain for place in view.places)
    assert writer.document()["added"] is None


def test_a_plain_client_that_wrote_after_us_is_seen(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    store = MemoryStore(bucket)
    ada = machine(tmp_path / "ada", bucket)
    ada.write("files/a", "a")
    ada.push()
    assert [place.by_plain for place in look(ada).places] == [False]
    meta = store.get("_index/_meta.json")
    assert meta is not None
    fields = json.loads(meta.body)
    del fields["writer"]
    store.put("_index/_meta.json", json.dumps({**fields, "commitSeq": 2}).encode())
    view = look(ada)
    assert [(place.seq, place.by_plain) for place in view.places] == [(2, True)]
    assert {writer.holder == "" for writer in view.writers} == {True, False}


def test_requests_are_bounded_and_records_are_read_once(tmp_path: Path) -> None:
    bucket, asked = MemoryBucket(), list[tuple[str, str]]()
    store = MemoryStore(bucket)
    for slug in ("infra", "web"):
        for number in range(30):
            intent(store, f"{slug}/", number, adds={"a": "t"})
    ada = machine(tmp_path / "ada", bucket, before=lambda op, key: asked.append((op, key)))
    engine = ada.engine()
    asked.clear()
    view = engine.fleet.look()
    assert [len(w.commits) for w in view.writers] == [2 * RECORDS]
    records = [key for op, key in asked if op == "get" and "/commits/" in key]
    assert len(records) == 2 * RECORDS
    assert len(asked) - len(records) <= 3 + 3 * 5
    assert not [key for op, key in asked if op == "list" and key in ("", "infra/", "web/")]
    asked.clear()
    assert engine.fleet.look().writers == view.writers
    assert not [key for op, key in asked if op == "get" and "/commits/" in key]
    engine.stop()


def test_the_newest_records_are_those_that_are_read(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    store = MemoryStore(bucket)
    for number in range(30):
        intent(store, "", number, adds={f"path-{number}": "t"})
    (writer,) = look(machine(tmp_path / "ada", bucket)).writers
    assert {c.seq for c in writer.commits} == set(range(30 - RECORDS, 30))


def test_a_namespace_that_cannot_be_read_hides_no_other(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    store = MemoryStore(bucket)
    for slug in ("infra", "web"):
        store.put(f"{slug}/.namespace.json", b'{"namespace":"x","repoId":"r"}')
        intent(store, f"{slug}/", 1, adds={"a": "t"})

    def deny(op: str, key: str) -> None:
        if key.startswith("web/"):
            raise AccessDenied("no s3:ListBucket there")

    view = look(machine(tmp_path / "ada", bucket, before=deny))
    places = {place.namespace: place for place in view.places}
    assert "no s3:ListBucket" in places["web"].problem
    assert places["infra"].problem == ""
    assert [w.namespaces for w in view.writers] == [("infra",)]


def test_records_that_make_no_sense_are_told_and_passed_over(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    store = MemoryStore(bucket)
    intent(store, "", 1, adds={"a": "t"}, holder="ok@vm")
    store.put("_control/s3dash/commits/20260101T000002Z-x.json", b"[1, 2")
    ada = machine(tmp_path / "ada", bucket)
    assert [w.holder for w in look(ada).writers] == ["ok@vm"]
    assert any("cannot be read" in row.text for row in ada.history())


def test_an_empty_bucket_has_nobody(tmp_path: Path) -> None:
    view = look(machine(tmp_path / "ada", MemoryBucket()))
    assert (view.writers, view.places, view.skipped) == ((), (), 0)


def test_it_can_be_sent_and_read_again(tmp_path: Path) -> None:
    bucket = MemoryBucket()
    lock(MemoryStore(bucket), ".datastore.lock", "bob@pc")
    intent(MemoryStore(bucket), "", 1, adds={"a": "t"}, tombstones={"b": "u"})
    view = look(machine(tmp_path / "ada", bucket))
    assert msgspec.json.decode(msgspec.json.encode(view), type=FleetView) == view


def test_commits_within_one_second_of_the_servers_clock_are_told_in_their_order() -> None:
    at = "2026-03-14T14:02:09.000Z"
    said = [
        Announced("a@b", "s3dash/1", Commit(namespace=None, at=at, seq=seq)) for seq in (4, 6, 5)
    ]
    (writer,) = assemble(said, (), (), me="")
    assert [commit.seq for commit in writer.commits] == [6, 5, 4]
