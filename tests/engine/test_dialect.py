"""Engines on endpoints with a dialect or a fence of their own: they work as on any other."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from s3dash.clock import SystemClock
from s3dash.core.cancel import CancelToken
from s3dash.core.lock import LockBody, encode_lock
from s3dash.core.policies import Policy, fence, iam
from s3dash.engine.lease import Identity, Lease
from s3dash.engine.open import state_file
from s3dash.errors import AccessDenied, PreconditionFailed
from s3dash.local.state import State
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities, ObjectStore
from s3dash.objectstore.probe_base import ROOT
from s3dash.objectstore.s3 import S3Store
from tests.contract import bent_endpoints as bent
from tests.contract.endpoint import Asked, Reply
from tests.contract.gate import Bend, Gate, Rule, denied, gated
from tests.engine.ends import all_have
from tests.engine.world import Machine
from tests.servers import Server

PART = 5 << 20
BIG = b"0123456789abcdef" * (PART // 16) + b"a little more than one part"
ME = Identity("ada@here", "here", 1, "s3dash/test")


@contextmanager
def bucket_behind(
    server: Server, rule: Rule, tmp_path: Path, *bend: Bend, bucket: str = "", **over: str
) -> Iterator[tuple[Gate, Callable[[], ObjectStore]]]:
    """A gate, and a factory of stores on one fresh bucket behind it."""
    with gated(server, rule, *bend) as gate:
        settings = gate.server.settings(bucket or server.make_bucket(), tmp_path, **over)
        yield (
            gate,
            lambda: S3Store(settings, server.credentials, multipart_above=PART, part_size=PART),
        )


def live_through_a_day(store: Callable[[], ObjectStore], tmp_path: Path) -> list[Machine]:
    """Create, edit, rename, delete, large and small, on two machines; both end alike."""
    ada, bob = Machine(tmp_path / "ada", store), Machine(tmp_path / "bob", store)
    ada.write("files/a", "one")
    ada.write("files/big", BIG)
    ada.write("files/old name", "kept")
    ada.push()
    bob.pull()
    bob.write("files/a", "two, from bob")
    bob.write("files/big", BIG + b", edited")
    (bob.base / "files/old name").rename(bob.base / "files/new name")
    bob.push()
    ada.sync()
    (ada.base / "files/a").unlink()
    ada.push(max_delete=10)
    bob.pull()
    want: dict[str, bytes | str] = {"files/big": BIG + b", edited", "files/new name": "kept"}
    all_have(store, want, ada, bob)
    return [ada, bob]


def test_a_day_on_an_endpoint_that_takes_unquoted_etags_only(weed: Server, tmp_path: Path) -> None:
    """Both ways of asking follow the dialect, and a later process knows it from the beginning."""
    with bucket_behind(weed, bent.ceph, tmp_path) as (gate, store):
        ada, _ = live_through_a_day(store, tmp_path)
        agents = {a.headers["user-agent"].split("/")[0] for a in _replacements(gate)}
        assert {"s3dash", "object_store"} <= agents
        gate.refused.clear()
        ada.write("files/later", "x")
        engine = ada.engine()
        try:
            engine.push()
        finally:
            engine.stop()
        assert gate.refused == []


def _replacements(gate: Gate) -> list[Asked]:
    """PUTs with an unquoted If-Match."""
    return [
        asked
        for asked in gate.endpoint.asked
        if asked.method == "PUT" and not asked.headers.get("if-match", '"').startswith('"')
    ]


def test_a_stale_lock_is_taken_over_in_the_dialect(weed: Server, tmp_path: Path) -> None:
    """By the real clocks: a lock that was left behind for longer than its time to live."""
    dead = LockBody(holder="bob@there", ttlMs=1000, nonce="dead")
    with bucket_behind(weed, bent.ceph, tmp_path) as (gate, make):
        store = make()
        store.etag_quotes = False
        store.put(".datastore.lock", encode_lock(dead))
        lease = Lease(
            store,
            ".datastore.lock",
            nonce="mine",
            identity=ME,
            capabilities=Capabilities(True, True, True, True, True, True),
            clock=SystemClock(),
            cancel=CancelToken(),
        )
        with lease:
            lease.guard()
            assert lease.beat()
        assert list(store.list()) == []
        assert lease.left_behind == ""
        assert {a.method for a in gate.endpoint.asked if "if-match" in a.headers} >= {
            "PUT",
            "DELETE",
        }
        assert gate.refused == []
        store.close()


def test_a_day_behind_the_fence_that_keeps_plain_clients_out(weed: Server, tmp_path: Path) -> None:
    """No write of ours is blind, not even the copy of a renamed file."""
    bucket = weed.make_bucket()
    up = bent.Policies(fence(bucket, "team"), allow=True)
    over = {"bucket": bucket, "prefix": "team"}
    with bucket_behind(weed, up.rule, tmp_path, **over) as (gate, make):
        live_through_a_day(make, tmp_path)
        ours = [a for a in gate.refused if ROOT not in a.path and ROOT.encode() not in a.body]
        assert ours == []
        store = make()
        for key in ("_index/_meta.json", "files/big", ".datastore.lock", ".locks/web.lock"):
            with pytest.raises(AccessDenied):
                store.put(key, b"blind")
        for key in ("_index/_meta.json", "web/_index/_meta.json", ".datastore.lock"):
            with pytest.raises(AccessDenied):
                store.delete(key)
        assert store.head("files/big").size == len(BIG + b", edited")
        store.close()


def strict(asked: Asked) -> Asked | Reply:
    """Quotes are refused on reads too."""
    if asked.headers.get("if-match", "").startswith('"'):
        return denied(412, "PreconditionFailed")
    return asked


def test_a_later_process_speaks_the_dialect_before_it_writes(weed: Server, tmp_path: Path) -> None:
    """What was proved by a push holds for the pulls of the next process."""
    bucket = weed.make_bucket()
    with bucket_behind(weed, strict, tmp_path, bucket=bucket) as (gate, store):
        ada = Machine(tmp_path / "ada", store)
        ada.write("files/a", "one")
        ada.push()
        bob = Machine(tmp_path / "bob", lambda: weed.store(bucket, tmp_path))
        bob.pull()
        bob.write("files/a", "two")
        bob.push()
        gate.refused.clear()
        assert ada.pull().pulled == 1
        assert gate.refused == []


def test_a_day_with_the_printed_permissions_and_no_others(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    policy = iam(bucket, "team")
    policy["Statement"] = [s for s in policy["Statement"] if "MayBeLeftOut" not in s["Sid"]]
    with _allowed(weed, bucket, policy, tmp_path) as (gate, store):
        live_through_a_day(store, tmp_path)
        assert gate.refused == []


@contextmanager
def _allowed(
    server: Server, bucket: str, policy: Policy, tmp_path: Path
) -> Iterator[tuple[Gate, Callable[[], ObjectStore]]]:
    allowed = bent.Policies(policy)
    over = {"bucket": bucket, "prefix": "team"}
    with bucket_behind(server, allowed.rule, tmp_path, allowed.bend, **over) as made:
        yield made


def heedless(asked: Asked) -> Asked:
    """Completions of uploads in parts ignore conditions, as on moto."""
    if asked.method == "POST" and "uploadId=" in asked.path:
        kept = {n: v for n, v in asked.headers.items() if n not in ("if-match", "if-none-match")}
        return replace(asked, headers=kept)
    return asked


def test_where_completions_heed_nothing_large_files_go_in_one_conditional_request(
    moto: Server, tmp_path: Path
) -> None:
    with bucket_behind(moto, heedless, tmp_path) as (gate, store):
        live_through_a_day(store, tmp_path)
        sent = [a for a in gate.endpoint.asked if a.path.split("?")[0].endswith("/files/big")]
        puts = [a for a in sent if a.method == "PUT"]
        assert puts
        assert all({"if-match", "if-none-match"} & set(a.headers) for a in puts)
        assert not [a for a in sent if a.method == "POST"]


def test_what_is_too_large_for_one_request_is_looked_at_first(moto: Server, tmp_path: Path) -> None:
    """The next best where parts are all there is: refused when another version is there."""
    with gated(moto, heedless) as gate:
        settings = gate.server.settings(moto.make_bucket(), tmp_path)
        store = S3Store(
            settings, moto.credentials, multipart_above=PART, part_size=PART, most_in_one=PART
        )
        store.joins_on_condition = False
        file = tmp_path / "big"
        file.write_bytes(BIG)
        first = store.upload("big", file, if_none_match=True)
        with pytest.raises(PreconditionFailed):
            store.upload("big", file, if_none_match=True)
        with pytest.raises(PreconditionFailed):
            store.upload("big", file, if_match="0" * 32)
        again = store.upload("big", file, if_match=first.etag)
        assert store.head("big").etag == again.etag
        assert list(store.list_uploads()) == []
        store.close()


def test_what_is_remembered_of_an_endpoint_never_forbids_a_push(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    """A damaged state file may say that it is unsafe: it is asked again."""
    ada = Machine(tmp_path / "ada", lambda: MemoryStore(memory))
    ada.write("files/a", "one")
    ada.push()
    state = State(state_file(ada.settings))
    key = f"endpoint:{ada.settings.address}/{ada.settings.bucket}"
    good = state.get(key)
    assert good is not None
    state.set(key, good.replace('"create":true', '"create":false'))
    state.close()
    ada.write("files/a", "two")
    assert ada.push().pushed == 1
    state = State(state_file(ada.settings), read_only=True)
    assert '"create":true' in (state.get(key) or "")
    state.close()
