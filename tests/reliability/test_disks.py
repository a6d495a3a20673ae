"""Full, read-only, unreadable and foreign disks under a cache (scenarios 40 to 42).

On real disks and with real rights (see `apart`); the bucket is in memory.
"""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.errors import LocalError
from s3dash.objectstore.memory import MemoryBucket
from tests.engine.ends import all_have, base, data, trash
from tests.engine.faults import machine
from tests.engine.world import Machine, contents, digest
from tests.reliability.apart import apart, give_up_rights, make_read_only, mount_over, small_disk
from tests.reliability.guarded import World
from tests.tally import Effort

MB = 1 << 20
BIG = os.urandom(3 * MB)


@pytest.fixture
def world(tmp_path: Path, effort: Effort) -> World:
    effort.count("guards tried")
    return World(tmp_path, MemoryBucket())


def temporary(machine: Machine) -> list[Path]:
    staging = machine.cache / "_control/s3dash/tmp"
    return list(staging.iterdir()) if staging.exists() else []


# --- full disks -------------------------------------------------------------------------


def test_40_a_full_cache_keeps_the_old_file_and_takes_what_fits(
    world: World, tmp_path: Path
) -> None:
    eve, big = machine(tmp_path / "eve", world.memory), tmp_path / "big"
    big.write_bytes(BIG)

    def pull() -> None:
        with small_disk(eve.cache, 2 * MB) as disk:
            eve.pull()
            big.replace(world.ada.cache / "files/a")
            world.ada.write("files/b", "edited")
            world.ada.push()
            result = eve.pull()
            assert ([f.path for f in result.failed], result.pulled) == (["files/a"], 1)
            told = "the disk is full" if disk.mounted else "File too large"
            assert told in result.failed[0].error
            assert result.exit_code == 5
            assert eve.read("files/a") == b"base a"
            assert eve.read("files/b") == b"edited"
            assert temporary(eve) == []
            assert base(eve)["files/a"] == digest(b"base a")
            disk.grow()
            assert eve.pull().pulled == 1
            all_have(world.store, world.files(a=BIG, b="edited"), world.ada, eve)

    apart(pull)


def test_40_a_full_trash_lets_nothing_be_replaced_or_deleted(world: World) -> None:
    world.bob.write("files/a", b"x" * 3 * MB)
    world.bob.push()
    world.ada.pull()
    world.bob.write("files/a", "small again")
    (world.bob.cache / "files/b").unlink()
    world.bob.push()
    want = world.files(a="small again")
    del want["files/b"]

    place = world.ada.home / "state/trash"
    place.mkdir(exist_ok=True)

    def pull() -> None:
        with small_disk(place, MB) as disk:
            if not disk.mounted:  # on the cache's own disk a link takes no room
                disk.grow()
                give_up_rights()
                place.chmod(0o500)
            before = trash(world.ada)
            result = world.ada.pull()
            assert [f.path for f in result.failed] == ["files/a"]
            assert (result.deleted_local, result.exit_code) == (0, 5)
            assert world.ada.read("files/a") == b"x" * 3 * MB
            assert world.ada.read("files/b") == b"base b"
            assert trash(world.ada) == before
            disk.grow()
            place.chmod(0o700)
            assert world.ada.pull().deleted_local == 1
            all_have(world.store, want, world.ada, world.bob)
            kept = [("files/a", b"x" * 3 * MB), ("files/b", b"base b")]
            assert trash(world.ada) == sorted([*before, *kept])

    apart(pull)


def test_40_with_a_full_state_directory_no_upload_and_no_commit_begins(
    world: World, tmp_path: Path
) -> None:
    eve = machine(tmp_path / "eve", world.memory)

    def push() -> None:
        with small_disk(eve.home / "state", MB) as disk:
            eve.pull()
            eve.write("files/b", "pushed")  # the endpoint is known to be safe from now on
            eve.push()
            eve.write("files/a", "edited")
            before = contents(world.store())
            engine = eve.engine()
            disk.fill()
            try:
                with pytest.raises(LocalError, match="state"):
                    engine.push()
            finally:
                engine.stop()
            assert contents(world.store()) == before
            disk.grow()
            assert eve.push().pushed == 1
            world.bob.pull()
            all_have(world.store, world.files(a="edited", b="pushed"), eve, world.bob)

    apart(push)


# --- read-only and unreadable -----------------------------------------------------------


def plain(machine: Machine) -> None:
    """Modes alone: the disk could be written, this user may not."""
    give_up_rights()
    for directory in [machine.cache, *(p for p in machine.cache.rglob("*") if p.is_dir())]:
        directory.chmod(0o555)


@pytest.mark.parametrize(
    "lock_up", [lambda m: make_read_only(m.cache), plain], ids=["mounted read-only", "no rights"]
)
def test_42_a_read_only_cache_is_not_pulled_into_and_loses_nothing(
    world: World, lock_up: Callable[[Machine], None]
) -> None:
    world.bob.write("files/b", "bob's edit")
    world.ada.write("files/a", "edited")
    (world.ada.cache / "files/stay").unlink()
    world.ada.push()

    def look() -> None:
        before = contents(world.store())
        lock_up(world.bob)
        for operation in (world.bob.pull, world.bob.sync):
            with pytest.raises(LocalError, match=r"read-only|permission denied"):
                operation()
        status = world.bob.status()
        assert [r.path for r in status.local.dirty] == ["files/b"]
        assert {r.path for r in status.remote.changed} == {"files/a", "files/stay"}
        assert contents(world.store()) == before
        assert world.bob.read("files/a") == b"base a"

    apart(look)
    for directory in [world.bob.cache, *(p for p in world.bob.cache.rglob("*") if p.is_dir())]:
        directory.chmod(0o755)
    world.bob.sync()
    world.ada.pull()
    want = world.files(a="edited", b="bob's edit")
    del want["files/stay"]
    all_have(world.store, want, world.ada, world.bob)


def test_41_what_may_not_be_read_is_unknown_and_nothing_below_it_is_deleted(world: World) -> None:
    ada = world.ada
    ada.write("logs/deep/l", "log")
    ada.push()
    ada.write("files/b", "edited")

    def sync() -> None:
        give_up_rights()
        (ada.cache / "logs/deep").chmod(0)
        (ada.cache / "files/a").chmod(0)
        os.utime(ada.cache / "files/a", (1, 1))
        result = ada.sync()
        assert (result.deleted_remote, result.deleted_local, result.pushed) == (0, 0, 1)
        assert "files/a" in {b.path for b in result.blocked}
        assert base(ada)["logs/deep/l"] == digest(b"log")

    apart(sync)
    (ada.cache / "logs/deep").chmod(0o755)
    (ada.cache / "files/a").chmod(0o644)
    world.bob.pull()
    all_have(world.store, world.files(b="edited") | {"logs/deep/l": "log"}, ada, world.bob)


# --- other disks ------------------------------------------------------------------------


@pytest.mark.parametrize("operation", ["push", "sync"])
def test_42_a_disk_that_is_mounted_over_the_cache_deletes_nothing(
    world: World, operation: str
) -> None:
    ada, before = world.ada, contents(world.store())

    def look() -> None:
        mount_over(ada.cache)
        for _ in range(2):
            assert getattr(ada, operation)().deleted_remote == 0
        assert data(world.store) == {k: v for k, v in before.items() if k in data(world.store)}
        below = ada.cache.with_name("cache-below")
        if below.exists():
            shutil.rmtree(ada.cache)
            below.rename(ada.cache)

    apart(look)
    assert ada.sync().deleted_remote == 0
    all_have(world.store, world.files(), ada, world.bob)
