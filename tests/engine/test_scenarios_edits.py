"""Reliability scenarios 1 to 10: who changed what, on memory and on SeaweedFS."""

from tests.engine.conftest import Join
from tests.engine.ends import Store, all_have, aside, base, commit_seq, data, entries, trash
from tests.engine.world import Machine, digest


def pair(join: Join, **files: str) -> tuple[Machine, Machine]:
    """Two machines in sync on `files/<name>`, and one file that nobody touches."""
    ada, bob = join("ada"), join("bob")
    for name, text in {**files, "stay": "stay"}.items():
        ada.write(f"files/{name}", text)
    ada.push()
    bob.pull()
    return ada, bob


def test_01_a_local_edit_replaces_the_object_and_its_entry(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    ada.write("files/a", "edited")
    result = ada.push()
    assert (result.pushed, result.commit_seq, result.bytes_up) == (1, 2, 6)
    bob.pull()
    all_have(store, {"files/a": "edited", "files/stay": "stay"}, ada, bob)


def test_01_a_local_edit_never_replaces_another_version_than_base(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    ada.write("files/a", "ada")
    ada.push()
    bob.write("files/a", "bob")
    assert [c.path for c in bob.push().conflicts] == ["files/a"]
    assert data(store)["files/a"] == b"ada"
    assert entries(store)["files/a"] == digest(b"ada")
    assert bob.read("files/a") == b"bob"
    assert base(bob)["files/a"] == digest(b"base")


def test_02_a_remote_edit_is_installed_and_the_old_file_goes_to_the_trash(
    join: Join, store: Store
) -> None:
    ada, bob = pair(join, a="base")
    ada.write("files/a", "edited")
    ada.push()
    assert bob.pull().pulled == 1
    all_have(store, {"files/a": "edited", "files/stay": "stay"}, ada, bob)
    assert trash(bob) == [("files/a", b"base")]
    assert [p.name for p in (bob.cache / "files").iterdir()] != []


def test_03_both_edit_with_keep_both_and_both_names_reach_everybody(
    join: Join, store: Store
) -> None:
    ada, bob = pair(join, a="base")
    ada.write("files/a", "ada")
    bob.write("files/a", "bob")
    ada.push()
    assert bob.sync(policy="keep-both").conflicts == []
    ((name, body),) = aside(bob).items()
    assert body == b"bob"
    assert name.startswith("files/a.conflict-")
    assert name.endswith(digest(b"bob")[:8])
    bob.sync()
    ada.sync()
    all_have(store, {"files/a": "ada", name: "bob", "files/stay": "stay"}, ada, bob)


def test_03_both_edit_and_the_user_is_asked(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    ada.write("files/a", "ada")
    bob.write("files/a", "bob")
    ada.push()
    result = bob.sync(policy="ask")
    assert [(c.path, c.local.sha256, c.remote.sha256) for c in result.conflicts] == [
        ("files/a", digest(b"bob"), digest(b"ada"))
    ]
    assert (bob.read("files/a"), data(store)["files/a"]) == (b"bob", b"ada")
    assert base(bob)["files/a"] == digest(b"base")
    assert trash(bob) == []


def test_04_the_same_edit_on_both_sides_moves_no_bytes(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    ada.write("files/a", "same")
    bob.write("files/a", "same")
    ada.push()
    result = bob.sync()
    assert (result.pushed, result.pulled, result.bytes_down, result.conflicts) == (0, 0, 0, [])
    assert commit_seq(store) == 2
    all_have(store, {"files/a": "same", "files/stay": "stay"}, ada, bob)


def test_05_both_create_a_path(join: Join, store: Store) -> None:
    ada, bob = pair(join)
    ada.write("files/new", "ada")
    bob.write("files/new", "bob")
    ada.push()
    assert [c.path for c in bob.push().conflicts] == ["files/new"]
    assert data(store)["files/new"] == b"ada"
    bob.sync(policy="keep-both")
    ((name, _),) = aside(bob).items()
    bob.sync()
    ada.sync()
    all_have(store, {"files/new": "ada", name: "bob", "files/stay": "stay"}, ada, bob)


def test_06_a_local_deletion_removes_entry_and_object_with_a_tombstone(
    join: Join, store: Store
) -> None:
    ada, bob = pair(join, a="base")
    (ada.cache / "files/a").unlink()
    result = ada.push()
    assert (result.deleted_remote, result.commit_seq) == (1, 2)
    bob.pull()
    all_have(store, {"files/stay": "stay"}, ada, bob)
    assert trash(bob) == [("files/a", b"base")]


def test_06_a_local_deletion_never_takes_another_version_along(join: Join, store: Store) -> None:
    ada, _ = pair(join, a="base")
    (ada.cache / "files/a").unlink()
    store().put("files/a", b"somebody's, not yet in the index")
    assert ada.push().deleted_remote == 1
    assert data(store)["files/a"] == b"somebody's, not yet in the index"
    assert entries(store) == {"files/stay": digest(b"stay")}


def test_07_a_remote_deletion_moves_the_local_file_to_the_trash(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    (ada.cache / "files/a").unlink()
    ada.push()
    assert bob.pull().deleted_local == 1
    all_have(store, {"files/stay": "stay"}, ada, bob)
    assert trash(bob) == [("files/a", b"base")]


def test_08_a_local_edit_wins_over_a_remote_deletion(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    (ada.cache / "files/a").unlink()
    ada.push()
    bob.write("files/a", "edited")
    result = bob.sync()
    assert (result.pushed, result.deleted_local, result.conflicts) == (1, 0, [])
    ada.sync()
    all_have(store, {"files/a": "edited", "files/stay": "stay"}, ada, bob)


def test_09_a_remote_edit_wins_over_a_local_deletion(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    ada.write("files/a", "edited")
    ada.push()
    (bob.cache / "files/a").unlink()
    result = bob.sync()
    assert (result.pulled, result.deleted_remote, result.conflicts) == (1, 0, [])
    all_have(store, {"files/a": "edited", "files/stay": "stay"}, ada, bob)


def test_10_a_path_that_both_deleted_is_forgotten(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    for machine in (ada, bob):
        (machine.cache / "files/a").unlink()
    ada.push()
    result = bob.sync()
    assert (result.deleted_remote, result.deleted_local, commit_seq(store)) == (0, 0, 2)
    all_have(store, {"files/stay": "stay"}, ada, bob)


def test_10_an_object_that_a_deletion_on_both_sides_left_behind_goes_too(
    join: Join, store: Store
) -> None:
    """A plain peer lost the entry, the user deleted the file: the name must be free again."""
    ada, bob = pair(join, a="base")
    store().put("_index/files.json", b'{"version":1,"entries":{}}')
    (ada.cache / "files/a").unlink()
    ada.sync()
    assert "files/a" not in data(store)
    bob.write("files/a", "again")
    bob.sync()
    ada.sync()
    all_have(store, {"files/a": "again", "files/stay": "stay"}, ada, bob)
