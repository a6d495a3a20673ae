"""What a cache must survive: odd files and names, the wrong bucket, a second process.

The bucket is in memory where the disk is what matters; the command line is real.
"""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from s3dash.errors import GuardTripped, OtherDatastore
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.cli.test_real import Desk
from tests.engine.ends import all_have, data
from tests.engine.faults import machine
from tests.engine.world import contents
from tests.reliability.guarded import World
from tests.servers import Server
from tests.tally import Effort


@pytest.fixture
def memory() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def world(tmp_path: Path, effort: Effort) -> World:
    effort.count("guards tried")
    return World(tmp_path, MemoryBucket())


# --- links and special files -----------------------------------------------------------


def test_36_links_that_dangle_loop_or_lead_away_are_told_and_never_followed(
    world: World, tmp_path: Path
) -> None:
    ada, outside = world.ada, tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    files = ada.cache / "files"
    (files / "dangling").symlink_to(files / "nowhere")
    (files / "loop").symlink_to(files / "loop")
    (files / "up").symlink_to(ada.cache)
    ada.write("logs/deep/l", "log")
    ada.push()
    shutil.rmtree(ada.cache / "logs/deep")
    (ada.cache / "logs/deep").symlink_to(outside)
    world.bob.pull()
    world.bob.write("logs/deep/l", "through")
    world.bob.write("files/a", "edited")
    world.bob.push()
    result = ada.sync()
    told = {b.path for b in result.blocked}
    assert {"files/dangling", "files/loop", "files/up", "logs/deep"} <= told
    assert (result.pulled, result.deleted_remote) == (1, 0)
    assert [p.name for p in outside.iterdir()] == ["secret"]
    for link in (files / "dangling", files / "loop", files / "up", ada.cache / "logs/deep"):
        link.unlink()
    ada.pull()
    all_have(world.store, world.files(a="edited") | {"logs/deep/l": "through"}, ada, world.bob)


def test_36_a_cache_that_is_itself_a_link_is_the_cache(world: World) -> None:
    ada = world.ada
    ada.cache.rename(ada.home / "disk")
    ada.cache.symlink_to(ada.home / "disk")
    ada.write("files/a", "edited")
    assert ada.push().pushed == 1
    world.bob.write("files/b", "edited too")
    world.bob.sync()
    ada.pull()
    assert ada.cache.is_symlink()
    all_have(world.store, world.files(a="edited", b="edited too"), ada, world.bob)


def test_37_a_device_in_a_files_place_is_told_and_is_no_deletion(world: World) -> None:
    ada = world.ada
    (ada.cache / "files/a").unlink()
    try:
        os.mknod(ada.cache / "files/a", 0o600 | 0o020000, os.makedev(1, 3))
        kind = "device"
    except PermissionError:  # without CAP_MKNOD no device can be made, a FIFO always can
        os.mkfifo(ada.cache / "files/a")
        kind = "FIFO"
    world.bob.write("files/a", "edited")
    world.bob.push()
    result = ada.sync()
    assert {b.path: b.reason for b in result.blocked} == {"files/a": kind}
    assert (result.deleted_remote, result.pulled, result.failed) == (0, 0, [])
    (ada.cache / "files/a").unlink()


# --- names ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "why"),
    [(b"tab\there", "control"), (b"new\nline", "control"), (b"\xff\xfe", "Unicode")],
)
def test_38_a_name_that_cannot_be_a_key_is_told_and_holds_nothing_up(
    world: World, name: bytes, why: str
) -> None:
    ada = world.ada
    (ada.cache / os.fsdecode(b"files/" + name)).write_text("odd")
    ada.write("files/a", "edited")
    result = ada.push()
    ((blocked,), pushed) = (result.blocked, result.pushed)
    assert pushed == 1
    assert blocked.path.isascii()
    assert why in blocked.reason
    assert json.dumps(blocked.reason)
    assert [r.path for r in ada.status().blocked] == [blocked.path]


def test_38_a_path_that_is_too_long_for_a_key_is_told(world: World) -> None:
    ada = world.ada
    rel = "/".join(["files", *(["d" * 250] * 5)])
    ada.write(rel, "deep")
    ada.write("files/a", "edited")
    result = ada.push()
    assert ([b.path for b in result.blocked], result.pushed) == ([rel], 1)
    assert "1024" in result.blocked[0].reason


# --- the wrong bucket -------------------------------------------------------------------


def test_43_an_emptied_bucket_without_a_mark_is_asked_about(
    tmp_path: Path, memory: MemoryBucket, effort: Effort
) -> None:
    """A cache that only ever pulled from plain clients knows no id: the delete guard is left."""
    effort.count("guards tried")
    ada, bob = machine(tmp_path / "ada", memory), machine(tmp_path / "bob", memory)
    for name in ("a", "b", "c"):
        ada.write(f"files/{name}", name)
    ada.push()
    store = MemoryStore(memory)
    for key in contents(store, "_control/"):
        store.delete(key)
    bob.pull()
    for key in contents(store):
        store.delete(key)
    for operation in (bob.pull, bob.sync):
        with pytest.raises((GuardTripped, OtherDatastore)):
            operation()
    assert sorted(bob.files()) == ["files/a", "files/b", "files/c"]


def test_43_another_datastore_under_the_same_name_loses_and_deletes_nothing(
    tmp_path: Path, memory: MemoryBucket, effort: Effort
) -> None:
    effort.count("guards tried")
    other = MemoryBucket()
    ada, eve = machine(tmp_path / "ada", memory), machine(tmp_path / "eve", other)
    for name in ("a", "b", "c", "d"):
        ada.write(f"files/{name}", name)
        eve.write(f"files/{name}", name)
    eve.write("files/e", "eve's own")
    (eve.cache / "files/d").unlink()
    ada.push()
    eve.push()
    (ada.cache / "files/a").unlink()
    moved = machine(tmp_path / "ada", other)
    before = data(lambda: MemoryStore(other))
    for operation in (moved.pull, moved.push, moved.sync):
        with pytest.raises(OtherDatastore):
            operation(max_delete=100)
    assert data(lambda: MemoryStore(other)) == before
    assert sorted(moved.files()) == ["files/b", "files/c", "files/d"]


# --- the command line -------------------------------------------------------------------


def test_42_the_delete_guard_asks_and_max_delete_answers(
    weed: Server, tmp_path: Path, effort: Effort
) -> None:
    effort.count("guards tried")
    desk = Desk(tmp_path / "desk", weed, bucket=weed.make_bucket())
    for n in range(4):
        desk.write(f"files/{n}", str(n))
    assert desk("push").code == 0
    for n in range(3):
        (desk.cache / f"files/{n}").unlink()
    refused = desk("push", "--json")
    assert (refused.code, refused.document["error"]["type"]) == (3, "GuardTripped")
    assert "--max-delete 3" in refused.document["error"]["hint"]
    assert desk("push", "--max-delete", "2", "--json").code == 3
    done = desk("push", "--max-delete", "3", "--json")
    assert (done.code, done.document["deleted_remote"]) == (0, 3)


def test_33_a_second_process_on_a_cache_only_reads_and_says_who_holds_it(
    weed: Server, tmp_path: Path, effort: Effort
) -> None:
    """Whatever datastore or namespace it was opened for: the sidecar of a cache is one file."""
    effort.count("guards tried")
    desk = Desk(tmp_path / "desk", weed, bucket=weed.make_bucket())
    desk.write("files/a", "a")
    desk("status")
    (lock,) = desk.home.glob("state/**/owner.lock")
    holding = "import sys;from pathlib import Path;from s3dash.local.owner import OwnerLock as L;" \
        "print(L(Path(sys.argv[1])).acquire(), flush=True);sys.stdin.read()"  # fmt: skip
    with subprocess.Popen(
        [sys.executable, "-c", holding, str(lock.parent)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as first:
        assert first.stdout is not None
        assert first.stdout.readline() == b"True\n"
        for arguments in (("push",), ("pull",), ("sync",), ("--namespace", "web", "push")):
            refused = desk(*arguments, "--json")
            assert (refused.code, refused.document["error"]["type"]) == (4, "CacheBusy")
            assert f"pid {first.pid}" in refused.document["error"]["message"]
        assert [r["path"] for r in desk("status", "--json").document["local"]["dirty"]] == [
            "files/a"
        ]
        first.kill()
    assert desk("push", "--json").document["pushed"] == 1
