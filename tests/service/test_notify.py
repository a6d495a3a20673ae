"""systemd's notifications, by a socket of our own."""

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from s3dash.service.notify import Notifier


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind(str(tmp_path / "notify"))
        listening.settimeout(10)
        yield listening


def test_each_message_is_one_datagram(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    notifier.ready()
    notifier.alive()
    notifier.status("3 dirty\nREADY=0")
    notifier.stopping()
    said = [manager.recv(4096).decode() for _ in range(4)]
    assert said == ["READY=1", "WATCHDOG=1", "STATUS=3 dirty READY=0", "STOPPING=1"]


def test_an_abstract_address() -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listening:
        listening.bind("\0s3dash-test-notify")
        listening.settimeout(10)
        Notifier({"NOTIFY_SOCKET": "@s3dash-test-notify"}).ready()
        assert listening.recv(100) == b"READY=1"


@pytest.mark.parametrize("environ", [{}, {"NOTIFY_SOCKET": "/nowhere/at/all"}])
def test_nobody_who_listens_is_no_error(environ: dict[str, str]) -> None:
    Notifier(environ).ready()


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({"WATCHDOG_USEC": "30000000"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "7"}, 30.0),
        ({"WATCHDOG_USEC": "30000000", "WATCHDOG_PID": "8"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "x"}, None),
        ({}, None),
    ],
)
def test_the_watchdog_is_that_of_this_process(
    environ: dict[str, str], expected: float | None
) -> None:
    assert Notifier(environ, pid=7).watchdog_s == expected


def test_a_name_that_is_no_text_does_not_end_the_service(manager: socket.socket) -> None:
    notifier = Notifier({"NOTIFY_SOCKET": manager.getsockname()})
    notifier.status("LocalError: files/\udcff cannot be read")
    assert manager.recv(4096) == b"STATUS=LocalError: files/? cannot be read"
