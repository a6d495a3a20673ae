"""Reliability scenarios 11 to 17: joining, losing the state, renaming."""

import pytest
from msgspec.structs import replace

from s3dash.objectstore.memory import MemoryStore
from tests.engine.conftest import Join
from tests.engine.ends import Store, all_have, aside, data
from tests.engine.test_scenarios_edits import pair
from tests.engine.world import Stores


def test_11_a_first_sync_of_two_full_sides_is_a_union_without_deletions(
    join: Join, store: Store
) -> None:
    ada, bob = join("ada"), join("bob")
    for name, mine, theirs in (("both", "same", "same"), ("clash", "ada", "bob")):
        ada.write(f"files/{name}", mine)
        bob.write(f"files/{name}", theirs)
    ada.write("files/ada", "a")
    bob.write("files/bob", "b")
    ada.push()
    result = bob.sync(policy="keep-both")
    assert (result.deleted_local, result.deleted_remote, result.conflicts) == (0, 0, [])
    ((name, body),) = aside(bob).items()
    assert body == b"bob"
    bob.sync()
    ada.sync()
    want = {"files/both": "same", "files/clash": "ada", "files/ada": "a", "files/bob": "b"}
    all_have(store, {**want, name: "bob"}, ada, bob)


def test_12_a_corrupt_state_is_moved_aside_and_the_sync_is_a_first_one(
    join: Join, store: Store
) -> None:
    ada, bob = pair(join, a="base", gone="x")
    for path in (bob.home / "state").glob("*.sqlite*"):
        path.write_bytes(b"no database")
    (ada.cache / "files/gone").unlink()
    ada.write("files/a", "edited")
    ada.push()
    result = bob.sync()
    assert (result.deleted_remote, result.deleted_local) == (0, 0)
    assert [c.path for c in result.conflicts] == ["files/a"]
    assert (bob.read("files/a"), data(store)["files/a"]) == (b"base", b"edited")
    assert bob.read("files/gone") == b"x"
    assert any("unusable" in row.text for row in bob.history())
    assert list((bob.home / "state").glob("*.corrupt-*"))


def test_13_a_renamed_directory_is_copied_on_the_server_outside_the_delete_guard(
    join: Join, store: Store
) -> None:
    ada, bob = join("ada"), join("bob")
    for n in range(20):
        ada.write(f"files/old/{n}", f"content of {n % 19}")  # two are alike
    ada.push()
    bob.pull()
    (ada.cache / "files/old").rename(ada.cache / "files/new")
    result = ada.push()
    assert (result.copied, result.pushed, result.bytes_up) == (20, 0, 0)
    assert (result.deleted_remote, result.commit_seq) == (20, 2)
    assert bob.pull().deleted_local == 20
    want = {f"files/new/{n}": f"content of {n % 19}" for n in range(20)}
    all_have(store, want, ada, bob)


@pytest.mark.parametrize("claimed", [True, False])
def test_13_a_rename_onto_a_name_that_somebody_took_overwrites_nothing(
    join: Join, store: Store, claimed: bool
) -> None:
    """Whether the name is claimed first, or the copy itself wants it free."""
    if claimed:
        without_conditional_copies(store)
    ada, bob = pair(join, a="content", b="other")
    (ada.cache / "files/a").rename(ada.cache / "files/c")
    store().put("files/c", b"somebody's, not yet in the index")
    result = ada.push()
    assert ([c.path for c in result.conflicts], result.copied) == (["files/c"], 0)
    assert data(store)["files/c"] == b"somebody's, not yet in the index"
    assert ada.read("files/c") == b"content"
    store().delete("files/c")
    ada.push()
    bob.pull()
    all_have(store, {"files/b": "other", "files/c": "content", "files/stay": "stay"}, ada, bob)


def without_conditional_copies(store: Store) -> None:
    if isinstance(store, Stores):
        store.proved = replace(store.proved, copies=False)
    else:
        memory = store()
        assert isinstance(memory, MemoryStore)
        memory.bucket.heeds_copies = False


def test_13_a_rename_and_an_edit_is_an_upload(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="content", b="other")
    (ada.cache / "files/a").rename(ada.cache / "files/c")
    ada.write("files/c", "edited!")
    result = ada.push()
    assert (result.copied, result.pushed) == (0, 1)
    bob.pull()
    all_have(store, {"files/b": "other", "files/c": "edited!", "files/stay": "stay"}, ada, bob)


def test_14_a_rename_here_and_an_edit_there_keep_both_contents(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="base")
    (ada.cache / "files/a").rename(ada.cache / "files/b")
    bob.write("files/a", "edited")
    bob.push()
    ada.sync()
    bob.sync()
    want = {"files/a": "edited", "files/b": "base", "files/stay": "stay"}
    all_have(store, want, ada, bob)


def test_15_two_files_that_are_renamed_to_one_name_are_both_kept(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="from a", b="from b")
    (ada.cache / "files/a").rename(ada.cache / "files/c")
    (bob.cache / "files/b").rename(bob.cache / "files/c")
    ada.sync()
    bob.sync(policy="keep-both")
    ((name, body),) = aside(bob).items()
    assert body == b"from b"
    bob.sync()
    ada.sync()
    all_have(store, {"files/c": "from a", name: "from b", "files/stay": "stay"}, ada, bob)


def test_16_two_files_that_swap_names_arrive_swapped(join: Join, store: Store) -> None:
    ada, bob = pair(join, a="aaaa", b="bbbb")
    folder = ada.cache / "files"
    (folder / "a").rename(folder / "x")
    (folder / "b").rename(folder / "a")
    (folder / "x").rename(folder / "b")
    ada.sync()
    bob.sync()
    all_have(store, {"files/a": "bbbb", "files/b": "aaaa", "files/stay": "stay"}, ada, bob)


def test_17_a_rename_that_changes_only_the_case_is_a_rename(join: Join, store: Store) -> None:
    ada, bob = pair(join, readme="text")
    (ada.cache / "files/readme").rename(ada.cache / "files/README")
    ada.sync()
    bob.sync()
    all_have(store, {"files/README": "text", "files/stay": "stay"}, ada, bob)
