"""The screen in a browser: who is let in, what is told, and that it is there."""

import json
import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import pytest

from s3dash.cli.options import Options
from s3dash.cli.serve import allowed, is_loopback
from s3dash.cli.web import is_ours
from s3dash.errors import UsageError
from tests.cli.fakes import cli

WITH_EXTRA = find_spec("textual_serve") is not None
PATIENCE_S = 60.0
LOCAL = allowed("127.0.0.1", 8000, "http://127.0.0.1:8000")


@pytest.mark.parametrize(
    ("host", "alone"),
    [
        ("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("[::1]", True),
        ("localhost", True), ("0.0.0.0", False), ("::", False), ("10.0.0.1", False),
        ("example.org", False),
    ],
)  # fmt: skip
def test_what_is_this_machine_alone(host: str, alone: bool) -> None:
    assert is_loopback(host) is alone


@pytest.mark.parametrize(
    ("host", "origin", "ours"),
    [
        ("127.0.0.1:8000", None, True),
        ("localhost:8000", "http://127.0.0.1:8000", True),
        ("LOCALHOST:8000", "http://localhost:8000", True),
        ("[::1]:8000", "http://[::1]:8000", True),
        ("127.0.0.1:8000", "http://evil.example", False),
        ("127.0.0.1:8000", "http://127.0.0.1:9000", False),
        ("127.0.0.1:8000", "null", False),
        ("127.0.0.1:8000", "", False),
        ("evil.example:8000", None, False),
        ("evil.example:8000", "http://evil.example:8000", False),
        (None, None, False),
    ],
)
def test_only_pages_of_ours_get_through(host: str | None, origin: str | None, ours: bool) -> None:
    assert is_ours(host, origin, LOCAL) is ours


def test_behind_a_proxy_its_name_is_ours_too() -> None:
    hosts = allowed("0.0.0.0", 8000, "https://s3dash.example.org")
    assert is_ours("s3dash.example.org", "https://s3dash.example.org", hosts)
    assert not is_ours("localhost:8000", None, hosts)
    with pytest.raises(UsageError, match="--url must be like"):
        allowed("127.0.0.1", 8000, "s3dash.example.org")


def test_each_tab_gets_the_options_of_the_server() -> None:
    options = Options(config=Path("a b.toml"), namespace="web", readonly=True, as_json=True)
    assert options.arguments() == ["--readonly", "--config=a b.toml", "--namespace=web"]


@pytest.mark.parametrize("option", [["--port", "70000"], ["--port", "x"]])
def test_a_port_must_be_one(option: list[str]) -> None:
    assert cli("serve", *option).code == 2


# --- a real one -----------------------------------------------------------------------------


@contextmanager
def serving(tmp_path: Path, *options: str) -> Iterator["subprocess.Popen[str]"]:
    (tmp_path / "s3dash.toml").write_text(
        "[datastores.harbour]\nbucket = 'bucket'\nendpoint = 'http://127.0.0.1:9'\n"
        "cache = 'cache'\nregion = 'us-east-1'\n"
        "credentials = {access_key_id = 'env:HOME', secret_access_key = 'env:HOME'}\n"
    )
    (tmp_path / "cache").mkdir()
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "S3DASH_"))}
    process = subprocess.Popen(
        [sys.executable, "-m", "s3dash", "serve", "--port", "0", *options],
        cwd=tmp_path,
        env={**env, "HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def told(process: "subprocess.Popen[str]") -> str:
    """The address that it says it is at."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := re.search(r"s3dash is at (http://\S+);", line):
            return found[1]
    raise AssertionError("it ended before it was there")


def fetched(url: str, **headers: str) -> tuple[int, str]:
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_without_the_extra_it_says_so_and_with_it_the_page_is_there(tmp_path: Path) -> None:
    with serving(tmp_path) as process:
        if not WITH_EXTRA:
            _, err = process.communicate(timeout=PATIENCE_S)
            assert process.returncode == 2
            assert "needs the extra `web`" in err
            assert "pip install 's3dash[web]'" in err
            return
        url = told(process)
        status, page = fetched(url)
        assert status == 200
        assert re.findall(r"href=\"https?://(?!127\.0\.0\.1)", page) == []
        assert url.replace("http:", "ws:") + "/ws" in page
        assert fetched(url, Host="evil.example")[0] == 403
        assert fetched(url, Origin="http://evil.example")[0] == 403
        assert fetched(f"{url}/ws", Origin="http://evil.example")[0] == 403
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE_S) == 0


def test_the_screen_itself_comes_through_the_socket(tmp_path: Path) -> None:
    if not WITH_EXTRA:
        assert cli("serve", "--port", "0").code == 2
        return
    with serving(tmp_path, "--readonly") as process:
        screen = subprocess.run(
            [sys.executable, "-c", CLIENT, told(process)],
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        )
        seen = json.loads(screen.stdout)
    assert "harbour" in seen["text"]
    assert seen["closed"]


CLIENT = """
import asyncio, json, sys
import aiohttp

async def main(url):
    text, quit = "", False
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(url + "/ws?width=100&height=30", origin=url) as socket:
            async for message in socket:
                if message.type is aiohttp.WSMsgType.BINARY:
                    text += message.data.decode(errors="replace")
                if "harbour" in text and " RO " in text and not quit:
                    quit = True
                    await socket.send_json(["stdin", "q"])
            print(json.dumps({"text": text, "closed": socket.closed}))

asyncio.run(main(sys.argv[1]))
"""


def test_another_address_comes_with_a_warning() -> None:
    done = cli("serve", "--host", "0.0.0.0", "--port", "0", "--url", "no-url")
    assert done.code == 2
    done = cli("serve", "--host", "203.0.113.1", "--port", "8000")
    assert "there is no authentication" in done.err
    assert done.code in (1, 2)


@pytest.mark.parametrize(
    ("port", "public", "host", "ours"),
    [
        (80, "http://127.0.0.1:80", "127.0.0.1", True),
        (80, "http://127.0.0.1:80", "localhost", True),
        (8000, "https://dash.example:443", "dash.example", True),
        (8000, "http://127.0.0.1:8000", "127.0.0.1", False),
        (8000, "https://dash.example:80", "dash.example", False),
    ],
)
def test_a_browser_leaves_the_usual_port_out(port: int, public: str, host: str, ours: bool) -> None:
    assert is_ours(host, None, allowed("127.0.0.1", port, public)) is ours
