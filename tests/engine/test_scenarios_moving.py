"""Reliability scenarios 28 to 32, 45 and 50: bytes on their way.

Requests are raced and refused by hooks, on both stores.
"""

from contextlib import suppress
from pathlib import Path

import pytest

from s3dash.errors import AccessDenied, Throttled
from tests.engine.ends import STAY, Store, all_have, aside, base, data, entries, journal, trash
from tests.engine.faults import Once, machine
from tests.engine.storm import FastClock
from tests.engine.world import Machine, contents, digest


def test_28_an_object_that_is_not_what_its_entry_says_is_not_installed(
    world: tuple[Machine, Machine], store: Store
) -> None:
    ada, bob = world
    ada.write("files/a", "good")
    ada.write("files/b", "fine")
    ada.push()
    store().put("files/a", b"evil")
    result = bob.pull()
    assert [b.path for b in result.blocked] == ["files/a"]
    assert "in flight" in result.blocked[0].reason
    assert bob.files() == {"files/a": b"base", "files/b": b"fine", "files/stay": b"stay"}
    assert base(bob)["files/a"] == digest(b"base")
    assert trash(bob) == []
    store().put("files/a", b"good")
    bob.pull()
    all_have(store, {"files/a": "good", "files/b": "fine", **STAY}, ada, bob)


def test_28_what_is_far_larger_than_its_entry_says_is_not_read_to_its_end(
    world: tuple[Machine, Machine], store: Store
) -> None:
    ada, bob = world
    ada.write("files/new", "good")
    ada.push()
    store().put("files/new", bytes(5 << 20))
    engine = bob.engine()
    try:
        result = engine.pull()
        assert engine.snapshot().progress.bytes_down < 1 << 20
    finally:
        engine.stop()
    assert [b.path for b in result.blocked] == ["files/new"]
    assert "in flight" in result.blocked[0].reason
    assert "files/new" not in bob.files()


def test_29_a_file_that_changes_during_its_upload_is_committed_as_it_is_at_the_end(
    world: tuple[Machine, Machine], store: Store, tmp_path: Path
) -> None:
    ada, bob = world
    ada.write("files/a", "first")
    change = Once("sending", "files/a", lambda: ada.write("files/a", "second, longer"))
    result = machine(tmp_path / "ada", store, before=change).push()
    assert (change.done, result.pushed, result.failed) == (True, 1, [])
    bob.pull()
    all_have(store, {"files/a": "second, longer", **STAY}, ada, bob)


def test_29_somebody_elses_object_is_never_overwritten(
    world: tuple[Machine, Machine], store: Store
) -> None:
    ada, _ = world
    store().put("files/a", b"theirs, not yet in the index")
    ada.write("files/a", "mine")
    result = ada.push()
    assert ([c.path for c in result.conflicts], result.pushed) == (["files/a"], 0)
    assert data(store)["files/a"] == b"theirs, not yet in the index"
    assert entries(store)["files/a"] == digest(b"base")
    assert ada.read("files/a") == b"mine"


def test_30_a_local_edit_during_the_download_stays_and_becomes_a_conflict(
    world: tuple[Machine, Machine], store: Store, tmp_path: Path
) -> None:
    ada, bob = world
    ada.write("files/a", "from ada")
    ada.push()
    edit = Once("download", "files/a", lambda: bob.write("files/a", "from bob"))
    racing = machine(tmp_path / "bob", store, before=edit)
    result = racing.pull()
    assert (edit.done, [b.path for b in result.blocked]) == (True, ["files/a"])
    assert bob.read("files/a") == b"from bob"
    assert base(bob)["files/a"] == digest(b"base")
    assert [c.path for c in bob.sync().conflicts] == ["files/a"]
    bob.sync(policy="keep-both")
    ((name, body),) = aside(bob).items()
    assert body == b"from bob"
    bob.sync()
    ada.sync()
    want = {"files/a": "from ada", name: "from bob", **STAY}
    all_have(store, want, ada, bob)


def test_31_an_object_that_is_replaced_during_the_download_is_fetched_anew(
    world: tuple[Machine, Machine], store: Store, tmp_path: Path
) -> None:
    ada, bob = world
    ada.write("files/a", "second")
    ada.push()

    def replace() -> None:
        ada.write("files/a", "third, longer")
        ada.push()

    racing = machine(tmp_path / "bob", store, before=Once("download", "files/a", replace))
    result = racing.pull()
    assert [b.path for b in result.blocked] == ["files/a"]
    assert bob.read("files/a") == b"base"
    assert bob.pull().pulled == 1
    all_have(store, {"files/a": "third, longer", **STAY}, ada, bob)


def test_32_a_file_that_always_changes_is_told_and_holds_nothing_up(
    world: tuple[Machine, Machine], store: Store, tmp_path: Path
) -> None:
    ada, bob = world
    ada.write("files/a", "0")
    ada.write("files/b", "fine")
    (ada.cache / "files/stay").unlink()
    writes = iter(range(1, 1000))

    def change(op: str, key: str) -> None:
        if (op, key) == ("sending", "files/a"):
            ada.write("files/a", "x" * next(writes))

    hurried = machine(tmp_path / "ada", store, before=change, clock=FastClock())
    result = hurried.push()
    assert ([f.path for f in result.failed], result.pushed) == (["files/a"], 1)
    assert result.deleted_remote == 0  # after a failure deletions wait
    assert next(writes) <= 6
    assert entries(store)["files/a"] == digest(b"base")
    assert ada.push().pushed == 1
    bob.pull()
    want: dict[str, bytes | str] = {"files/a": ada.read("files/a"), "files/b": "fine"}
    all_have(store, want, ada, bob)


def test_45_throttling_backs_off_and_goes_on(
    world: tuple[Machine, Machine], store: Store, tmp_path: Path
) -> None:
    ada, bob = world
    ada.write("files/a", "edited")
    storm = iter([True])

    def throttle(op: str, key: str) -> None:
        if op in ("upload", "download") and next(storm, False):
            raise Throttled("SlowDown")

    result = machine(tmp_path / "ada", store, before=throttle, clock=FastClock()).push()
    assert (result.pushed, result.failed) == (1, [])
    storm = iter([True])
    assert machine(tmp_path / "bob", store, before=throttle, clock=FastClock()).pull().pulled == 1
    all_have(store, {"files/a": "edited", **STAY}, ada, bob)


def test_45_expired_credentials_stop_cleanly_and_the_next_push_resumes(
    world: tuple[Machine, Machine], store: Store, tmp_path: Path
) -> None:
    ada, bob = world
    ada.write("files/a", "edited")
    ada.write("files/b", "new")

    def expire(op: str, key: str) -> None:
        if op == "put" and key.startswith("_index/"):
            raise AccessDenied("the token has expired")

    with pytest.raises(AccessDenied):
        machine(tmp_path / "ada", store, before=expire).push()
    assert sorted(journal(ada)) == ["files/a", "files/b"]
    assert base(ada)["files/a"] == digest(b"base")
    assert ".datastore.lock" not in contents(store())
    assert [b.path for b in bob.pull().blocked] == []
    assert ada.push().pushed == 2
    bob.pull()
    want = {"files/a": "edited", "files/b": "new", **STAY}
    all_have(store, want, ada, bob)


def test_50_a_crash_between_the_installs_and_the_state_costs_a_second_look(
    world: tuple[Machine, Machine], store: Store
) -> None:
    """The state as it was before the pull, with the files as they were after it."""
    ada, bob = world
    ada.write("files/a", "edited")
    ada.write("files/new", "new")
    ada.push()
    state = bob.home / "state"
    kept = {p: p.read_bytes() for p in state.glob("*.sqlite*")}
    bob.pull()
    for path in state.glob("*.sqlite*"):
        path.unlink()
    for path, body in kept.items():
        path.write_bytes(body)
    result = bob.sync()
    assert (result.pulled, result.pushed, result.conflicts) == (0, 0, [])
    want = {"files/a": "edited", "files/new": "new", **STAY}
    all_have(store, want, ada, bob)


def test_50_a_crash_before_the_install_leaves_the_old_file(
    world: tuple[Machine, Machine], store: Store, tmp_path: Path
) -> None:
    ada, bob = world
    ada.write("files/a", "edited")
    ada.push()

    def crash() -> None:
        raise KeyboardInterrupt

    with suppress(KeyboardInterrupt):
        machine(tmp_path / "bob", store, after=Once("download", "files/a", crash)).pull()
    assert bob.read("files/a") == b"base"
    assert base(bob)["files/a"] == digest(b"base")
    bob.pull()
    all_have(store, {"files/a": "edited", **STAY}, ada, bob)
