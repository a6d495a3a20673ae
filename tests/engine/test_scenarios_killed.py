"""Reliability scenario 49: what a killed push had done is ours, and no conflict with ourselves."""

import shutil
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from s3dash.errors import AccessDenied, Integrity, NotFound
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from tests.engine.ends import all_have
from tests.engine.faults import Once, machine, pair
from tests.engine.world import Machine

LOCK = ".datastore.lock"
At = tuple[str, str]


def killed(
    ada: Machine, memory: MemoryBucket, *, after: At | None = None, before: At | None = None
) -> Machine:
    """Ada as kill -9 leaves her in a push, at this request: nothing is unwound."""
    image = ada.home.with_name(ada.home.name + " again")

    def kill() -> None:
        shutil.copytree(ada.home, image)
        raise KeyboardInterrupt

    hook = Once(*(after or before or ("", "")), kill)
    first, then = (refusing, hook) if after else (hook, None)
    with suppress(KeyboardInterrupt):
        machine(ada.home, memory, before=first, after=then).push()
    assert hook.done
    with suppress(NotFound):
        MemoryStore(memory).delete(LOCK)
    return machine(image, memory)


def refusing(op: str, key: str) -> None:
    if (op, key) == ("copy", "files/moved"):
        raise AccessDenied("no copy")


def losing(key: str) -> Hook:
    """Its upload arrives, and is told to have failed."""

    def lose(op: str, at: str) -> None:
        if (op, at) == ("upload", key):
            raise Integrity("the answer was no good")

    return lose


def is_settled_by_a_sync(memory: MemoryBucket, last: Machine, bob: Machine, **files: str) -> None:
    """Without a conflict; then all have this."""
    result = last.sync(max_delete=2)
    assert (result.conflicts, result.blocked, result.failed) == ([], [], [])
    bob.sync(max_delete=2)
    want: dict[str, bytes | str] = {f"files/{name}": text for name, text in files.items()}
    all_have(partial(MemoryStore, memory), want, last, bob)


@pytest.mark.parametrize(
    ("op", "new", "claimed"),
    [
        ("put", "new", True),
        ("copy", "new", True),
        ("copy", "new", False),
        ("upload", "moved", True),
        ("upload", "moved", False),
    ],
)
def test_49_a_renamed_file_that_is_edited_after_the_kill(
    tmp_path: Path, memory: MemoryBucket, op: str, new: str, claimed: bool
) -> None:
    """Whether its name was claimed, its object copied, or the file uploaded instead."""
    memory.heeds_copies = not claimed
    ada, bob = pair(tmp_path, memory, old="content", b="b", c="c")
    (ada.cache / "files/old").rename(ada.cache / "files" / new)
    last = killed(ada, memory, after=(op, f"files/{new}"))
    last.write(f"files/{new}", "edited")
    is_settled_by_a_sync(memory, last, bob, **{new: "edited", "b": "b", "c": "c"})


@pytest.mark.parametrize("arrives", [True, False])
def test_49_a_file_is_renamed_onto_a_path_whose_upload_was_never_committed(
    tmp_path: Path, memory: MemoryBucket, arrives: bool
) -> None:
    ada, bob = pair(tmp_path, memory, old="content", b="b", c="c")
    ada.write("files/new", "sent")
    one = killed(ada, memory, after=("upload", "files/new"))
    (one.cache / "files/old").rename(one.cache / "files/new")
    at = ("upload", "files/new")
    last = killed(one, memory, after=at) if arrives else killed(one, memory, before=at)
    last.write("files/new", "edited")
    is_settled_by_a_sync(memory, last, bob, new="edited", b="b", c="c")


@pytest.mark.parametrize("key", ["_index/files.json", "_index/_meta.json"])
@pytest.mark.parametrize("again", ["edited", "base"])
def test_49_a_file_that_is_edited_after_its_commit_could_not_be_settled(
    tmp_path: Path, memory: MemoryBucket, key: str, again: str
) -> None:
    """Also when it is set back to what it was before."""
    ada, bob = pair(tmp_path, memory, a="base", b="b")
    ada.write("files/a", "sent")
    last = killed(ada, memory, after=("put", key))
    last.write("files/a", again)
    is_settled_by_a_sync(memory, last, bob, a=again, b="b")


def test_49_a_committed_file_that_is_missing_after_the_kill_comes_back(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """The cache may have been lost as well: nothing is deleted for it."""
    ada, bob = pair(tmp_path, memory, a="base", b="b")
    ada.write("files/a", "sent")
    last = killed(ada, memory, after=("put", "_index/_meta.json"))
    (last.cache / "files/a").unlink()
    is_settled_by_a_sync(memory, last, bob, a="sent", b="b")


def test_49_after_an_unsettled_commit_the_next_upload_fails_half(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = pair(tmp_path, memory, a="base", b="b")
    ada.write("files/a", "one")
    last = killed(ada, memory, after=("put", "_index/_meta.json"))
    last.write("files/a", "two")
    last.write("files/b", "b2")
    result = machine(last.home, memory, after=losing("files/a")).push()
    assert (result.pushed, [f.path for f in result.failed]) == (1, ["files/a"])
    last.write("files/a", "three")
    is_settled_by_a_sync(memory, last, bob, a="three", b="b2")


@pytest.mark.parametrize("arrives", [True, False])
@pytest.mark.parametrize("end", ["edited", "deleted"])
def test_49_where_a_deletion_is_overdue_the_next_upload_fails_half(
    tmp_path: Path, memory: MemoryBucket, arrives: bool, end: str
) -> None:
    ada, bob = pair(tmp_path, memory, a="base", b="b")
    (ada.cache / "files/a").unlink()
    last = killed(ada, memory, before=("delete", "files/a"))
    last.write("files/a", "two")
    last.write("files/b", "b2")
    when = "after" if arrives else "before"
    failing = machine(last.home, memory, **{when: losing("files/a")})
    result = failing.push()
    assert (result.pushed, [f.path for f in result.failed]) == (1, ["files/a"])
    if end == "edited":
        last.write("files/a", "three")
        is_settled_by_a_sync(memory, last, bob, a="three", b="b2")
    else:
        (last.cache / "files/a").unlink()
        is_settled_by_a_sync(memory, last, bob, b="b2")


def test_49_what_was_not_pushed_after_all_is_not_taken_for_found(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """A first push got as far as its uploads. The next is of another file: without an index, the
    objects that lie there are listed, and this one must not come back when it is deleted."""
    ada = machine(tmp_path / "ada", memory)
    ada.write("files/a", "never committed")
    again = killed(ada, memory, before=("put", LOCK))
    again.write("files/b", "b")
    again.push(("files/b",))
    assert MemoryStore(memory).head("files/a").size == len("never committed")
    bob = machine(tmp_path / "bob", memory)
    bob.pull()
    assert bob.files() == {"files/b": b"b"}
    (again.cache / "files/a").unlink()
    is_settled_by_a_sync(memory, again, bob, b="b")


def test_49_without_an_index_a_plan_that_was_shown_before_goes_on(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """Of the first push some uploads arrived, and their answers did not. A plan of before names
    them as new here, and so they still are: nobody else has put them there."""
    ada = machine(tmp_path / "ada", memory)
    for name in "abc":
        ada.write(f"files/{name}", name)
    plan = ada.plan("push")
    again = killed(ada, memory, after=("upload", "files/b"))
    assert len(list(MemoryStore(memory).list("files/"))) > 0
    assert again.run(plan).blocked == []
    bob = machine(tmp_path / "bob", memory)
    is_settled_by_a_sync(memory, again, bob, a="a", b="b", c="c")
