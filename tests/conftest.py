"""Fixtures for all tests: servers that start when first asked for, and a sealed environment."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.servers import Server, start_moto, start_rclone, start_weed

SEALED = ("AWS_", "OTEL_", "S3DASH_", "SWAMP_")
XDG = {
    "XDG_CONFIG_HOME": ".config",
    "XDG_STATE_HOME": ".local/state",
    "XDG_CACHE_HOME": ".cache",
    "XDG_DATA_HOME": ".local/share",
}


def _seal(patch: pytest.MonkeyPatch, home: Path) -> None:
    for name in [n for n in os.environ if n.startswith(SEALED) or n.lower().endswith("_proxy")]:
        patch.delenv(name)
    patch.setenv("HOME", str(home))
    for name, below in XDG.items():
        patch.setenv(name, str(home / below))
    patch.delenv("XDG_RUNTIME_DIR", raising=False)
    patch.setenv("AWS_EC2_METADATA_DISABLED", "true")


def _heed_signals() -> None:
    """A shell starts a job of the background with some of them ignored, and so do its children."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM):
        if signal.getsignal(number) is signal.SIG_IGN:
            own = signal.default_int_handler if number == signal.SIGINT else signal.SIG_DFL
            signal.signal(number, own)


@pytest.fixture(scope="session", autouse=True)
def sealed_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For fixtures that live longer than one test."""
    _heed_signals()
    with pytest.MonkeyPatch.context() as patch:
        _seal(patch, tmp_path_factory.mktemp("session-home"))
        yield


@pytest.fixture(autouse=True)
def sealed(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Nothing of this machine's configuration reaches a test. Returns the test's own HOME."""
    home = tmp_path_factory.mktemp("home")
    _seal(monkeypatch, home)
    return home


def _running(
    start: Callable[[Path], Server], factory: pytest.TempPathFactory, name: str
) -> Iterator[Server]:
    server = start(factory.mktemp(name))
    try:
        yield server
    finally:
        server.stop()


@pytest.fixture(scope="session")
def weed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """SeaweedFS: the real thing. Use `weed.make_bucket()` for a bucket of your own."""
    yield from _running(start_weed, tmp_path_factory, "weed")


@pytest.fixture(scope="session")
def moto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """moto server: a second opinion; it knows any credentials."""
    yield from _running(start_moto, tmp_path_factory, "moto")


@pytest.fixture(scope="session")
def rclone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """`rclone serve s3`: ignores every condition, so no lock on it is safe."""
    yield from _running(start_rclone, tmp_path_factory, "rclone")
