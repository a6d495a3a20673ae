"""Two engines' worth of screens on one cache: one owns it, the others attach to it."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from s3dash.attach import place
from s3dash.attach.client import ask_for_room
from s3dash.attach.link import Link
from s3dash.attach.served import served
from s3dash.attach.server import serve
from s3dash.core.cancel import CancelToken
from s3dash.core.events import Event, Noted
from s3dash.core.snapshot import BY_CHOICE
from s3dash.engine.api import EngineApi
from s3dash.engine.open import open_engine
from s3dash.errors import (
    CacheBusy,
    Cancelled,
    CommitConflict,
    OwnerGone,
    ReadOnly,
    UsageError,
)
from tests.engine.desks import PATIENCE_S, Desk, Gate, in_thread, until
from tests.engine.world import contents


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    made.machine.write("files/a", "a")
    made.machine.push()
    try:
        yield made
    finally:
        made.close()


def test_the_second_screen_attaches_and_sees_what_the_first_sees(desk: Desk) -> None:
    first = desk.screen("watch")
    second = desk.screen()
    assert first.snapshot().attached == ""
    assert "(watch)" in second.snapshot().attached
    assert second.snapshot().read_only == ""
    until(first, lambda s: s.watch.mode == "native" and s.checked_at)
    desk.machine.write("files/b", "b")
    until(second, lambda s: [row.path for row in s.dirty] == ["files/b"])
    mine, theirs = second.snapshot(), first.snapshot()
    for name in ("dirty", "behind", "index", "files", "watch", "last_push", "endpoint", "locks"):
        assert getattr(mine, name) == getattr(theirs, name), name


def test_pushes_pulls_and_decisions_of_the_attached_are_done_by_the_owner(desk: Desk) -> None:
    first, second = desk.screen(), desk.screen()
    desk.machine.write("files/b", "b")
    plan = second.plan("push")
    assert [item.path for item in plan.items] == ["files/b"]
    result = second.run(plan)
    assert (result.pushed, result.failed) == (1, [])
    assert contents(desk.store())["files/b"] == b"b"
    assert second.snapshot().dirty == (), "what a call changed is known when it returns"
    desk.peer.pull()
    desk.peer.write("files/a", "bob's")
    desk.peer.push()
    desk.machine.write("files/a", "ada's")
    [conflict] = second.conflicts()
    assert conflict.path == "files/a"
    second.resolve("files/a", take="remote", shown=conflict)
    assert desk.machine.read("files/a") == b"bob's"
    assert second.decided.undo("files/a")
    assert desk.machine.read("files/a") == b"ada's"
    with pytest.raises(UsageError, match="not"):
        second.resolve("files/none", take="local")
    assert [row.operation for row in second.history()] == [r.operation for r in first.history()]


def test_a_cancel_stops_that_call_and_no_other(desk: Desk) -> None:
    first, second = desk.screen(), desk.screen()
    gate = desk.hold = Gate("put", "upload")
    desk.machine.write("files/b", "b")
    token = CancelToken()
    thread, ended = in_thread(lambda: second.push(cancel=token))
    assert gate.reached.wait(PATIENCE_S)
    look, found = in_thread(second.history)
    look.join(PATIENCE_S)
    assert isinstance(found[0], list), "it waits for no push"
    token.cancel()
    until_cancelled(first)
    gate.opened.set()
    thread.join(PATIENCE_S)
    assert isinstance(ended[0], Cancelled)
    desk.hold = lambda op, key: None
    assert second.push().pushed == 1


def until_cancelled(owner: Any) -> None:
    """What its guests began is to end."""
    end = time.monotonic() + PATIENCE_S
    door = owner._held.door
    while not all(t.cancelled for guest in [*door._guests] for t in [*guest._running.values()]):
        assert time.monotonic() < end
        time.sleep(0.005)


def test_a_guest_that_goes_takes_what_it_began_with_it(desk: Desk) -> None:
    first, second = desk.screen(), desk.screen()
    gate = desk.hold = Gate("put", "upload")
    desk.machine.write("files/b", "b")
    thread, ended = in_thread(second.push)
    assert gate.reached.wait(PATIENCE_S)
    second.stop()
    thread.join(PATIENCE_S)
    assert isinstance(ended[0], OwnerGone | Cancelled)
    gate.opened.set()
    until(first, lambda s: s.state == "idle")
    desk.hold = lambda op, key: None
    assert first.push().pushed == 1


def test_transfers_of_an_attached_screen_are_live_and_can_be_paused(desk: Desk) -> None:
    desk.screen()
    second = desk.screen()
    gate = desk.hold = Gate("put", "upload")
    for number in range(30):
        desk.machine.write(f"files/{number:02}", f"{number}")
    thread, ended = in_thread(second.push)
    assert gate.reached.wait(PATIENCE_S)
    seen = until(second, lambda s: s.progress.counts.active and s.progress.counts.queued)
    waiting = [row.id for row in seen.progress.transfers if row.state == "queued"]
    assert second.transfers.pause(waiting[-1:]) == 1
    rows = {row.id: row for row in second.snapshot().progress.transfers}
    assert rows[waiting[-1]].state == "paused"
    row = rows[waiting[0]]
    gate.opened.set()
    until(second, lambda s: s.progress.counts.unfinished == 1)
    assert row.state == "done", "rows are live here as well"
    assert second.transfers.limits == second.snapshot().progress.limits
    assert second.transfers.resume(waiting[-1:]) == 1
    thread.join(PATIENCE_S)
    assert ended[0].pushed == 30


def test_events_come_through(desk: Desk) -> None:
    desk.screen()
    second = desk.screen()
    box = second.subscribe()
    desk.machine.write("files/b", "b")
    second.push()
    end = time.monotonic() + PATIENCE_S
    seen: list[Event] = []
    while not any(isinstance(e, Noted) and e.operation == "push" for e in seen):
        assert time.monotonic() < end
        box.wait(0.1)
        seen += box.drain()
    assert box.dropped == 0


def test_errors_are_of_the_same_class_with_message_and_hint(desk: Desk) -> None:
    desk.screen()
    second = desk.screen()
    with pytest.raises(UsageError, match="is no lock") as caught:
        second.release_lock("files/a", "nonce")
    assert "s3dash locks" in caught.value.hint
    with pytest.raises(CommitConflict):
        raise_from(second, desk)


def raise_from(engine: EngineApi, desk: Desk) -> None:
    desk.peer.pull()
    desk.peer.write("files/a", "bob's")
    desk.peer.push()
    desk.machine.write("files/a", "ada's")
    [shown] = engine.conflicts()
    desk.machine.write("files/a", "ada's other one")
    engine.resolve("files/a", take="local", shown=shown)


def test_who_only_looks_can_change_nothing_through_the_owner(desk: Desk) -> None:
    desk.screen()
    second = desk.screen(readonly=True)
    assert second.snapshot().read_only == BY_CHOICE
    desk.machine.write("files/b", "b")
    assert [item.path for item in second.plan("push").items] == ["files/b"]
    assert second.push(dry_run=True).plan
    for call in (
        second.push,
        lambda: second.set_auto(True),
        lambda: second.transfers.pause(),
        lambda: second.drop_trash("x"),
        lambda: second.excludes.change(["*"]),
    ):
        with pytest.raises(ReadOnly):
            call()
    assert "files/b" not in contents(desk.store())


def whose(engine: EngineApi) -> str:
    """Empty when it owns the cache; who does, when it is attached."""
    now = engine.snapshot()
    return now.attached.rpartition(" ")[2] or now.read_only


def test_the_cache_is_taken_over_when_its_owner_ends(desk: Desk) -> None:
    first, second, third = desk.screen("watch"), desk.screen(), desk.screen()
    box = second.subscribe()
    first.stop()
    pair = (second, third)
    until(second, lambda _: sorted(whose(one) for one in pair) == ["", "(screen)"])
    desk.machine.write("files/b", "b")
    until(second, lambda s: len(s.dirty) == 1)
    until(third, lambda s: len(s.dirty) == 1)
    assert third.push().pushed == 1
    until(second, lambda s: not s.dirty)
    texts = [event.text for event in box.drain() if isinstance(event, Noted)]
    assert any("(watch) has ended" in text for text in texts)


def test_a_push_whose_owner_ends_is_told_and_a_look_is_taken_again(desk: Desk) -> None:
    first, second = desk.screen(), desk.screen()
    gate = desk.hold = Gate("put", "upload")
    desk.machine.write("files/b", "b")
    pushing, pushed = in_thread(second.push)
    assert gate.reached.wait(PATIENCE_S)
    looking, looked = in_thread(lambda: second.plan("push"))
    ending, _ = in_thread(first.stop)
    pushing.join(PATIENCE_S)
    assert isinstance(pushed[0], OwnerGone | Cancelled)
    gate.opened.set()
    looking.join(PATIENCE_S)
    assert [item.path for item in looked[0].items] == ["files/b"]
    ending.join(PATIENCE_S)
    assert second.push().pushed == 1


def test_another_version_or_place_reads_beside_the_owner_as_ever(
    desk: Desk, tmp_path: Path
) -> None:
    first = desk.screen()
    other = desk.screen(namespace="web")
    assert first.snapshot().read_only == ""
    assert other.snapshot().attached == ""
    assert other.snapshot().read_only != ""
    with pytest.raises(CacheBusy):
        other.push()
    first.stop()
    until(other, lambda s: s.read_only == "")
    assert other.push().failed == []


def test_a_screen_gives_its_cache_to_a_watch_and_attaches_to_it(desk: Desk) -> None:
    first, second = desk.screen(), desk.screen()
    assert ask_for_room(desk.machine.settings)
    watch = None
    end = time.monotonic() + PATIENCE_S
    while watch is None or watch.snapshot().read_only:
        assert time.monotonic() < end
        if watch is not None:
            watch.stop()
        watch = open_engine(desk.machine.settings, store=desk.store())
    with serve(watch, "watch"):
        for screen in (first, second):
            until(screen, lambda s: "(watch)" in s.attached)
        with pytest.raises(CacheBusy, match="belongs to"):
            ask_for_room(desk.machine.settings)
    watch.stop()
    until(first, lambda s: "(watch)" not in s.attached)
    until(second, lambda s: "(watch)" not in s.attached)


def test_the_socket_is_ours_alone_and_goes_with_the_owner(desk: Desk) -> None:
    first = desk.screen()
    path = place.address(desk.machine.settings.state_dir)
    assert path is not None
    assert path.stat().st_mode & 0o777 == 0o600
    first.stop()
    assert place.address(desk.machine.settings.state_dir) is None
    assert isinstance(first, Link)


def test_what_moves_the_cache_needs_it_for_itself(desk: Desk) -> None:
    desk.screen("watch")
    with pytest.raises(CacheBusy, match="for itself"):
        desk.screen().migration.run("web")


def test_a_watch_that_is_stopped_while_a_screen_takes_its_time_to_leave(desk: Desk) -> None:
    owner, cancel = desk.machine.engine(), CancelToken()
    with serve(owner, "screen", on_room=cancel.cancel), pytest.raises(Cancelled):
        served(desk.machine.settings, pytest.fail, name="watch", cancel=cancel)
    owner.stop()
