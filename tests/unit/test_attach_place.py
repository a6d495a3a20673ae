"""The socket of an owner: for our own user alone, wherever its directory is, never a stale one."""

import os
import socket
import stat
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from s3dash.attach import place
from s3dash.errors import LocalError


@pytest.fixture
def short_dir() -> Iterator[Path]:
    """That of pytest may be too long for a socket by itself."""
    with tempfile.TemporaryDirectory(prefix="s3d-", dir="/tmp") as made:
        yield Path(made)


@pytest.fixture
def long_dir(tmp_path: Path, short_dir: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory whose socket no system takes, and a directory for short ones."""
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(short_dir))
    return tmp_path / ("deep" * 20) / ("deeper" * 20)


def knock(state_dir: Path) -> bool:
    link = place.reached(state_dir, timeout_s=5)
    if link is None:
        return False
    link.close()
    return True


def test_nobody_is_there_before_somebody_listens(short_dir: Path) -> None:
    assert place.address(short_dir) is None
    assert not knock(short_dir)


def test_it_is_beside_the_owner_lock_and_for_its_user_alone(short_dir: Path) -> None:
    listener, path = place.bound(short_dir)
    with listener:
        assert path == short_dir / "attach.sock" == place.address(short_dir)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert knock(short_dir)


def test_what_a_dead_owner_left_is_nobody_and_gives_way(short_dir: Path) -> None:
    place.bound(short_dir)[0].close()
    assert place.address(short_dir) is not None
    assert not knock(short_dir)
    listener, _ = place.bound(short_dir)
    with listener:
        assert knock(short_dir)


def test_a_file_in_its_place_gives_way_too(short_dir: Path) -> None:
    (short_dir / "attach.sock").write_text("no socket")
    assert place.address(short_dir) is None
    listener, _ = place.bound(short_dir)
    with listener:
        assert knock(short_dir)


def test_a_long_directory_gets_a_short_place_that_is_written_down(long_dir: Path) -> None:
    assert not place.fits(long_dir / "attach.sock")
    listener, path = place.bound(long_dir)
    with listener:
        assert place.fits(path)
        assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
        assert Path((long_dir / "attach.address").read_text()) == path
        os.environ.pop("XDG_RUNTIME_DIR")
        assert place.address(long_dir) == path, "found by who has another environment"
        assert knock(long_dir)
        other, another = place.bound(long_dir.parent / ("x" * 100))
        other.close()
        assert another != path


def test_a_short_place_that_others_can_enter_is_refused(long_dir: Path, short_dir: Path) -> None:
    (short_dir / "s3dash").mkdir()
    (short_dir / "s3dash").chmod(0o755)
    with pytest.raises(LocalError, match="this user alone"):
        place.bound(long_dir)


def test_a_directory_that_takes_no_socket_is_told(short_dir: Path) -> None:
    with pytest.raises(LocalError, match="listened on"):
        place.bound(short_dir / "missing")


def test_both_ends_know_their_own_user() -> None:
    one, other = socket.socketpair()
    with one, other:
        assert place.is_ours(one)


def test_owners_that_come_and_go_meanwhile_are_nobody(short_dir: Path) -> None:
    """Between a look for the socket and one at its owner it may have gone: no error for anybody."""
    over = threading.Event()

    def come_and_go() -> None:
        while not over.is_set():
            listener, path = place.bound(short_dir)
            listener.close()
            path.unlink()

    thread = threading.Thread(target=come_and_go)
    thread.start()
    try:
        for _ in range(5000):
            knock(short_dir)
    finally:
        over.set()
        thread.join()
