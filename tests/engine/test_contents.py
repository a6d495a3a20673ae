"""Looking at the three versions of a path: verified, bounded, and nothing is written for it."""

import os
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.core.content import Content, Side
from s3dash.engine.contents import IN_FLIGHT, NO_OBJECT, NOBODY, NOT_LISTED, TOO_LARGE, Contents
from s3dash.engine.engine import Engine
from s3dash.errors import Cancelled, LocalError, PathBlocked
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.conftest import Join
from tests.engine.ends import Store
from tests.engine.faults import Once, machine
from tests.engine.faults import pair as pair_on
from tests.engine.test_scenarios_edits import pair
from tests.engine.world import Machine, contents, digest


def looking(bob: Machine) -> Engine:
    """An engine that has seen both sides."""
    engine = bob.engine()
    engine.status()
    return engine


def clash(join: Join) -> tuple[Machine, Machine]:
    ada, bob = pair(join, a="base")
    ada.write("files/a", "ada's")
    ada.push()
    bob.write("files/a", "bob")
    return ada, bob


def tree(bob: Machine) -> dict[str, tuple[int, int]]:
    """Every file of the machine with its time and size; without the state database."""
    found = (p for p in bob.home.rglob("*") if p.is_file() and ".sqlite" not in p.name)
    return {str(p): (p.stat().st_mtime_ns, p.stat().st_size) for p in found}


def test_each_side_of_a_conflict_is_read_and_told_with_its_hash(join: Join, store: Store) -> None:
    _, bob = clash(join)
    engine = looking(bob)
    here, there = tree(bob), contents(store())
    local = engine.contents.read("files/a", "local")
    remote = engine.contents.read("files/a", "remote")
    base = engine.contents.read("files/a", "base")
    assert tree(bob) == here
    engine.stop()
    assert (local.body, local.sha256, local.size) == (b"bob", digest(b"bob"), 3)
    assert (remote.body, remote.sha256, remote.size) == (b"ada's", digest(b"ada's"), 5)
    assert (base.body, base.sha256, base.why) == (None, digest(b"base"), NOBODY)
    assert all(c.time.endswith("Z") for c in (local, remote, base))
    assert contents(store()) == there


def test_the_base_comes_from_whoever_still_has_it(join: Join) -> None:
    ada, bob = pair(join, a="base", b="base b")
    bob.write("files/a", "edited")
    engine = looking(bob)
    assert engine.contents.read("files/a", "base").body == b"base"  # from the bucket
    assert engine.contents.read("files/b", "base").body == b"base b"  # from here
    engine.stop()
    (bob.cache / "files/b").unlink()
    bob.write("keep", "x")
    ada.write("files/b", "newer")
    ada.push()
    bob.pull()
    engine = looking(bob)
    assert engine.contents.read("files/b", "base").body == b"newer"
    engine.stop()


def read(bob: Machine, path: str, side: Side) -> Content:
    engine = looking(bob)
    try:
        return engine.contents.read(path, side)
    finally:
        engine.stop()


def test_the_base_comes_from_the_trash_whatever_its_name_was(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, bob = pair_on(tmp_path, memory, a="base", twin="other")
    ada.write("files/a", "ada's")
    ada.push()
    bob.write("files/twin", "base")  # the same bytes elsewhere, which a pull puts into the trash
    ada.write("files/twin", "gone on")
    ada.push()
    bob.resolve("files/twin", take="remote")
    bob.write("files/a", "bob")
    found = read(bob, "files/a", "base")
    assert (found.body, found.sha256) == (b"base", digest(b"base"))


@pytest.mark.parametrize(
    ("side", "why"), [("local", "no such file"), ("remote", "not there"), ("base", "none known")]
)
def test_what_is_not_there_is_absent_and_no_error(
    tmp_path: Path, memory: MemoryBucket, side: Side, why: str
) -> None:
    _, bob = pair_on(tmp_path, memory, a="base")
    found = read(bob, "files/none", side)
    assert (found.absent, found.body) == (True, None)
    assert why in found.why


@pytest.mark.parametrize("side", ["local", "remote", "base"])
@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../b", "_index/_meta.json", "a\0"])
def test_nothing_is_read_outside(
    tmp_path: Path, memory: MemoryBucket, side: Side, path: str
) -> None:
    _, bob = pair_on(tmp_path, memory, a="base")
    if side == "base":
        assert read(bob, path, side).absent
        return
    with pytest.raises(PathBlocked):
        read(bob, path, side)


def test_a_link_is_not_followed(tmp_path: Path, memory: MemoryBucket) -> None:
    _, bob = pair_on(tmp_path, memory, a="base")
    (tmp_path / "secret").write_text("secret")
    (bob.cache / "files/link").symlink_to(tmp_path / "secret")
    with pytest.raises(LocalError):
        read(bob, "files/link", "local")


def test_a_pipe_is_told_and_does_not_hang(tmp_path: Path, memory: MemoryBucket) -> None:
    _, bob = pair_on(tmp_path, memory, a="base")
    os.mkfifo(bob.cache / "files/pipe")
    with pytest.raises(LocalError):
        read(bob, "files/pipe", "local")


@pytest.mark.parametrize("side", ["local", "remote", "base"])
def test_what_is_too_large_is_told_and_not_read(join: Join, side: Side) -> None:
    _, bob = pair(join, a="x" * 100)
    engine = looking(bob)
    down = engine._ctx.store.usage.bytes_down
    found = Contents(engine._ctx, limit=99).read("files/a", side)
    assert (found.body, found.size, found.why) == (None, 100, TOO_LARGE)
    assert engine._ctx.store.usage.bytes_down == down
    assert Contents(engine._ctx, limit=100).read("files/a", side).body == b"x" * 100
    engine.stop()


def test_an_empty_file_has_an_empty_body(join: Join) -> None:
    _, bob = pair(join, a="")
    for side in ("local", "remote", "base"):
        assert read(bob, "files/a", side).body == b""


def test_an_object_that_the_index_does_not_name_so_is_not_shown(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    _, bob = pair_on(tmp_path, memory, a="base")
    other = MemoryStore(memory)
    engine = looking(bob)
    other.put("files/a", b"evil")
    found = engine.contents.read("files/a", "remote")
    assert (found.body, found.why) == (None, IN_FLIGHT)
    other.delete("files/a")
    assert engine.contents.read("files/a", "remote").why == NO_OBJECT
    other.put("files/new", b"new")
    assert engine.contents.read("files/new", "remote").why == NOT_LISTED
    engine.stop()


def test_a_version_that_is_replaced_between_two_requests_is_read_anew(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    ada, _ = pair_on(tmp_path, memory, a="base")

    def replaced() -> None:
        ada.write("files/a", "ada's")
        ada.push()

    late = machine(tmp_path / "bob", memory, before=Once("download", "files/a", replaced))
    engine = late.engine()
    engine.status()
    found = engine.contents.read("files/a", "remote")
    assert (found.body, found.why) == (None, IN_FLIGHT)  # our index is older than the object
    engine.status()
    assert engine.contents.read("files/a", "remote").body == b"ada's"
    engine.stop()


def test_a_look_can_be_stopped(tmp_path: Path, memory: MemoryBucket) -> None:
    _, bob = pair_on(tmp_path, memory, a="base")
    token = CancelToken()
    token.cancel()
    engine = looking(bob)
    with pytest.raises(Cancelled):
        engine.contents.read("files/a", "remote", cancel=token)
    engine.stop()


def test_a_look_does_not_wait_for_a_running_operation(tmp_path: Path, memory: MemoryBucket) -> None:
    """It is taken while the push is in the middle of an upload, in its thread."""
    seen: list[Content] = []
    _, bob = pair_on(tmp_path, memory, a="base")
    bob.write("files/b", "new")
    engines: list[Engine] = []
    busy = machine(
        tmp_path / "bob",
        memory,
        before=Once(
            "upload", "files/b", lambda: seen.append(engines[0].contents.read("files/a", "remote"))
        ),
    )
    engine = busy.engine()
    engines.append(engine)
    engine.push()
    engine.stop()
    assert [c.body for c in seen] == [b"base"]


def test_the_writer_of_a_remote_version_comes_from_its_commit(join: Join) -> None:
    _, bob = clash(join)
    engine = looking(bob)
    found = engine.contents.writers(["files/a", "files/stay", "files/none"])
    assert set(found.remote) == {"files/a", "files/stay"}
    assert found.here == found.remote["files/a"].name  # both are this very host
    assert found.remote["files/a"].at >= found.remote["files/stay"].at
    engine.stop()


def test_what_no_record_tells_has_no_writer(tmp_path: Path, memory: MemoryBucket) -> None:
    _, bob = pair_on(tmp_path, memory, a="base")
    store = MemoryStore(memory)
    store.delete_many([info.key for info in store.list("_control/s3dash/commits/")])
    engine = looking(bob)
    assert engine.contents.writers(["files/a"]).remote == {}
    assert engine.contents.writers([]).remote == {}
    engine.stop()
