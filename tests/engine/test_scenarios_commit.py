"""Reliability scenarios 13 and 46 to 49: commits that are lost, robbed, or crash.

In memory, where each request can fail.
"""

import json
import shutil
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.core.lock import LockBody, encode_lock
from s3dash.engine.lease import BEAT_S, TTL_MS
from s3dash.errors import Cancelled, Integrity, LockLost, NotFound, S3DashError, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.clocks import TestClock
from tests.engine.ends import (
    all_have,
    data,
    journal,
    trash,
)
from tests.engine.faults import CHANGED, Once, Plug, changed, machine, pair
from tests.engine.world import contents

LOCK = ".datastore.lock"


def count_operations(tmp_path: Path) -> int:
    bucket, seen = MemoryBucket(), []
    changed(tmp_path, bucket)
    machine(tmp_path / "ada", bucket, before=lambda op, key: seen.append(op)).push()
    assert len(seen) >= 10
    return len(seen)


def test_46_a_lost_reply_to_any_write_is_read_back(tmp_path: Path) -> None:
    for at in range(count_operations(tmp_path / "count")):
        bucket, home = MemoryBucket(), tmp_path / str(at)
        ada, bob = changed(home, bucket)
        seen = iter(range(1000))

        def lose(op: str, key: str, at: int = at, seen: Iterator[int] = seen) -> None:
            if next(seen) == at and op in ("put", "delete", "upload"):
                raise Unreachable("the reply was lost")

        result = machine(home / "ada", bucket, after=lose).push()
        assert (result.pushed, result.deleted_remote, result.failed) == (2, 1, []), at
        bob.pull()
        all_have(partial(MemoryStore, bucket), CHANGED, ada, bob)


@pytest.mark.parametrize("key", ["_index/files.json", "_index/_meta.json"])
def test_47_a_lock_that_is_stolen_in_mid_commit_stops_all_writes(
    tmp_path: Path, memory: MemoryBucket, key: str
) -> None:
    ada, bob = changed(tmp_path, memory)
    clock, peer = TestClock(), MemoryStore(memory)
    theirs = encode_lock(LockBody(holder="bob@pc", hostname="pc", pid=9, ttlMs=30000, nonce="n"))
    written: list[str] = []

    def steal() -> None:
        peer.put(LOCK, theirs)
        clock.suspend(3600)  # we were not there, so the lease has run out

    theft = Once("put", key, steal)

    def note(op: str, name: str) -> None:
        if theft.done and op in ("put", "delete", "upload"):
            written.append(name)

    robbed = machine(tmp_path / "ada", memory, before=theft, after=note)
    robbed.clock = clock
    with suppress(LockLost):  # told as an error, or as an object that could not be deleted
        assert robbed.push().commit_seq == 2
    assert written == [key]  # the request that was on its way, and none after it
    assert contents(peer)[LOCK] == theirs
    peer.delete(LOCK)
    ada.sync()
    bob.sync()
    all_have(lambda: MemoryStore(memory), CHANGED, ada, bob)


def test_48_a_peer_whose_clock_is_ahead_finds_our_lock_alive(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """Plain peers compare LastModified with their own clock; ours lives 45 s and beats every 8."""
    changed(tmp_path, memory)
    ages: list[float] = []

    def look() -> None:
        peer = MemoryStore(memory)
        found = peer.get(LOCK)
        assert found is not None
        assert found.info.last_modified is not None
        assert found.info.server_time is not None
        ahead = (found.info.server_time - found.info.last_modified).total_seconds() + BEAT_S + 35
        ages.append(ahead * 1000)
        assert json.loads(found.body)["ttlMs"] == TTL_MS

    machine(tmp_path / "ada", memory, before=Once("put", "_index/_meta.json", look)).push()
    assert ages
    assert max(ages) < TTL_MS
    assert LOCK not in contents(MemoryStore(memory))


@pytest.mark.parametrize("when", ["before", "after"])
def test_49_a_crash_at_each_operation_is_recovered(tmp_path: Path, when: str) -> None:
    for at in range(count_operations(tmp_path / "count")):
        bucket, home = MemoryBucket(), tmp_path / f"{when}-{at}"
        ada, bob = changed(home, bucket)
        plug = Plug(at)
        hooks = {"before": plug} if when == "before" else {"after": plug}
        with suppress(S3DashError):  # the last ones only fail to clean up
            machine(home / "ada", bucket, **hooks).push()
        MemoryStore(bucket).delete(LOCK)  # the dead process's lock has run out
        bob.sync()
        ada.sync()
        bob.sync()
        all_have(partial(MemoryStore, bucket), CHANGED, ada, bob)


@pytest.mark.parametrize(("op", "key"), [("upload", "files/a"), ("put", ".datastore.lock")])
@pytest.mark.parametrize("again", [False, True])
def test_49_a_crash_of_a_push_that_overwrites_a_conflict_is_finished_by_the_next(
    tmp_path: Path, memory: MemoryBucket, op: str, key: str, again: bool
) -> None:
    """The index still names their version, but the object is ours: it must not stay so."""
    ada, bob = pair(tmp_path, memory, a="base")
    ada.write("files/a", "ada")
    ada.push()
    bob.write("files/a", "bob")

    def crash() -> None:
        raise KeyboardInterrupt

    crashing = machine(tmp_path / "bob", memory, after=Once(op, key, crash))
    with suppress(KeyboardInterrupt):
        crashing.push(policy="local")
    assert journal(bob) == ["files/a"]
    MemoryStore(memory).delete(".datastore.lock")
    if again:
        bob.write("files/a", "bob again")
    assert bob.sync(policy="keep-both").pushed == 1
    ada.sync()
    all_have(lambda: MemoryStore(memory), {"files/a": "bob again" if again else "bob"}, ada, bob)
    assert ("files/a", b"ada") in trash(bob)
    assert trash(ada) == [("files/a", b"ada")]


@pytest.mark.parametrize(("op", "claimed"), [("put", True), ("copy", True), ("copy", False)])
@pytest.mark.parametrize("when", ["before", "after"])
def test_13_a_rename_that_crashes_before_its_commit_is_recovered(
    tmp_path: Path, memory: MemoryBucket, op: str, claimed: bool, when: str
) -> None:
    """Whether the name is claimed first, or the copy itself wants it free."""
    memory.heeds_copies = not claimed
    ada, bob = pair(tmp_path, memory, old="content", b="other", c="third")

    def crash() -> None:
        raise KeyboardInterrupt

    (ada.cache / "files/old").rename(ada.cache / "files/new")
    hook = Once(op, "files/new", crash)
    crashing = machine(tmp_path / "ada", memory, **{when: hook})
    with suppress(KeyboardInterrupt):
        crashing.push()
    assert hook.done
    assert "files/old" in data(lambda: MemoryStore(memory))
    ada.sync()
    bob.sync()
    want = {"files/new": "content", "files/b": "other", "files/c": "third"}
    all_have(lambda: MemoryStore(memory), want, ada, bob)


@pytest.mark.parametrize("known", [False, True])
def test_49_a_push_that_is_killed_before_it_journals_an_upload_knows_it_after_another_edit(
    tmp_path: Path, memory: MemoryBucket, known: bool
) -> None:
    """The upload is announced in the journal, with its hash, before it is sent."""
    ada, bob = pair(tmp_path, memory, **({"a": "base", "b": "b"} if known else {"b": "b"}))
    ada.write("files/a", "sent")
    images = tmp_path / "killed"

    def kill() -> None:
        shutil.copytree(ada.home, images / "ada")  # as kill -9 leaves it: nothing is unwound
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        machine(ada.home, memory, after=Once("upload", "files/a", kill)).push()
    MemoryStore(memory).delete(LOCK)
    killed = machine(images / "ada", memory)
    killed.write("files/a", "edited since")
    result = killed.sync()
    assert (result.pushed, result.conflicts, result.blocked, result.failed) == (1, [], [], [])
    bob.sync()
    all_have(lambda: MemoryStore(memory), {"files/a": "edited since", "files/b": "b"}, killed, bob)


@pytest.mark.parametrize("committed", [False, True])
@pytest.mark.parametrize("arrives", [(True, True, True), (True, False, True), (False, True, False)])
@pytest.mark.parametrize("end", ["edited", "deleted", "as it was"])
def test_49_pushes_of_one_path_that_are_killed_one_after_another_are_all_known(
    tmp_path: Path, memory: MemoryBucket, arrives: tuple[bool, ...], committed: bool, end: str
) -> None:
    """Whichever of them came to lie in the bucket: it is ours, and no conflict."""
    ada, bob = pair(tmp_path, memory, **({"a": "base", "b": "b"} if committed else {"b": "b"}))
    home = ada.home
    for nth, arrived in enumerate(arrives):
        machine(home, memory).write("files/a", f"sent {nth}")
        image = tmp_path / f"killed {nth}"

        def kill(home: Path = home, image: Path = image) -> None:
            shutil.copytree(home, image)  # as kill -9 leaves it: nothing is unwound
            raise KeyboardInterrupt

        hook = Once("upload", "files/a", kill)
        with suppress(KeyboardInterrupt):
            machine(home, memory, **{"after" if arrived else "before": hook}).push()
        assert hook.done
        with suppress(NotFound):
            MemoryStore(memory).delete(LOCK)
        home = image / "ada" if (image / "ada").exists() else image
    last = machine(home, memory)
    if end == "edited":
        last.write("files/a", "the last")
    elif end == "as it was" and committed:
        last.write("files/a", "base")
    else:
        (last.cache / "files/a").unlink()
    result = last.sync(max_delete=2)
    assert (result.conflicts, result.blocked, result.failed) == ([], [], [])
    bob.sync(max_delete=2)
    want: dict[str, bytes | str] = {"files/b": "b"}
    if end == "edited":
        want["files/a"] = "the last"
    elif end == "as it was" and committed:
        want["files/a"] = "base"
    all_have(lambda: MemoryStore(memory), want, last, bob)


def test_49_an_upload_and_then_its_deletion_never_committed_are_known_when_the_file_is_back(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = pair(tmp_path, memory, a="base", b="b")

    def fail(op: str, key: str) -> None:
        if (op, key) == ("put", LOCK):
            raise Integrity("the plug was pulled")

    failing = machine(ada.home, memory, before=fail)
    ada.write("files/a", "sent")
    with pytest.raises(Integrity):
        failing.push()
    (ada.cache / "files/a").unlink()
    with pytest.raises(Integrity):
        failing.push(max_delete=2)
    ada.write("files/a", "back again")
    result = ada.sync()
    assert (result.pushed, result.conflicts, result.blocked, result.failed) == (1, [], [], [])
    bob.sync()
    all_have(lambda: MemoryStore(memory), {"files/a": "back again", "files/b": "b"}, ada, bob)


def test_uploads_that_were_announced_and_cancelled_do_no_harm(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = pair(tmp_path, memory, b="b")
    for n in range(80):
        ada.write(f"files/n{n}", f"{n}")
    token, cancelled = CancelToken(), threading.Event()

    def cancel_at_the_second(op: str, key: str) -> None:
        if (op, key) == ("upload", "files/n1"):
            token.cancel()
            cancelled.set()
        elif op == "upload" and key != "files/n0":
            assert cancelled.wait(60)

    stopping = machine(ada.home, memory, before=cancel_at_the_second, push_concurrency=4)
    with suppress(Cancelled):
        stopping.push(cancel=token)
    sent = data(lambda: MemoryStore(memory)).keys() - {"files/b"}
    assert sent <= set(journal(ada))
    assert len(journal(ada)) <= 5, "what did not start is not in the journal"
    ada.push()
    bob.pull()
    want = {"files/b": "b", **{f"files/n{n}": f"{n}" for n in range(80)}}
    all_have(lambda: MemoryStore(memory), want, ada, bob)
