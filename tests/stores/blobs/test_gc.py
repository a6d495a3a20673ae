"""Collecting garbage: only what nobody names and nobody put for a while, under a lock."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.core.cancel import CancelToken
from s3dash.core.lock import LockBody, encode_lock
from s3dash.errors import (
    AccessDenied,
    Cancelled,
    GuardTripped,
    LocalError,
    LockHeld,
    LockLost,
    UnsafeEndpoint,
)
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.stores.blobs import control, manifests, sri
from s3dash.stores.blobs.gc import Collected, collect
from s3dash.stores.blobs.store import BlobStore
from tests.engine.clocks import TestClock
from tests.engine.test_control import Careless
from tests.servers import Server
from tests.stores.blobs.conftest import Place, in_memory, on_server

HOUR = 3600.0
KEPT, LOOSE, YOUNG = (sri.of(body) for body in (b"kept", b"loose", b"young"))


class World:
    """A bucket whose clock a test moves. `during` is called before each request."""

    def __init__(self) -> None:
        self.clock = TestClock()
        self.bucket = MemoryBucket(clock=self.clock)
        self.during: Callable[[str, str], None] = lambda op, key: None
        self.place = in_memory(self.bucket, before=lambda op, key: self.during(op, key))
        self.blobs = self.place.blobs()

    def filled(self) -> "World":
        """Two blobs of two days ago, and one of an hour ago."""
        self.blobs.put(b"kept")
        self.blobs.put(b"loose")
        self.clock.advance(47 * HOUR)
        self.blobs.put(b"young")
        self.clock.advance(HOUR)
        return self

    def collect(self, **options: Any) -> Collected:
        return collect(self.blobs, lambda: [KEPT], **options)


@pytest.fixture
def world() -> World:
    return World().filled()


def test_bl_10_what_is_named_or_young_is_kept(world: World) -> None:
    done = world.collect()
    assert (done.candidates, done.deleted, done.retained, done.kept_within_grace) == (1, 1, 1, 1)
    assert (done.bytes, done.failed, done.names) == (len(b"loose"), [], [LOOSE])
    assert set(world.blobs) == {KEPT, YOUNG}


def test_bl_10_a_dry_run_deletes_nothing_and_writes_nothing(world: World) -> None:
    asked = list[str]()
    world.during = lambda op, key: asked.append(op)
    done = world.collect(dry_run=True)
    assert done.dry_run
    assert (done.candidates, done.deleted, done.bytes, done.names) == (1, 0, 5, [LOOSE])
    assert set(asked) == {"head", "list"}
    assert len(world.blobs) == 3


def test_bl_10_the_grace_can_be_another(world: World) -> None:
    done = world.collect(grace_s=0.5 * HOUR)
    assert (done.deleted, done.kept_within_grace) == (2, 0)
    assert set(world.blobs) == {KEPT}


def test_bl_10_exactly_the_grace_is_old_enough() -> None:
    world = World()
    world.blobs.put(b"kept")
    world.blobs.put(b"loose")
    world.clock.advance(24 * HOUR - 1)
    assert world.collect().deleted == 0
    world.clock.advance(1)
    assert world.collect().deleted == 1


def test_bl_10_one_failed_deletion_does_not_stop_it(world: World) -> None:
    for number in range(5):
        world.blobs.put(b"%d" % number)
    world.clock.advance(48 * HOUR)
    denied = world.blobs.key(LOOSE)

    def failing(op: str, key: str) -> None:
        if op == "delete" and key == denied:
            raise AccessDenied("no")

    world.during = failing
    done = world.collect()
    assert (done.candidates, done.deleted) == (7, 6)
    assert [(one.integrity, one.error) for one in done.failed] == [(LOOSE, "no")]
    assert set(world.blobs) == {KEPT, LOOSE}


def test_bl_10_it_runs_under_a_lock(world: World) -> None:
    held = list[bool]()

    def looking(op: str, key: str) -> None:
        if op == "delete" and key.startswith(world.blobs.prefix):
            held.append(control.LOCK in world.bucket.objects())

    world.during = looking
    world.collect()
    assert held == [True]
    assert control.LOCK not in world.bucket.objects()


def test_bl_10_another_collection_keeps_it_out(world: World) -> None:
    theirs = encode_lock(LockBody(holder="bob@pc", pid=7, ttlMs=86_000_000, nonce="n"))
    MemoryStore(world.bucket).put(control.LOCK, theirs)
    with pytest.raises(LockHeld, match="bob@pc"):
        world.collect()
    assert len(world.blobs) == 3


def test_bl_10_a_lock_that_was_lost_ends_it(world: World) -> None:
    def robbing(op: str, key: str) -> None:
        if op == "head" and key == world.blobs.key(LOOSE):
            world.clock.advance(0)
            world.place.clock.wait(CancelToken().event, 600)

    world.during = robbing
    with pytest.raises(LockLost):
        world.collect()
    assert len(world.blobs) == 3


def test_bl_10_an_endpoint_without_conditions_is_refused(tmp_path: Path) -> None:
    place = Place(in_memory().settings, lambda _: Careless(MemoryBucket()))
    blobs = place.blobs()
    blobs.put(b"loose")
    with pytest.raises(UnsafeEndpoint):
        collect(blobs, lambda: [KEPT], grace_s=0)
    place.settings = replace(place.settings, locking="unsafe")
    blobs = place.blobs()
    blobs.put(b"loose")
    blobs.put(b"kept")
    assert collect(blobs, lambda: [KEPT], grace_s=0).deleted == 1


def test_bl_10_manifests_that_name_nothing_here_are_rather_wrong(world: World) -> None:
    with pytest.raises(GuardTripped):
        collect(world.blobs, lambda: [sri.of(b"other")])
    assert len(world.blobs) == 3
    assert collect(world.blobs, list, force=True).deleted == 2


def test_bl_10_a_blob_that_is_put_again_before_its_deletion_is_kept(world: World) -> None:
    twin = BlobStore(world.place.open())
    once = [True]

    def putting(op: str, key: str) -> None:
        if op == "head" and key == world.blobs.key(LOOSE) and once:
            once.clear()
            MemoryStore(world.bucket).put(key, b"loose")

    world.during = putting
    done = world.collect()
    assert (done.candidates, done.deleted, done.kept_within_grace) == (1, 0, 2)
    assert LOOSE in twin


def test_bl_10_the_manifests_are_read_under_the_lock_and_after_the_time_is_settled(
    world: World,
) -> None:
    def retained() -> list[str]:
        assert control.LOCK in world.bucket.objects()
        world.clock.advance(30 * HOUR)
        return [KEPT]

    collect(world.blobs, retained)
    assert set(world.blobs) == {KEPT, YOUNG}


def test_bl_10_a_stopped_collection_stops(world: World) -> None:
    cancel = CancelToken()
    world.blobs.opened.patience.begin(cancel)

    def stopping(op: str, key: str) -> None:
        if op == "list":
            cancel.cancel()

    world.during = stopping
    with pytest.raises(Cancelled):
        world.collect()
    assert control.LOCK not in world.bucket.objects()


def test_bl_10_a_server_that_ignores_conditions_is_refused(rclone: Server, tmp_path: Path) -> None:
    place = on_server(rclone, rclone.make_bucket(), tmp_path)
    blobs = place.blobs()
    assert blobs.put(b"loose").outcome == "created"
    assert blobs.put(b"loose").outcome == "there"
    with pytest.raises(UnsafeEndpoint, match="conditional writes"):
        collect(blobs, lambda: [KEPT], grace_s=0, force=True)
    assert blobs.get(LOOSE) == b"loose"
    blobs.opened.store.close()


def test_bl_10_it_works_on_real_servers(place: Place) -> None:
    blobs = place.blobs()
    for body in (b"kept", b"loose", b"more"):
        blobs.put(body)
    assert collect(blobs, lambda: [KEPT]).kept_within_grace == 2
    assert collect(blobs, lambda: [KEPT], grace_s=0, dry_run=True).candidates == 2
    done = collect(blobs, lambda: [KEPT], grace_s=0)
    assert (done.deleted, done.retained, done.bytes) == (2, 1, 9)
    assert list(blobs) == [KEPT]
    assert [one.key for one in blobs.opened.store.list()] == [blobs.key(KEPT)]


# --- what a put does for a collection -----------------------------------------------------


def test_bl_11_a_put_of_an_old_blob_renews_its_time(world: World) -> None:
    before = world.blobs.look(LOOSE)
    put = world.blobs.put(b"loose")
    after = world.blobs.look(LOOSE)
    assert put.outcome == "refreshed"
    assert before is not None
    assert after is not None
    assert before.last_modified is not None
    assert after.last_modified == world.clock.now()
    assert world.collect().deleted == 0


@pytest.mark.parametrize(("age_h", "outcome"), [(11.9, "there"), (12.0, "refreshed")])
def test_bl_11_half_the_grace_is_the_border(age_h: float, outcome: str) -> None:
    world = World()
    world.blobs.put(b"x")
    world.clock.advance(age_h * HOUR)
    assert world.blobs.put(b"x").outcome == outcome


def test_bl_11_it_is_renewed_on_real_servers(place: Place) -> None:
    blobs = place.blobs(grace_s=0)
    first = blobs.put(b"x")
    before = blobs.look(first.integrity)
    assert blobs.put(b"x").outcome == "refreshed"
    after = blobs.look(first.integrity)
    assert before is not None
    assert after is not None
    assert before.last_modified is not None
    assert after.last_modified is not None
    assert after.last_modified >= before.last_modified
    assert blobs.get(first.integrity) == b"x"
    assert len(blobs) == 1


def test_bl_11_a_deletion_that_was_on_its_way_is_outlived(world: World) -> None:
    """The collection looked before we renewed the blob; its deletion arrives after."""
    MemoryStore(world.bucket).put(control.LOCK, b"{}")
    key = world.blobs.key(LOOSE)
    puts = list[str]()

    def deleting(op: str, of: str) -> None:
        if op == "put":
            puts.append(of)
        if op == "head" and of == control.LOCK:
            world.bucket.remove(key)
            MemoryStore(world.bucket).delete(control.LOCK)
            MemoryStore(world.bucket).put(control.LOCK, b"{}")

    world.during = deleting
    world.blobs.put(b"loose")
    assert puts == [key, key]
    assert world.blobs.get(LOOSE) == b"loose"


# --- manifests -----------------------------------------------------------------------------


def test_bl_10_a_manifest_is_any_text_that_names_blobs(tmp_path: Path) -> None:
    odd = "left-pad@1.3.0"
    weak = sri.of(b"kept", "sha256")
    texts = {
        "package-lock.json": json.dumps({"packages": {"a": {"integrity": KEPT}}}),
        "escaped.json": json.dumps([LOOSE]).replace("/", "\\/"),
        "names.json": json.dumps([odd, f"{weak} {YOUNG}"]),
        "pnpm-lock.yaml": f"  resolution: {{integrity: {KEPT}}}\n",
        "lines": f"{odd}\r\n  {LOOSE}  \n\n",
        "broken.json": '{"integrity": "' + KEPT,
    }
    for name, text in texts.items():
        (tmp_path / name).write_text(text)

    def names(name: str) -> frozenset[str]:
        return manifests.read([tmp_path / name])

    assert KEPT in names("package-lock.json")
    assert LOOSE in names("escaped.json")
    assert {odd, weak, YOUNG, f"{weak} {YOUNG}"} <= names("names.json")
    assert KEPT in names("pnpm-lock.yaml")
    assert names("lines") == {odd, LOOSE}
    assert KEPT in names("broken.json")
    assert manifests.keeps({weak}, f"{weak} {YOUNG}")
    assert not manifests.keeps({weak}, YOUNG)
    (tmp_path / "binary").write_bytes(b"\xff\x00" + KEPT.encode())
    assert KEPT in names("binary")


def test_bl_10_a_manifest_that_cannot_be_read_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="missing"):
        manifests.read([tmp_path / "missing"])
