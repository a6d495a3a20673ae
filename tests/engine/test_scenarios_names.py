"""Reliability scenarios 18 to 20, 34 and 36 to 39: what a name or a disk cannot take."""

import json
import os
import socket
from pathlib import Path

import pytest

from tests.engine.conftest import Join
from tests.engine.ends import Store, all_have, base, data, entries, trash
from tests.engine.test_scenarios_edits import pair
from tests.engine.world import contents, digest


def test_18_a_file_becomes_a_directory_while_the_file_is_edited_there(
    join: Join, store: Store
) -> None:
    """The edit wins over the deletion, but both cannot be on one disk: one waits, none is lost."""
    ada, bob = pair(join, d="base")
    (ada.cache / "files/d").unlink()
    ada.write("files/d/x", "inside")
    bob.write("files/d", "edited")
    bob.push()
    result = ada.sync()
    assert [b.path for b in result.blocked] == ["files/d"]
    want = {"files/d": b"edited", "files/d/x": b"inside", "files/stay": b"stay"}
    assert data(store) == want
    assert entries(store) == {rel: digest(body) for rel, body in want.items()}
    assert ada.files() == {"files/d/x": b"inside", "files/stay": b"stay"}
    blocked = bob.sync().blocked
    assert [b.path for b in blocked] == ["files/d/x"]
    assert bob.files() == {"files/d": b"edited", "files/stay": b"stay"}
    assert data(store) == want


def test_18_a_file_that_became_a_directory_arrives_in_one_pull(join: Join, store: Store) -> None:
    ada, bob = pair(join, d="base")
    (ada.cache / "files/d").unlink()
    ada.write("files/d/x", "inside")
    ada.sync()
    result = bob.pull()
    assert (result.pulled, result.deleted_local, result.blocked) == (1, 1, [])
    all_have(store, {"files/d/x": "inside", "files/stay": "stay"}, ada, bob)
    assert trash(bob) == [("files/d", b"base")]


@pytest.mark.parametrize("store", ["memory"], indirect=True)
def test_19_a_directory_becomes_a_file_while_another_file_is_added_inside(
    join: Join, store: Store
) -> None:
    """In memory: SeaweedFS has directories of its own and takes no file in the place of one."""
    ada, bob = join("ada"), join("bob")
    ada.write("files/d/x", "inside")
    ada.write("files/stay", "stay")
    ada.push()
    bob.pull()
    (ada.cache / "files/d/x").unlink()
    (ada.cache / "files/d").rmdir()
    ada.write("files/d", "file")
    bob.write("files/d/new", "added")
    bob.push()
    assert [b.path for b in ada.sync().blocked] == ["files/d/new"]
    want = {"files/d": b"file", "files/d/new": b"added", "files/stay": b"stay"}
    assert data(store) == want
    assert [b.path for b in bob.sync().blocked] == ["files/d"]
    assert bob.files() == {"files/d/new": b"added", "files/stay": b"stay"}
    assert data(store) == want
    assert trash(bob) == [("files/d/x", b"inside")]


@pytest.mark.parametrize("store", ["memory"], indirect=True)
def test_19_a_directory_that_became_a_file_arrives_in_one_pull(join: Join, store: Store) -> None:
    """In memory, for the same reason."""
    ada, bob = join("ada"), join("bob")
    ada.write("files/d/x", "inside")
    ada.write("files/stay", "stay")
    ada.push()
    bob.pull()
    (bob.cache / "files/d/empty/deep").mkdir(parents=True)
    (ada.cache / "files/d/x").unlink()
    (ada.cache / "files/d").rmdir()
    ada.write("files/d", "file")
    ada.sync()
    assert bob.pull().blocked == []
    all_have(store, {"files/d": "file", "files/stay": "stay"}, ada, bob)


def test_20_of_a_file_and_a_directory_of_one_name_one_is_blocked_and_none_deleted(
    join: Join, store: Store
) -> None:
    ada, bob, cyn = join("ada"), join("bob"), join("cyn")
    ada.write("files/d", "file")
    bob.write("files/d/x", "inside")
    ada.push()
    bob.push()
    for _ in range(2):
        result = cyn.sync()
        assert len(result.blocked) == 1
        assert (result.deleted_remote, result.pushed) == (0, 0)
    assert len(cyn.files()) == 1
    for machine in (ada, bob):
        machine.sync()
    assert data(store) == {"files/d": b"file", "files/d/x": b"inside"}
    assert set(entries(store)) == {"files/d", "files/d/x"}


def test_34_composed_and_decomposed_names_are_two_files(join: Join, store: Store) -> None:
    """On a disk that keeps the bytes of a name, as the bucket does."""
    ada, bob = join("ada"), join("bob")
    ada.write("files/\u00e9", "composed")
    ada.write("files/e\u0301", "decomposed")
    ada.push()
    bob.pull()
    all_have(store, {"files/\u00e9": "composed", "files/e\u0301": "decomposed"}, ada, bob)


def test_36_symlinks_are_never_followed_on_push_nor_written_through_on_pull(
    join: Join, store: Store, tmp_path: Path
) -> None:
    ada, bob = pair(join, a="base", b="base")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    (ada.cache / "files/link").symlink_to(outside / "secret")
    (ada.cache / "files/dir").symlink_to(outside)
    assert {b.path for b in ada.push().blocked} == {"files/link", "files/dir"}
    (ada.cache / "files/a").unlink()
    (ada.cache / "files/a").symlink_to(outside / "secret")
    assert ada.push().deleted_remote == 0
    bob.write("files/a", "through")
    bob.write("files/dir/x", "through")
    bob.push()
    result = ada.pull()
    assert {"files/a", "files/dir"} <= {b.path for b in result.blocked}
    assert (outside / "secret").read_text() == "secret"
    assert sorted(p.name for p in outside.iterdir()) == ["secret"]
    assert (ada.cache / "files/a").is_symlink()


def test_37_what_is_no_regular_file_is_told_and_is_no_deletion(join: Join, store: Store) -> None:
    ada, _ = pair(join, a="base", b="base")
    before = contents(store())
    for name in ("a", "b"):
        (ada.cache / "files" / name).unlink()
    os.mkfifo(ada.cache / "files/a")
    with socket.socket(socket.AF_UNIX) as server:
        here = Path.cwd()
        os.chdir(ada.cache / "files")  # the path of a socket is short
        try:
            server.bind("b")
        finally:
            os.chdir(here)
        result = ada.sync()
    reasons = {b.path: b.reason for b in result.blocked}
    assert reasons == {"files/a": "FIFO", "files/b": "socket"}
    assert (result.deleted_remote, result.failed) == (0, [])
    assert contents(store()) == before
    assert set(base(ada)) == {"files/a", "files/b", "files/stay"}


@pytest.mark.parametrize(
    "rel", ["../out", "files/../../out", "/out", "files/a\x00b", "files/a\nb", "files/" + "x" * 256]
)
def test_38_an_entry_that_tries_to_escape_is_blocked_and_left_in_the_bucket(
    join: Join, store: Store, rel: str, tmp_path: Path
) -> None:
    entry = {"key": rel, "size": 1, "lastModified": "2026-01-01T00:00:00.000Z"}
    good = {"key": "files/good", "size": 1, "lastModified": "2026-01-01T00:00:00.000Z"}
    shard = json.dumps({"version": 1, "entries": {rel: entry, "files/good": good}})
    store().put("files/good", b"g")
    store().put("_index/files.json", shard.encode())
    store().put("_index/_meta.json", b'{"version":2,"partitions":["files"],"commitSeq":1}')
    ada = join("ada")
    result = ada.pull()
    assert ([b.path for b in result.blocked], result.pulled) == ([rel], 1)
    assert ada.files() == {"files/good": b"g"}
    assert not list(tmp_path.rglob("out"))
    ada.write("files/mine", "m")
    ada.push()
    assert rel in entries(store)


def test_39_empty_files_travel_and_directory_markers_are_left_alone(
    join: Join, store: Store
) -> None:
    ada, bob = join("ada"), join("bob")
    ada.write("files/empty", "")
    ada.write("files/stay", "stay")
    ada.push()
    store().put("files/marker/", b"")
    assert bob.sync().pulled == 2
    assert bob.files() == ada.files() == {"files/empty": b"", "files/stay": b"stay"}
    (ada.cache / "files/empty").unlink()
    ada.push()
    bob.pull()
    assert bob.files() == {"files/stay": b"stay"}
    assert set(data(store)) == {"files/marker/", "files/stay"}
