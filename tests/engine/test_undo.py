"""Taking the decision about a conflict back: the path is what it was, and nothing is lost."""

from contextlib import nullcontext, suppress
from pathlib import Path

import pytest
from msgspec.structs import replace

from s3dash.core.report import ConflictInfo, same_versions
from s3dash.core.settings import Take
from s3dash.engine.engine import Engine
from s3dash.errors import CacheBusy, CommitConflict, Integrity, LocalError, S3DashError, UsageError
from s3dash.local.trash import Trash
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.conftest import Join
from tests.engine.ends import Store, aside, base, data, trash
from tests.engine.faults import Once, Plug, machine
from tests.engine.faults import pair as pair_on
from tests.engine.test_scenarios_edits import pair
from tests.engine.world import Machine, digest

TAKES: list[Take] = ["local", "remote", "both"]


def decided(ada: Machine, bob: Machine, take: Take) -> tuple[Engine, ConflictInfo]:
    """Bob's engine after a decision between his edit and Ada's; and the conflict as it was."""
    ada.write("files/a", "ada's")
    ada.push()
    bob.write("files/a", "bob")
    engine = bob.engine()
    (conflict,) = engine.conflicts()
    assert engine.resolve("files/a", take=take, shown=conflict).exit_code == 0
    assert engine.conflicts() == []
    return engine, conflict


@pytest.mark.parametrize("take", TAKES)
@pytest.mark.parametrize("new", [False, True])
def test_the_path_is_in_conflict_again_as_it_was(
    join: Join, store: Store, take: Take, new: bool
) -> None:
    ada, bob = pair(join) if new else pair(join, a="base")
    engine, before = decided(ada, bob, take)
    told = engine.decided.undo("files/a")
    assert told.startswith("files/a: ")
    (after,) = engine.conflicts()
    assert same_versions(after, before)
    assert [c.path for c in engine.snapshot().conflicts] == ["files/a"]
    engine.stop()
    assert (bob.read("files/a"), data(store)["files/a"]) == (b"bob", b"ada's")
    assert base(bob).get("files/a") == (None if new else digest(b"base"))
    assert aside(bob) == {}
    sidecar = bob.sidecar()
    assert "files/a" in sidecar["dirtyPaths"]
    assert "commitSeq" not in sidecar  # no peer takes the cache for up to date
    assert [c.path for c in bob.push().conflicts] == ["files/a"]
    assert [c.path for c in bob.pull().conflicts] == ["files/a"]


@pytest.mark.parametrize("take", TAKES)
@pytest.mark.parametrize("other", TAKES)
def test_it_can_be_decided_otherwise_afterwards(
    join: Join, store: Store, take: Take, other: Take
) -> None:
    ada, bob = pair(join, a="base")
    engine, _ = decided(ada, bob, take)
    engine.decided.undo("files/a")
    assert engine.resolve("files/a", take=other).exit_code == 0
    engine.sync()
    engine.stop()
    ada.sync()
    want = {"local": b"bob", "remote": b"ada's", "both": b"ada's"}[other]
    assert (bob.read("files/a"), ada.read("files/a")) == (want, want)
    assert data(store)["files/a"] == want
    readable = {*bob.files().values(), *(body for _, body in trash(bob))}
    assert {b"bob", b"ada's"} <= readable


def test_the_same_decision_is_not_undone_twice(join: Join) -> None:
    ada, bob = pair(join, a="base")
    engine, _ = decided(ada, bob, "remote")
    engine.decided.undo("files/a")
    with pytest.raises(UsageError, match="no decision"):
        engine.decided.undo("files/a")
    with pytest.raises(UsageError, match="no decision"):
        engine.decided.undo("files/stay")
    engine.stop()


# --- not blindly ----------------------------------------------------------------------------


@pytest.mark.parametrize("take", TAKES)
def test_a_file_that_was_edited_since_stays(join: Join, store: Store, take: Take) -> None:
    ada, bob = pair(join, a="base")
    engine, _ = decided(ada, bob, take)
    bob.write("files/a", "bob again")
    there, here = data(store), bob.files()
    with pytest.raises(CommitConflict, match="edited since"):
        engine.decided.undo("files/a")
    engine.stop()
    assert (data(store), bob.files()) == (there, here)


def test_a_bucket_that_has_gone_on_stays(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    engine, _ = decided(ada, bob, "local")
    ada.pull()
    ada.write("files/a", "ada again")
    ada.push()
    with pytest.raises(CommitConflict, match="bucket has gone on"):
        engine.decided.undo("files/a")
    engine.stop()
    assert data(store)["files/a"] == b"ada again"
    assert bob.read("files/a") == b"bob"


@pytest.mark.parametrize("take", ["local", "remote"])
def test_what_is_in_the_trash_no_more_cannot_come_back(join: Join, take: Take) -> None:
    ada, bob = pair(join, a="base")
    engine, _ = decided(ada, bob, take)
    for item in engine.trash():
        engine.drop_trash(item.id)
    before = bob.read("files/a")
    with pytest.raises(CommitConflict, match="trash no more"):
        engine.decided.undo("files/a")
    engine.stop()
    assert bob.read("files/a") == before


def test_a_copy_that_was_moved_cannot_come_back(join: Join) -> None:
    ada, bob = pair(join, a="base")
    engine, _ = decided(ada, bob, "both")
    (name,) = aside(bob)
    (bob.cache / name).rename(bob.cache / "files/mine")
    with pytest.raises(CommitConflict, match="moved or edited"):
        engine.decided.undo("files/a")
    engine.stop()
    assert (bob.read("files/a"), bob.read("files/mine")) == (b"ada's", b"bob")


def test_a_copy_that_was_pushed_stays_and_that_is_told(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    engine, _ = decided(ada, bob, "both")
    engine.push()
    assert "was pushed, it stays" in engine.decided.undo("files/a")
    engine.stop()
    (name,) = aside(bob)
    assert (bob.read("files/a"), bob.read(name), data(store)[name]) == (b"bob", b"bob", b"bob")
    assert [c.path for c in bob.conflicts()] == ["files/a"]


def test_a_decision_that_did_not_come_about_is_not_known(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = pair_on(tmp_path, memory, a="base")
    ada.write("files/a", "ada's")
    ada.push()
    bob.write("files/a", "bob")
    late = machine(
        tmp_path / "bob",
        memory,
        after=Once("download", "files/a", lambda: bob.write("files/a", "bob, later")),
    )
    engine = late.engine()
    assert engine.resolve("files/a", take="remote").blocked
    with pytest.raises(UsageError, match="no decision"):
        engine.decided.undo("files/a")
    engine.stop()


def test_a_second_process_undoes_nothing(tmp_path: Path, memory: MemoryBucket) -> None:
    _, bob = pair_on(tmp_path, memory, a="base")
    first, second = bob.engine(), bob.engine()
    try:
        with pytest.raises(CacheBusy):
            second.decided.undo("files/a")
    finally:
        second.stop()
        first.stop()


def _refuse() -> None:
    raise Integrity("the plug was pulled")


def test_a_push_that_fails_leaves_all_as_it_was(tmp_path: Path, memory: MemoryBucket) -> None:
    """Undoing «local» pushes: the second upload of that path, which fails."""
    ada, bob = pair_on(tmp_path, memory, a="base")
    refuse = Late(Once("upload", "files/a", _refuse), after=1)
    engine, _ = decided(ada, machine(tmp_path / "bob", memory, before=refuse), "local")
    with pytest.raises(S3DashError, match=r"plug|nothing was undone"):
        engine.decided.undo("files/a")
    assert (bob.read("files/a"), data(lambda: MemoryStore(memory))["files/a"]) == (b"bob", b"bob")
    assert engine.conflicts() == []
    assert "the local one is here" in engine.decided.undo("files/a")
    assert len(engine.conflicts()) == 1
    engine.stop()


class Late:
    """Hands requests on to a fault from the second upload on."""

    def __init__(self, fault: Once, *, after: int) -> None:
        self._fault = fault
        self._left = after

    def __call__(self, op: str, key: str) -> None:
        if (op, key) == ("upload", "files/a") and self._left:
            self._left -= 1
            return
        self._fault(op, key)


@pytest.mark.parametrize("take", TAKES)
def test_through_a_crash_at_every_request_no_version_is_lost(tmp_path: Path, take: Take) -> None:
    """Each crash is followed by what a user would do: look again, sync, settle."""
    for at in range(1, 60):
        memory, home = MemoryBucket(), tmp_path / str(at)
        ada, bob = pair_on(home, memory, a="base")
        bob.write("files/own", "the endpoint is proved")
        bob.push()
        plug = Plug(10_000)
        engine, _ = decided(ada, machine(home / "bob", memory, before=plug), take)
        plug.left = at
        with suppress(S3DashError):  # the lock may also be left behind after all is done
            engine.decided.undo("files/a")
        MemoryStore(memory).delete(".datastore.lock")
        dead = plug.left < 0
        engine.stop()
        found = {*data(lambda: MemoryStore(memory)).values(), *bob.files().values()}  # noqa: B023
        assert {b"ada's", b"bob"} <= found | {body for _, body in trash(bob)}, at
        bob.sync(policy="keep-both")
        bob.sync()
        assert bob.conflicts() == [], at
        found = {*data(lambda: MemoryStore(memory)).values(), *bob.files().values()}  # noqa: B023
        assert {b"ada's", b"bob"} <= found | {body for _, body in trash(bob)}, at
        if not dead:
            return
    raise AssertionError("it never came to its end")


class Stuck(Trash):
    """Drops nothing: the disk refuses, after the local version is back in its place."""

    def drop(self, id: str) -> None:
        raise LocalError("the disk refuses")


@pytest.mark.parametrize("take", ["local", "remote"])
def test_one_that_breaks_off_leaves_no_edit_that_a_push_would_send(
    tmp_path: Path, memory: MemoryBucket, take: Take
) -> None:
    ada, bob = pair_on(tmp_path, memory, a="base")
    engine, _ = decided(ada, bob, take)
    ctx = engine._ctx
    stuck = Stuck(ctx.settings.state_dir / "trash", ctx.clock)
    engine.decided._turn = lambda cancel, *, writes=False: nullcontext(replace(ctx, trash=stuck))
    with pytest.raises(LocalError, match="the disk refuses"):
        engine.decided.undo("files/a")
    engine.stop()
    assert bob.read("files/a") == b"bob"
    bob.push()
    assert data(lambda: MemoryStore(memory))["files/a"] == b"ada's"
