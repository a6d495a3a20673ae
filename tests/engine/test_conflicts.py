"""Choosing between the two versions of a path: what is taken counts, what is not stays readable."""

from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.core.report import ConflictInfo
from s3dash.core.settings import Take
from s3dash.errors import CacheBusy, CommitConflict, Integrity, S3DashError, UsageError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.conftest import Join
from tests.engine.ends import Store, all_have, aside, base, data, trash
from tests.engine.faults import Once, Plug, machine
from tests.engine.faults import pair as pair_on
from tests.engine.test_scenarios_edits import pair
from tests.engine.world import Machine, digest


def clash(join: Join) -> tuple[Machine, Machine, ConflictInfo]:
    """Ada has pushed her edit of `files/a`, Bob has one of his own."""
    ada, bob = pair(join, a="base")
    ada.write("files/a", "ada's")
    ada.push()
    bob.write("files/a", "bob")
    (conflict,) = bob.conflicts()
    return ada, bob, conflict


def test_both_versions_are_told_and_nothing_moves(join: Join, store: Store) -> None:
    _, bob, conflict = clash(join)
    assert conflict.path == "files/a"
    told = [conflict.base, conflict.local, conflict.remote]
    assert [v.sha256 for v in told if v] == [digest(b) for b in (b"base", b"bob", b"ada's")]
    assert (bob.read("files/a"), data(store)["files/a"]) == (b"bob", b"ada's")


def test_taking_local_brings_the_other_version_into_the_trash_first(
    join: Join, store: Store
) -> None:
    ada, bob, conflict = clash(join)
    result = bob.resolve("files/a", take="local", shown=conflict)
    assert (result.pushed, result.conflicts, result.exit_code) == (1, [], 0)
    assert trash(bob) == [("files/a", b"ada's")]
    assert bob.conflicts() == []
    ada.sync()
    all_have(store, {"files/a": "bob", "files/stay": "stay"}, ada, bob)


def test_taking_remote_keeps_the_local_version_in_the_trash(join: Join, store: Store) -> None:
    ada, bob, conflict = clash(join)
    result = bob.resolve("files/a", take="remote", shown=conflict)
    assert (result.pulled, result.conflicts) == (1, [])
    (item,) = bob.trash()
    assert (item.path, item.sha256, item.expires) == ("files/a", digest(b"bob"), False)
    assert trash(bob) == [("files/a", b"bob")]
    all_have(store, {"files/a": "ada's", "files/stay": "stay"}, ada, bob)


def test_taking_both_leaves_the_name_to_the_bucket(join: Join, store: Store) -> None:
    ada, bob, conflict = clash(join)
    result = bob.resolve("files/a", take="both", shown=conflict)
    assert (result.pulled, result.conflicts) == (1, [])
    ((name, body),) = aside(bob).items()
    assert body == b"bob"
    assert name.startswith("files/a.conflict-")
    assert trash(bob) == []
    bob.sync()
    ada.sync()
    all_have(store, {"files/a": "ada's", name: "bob", "files/stay": "stay"}, ada, bob)


@pytest.mark.parametrize("take", ["local", "remote", "both"])
def test_only_that_path_moves(join: Join, store: Store, take: Take) -> None:
    """Not another conflict, not another edit, not what lies below a name of the same beginning."""
    ada, bob = pair(join, a="base", b="base")
    for rel in ("files/a", "files/b"):
        ada.write(rel, "ada's")
        bob.write(rel, "bob")
    bob.write("files/new", "new")
    ada.push()
    bob.resolve("files/a", take=take)
    assert [c.path for c in bob.conflicts()] == ["files/b"]
    assert (bob.read("files/b"), data(store)["files/b"]) == (b"bob", b"ada's")
    assert "files/new" not in data(store)
    assert base(bob)["files/b"] == digest(b"base")


@pytest.mark.parametrize("take", ["local", "remote", "both"])
def test_a_conflict_between_two_new_files_is_settled_the_same_way(
    join: Join, store: Store, take: Take
) -> None:
    ada, bob = pair(join)
    ada.write("files/new", "ada's")
    ada.push()
    bob.write("files/new", "bob")
    bob.resolve("files/new", take=take)
    assert bob.conflicts() == []
    readable = {*data(store).values(), *bob.files().values(), *(body for _, body in trash(bob))}
    assert {b"ada's", b"bob"} <= readable


# --- never blindly -------------------------------------------------------------------------


def other_local(ada: Machine, bob: Machine) -> None:
    del ada
    bob.write("files/a", "bob again")


def other_remote(ada: Machine, bob: Machine) -> None:
    del bob
    ada.write("files/a", "ada again")
    ada.push()


@pytest.mark.parametrize("take", ["local", "remote", "both"])
@pytest.mark.parametrize("meanwhile", [other_local, other_remote])
def test_a_side_that_changed_since_it_was_shown_is_not_decided(
    join: Join, store: Store, take: Take, meanwhile: Callable[[Machine, Machine], None]
) -> None:
    ada, bob, conflict = clash(join)
    meanwhile(ada, bob)
    here, there = bob.files(), data(store)
    with pytest.raises(CommitConflict, match="changed since you saw it"):
        bob.resolve("files/a", take=take, shown=conflict)
    assert (bob.files(), data(store), trash(bob)) == (here, there, [])
    bob.resolve("files/a", take=take, shown=bob.conflicts()[0])
    assert bob.conflicts() == []


def test_what_is_no_conflict_is_said_and_left_alone(join: Join, store: Store) -> None:
    ada, bob, _ = clash(join)
    bob.resolve("files/a", take="remote")
    for path in ("files/a", "files/stay", "files", "nothing", "../a"):
        with pytest.raises(UsageError, match="not in conflict"):
            bob.resolve(path, take="local")
    all_have(store, {"files/a": "ada's", "files/stay": "stay"}, ada, bob)


def test_an_edit_in_the_bucket_during_the_upload_is_not_overwritten(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """The user decided between two versions; a third one comes while it is carried out."""
    ada, bob = pair_on(tmp_path, memory, a="base")
    ada.write("files/a", "ada's")
    ada.push()
    bob.write("files/a", "bob")

    def third() -> None:
        ada.write("files/a", "third")
        ada.push()

    late = machine(tmp_path / "bob", memory, before=Once("upload", "files/a", third))
    result = late.resolve("files/a", take="local")
    assert [c.path for c in result.conflicts] == ["files/a"]
    assert data(lambda: MemoryStore(memory))["files/a"] == b"third"
    assert bob.read("files/a") == b"bob"
    assert len(bob.conflicts()) == 1


def test_a_local_edit_during_the_download_is_not_overwritten(
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
    result = late.resolve("files/a", take="remote")
    assert [b.path for b in result.blocked] == ["files/a"]
    assert bob.read("files/a") == b"bob, later"
    assert len(bob.conflicts()) == 1


def test_after_a_crash_in_the_middle_of_taking_local_the_other_side_is_not_taken(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """The object is ours already, its old bytes are in the trash alone: say so, and end it."""
    ada, bob = pair_on(tmp_path, memory, a="base")
    ada.write("files/a", "ada's")
    ada.push()
    bob.write("files/a", "bob")
    dying = machine(tmp_path / "bob", memory, before=Once("put", ".datastore.lock", _die))
    with pytest.raises(Integrity):
        dying.resolve("files/a", take="local")
    assert data(lambda: MemoryStore(memory))["files/a"] == b"bob"
    assert trash(bob) == [("files/a", b"ada's")]
    for take in ("remote", "both"):
        with pytest.raises(CommitConflict, match="interrupted"):
            bob.resolve("files/a", take=take)
    bob.push(["files/a"])
    ada.sync()
    all_have(lambda: MemoryStore(memory), {"files/a": "bob"}, ada, bob)


def _die() -> None:
    raise Integrity("the plug was pulled")


@pytest.mark.parametrize("take", ["local", "remote", "both"])
def test_through_a_crash_at_every_request_no_version_is_lost(tmp_path: Path, take: Take) -> None:
    """Each crash is followed by what a user would do: look again, choose again, sync."""
    for at in range(1, 40):
        memory, home = MemoryBucket(), tmp_path / str(at)
        ada, bob = pair_on(home, memory, a="base")
        bob.write("files/own", "the endpoint is proved")
        bob.push()
        ada.write("files/a", "ada's")
        ada.push()
        bob.write("files/a", "bob")
        plug = Plug(at)
        dying = machine(home / "bob", memory, before=plug)
        try:
            dying.resolve("files/a", take=take)
        except S3DashError:
            MemoryStore(memory).delete(".datastore.lock")
        found = {*data(lambda: MemoryStore(memory)).values(), *bob.files().values()}  # noqa: B023
        assert {b"ada's", b"bob"} <= found | {body for _, body in trash(bob)}, at
        bob.sync(policy="keep-both")
        bob.sync()
        assert bob.conflicts() == [], at
        if plug.left >= 0:
            return
    raise AssertionError("it never came to its end")


def test_a_second_process_sees_but_does_not_decide(tmp_path: Path, memory: MemoryBucket) -> None:
    ada, bob = pair_on(tmp_path, memory, a="base")
    ada.write("files/a", "ada's")
    ada.push()
    bob.write("files/a", "bob")
    first, second = bob.engine(), bob.engine()
    try:
        assert [c.path for c in second.conflicts()] == ["files/a"]
        with pytest.raises(CacheBusy):
            second.resolve("files/a", take="local")
    finally:
        second.stop()
        first.stop()


# --- a deletion is no conflict, but must not take along what nobody here saw ------------------


def test_a_version_that_the_deleter_never_saw_stays(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    ada.write("files/a", "newer")
    ada.push()
    (bob.cache / "files/a").unlink()
    bob.push()
    assert data(store)["files/a"] == b"newer"
    bob.sync()
    all_have(store, {"files/a": "newer", "files/stay": "stay"}, ada, bob)


def test_a_version_that_came_after_the_look_stays(tmp_path: Path, memory: MemoryBucket) -> None:
    ada, bob = pair_on(tmp_path, memory, a="base", stay="stay", more="more")

    def newer() -> None:
        ada.write("files/a", "newer")
        ada.push()

    (bob.cache / "files/a").unlink()
    late = machine(tmp_path / "bob", memory, before=Once("put", ".datastore.lock", newer))
    late.push()
    assert data(lambda: MemoryStore(memory))["files/a"] == b"newer"
    bob.sync()
    assert bob.read("files/a") == b"newer"
