"""Reliability scenarios 33 and 40 to 42: a cache that is taken, full, unreadable or gone.

On both stores: the disk is what fails.
"""

import os
import resource
import shutil
import signal
from contextlib import suppress
from pathlib import Path

import pytest

from s3dash.errors import GuardTripped, S3DashError
from tests.engine.ends import STAY, Store, all_have, base, trash
from tests.engine.world import Machine, contents, digest


def test_33_a_second_engine_on_a_cache_only_reads_and_names_the_first(
    world: tuple[Machine, Machine], store: Store
) -> None:
    ada, _ = world
    ada.write("files/a", "edited")
    before = contents(store())
    first, second = ada.engine(), ada.engine()
    try:
        assert [r.path for r in second.status().local.dirty] == ["files/a"]
        for operation in (second.push, second.pull, second.sync):
            with pytest.raises(S3DashError, match=f"another s3dash.*{os.getpid()}"):
                operation()
        assert contents(store()) == before
        assert first.push().pushed == 1
    finally:
        second.stop()
        first.stop()


def test_40_a_full_disk_leaves_the_old_file_and_no_temporary_one(
    world: tuple[Machine, Machine], store: Store, tmp_path: Path
) -> None:
    """A limit on the size of a file stands for a full disk: the write fails half way."""
    ada, bob = world
    ada.write("files/a", b"x" * 3_000_000)
    ada.write("files/small", "small")
    ada.push()
    held = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (2_000_000, hard))
    try:
        result = bob.pull()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, held)
    assert ([f.path for f in result.failed], result.pulled) == (["files/a"], 1)
    assert bob.read("files/a") == b"base"
    assert base(bob)["files/a"] == digest(b"base")
    assert [p for p in bob.cache.rglob("*") if p.is_file() and p.stat().st_size > 100_000] == []
    bob.pull()
    want: dict[str, bytes | str] = {"files/a": b"x" * 3_000_000, "files/small": "small", **STAY}
    all_have(store, want, ada, bob)


def test_41_an_unreadable_directory_is_unknown_and_nothing_below_it_is_deleted(
    world: tuple[Machine, Machine], store: Store
) -> None:
    """A directory that became a symlink cannot be read on any machine, not even by root."""
    ada, bob = world
    ada.write("logs/l", "log")
    ada.push()
    hidden = ada.home / "hidden"
    (ada.cache / "logs").rename(hidden)
    (ada.cache / "logs").symlink_to(ada.home / "nowhere")
    result = ada.sync()
    assert (result.deleted_remote, [b.path for b in result.blocked]) == (0, ["logs"])
    assert base(ada)["logs/l"] == digest(b"log")
    (ada.cache / "logs").unlink()
    hidden.rename(ada.cache / "logs")
    bob.pull()
    all_have(store, {"files/a": "base", "logs/l": "log", **STAY}, ada, bob)


def test_42_files_that_were_all_deleted_are_asked_about(
    world: tuple[Machine, Machine], store: Store
) -> None:
    ada, bob = world
    before = contents(store())
    for path in (ada.cache / "files").iterdir():
        path.unlink()
    for operation in (ada.push, ada.sync):
        with pytest.raises(GuardTripped, match="would delete 2 of 2"):
            operation()
    assert contents(store()) == before
    assert ada.push(max_delete=2).deleted_remote == 2
    bob.pull(max_delete=2)
    all_have(store, {}, ada, bob)
    assert trash(bob) == [("files/a", b"base"), ("files/stay", b"stay")]


@pytest.mark.parametrize("selection", [(), ("files/a",)])
def test_42_an_emptied_cache_is_filled_again_and_nothing_is_deleted(
    world: tuple[Machine, Machine], store: Store, selection: tuple[str, ...]
) -> None:
    """As with another disk at its place: the sidecar is gone with the files."""
    ada, bob = world
    shutil.rmtree(ada.cache)
    ada.cache.mkdir()
    assert ada.push(selection).deleted_remote == 0
    shutil.rmtree(ada.cache)
    ada.cache.mkdir()
    result = ada.sync(selection)
    assert (result.deleted_remote, result.pulled) == (0, 1 if selection else 2)
    ada.pull()
    all_have(store, {"files/a": "base", **STAY}, ada, bob)


def test_42_a_cache_that_is_not_mounted_is_unknown(
    world: tuple[Machine, Machine], store: Store
) -> None:
    ada, _ = world
    before = contents(store())
    ada.cache.rename(ada.home / "elsewhere")
    for operation in (ada.push, ada.pull, ada.sync):
        with suppress(S3DashError):
            result = operation()
            assert (result.deleted_remote, result.pulled) == (0, 0)
    assert not ada.cache.exists()
    assert contents(store()) == before
    (ada.home / "elsewhere").rename(ada.cache)
    assert ada.sync().unchanged == 2
