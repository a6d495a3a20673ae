"""`s3dash fs`, on a real server and with its real services."""

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from s3dash.cli.fs_paths import Remote, parsed, remote
from s3dash.objectstore.port import ObjectStore
from tests.cli.fakes import Done
from tests.cli.real import plain_run
from tests.servers import Server

FILE = """
[defaults]
endpoint = '{endpoint}'
region = 'us-east-1'
force_path_style = true
credentials = {{ access_key_id = 'env:KEY_ID', secret_access_key = 'env:SECRET' }}

[datastores.docs]
kind = 'files'
bucket = '{bucket}'
prefix = 'a'

[datastores.other]
kind = 'files'
bucket = '{bucket}'
prefix = 'b'

[datastores.cache]
bucket = '{bucket}'
prefix = 'c'
"""


@dataclass
class Desk:
    """A directory with a configuration, and a bucket that it names."""

    home: Path
    server: Server
    bucket: str

    @property
    def store(self) -> ObjectStore:
        """Behind the back of the command line."""
        return self.server.store(self.bucket, self.home / "behind", prefix="a")

    def run(self, *arguments: str) -> Done:
        keys = {"KEY_ID": self.server.access_key, "SECRET": self.server.secret_key}
        return plain_run("fs", *arguments, environ={**os.environ, **keys}, cwd=self.home)

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        done = self.run(*arguments, "--json")
        assert done.code == code, done.err + done.out
        found: dict[str, Any] = json.loads(done.out)
        return found

    def write(self, name: str, body: bytes) -> Path:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        return path

    def names(self, path: str, *more: str) -> list[str]:
        return [one["path"] for one in self.json("ls", path, *more)["entries"]]


@pytest.fixture
def desk(weed: Server, tmp_path: Path) -> Desk:
    made = Desk(tmp_path, weed, weed.make_bucket())
    text = FILE.format(endpoint=weed.endpoint, bucket=made.bucket)
    (tmp_path / "s3dash.toml").write_text(text)
    return made


def test_a_path_is_here_or_in_a_datastore() -> None:
    assert parsed("a/b") is None
    assert parsed("./a:b") is None
    assert parsed("dir/a:b") is None
    assert parsed(":a/b") == Remote("", "a/b", ":a/b")
    assert parsed("docs:a/") == Remote("docs", "a/", "docs:a/")
    assert parsed("docs:/a") == Remote("docs", "a", "docs:/a")
    assert parsed("docs:") == Remote("docs", "", "docs:")
    assert remote("a/b") == Remote("", "a/b", "a/b")
    assert remote("/a") == Remote("", "a", "/a")


def test_files_go_up_and_down_and_are_looked_at(desk: Desk) -> None:
    desk.write("hello.txt", b"hello world")
    done = desk.json("cp", "hello.txt", ":in/hello.txt")
    assert done == {"files": 1, "bytes": 11, "failed": [], "blocked": []}
    desk.run("cp", "hello.txt", "docs:in/")
    (entry,) = desk.json("ls", "in")["entries"]
    assert entry["path"] == "in/hello.txt"
    assert (entry["kind"], entry["size"], entry["mtime"][-6:]) == ("file", 11, "+00:00")
    assert desk.json("stat", "in/hello.txt")["entries"] == [entry]
    assert desk.run("cat", "in/hello.txt").out.strip() == "hello world"
    assert desk.run("cat", "in/hello.txt", "--offset", "-5").out.strip() == "world"
    assert desk.run("cat", "in/hello.txt", "--offset", "2", "--length", "3").out.strip() == "llo"
    shown = desk.json("cat", "in/hello.txt", "--length", "5")
    assert shown == {"path": "in/hello.txt", "size": 11, "offset": 0, "text": "hello"}
    assert desk.run("cp", ":in/hello.txt", "back/").code == 0
    assert (desk.home / "back" / "hello.txt").read_bytes() == b"hello world"
    assert desk.run("cp", "docs:in/hello.txt", "other:copied.txt").code == 0
    assert desk.run("cat", "other:copied.txt").out.strip() == "hello world"
    told = desk.run("ls").out
    assert told.rstrip().endswith("in/")
    assert "11 B" in desk.run("ls", "in").out


def test_directories_are_copied_every_way(desk: Desk) -> None:
    for name in ("d/a", "d/sub/b", "d/sub/deep/c"):
        desk.write(name, name.encode())
    (desk.home / "d" / "empty").mkdir()
    refused = desk.json("cp", "d", ":up", code=1)
    assert refused["error"]["type"] == "IsDirectory"
    assert desk.json("cp", "-r", "d", ":up")["files"] == 3
    wanted = ["up/a", "up/empty", "up/sub", "up/sub/b", "up/sub/deep", "up/sub/deep/c"]
    assert sorted(desk.names("up", "-r")) == wanted
    assert desk.json("cp", "-r", "d", ":up")["files"] == 3  # into the directory that is there
    assert desk.names("up/d/sub") == ["up/d/sub/b", "up/d/sub/deep"]
    assert desk.json("cp", "-r", ":up/sub", ":again")["files"] == 2
    assert desk.names("again", "-r") == ["again/b", "again/deep", "again/deep/c"]
    assert desk.json("cp", "-r", "docs:up/sub", "other:new")["files"] == 2
    assert desk.names("other:new") == ["new/b", "new/deep"]
    assert desk.json("cp", "-r", ":up", "down")["files"] == 6
    here = {p.relative_to(desk.home / "down").as_posix() for p in (desk.home / "down").rglob("*")}
    assert {"a", "empty", "sub/deep/c", "d/empty", "d/sub/deep/c"} <= here
    assert (desk.home / "down/sub/deep/c").read_bytes() == b"d/sub/deep/c"


def test_directories_are_made_moved_and_removed(desk: Desk) -> None:
    assert desk.json("mkdir", "a/b", code=1)["error"]["type"] == "NoSuchFile"
    assert desk.run("mkdir", "-p", "a/b").code == 0
    assert desk.run("mkdir", "-p", "a/b").code == 0
    desk.write("f", b"123")
    desk.run("cp", "f", "f", ":a/b/")
    assert desk.json("rmdir", "a/b", code=1)["error"]["type"] == "NotEmpty"
    moved = desk.json("mv", "a/b", "c")
    assert moved == {"moved": [{"source": "a/b", "target": "c"}], "objects": 2, "bytes": 3}
    assert desk.json("mv", "c/f", "a")["moved"] == [{"source": "c/f", "target": "a/f"}]
    assert desk.run("rmdir", "c").code == 0
    assert desk.names("") == ["a"]
    assert desk.json("rm", "a", code=1)["error"]["type"] == "IsDirectory"
    guarded = desk.json("rm", "-r", "a", code=3)
    assert guarded["error"]["type"] == "GuardTripped"
    assert "1 file, 3 B" in guarded["error"]["message"]
    assert desk.json("rm", "-r", "--yes", "a") == {"removed": ["a"], "objects": 2}
    assert desk.json("rm", "a", code=1)["error"]["type"] == "NoSuchFile"
    assert desk.names("") == []


def test_a_rename_that_was_cut_short_is_finished_by_hand(desk: Desk) -> None:
    from s3dash.stores.files.journal import Journal

    desk.store.put("d/a", b"1")
    assert desk.json("mv", "--resume") == {"moved": [], "objects": 0, "bytes": 0}
    state = desk.run("ls").code
    assert state == 0
    settings = desk.server.settings(desk.bucket, desk.home, prefix="a")
    keys = {"KEY_ID": desk.server.access_key, "SECRET": desk.server.secret_key}
    from s3dash.cli.options import Options
    from s3dash.cli.wiring import Wiring

    meant = Wiring({**os.environ, **keys}, cwd=desk.home).settings(Options())
    Journal(meant).begin("d", "e")
    assert settings.prefix == meant.prefix
    done = desk.json("mv", "--resume")
    assert (done["moved"], done["objects"]) == ([{"source": "d", "target": "e"}], 1)
    assert desk.names("", "-r") == ["e", "e/a"]


def test_hostile_names_never_leave_the_directory(desk: Desk, moto: Server) -> None:
    """moto, as SeaweedFS refuses most of them by itself."""
    bucket = moto.make_bucket()
    text = FILE.format(endpoint=moto.endpoint, bucket=bucket)
    (desk.home / "s3dash.toml").write_text(text)
    there = Desk(desk.home, moto, bucket)
    for key in ("d/../../up", "d/./x", "d//y", "d/esc\x1b[31m", "d/link/passwd", "d/good"):
        there.store.put(key, b"hostile")
    outside, target = desk.home / "outside", desk.home / "in" / "down"
    outside.mkdir()
    (target / "d").mkdir(parents=True)
    (target / "d" / "link").symlink_to(outside)
    done = there.json("cp", "-r", ":d/", "in/down", code=5)
    assert done["files"] == 1
    assert {one["path"] for one in done["blocked"]} == {
        "../../up", "./x", "/y", "esc\x1b[31m", "link/passwd",
    }  # fmt: skip
    here = sorted(p.relative_to(desk.home).as_posix() for p in desk.home.rglob("*"))
    assert [p for p in here if p.startswith(("in", "outside", "up"))] == [
        "in", "in/down", "in/down/d", "in/down/d/good", "in/down/d/link", "outside",
    ]  # fmt: skip
    assert "\x1b" not in there.run("ls", "d").out + there.run("cp", "-r", ":d/", "x").out
    assert there.run("rm", "-r", "--yes", "d").code == 0


def test_links_and_devices_do_not_go_up(desk: Desk) -> None:
    desk.write("secret", b"s")
    desk.write("d/file", b"f")
    (desk.home / "d" / "link").symlink_to(desk.home / "secret")
    os.mkfifo(desk.home / "d" / "pipe")
    done = desk.json("cp", "-r", "d", ":d", code=5)
    assert done["files"] == 1
    assert [one["path"] for one in done["blocked"]] == ["link", "pipe"]
    assert desk.names("d") == ["d/file"]


def test_what_makes_no_sense_is_a_wrong_call(desk: Desk) -> None:
    desk.write("f", b"f")
    for call in (
        ["cp", "f", "g"],
        ["cp", "f", "f", ":none"],
        ["mv", "a"],
        ["mv", "docs:a", "other:b"],
        ["cat", "f", "--length", "-1"],
    ):
        assert desk.json(*call, code=2)["error"]["type"] == "UsageError", call
    assert desk.json("cp", "none", ":f", code=1)["error"]["type"] == "NoSuchFile"
    assert desk.json("cp", ":none", "f", code=1)["error"]["type"] == "NoSuchFile"
    assert desk.json("ls", "none", code=1)["error"]["type"] == "NoSuchFile"
    refused = desk.json("cp", "f", "cache:f", code=2)
    assert "cache holds cache; this writes files" in refused["error"]["message"]
    assert desk.run("ls", "cache:").code == 0
    refused = desk.json("rm", "--readonly", "f", code=1)
    assert refused["error"]["type"] == "NoSuchFile"


def test_fs_16_caps_are_proved_and_leave_nothing(desk: Desk) -> None:
    told = desk.json("caps")
    assert told["caps"] == {
        "random_read": True,
        "random_write": False,
        "append": False,
        "truncate": False,
        "atomic_rename": False,
        "directories": True,
        "mtime": True,
        "case_sensitive": True,
    }
    assert [one["name"] for one in told["tried"]] == list(told["caps"])
    assert all(one["seen"] for one in told["tried"])
    assert desk.names("") == []
    assert "random read" in desk.run("caps").out
