"""A plan in other hands: exactly what was confirmed is done, and nothing else."""

import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.clock import SystemClock
from s3dash.core.cancel import CancelToken
from s3dash.core.events import Noted
from s3dash.engine.engine import Engine
from s3dash.engine.handover import wait_until_free
from s3dash.errors import CacheBusy, Cancelled, LocalError, Unreachable, UsageError
from s3dash.local.owner import OwnerLock
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.test_live import started, until
from tests.engine.world import Machine, contents


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def ada(tmp_path: Path, bucket: MemoryBucket) -> Machine:
    machine = Machine(tmp_path / "ada", lambda: MemoryStore(bucket))
    for name in ("edited", "gone", "kept"):
        machine.write(f"files/{name}", name)
    machine.push()
    machine.write("files/edited", "edit")
    machine.write("files/new", "new")
    for name in ("gone", "kept"):
        (machine.cache / f"files/{name}").unlink()
    return machine


def there(bucket: MemoryBucket) -> dict[str, bytes]:
    return contents(MemoryStore(bucket), "files/")


def hand_over(machine: Machine, left_out: tuple[str, ...] = ("files/kept",)) -> Path:
    """The screen shows a plan, the user leaves rows out and detaches."""
    engine = machine.engine()
    ticket = engine.handover.write(engine.plan("push").without(left_out))
    engine.stop()
    return ticket


def test_what_was_left_out_or_came_later_stays(ada: Machine, bucket: MemoryBucket) -> None:
    ticket = hand_over(ada)
    ada.write("files/later", "after the plan was shown")
    engine = ada.engine()
    result = engine.handover.carry_on(ticket)
    assert (result.pushed, result.deleted_remote, result.exit_code) == (2, 1, 0)
    assert there(bucket) == {"files/edited": b"edit", "files/new": b"new", "files/kept": b"kept"}
    told = [(row.operation, row.text) for row in engine.history()]
    assert told[-1] == ("detached push", "has ended")
    assert any("3 of 3 rows left" in text for _, text in told)
    dirty = {row.path for row in engine.status().local.dirty}
    engine.stop()
    assert dirty == {"files/kept", "files/later"}
    assert not ticket.exists()


def edit_locally(ada: Machine, bucket: MemoryBucket, home: Path) -> None:
    ada.write("files/edited", "another edit")
    ada.write("files/gone", "it is back")


def edit_elsewhere(ada: Machine, bucket: MemoryBucket, home: Path) -> None:
    bob = Machine(home / "bob", lambda: MemoryStore(bucket))
    bob.pull()
    bob.write("files/edited", "bob's")
    bob.write("files/gone", "bob's")
    bob.push()


@pytest.mark.parametrize("change", [edit_locally, edit_elsewhere])
def test_a_version_that_was_not_shown_is_not_touched(
    change: Callable[[Machine, MemoryBucket, Path], None],
    ada: Machine,
    bucket: MemoryBucket,
    tmp_path: Path,
) -> None:
    ticket = hand_over(ada)
    change(ada, bucket, tmp_path)
    before = there(bucket)
    engine = ada.engine()
    result = engine.handover.carry_on(ticket)
    engine.stop()
    assert (result.pushed, result.deleted_remote) == (1, 0)
    assert there(bucket) == before | {"files/new": b"new"}
    assert {b.path for b in result.blocked} == {"files/edited", "files/gone"}


def test_what_the_screen_finished_before_it_went_is_done(
    ada: Machine, bucket: MemoryBucket
) -> None:
    engine = ada.engine()
    plan = engine.plan("push")
    ticket = engine.handover.write(plan)
    engine.run(plan.without(["files/new"]))
    engine.stop()
    engine = ada.engine()
    result = engine.handover.carry_on(ticket)
    engine.stop()
    assert (result.pushed, result.deleted_remote, result.blocked) == (1, 0, [])
    assert sorted(there(bucket)) == ["files/edited", "files/new"]


def stop(engine: Engine, ticket: Path) -> None:
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        engine.handover.carry_on(ticket, cancel=token)


def test_one_that_is_stopped_says_so_and_leaves_the_rest_dirty(
    ada: Machine, bucket: MemoryBucket
) -> None:
    ticket, before = hand_over(ada), there(bucket)
    engine = ada.engine()
    stop(engine, ticket)
    assert engine.history()[-1].text == "was stopped; the rest stays dirty"
    assert len(engine.status().local.dirty) == 4
    engine.stop()
    assert there(bucket) == before


def test_one_that_fails_says_why(tmp_path: Path, bucket: MemoryBucket) -> None:
    away = False

    def fail(op: str, key: str) -> None:
        if away:
            raise Unreachable("nobody answers")

    ada = Machine(tmp_path / "ada", lambda: MemoryStore(bucket, before=fail))
    ada.write("files/a", "a")
    ticket = hand_over(ada, ())
    away = True
    engine = ada.engine()
    with pytest.raises(Unreachable):
        engine.handover.carry_on(ticket)
    told = engine.history()[-1]
    engine.stop()
    assert (told.operation, told.level) == ("detached push", "error")
    assert told.text == "failed: nobody answers; the rest stays dirty"


def test_a_ticket_of_another_place_or_none_at_all_does_nothing(
    ada: Machine, bucket: MemoryBucket, tmp_path: Path
) -> None:
    ticket, before = hand_over(ada), there(bucket)
    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket)).engine()
    with pytest.raises(UsageError, match="belongs to another"):
        bob.handover.carry_on(ticket)
    bob.stop()
    engine = ada.engine()
    ticket.write_bytes(b"{}")
    with pytest.raises(UsageError, match="is no ticket"):
        engine.handover.carry_on(ticket)
    with pytest.raises(LocalError, match="cannot be read"):
        engine.handover.carry_on(tmp_path / "nowhere")
    engine.stop()
    assert there(bucket) == before


def test_a_ticket_is_for_its_owner_alone(ada: Machine) -> None:
    ticket = hand_over(ada)
    assert ticket.stat().st_mode & 0o777 == 0o600


def test_who_carries_on_waits_for_the_cache_and_says_who_has_it(ada: Machine) -> None:
    engine, token = ada.engine(), CancelToken()
    with pytest.raises(CacheBusy, match="pid"):
        wait_until_free(ada.settings, clock=SystemClock(), cancel=token, seconds=0.0)
    token.cancel()
    with pytest.raises(Cancelled):
        wait_until_free(ada.settings, clock=SystemClock(), cancel=token, seconds=60)
    engine.stop()
    wait_until_free(ada.settings, clock=SystemClock(), cancel=CancelToken(), seconds=60)


def test_while_it_goes_on_others_read_only_and_see_what_it_is(ada: Machine) -> None:
    ticket = hand_over(ada)
    seen: list[str] = []

    def look(op: str, key: str) -> None:
        if op == "upload" and not seen:
            other = ada.engine()
            seen.append(other.snapshot().read_only)
            with pytest.raises(CacheBusy):
                other.handover.carry_on(ticket)
            other.stop()

    bucket = ada.store().bucket  # type: ignore[attr-defined]  # the machine's is a memory store
    carrier = Machine(ada.home, lambda: MemoryStore(bucket, before=look)).engine()
    carrier.handover.carry_on(ticket)
    carrier.stop()
    assert seen[0].startswith("pid ")
    assert seen[0].endswith("(detached push)")


def test_a_screen_that_only_reads_is_told_when_it_has_ended(ada: Machine) -> None:
    ticket, carrier = hand_over(ada), ada.engine()
    with started(Machine(ada.home, ada.store, poll_interval_s=3600)) as watcher:
        until(watcher, lambda s: s.checked_at != "" and s.read_only != "")
        box = watcher.subscribe()
        carrier.handover.carry_on(ticket)
        carrier.stop()
        watcher.refresh()
        told: list[str] = []
        while not any("let go of the cache" in text for text in told):
            assert box.wait(20)
            told += [event.text for event in box.drain() if isinstance(event, Noted)]
    assert "has ended" in told


def test_the_next_start_says_that_the_last_one_was_killed(ada: Machine) -> None:
    engine = ada.engine()
    assert not any("did not end in order" in row.text for row in engine.history())
    handle = engine._owner._handle
    assert handle is not None
    engine._owner._handle = None  # as a kill leaves it: the file says who, nobody has the lock
    engine.stop()
    import os

    os.close(handle)
    engine = ada.engine()
    told = [row for row in engine.history() if "did not end in order" in row.text]
    engine.stop()
    assert [(row.level, row.operation) for row in told] == [("warning", "state")]
    assert f"pid {os.getpid()}" in told[0].text


def test_an_owner_that_was_killed_has_gone(tmp_path: Path) -> None:
    owner, other = OwnerLock(tmp_path), OwnerLock(tmp_path)
    assert other.is_free()
    assert owner.acquire()
    assert not other.is_free()
    owner.release()
    assert other.is_free()
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        pass
    said = tmp_path / "owner.lock"
    said.write_text(f"{ended.pid} {platform.node()} 2026-01-01T00:00:00Z push")
    assert other.is_free()
    said.write_text(f"{ended.pid} not-{platform.node()} 2026-01-01T00:00:00Z")
    assert not other.is_free()  # of another machine nobody here can tell
    said.write_text(f"0x1 {platform.node()} 2026-01-01T00:00:00Z")
    assert not other.is_free()


def test_a_ticket_that_cannot_be_used_up_is_not_carried_on(
    ada: Machine, bucket: MemoryBucket
) -> None:
    """Else it would be there for a second time. What stands in the way here: an open descriptor's
    name, which can be read and not removed."""
    ticket, before = hand_over(ada), there(bucket)
    engine = ada.engine()
    with ticket.open("rb") as held, pytest.raises(LocalError, match="cannot be used up"):
        engine.handover.carry_on(Path(f"/proc/self/fd/{held.fileno()}"))
    engine.stop()
    assert there(bucket) == before
