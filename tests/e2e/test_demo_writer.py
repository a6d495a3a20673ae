"""The demo's second writer: what it says it pushed is there, and its locks are real."""

import hashlib
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from s3dash.clock import SystemClock
from s3dash.core.settings import Credentials
from s3dash.demo import content
from s3dash.demo.beside import Beside
from s3dash.demo.look import Look, Wrong, local_files, need, some
from s3dash.demo.world import COLLEAGUE, YOU, World, edit_as_you, found, model_lock, stale_lock
from s3dash.errors import S3DashError
from tests.servers import Server, start_weed


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One of its own: the demo's bucket has a fixed name, and is made by the first PUT."""
    server = start_weed(tmp_path_factory.mktemp("demo-weed"))
    try:
        server.make_bucket("acme-datastore")
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="module")
def world(server: Server, tmp_path_factory: pytest.TempPathFactory) -> World:
    keys = Credentials(server.access_key, server.secret_key)
    world = World(tmp_path_factory.mktemp("world"), server.endpoint, keys)
    found(world, SystemClock())
    return world


def test_the_world_is_the_same_on_both_desks(world: World) -> None:
    for namespace in content.NAMESPACES:
        want = content.files(namespace)
        assert local_files(world.files(YOU, namespace)) == want
        assert local_files(world.files(COLLEAGUE, namespace)) == want
        assert len(want) >= 200
        assert max(map(len, want.values())) > 4 << 20


def test_what_the_writer_says_it_pushed_is_in_the_bucket(world: World) -> None:
    with Beside(world, follow=True) as beside, world.store() as store:
        changed = beside.ask("change", clash=content.CLASHING[1])["changed"]
        objects = Look(store, "infra").objects()
        pid = beside.pid
    assert content.CLASHING[1] in changed
    for path, sha256 in changed.items():
        assert hashlib.sha256(objects[path]).hexdigest() == sha256
    assert pid is not None
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_the_writer_deletes_too_once_it_has_made_enough(world: World) -> None:
    with Beside(world, follow=True) as beside, world.store() as store:
        for _ in range(12):
            changed = beside.ask("change", namespace="web")["changed"]
            gone = [path for path, sha256 in changed.items() if sha256 is None]
            if gone:
                break
        assert len(gone) == 1
        assert gone[0] not in Look(store, "web").objects()


def test_its_locks_are_seen_with_their_holder_until_it_lets_go(world: World) -> None:
    engine = world.engine(YOU, "infra")
    try:
        with Beside(world, follow=True) as beside:
            beside.ask("hold", key=model_lock("@acme/server"))
            held = {lock.key: lock for lock in engine.locks()}
            beside.ask("let go")
            after = {lock.key for lock in engine.locks()}
    finally:
        engine.stop()
    assert held[model_lock("@acme/server")].holder == "ann@build-7"
    assert not held[model_lock("@acme/server")].stale
    assert after == {stale_lock()}


def test_left_alone_it_goes_on_changing_things(world: World) -> None:
    with world.store() as store:
        look = Look(store, "infra")
        before = look.commit_seq()
        engine = world.engine(YOU, "infra")
        events = engine.subscribe()
        try:
            engine.start()
            with Beside(world, every_s=0.2):
                while look.commit_seq() < before + 3:
                    assert events.wait(30)
                    events.drain()
        finally:
            engine.stop()


def test_what_you_changed_is_there_to_push(world: World) -> None:
    edit_as_you(world)
    engine = world.engine(YOU, "infra")
    try:
        dirty = {c.path: c.change for c in engine.status().local.dirty}
    finally:
        engine.stop()
    assert set(content.CLASHING) <= set(dirty)
    assert dirty["audit/2026/01.jsonl"] == "deleted"
    assert dirty["files/images/patched.img"] == "added"


def test_a_request_that_cannot_be_done_is_told(world: World) -> None:
    nowhere = World(world.root, "http://127.0.0.1:9", world.credentials)
    with Beside(nowhere, follow=True) as beside, pytest.raises(S3DashError, match="writer failed"):
        beside.ask("change")


def test_a_difference_is_wrong(tmp_path: Path) -> None:
    with pytest.raises(Wrong, match="a, b, c and 1 more"):
        need(False, some({"d", "c", "b", "a"}))
    assert local_files(tmp_path) == {}
