"""The demo's second writer: what it says it pushed is there, and its locks are real."""

import hashlib
import io
import json
import os
import threading
from collections.abc import Callable

import pytest

from s3dash.demo import content
from s3dash.demo.beside import Beside
from s3dash.demo.look import Look, local_files
from s3dash.demo.world import COLLEAGUE, YOU, World, edit_as_you, model_lock, stale_lock
from s3dash.demo.writer import Colleague, follow
from s3dash.errors import S3DashError

MODEL = model_lock("@acme/server")


def ask(world: World, *requests: dict[str, str]) -> list[dict[str, dict[str, str | None]]]:
    """Let a colleague in this process answer."""
    answers = io.StringIO()
    follow(Colleague(world), [json.dumps(request) for request in requests], answers)
    return [json.loads(line) for line in answers.getvalue().splitlines()]


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
    answers = ask(world, *[{"do": "change", "namespace": "web"}] * 8)
    gone = [path for path, sha256 in answers[-1]["changed"].items() if sha256 is None]
    assert len(gone) == 1
    with world.store() as store:
        assert gone[0] not in Look(store, "web").objects()


def test_its_locks_are_seen_with_their_holder_until_it_lets_go(world: World) -> None:
    engine = world.engine(YOU, "infra")
    colleague = Colleague(world)
    try:
        colleague.hold(MODEL)
        held = {lock.key: lock for lock in engine.locks()}
        colleague.let_go()
        after = {lock.key for lock in engine.locks()}
    finally:
        engine.stop()
    assert held[MODEL].holder == "ann@build-7"
    assert not held[MODEL].stale
    assert after == {stale_lock()}


def test_left_alone_it_changes_both_namespaces_and_clashes_with_you(world: World) -> None:
    gone = threading.Event()
    living = threading.Thread(
        target=lambda: Colleague(world).live(gone, every_s=0.01), name="colleague"
    )
    with world.store() as store:
        infra, web = Look(store, "infra"), Look(store, "web")
        commits, clashing = web.commit_seq(), infra.objects()[content.CLASHING[0]]
        living.start()
        try:
            watch(world, "web", lambda: web.commit_seq() > commits)
        finally:
            gone.set()
            living.join(30)
        assert infra.objects()[content.CLASHING[0]] != clashing
    assert not living.is_alive()


def test_the_process_goes_on_by_itself(world: World) -> None:
    with world.store() as store:
        look = Look(store, "infra")
        before = look.commit_seq()
        with Beside(world, every_s=0.2) as beside:

            def moved() -> bool:
                beside.check()
                return look.commit_seq() > before

            watch(world, "infra", moved)
        with pytest.raises(S3DashError, match="ended"):
            beside.check()


def watch(world: World, namespace: str, holds: Callable[[], bool]) -> None:
    """Wait for events of an engine of ours until `holds`."""
    engine = world.engine(YOU, namespace)
    events = engine.subscribe()
    try:
        engine.start()
        while not holds():
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


def test_going_over_to_another_namespace_keeps_the_person(world: World) -> None:
    engine = world.reopen(world.settings(YOU, "web"))
    try:
        assert engine.settings == world.settings(YOU, "web")
    finally:
        engine.stop()


def test_a_request_that_cannot_be_done_is_told(world: World) -> None:
    nowhere = World(world.root, "http://127.0.0.1:9", world.credentials)
    with Beside(nowhere, follow=True) as beside, pytest.raises(S3DashError, match="writer failed"):
        beside.ask("change")
    (answer,) = ask(nowhere, {"do": "change"})
    assert answer["error"]["type"] == "Unreachable"


def test_a_writer_that_ended_is_told_with_its_last_words(world: World) -> None:
    with Beside(world, follow=True) as beside, pytest.raises(S3DashError, match="ended") as told:
        beside.ask("change", nonsense="x")
    assert "TypeError" in told.value.hint
