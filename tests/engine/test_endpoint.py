"""What an engine knows of its endpoint: pace, errors, the doctor's finding, open uploads."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.endpoint import Checking, Finding
from s3dash.engine import trust
from s3dash.engine.engine import Engine
from s3dash.errors import AccessDenied, Cancelled, Unreachable, UsageError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities
from s3dash.objectstore.probe_base import ROOT
from s3dash.objectstore.s3 import S3Store
from tests.contract import bent_endpoints as bent
from tests.contract.gate import gated
from tests.engine.conftest import Join
from tests.engine.world import Machine
from tests.servers import Server

PART = 5 << 20


@contextmanager
def running(machine: Machine) -> Iterator[Engine]:
    engine = machine.engine()
    try:
        yield engine
    finally:
        engine.stop()


# --- how it answers -----------------------------------------------------------------------


def test_the_facts_are_the_same_object_while_nothing_was_asked(join: Join) -> None:
    with running(join("ada")) as engine:
        engine.status()
        first = engine.endpoint.facts
        assert engine.endpoint.facts is first
        assert first.latencies
        assert first.skew_s is not None
        assert abs(first.skew_s) <= 2
        engine.locks()
        assert engine.endpoint.facts is not first
        assert len(engine.endpoint.facts.latencies) > len(first.latencies)


def test_errors_are_counted_by_what_they_say(memory: MemoryBucket, tmp_path: Path) -> None:
    down = threading.Event()

    def cut(op: str, key: str) -> None:
        if down.is_set():
            raise Unreachable("no answer from the endpoint")

    machine = Machine(tmp_path / "ada", lambda: MemoryStore(memory, before=cut))
    with running(machine) as engine:
        assert engine.snapshot().endpoint.mishaps == ()
        down.set()
        for _ in range(3):
            engine.status()
        (mishap,) = engine.snapshot().endpoint.mishaps
        assert (mishap.text, mishap.times) == ("no answer from the endpoint", 3)
        assert mishap.at
        down.clear()
        engine.status()
        assert engine.snapshot().endpoint.mishaps == (mishap,)


def test_who_we_are_is_told_without_the_key(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    machine = Machine(tmp_path / "ada", lambda: weed.store(bucket, tmp_path))
    with running(machine) as engine:
        facts = engine.endpoint.look()
    assert facts.identity == "key te…"
    assert weed.secret_key not in repr(facts)


# --- the doctor ---------------------------------------------------------------------------


def test_a_finding_is_kept_for_the_next_start(join: Join, store: Callable[[], Any]) -> None:
    ada = join("ada")
    with running(ada) as engine:
        finding = engine.endpoint.examine()
        assert finding.locking == "safe"
        assert engine.endpoint.facts.checking is None
        assert engine.history()[-1].text.startswith("examined: locks are safe")
    assert list(store().list(ROOT)) == []
    with running(ada) as again:
        facts = again.snapshot().endpoint
        assert facts.finding == finding
        assert facts.locking == "safe"


def test_how_far_it_is_can_be_seen_while_it_goes_on(memory: MemoryBucket, tmp_path: Path) -> None:
    seen: list[Checking] = []

    def look(op: str, key: str) -> None:
        checking = engine.endpoint.facts.checking if key.startswith(ROOT) else None
        if checking is not None:
            seen.append(checking)

    machine = Machine(tmp_path / "ada", lambda: MemoryStore(memory, before=look))
    with running(machine) as engine:
        finding = engine.endpoint.examine()
    steps = [checking.done for checking in seen]
    assert steps == sorted(steps)
    assert (steps[0], seen[0].total) == (0, 0)
    assert len(set(steps)) > 5
    assert max(len(checking.proofs) for checking in seen) > 5
    assert {p.name for c in seen for p in c.proofs} < {proof.name for proof in finding.checks}


def test_a_finding_goes_along_to_another_namespace(join: Join) -> None:
    old = Finding(at="2026-01-01T00:00:00.000Z", locking="unsafe", checks=())
    new = Finding(at="2026-02-01T00:00:00.000Z", locking="safe", checks=())
    ada = join("ada", namespace="infra")
    with running(ada) as engine:
        engine.endpoint.adopt(None)
        assert engine.endpoint.facts.finding is None
        engine.endpoint.adopt(new)
        engine.endpoint.adopt(old)
        assert engine.endpoint.facts.finding == new
    with running(ada) as again:
        assert again.endpoint.facts.finding == new


def test_an_unsafe_endpoint_is_found_out_and_trusted_no_more(weed: Server, tmp_path: Path) -> None:
    """A push believed it; then it changed its ways."""
    bucket = weed.make_bucket()

    def heedless(asked: Any) -> Any:
        kept = {n: v for n, v in asked.headers.items() if n not in ("if-match", "if-none-match")}
        return replace(asked, headers=kept)

    with gated(weed, heedless) as gate:
        settings = gate.server.settings(bucket, tmp_path)
        machine = Machine(tmp_path / "ada", lambda: S3Store(settings, weed.credentials))
        with running(machine) as engine:
            ctx = engine._ctx
            trust.remember(ctx, Capabilities(create=True, replace=True, races=True))
            assert trust.proved_at(ctx)
            finding = engine.endpoint.examine()
            assert finding.locking == "unsafe"
            assert "create" in {proof.name for proof in finding.broken}
            assert trust.proved_at(ctx) == ""
            assert engine.snapshot().endpoint.locking == "unsafe"


def test_the_dialect_that_was_found_is_spoken_at_once(weed: Server, tmp_path: Path) -> None:
    with gated(weed, bent.ceph) as gate:
        settings = gate.server.settings(weed.make_bucket(), tmp_path)
        store = S3Store(settings, weed.credentials)
        with running(Machine(tmp_path / "ada", lambda: store)) as engine:
            assert store.etag_quotes
            assert engine.endpoint.examine().dialect == "unquoted"
            assert not store.etag_quotes


def test_it_examines_on_connections_of_its_own(memory: MemoryBucket, tmp_path: Path) -> None:
    """What it tries, wrong dialects too, is never tried on the store that a push uses."""
    store = MemoryStore(memory)
    with running(Machine(tmp_path / "ada", lambda: store)) as engine:
        before = store.usage.requests
        engine.endpoint.examine()
        assert store.usage.requests == before


def test_an_examination_can_be_stopped_and_leaves_nothing(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    at_work = threading.Event()

    def slow(op: str, key: str) -> None:
        if key.startswith(ROOT):
            at_work.set()

    machine = Machine(tmp_path / "ada", lambda: MemoryStore(memory, before=slow))
    with running(machine) as engine:
        ended: list[BaseException] = []
        thread = threading.Thread(target=lambda: _catch(engine.endpoint.examine, ended))
        thread.start()
        assert at_work.wait(10)
        assert engine.endpoint.stop()
        thread.join(10)
        assert isinstance(ended[0], Cancelled)
        assert engine.endpoint.facts.checking is None
        assert engine.endpoint.facts.finding is None
        assert not engine.endpoint.stop()
        assert list(MemoryStore(memory).list(ROOT)) == []
        assert memory.uploads() == {}


def _catch(call: Callable[[], object], into: list[BaseException]) -> None:
    try:
        call()
    except BaseException as error:  # noqa: BLE001 - looked at by the test
        into.append(error)


def test_only_one_at_a_time_and_the_end_of_the_engine_ends_it(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    at_work, go = threading.Event(), threading.Event()

    def hold(op: str, key: str) -> None:
        if key.startswith(ROOT) and op == "put":
            at_work.set()
            assert go.wait(10)

    ended: list[BaseException] = []
    with running(Machine(tmp_path / "ada", lambda: MemoryStore(memory, before=hold))) as engine:
        thread = threading.Thread(target=lambda: _catch(engine.endpoint.examine, ended))
        thread.start()
        assert at_work.wait(10)
        with pytest.raises(UsageError):
            engine.endpoint.examine()
        threading.Timer(0.05, go.set).start()
    thread.join(10)
    assert isinstance(ended[0], Cancelled)


def test_what_cannot_be_examined_says_why(memory: MemoryBucket, tmp_path: Path) -> None:
    def deny(op: str, key: str) -> None:
        raise AccessDenied("access denied: list bucket shared", hint="ask for s3:ListBucket")

    machine = Machine(tmp_path / "ada", lambda: MemoryStore(memory, before=deny))
    with running(machine) as engine:
        with pytest.raises(AccessDenied):
            engine.endpoint.examine()
        facts = engine.endpoint.facts
        assert facts.problem == "access denied: list bucket shared"
        assert (facts.finding, facts.checking) == (None, None)
        facts = engine.endpoint.look()
        assert facts.uploads is not None
        assert facts.uploads.problem == "access denied: list bucket shared"


def test_a_push_goes_on_while_the_doctor_is_at_work(join: Join) -> None:
    """It examines on connections and with a dialect of its own."""
    ada = join("ada")
    with running(ada) as engine:
        thread = threading.Thread(target=engine.endpoint.examine)
        thread.start()
        for n in range(5):
            ada.write(f"files/{n}", f"body {n}")
            assert engine.push().pushed == 1
        thread.join(60)
        assert not thread.is_alive()
        finding = engine.endpoint.facts.finding
        assert finding is not None
        assert finding.locking == "safe"
    assert join("bob").pull().pulled == 5


# --- uploads that lie open ----------------------------------------------------------------


def begin(server: Server, bucket: str, key: str, parts: int) -> str:
    """An upload in parts that somebody leaves open; its id."""
    client = server.client()
    upload_id = client.create_multipart_upload(Bucket=bucket, Key=key)["UploadId"]
    for n in range(1, parts + 1):
        client.upload_part(
            Bucket=bucket, Key=key, UploadId=upload_id, PartNumber=n, Body=b"x" * PART
        )
    return upload_id


@pytest.mark.parametrize("kind", ["weed", "moto"])
def test_uploads_are_listed_with_parts_and_bytes_and_only_chosen_ones_aborted(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    weed: Server = request.getfixturevalue(kind)
    bucket = weed.make_bucket()
    machine = Machine(tmp_path / "ada", lambda: weed.store(bucket, tmp_path, prefix="team"))
    for key, parts in (("team/files/a", 2), ("team/web/files/b", 1), ("other/c", 1)):
        begin(weed, bucket, key, parts)
    with running(machine) as engine:
        found = engine.endpoint.uploads()
        rows = {row.key: row for row in found.rows}
        assert {key: (r.parts, r.size) for key, r in rows.items()} == {
            "files/a": (2, 2 * PART),
            "web/files/b": (1, PART),
        }
        assert all(row.fresh and not row.ours for row in rows.values())
        assert all(row.quiet_s is not None and row.quiet_s < 60 for row in rows.values())
        assert found.size == 3 * PART
        assert engine.snapshot().endpoint.uploads == found
        done = engine.endpoint.abort([rows["files/a"]])
        assert (done.done, done.kept, done.failed) == (1, 0, ())
        assert [row.key for row in engine.endpoint.uploads().rows] == ["web/files/b"]
        assert engine.endpoint.abort([rows["files/a"]]).done == 1  # gone already: as it should be
        assert "aborted" in engine.history()[-1].text
    left = weed.client().list_multipart_uploads(Bucket=bucket).get("Uploads", [])
    assert sorted(u["Key"] for u in left) == ["other/c", "team/web/files/b"]
