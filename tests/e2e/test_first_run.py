"""The first run in a real terminal, from nothing to the dashboard; and where there is none."""

import signal
from pathlib import Path

import pytest

from tests.e2e.terminal import Terminal
from tests.servers import Server

CHOICES = "Set up a datastore"
DOWN = "\x1b[B"


@pytest.mark.parametrize("key", ["\x1b", "q", "\x11"])
def test_leaving_it_writes_nothing(sealed: Path, tmp_path: Path, key: str) -> None:
    terminal = Terminal(cwd=tmp_path, environ={})
    try:
        terminal.wait_for(CHOICES, "Look around in a demo")
        terminal.press(key)
        assert terminal.end() == 0
        assert "nothing was written" in terminal.written
        assert not (sealed / ".config").exists()
        assert list(tmp_path.iterdir()) == []
    finally:
        terminal.close()


def test_a_signal_gives_the_terminal_back(sealed: Path, tmp_path: Path) -> None:
    terminal = Terminal(cwd=tmp_path, environ={})
    try:
        terminal.wait_for(CHOICES)
        terminal.process.send_signal(signal.SIGTERM)
        assert terminal.end() == 130
        assert "\x1b[?1049l" in terminal.written
        assert not (sealed / ".config").exists()
    finally:
        terminal.close()


def test_from_nothing_to_the_dashboard(weed: Server, sealed: Path, tmp_path: Path) -> None:
    (sealed / ".aws").mkdir()
    (sealed / ".aws/credentials").write_text(
        f"[team]\naws_access_key_id = {weed.access_key}\n"
        f"aws_secret_access_key = {weed.secret_key}\n"
    )
    bucket = weed.make_bucket()
    terminal = Terminal(cwd=tmp_path, environ={})
    steps = [
        ((CHOICES,), "\r"),
        (("Where is the bucket?",), DOWN + "\r"),
        (("The URL that S3 clients use",), f"{weed.endpoint}\t\t"),
        (("bucket in", weed.endpoint), "\r"),
        (("Whose credentials?", "team"), "\r"),
        (("another one can be typed",), "\x1b[Z"),
        (("another one can be typed",), bucket),
        (("another one can be typed", f"bucket      {bucket}"), "\r"),
        (("What stands before every key?",), DOWN + "\r"),
        (("the directory that its files are kept in",), "\t\r"),
        (("Whether locks there can be trusted",), "\r"),
        (("Write it for you", "locks can be trusted"), "\r"),
    ]
    try:
        for words, keys in steps:
            terminal.wait_for(*words)
            terminal.pause(0.4)
            terminal.press(keys)
        terminal.wait_for("1 datastore", bucket, "online")
        terminal.press("q")
        assert terminal.end() == 0
        assert weed.secret_key not in terminal.written
        assert (sealed / ".config/s3dash/config.toml").exists()
    finally:
        terminal.close()


def test_inside_a_repository_of_the_peers_nothing_is_asked(
    weed: Server, sealed: Path, tmp_path: Path
) -> None:
    (tmp_path / ".swamp.yaml").write_text(
        "repoId: 0b6f5b2e-aaaa-4000-8000-000000000001\n"
        "datastore:\n"
        '  type: "@swamp/s3-datastore"\n'
        "  config:\n"
        f"    bucket: {weed.make_bucket()}\n"
        f"    endpoint: {weed.endpoint}\n"
        "    region: us-east-1\n"
        "    forcePathStyle: true\n"
    )
    keys = {"AWS_ACCESS_KEY_ID": weed.access_key, "AWS_SECRET_ACCESS_KEY": weed.secret_key}
    terminal = Terminal(cwd=tmp_path, environ=keys)
    try:
        terminal.wait_for("1 datastore", "online")
        terminal.press("q")
        assert terminal.end() == 0
        assert CHOICES not in terminal.written
        assert not (sealed / ".config").exists()
    finally:
        terminal.close()


def test_a_broken_configuration_is_an_error_and_no_first_run(tmp_path: Path) -> None:
    (tmp_path / "s3dash.toml").write_text("[datastores.x]\nbucket = 3\n")
    terminal = Terminal(cwd=tmp_path, environ={})
    try:
        assert terminal.end() == 2
        assert "bucket" in terminal.written
        assert CHOICES not in terminal.written
    finally:
        terminal.close()
