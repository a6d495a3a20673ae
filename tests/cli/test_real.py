"""The command line with everything real behind it, on SeaweedFS; failures a user can cause."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fakes import Done
from tests.cli.real import plain_run
from tests.servers import Server, free_port

Cli = Callable[..., Done]


class Desk:
    """One user's configuration file, cache and environment."""

    def __init__(self, home: Path, server: Server, **fields: Any) -> None:
        self.home = home
        self.cache = home / "cache"
        self.cache.mkdir(parents=True)
        table = {
            "bucket": "my-bucket",
            "endpoint": server.endpoint,
            "region": "us-east-1",
            "force_path_style": True,
            "cache": "cache",
            "request_timeout_ms": 5000,
            **fields,
        }
        toml = "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())
        credentials = 'credentials = {access_key_id = "env:K", secret_access_key = "env:S"}\n'
        (home / "s3dash.toml").write_text("[datastores.desk]\n" + toml + credentials)
        self.environ = {
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "K": server.access_key,
            "S": server.secret_key,
        }

    def __call__(self, *arguments: str) -> Done:
        return plain_run(*arguments, environ=self.environ, cwd=self.home)

    def write(self, rel: str, text: str) -> None:
        path = self.cache / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_two_desks_share_files_and_a_conflict_keeps_both(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    ada, ben = (Desk(tmp_path / name, weed, bucket=bucket) for name in ("ada", "ben"))
    ada.write("files/a.txt", "one\n")
    ada.write("logs/app.log", "log\n")
    dry = ada("push", "--dry-run", "--json").document
    assert {(row["path"], row["action"]) for row in dry["plan"]} == {
        ("files/a.txt", "upload"),
        ("logs/app.log", "upload"),
    }
    assert ada("push", "--json").document["pushed"] == 2
    assert ben("pull", "--json").document["pulled"] == 2
    assert (ben.cache / "files/a.txt").read_text() == "one\n"
    assert ada("status", "--json").document["local"]["dirty"] == []

    ada.write("files/a.txt", "ada\n")
    ben.write("files/a.txt", "ben\n")
    (change,) = ben("diff", "--json").document["changes"]
    assert (change["path"], change["change"], change["side"]) == (
        "files/a.txt",
        "modified",
        "local",
    )
    assert ada("push", "files", "--json").document["pushed"] == 1
    done = ben("sync", "--json")
    assert done.code == 3
    assert [c["path"] for c in done.document["conflicts"]] == ["files/a.txt"]
    assert ben("conflicts").code == 3
    assert (ben.cache / "files/a.txt").read_text() == "ben\n"
    assert ben("sync", "--conflict", "remote", "--json").code == 0
    assert (ben.cache / "files/a.txt").read_text() == "ada\n"
    assert len(ben("history", "--json").document["history"]) >= 3

    (lost,) = [t for t in ben("trash", "--json").document["trash"] if not t["expires"]]
    assert (lost["path"], lost["size"]) == ("files/a.txt", 4)
    assert ben("trash", "restore", lost["id"]).code == 2, "another file is there"
    assert ben("trash", "restore", lost["id"][:20], "--to", "files/mine.txt").code == 0
    assert (ben.cache / "files/mine.txt").read_text() == "ben\n"

    ada.write("files/a.txt", "ada, again\n")
    ben.write("files/a.txt", "ben, again\n")
    assert ada("push", "--json").document["pushed"] == 1
    assert ben("conflicts", "resolve", "files/mine.txt", "--take", "local").code == 2
    done = ben("conflicts", "resolve", "files/a.txt", "--take", "local", "--json")
    assert (done.code, done.document["pushed"]) == (0, 1)
    assert ben("conflicts").code == 0
    newest = ben("trash", "--json").document["trash"][-1]
    assert (newest["path"], newest["reason"]) == (
        "files/a.txt",
        "replaced in the bucket by the local one",
    )
    assert ada("pull", "--json").code == 0
    assert (ada.cache / "files/a.txt").read_text() == "ben, again\n"


def test_a_name_that_is_nowhere_is_told(weed: Server, tmp_path: Path) -> None:
    ada = Desk(tmp_path / "ada", weed, bucket=weed.make_bucket())
    for name in ("one", "three", "four"):
        ada.write(f"data/acme/vm/{name}/raw", name)
    (ada.cache / "empty").mkdir()
    done = ada("push", "data", "dta/acme", "empty", "--json")
    assert (done.code, done.document["pushed"], done.document["unknown"]) == (0, 3, ["dta/acme"])
    assert "unknown" not in ada("push", "data", "--json").document
    (ada.cache / "data/acme/vm/one/raw").unlink()
    assert "unknown" not in ada("push", "data", "--dry-run", "--json").document
    models = ada("push", "--model", "acme/vm/one", "--model", "acme/vm/two", "--json").document
    assert (models["deleted_remote"], models["unknown"]) == (1, ["acme/vm/two"])
    words = "dta: there is nothing of that name, here or in the bucket"
    for command in (["pull"], ["sync"], ["push", "--dry-run"], ["diff"]):
        assert words in ada(*command, "dta").out
    assert ada("diff", "dta", "--json").document == {"changes": [], "unknown": ["dta"]}


def test_locks_and_namespaces_of_a_real_bucket(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    put = weed.client().put_object
    body = {"holder": "ada@vm", "hostname": "vm", "pid": 7, "ttlMs": 30000, "nonce": "right"}
    put(Bucket=bucket, Key=".locks/web.lock", Body=json.dumps(body).encode())
    put(Bucket=bucket, Key="web/.namespace.json", Body=b'{"namespace":"web"}')
    desk = Desk(tmp_path / "desk", weed, bucket=bucket)
    (lock,) = desk("locks", "--json").document["locks"]
    assert (lock["holder"], lock["namespace"], lock["stale"]) == ("ada@vm", "web", False)
    assert desk("namespaces", "--json").document["namespaces"] == ["web"]
    refused = desk("locks", "release", ".locks/web.lock", "--nonce", "wrong", "--json")
    assert refused.code == 4
    assert refused.document["error"]["type"] == "LockHeld"
    assert desk("locks", "release", ".locks/web.lock", "--nonce", "right").code == 0
    assert desk("locks", "--json").document["locks"] == []
    assert desk("locks", "release", "files/a", "--nonce", "x").code == 2


def test_doctor_trusts_seaweedfs_and_leaves_nothing_behind(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    done = Desk(tmp_path / "desk", weed, bucket=bucket)("doctor", "--json")
    assert done.code == 0
    assert done.document["locking"] == "safe"
    assert len(done.document["checks"]) >= 4
    assert "Contents" not in weed.client().list_objects_v2(Bucket=bucket)


def test_an_unsafe_endpoint_is_told_and_push_refused(rclone: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", rclone, bucket=rclone.make_bucket())
    desk.write("files/a", "a")
    assert desk("doctor", "--json").document["locking"] == "unsafe"
    done = desk("push", "--json")
    assert done.code == 4
    assert done.document["error"]["type"] == "UnsafeEndpoint"


@pytest.mark.parametrize("command", ["status", "pull", "push", "locks"])
@pytest.mark.parametrize("fault", ["wrong key", "missing bucket", "no answer"])
def test_a_bucket_that_cannot_be_used_is_a_clear_failure(
    command: str, fault: str, weed: Server, tmp_path: Path
) -> None:
    faults: dict[str, dict[str, Any]] = {
        "wrong key": {"bucket": weed.make_bucket()},
        "missing bucket": {"bucket": "there-is-no-such-bucket"},
        "no answer": {"endpoint": f"http://127.0.0.1:{free_port()}", "request_timeout_ms": 1000},
    }
    desk = Desk(tmp_path / "desk", weed, **faults[fault])
    if fault == "wrong key":
        desk.environ["S"] = "not-the-secret"
    desk.write("files/a", "a")
    done = desk(command, "--json")
    assert done.code == 1
    document = done.document
    message = document["message"] if command == "status" else document["error"]["message"]
    assert message
    assert "Traceback" not in done.out + done.err
    assert "not-the-secret" not in done.out + done.err
    assert (desk.cache / "files/a").read_text() == "a"


def test_a_wrong_configuration_names_every_field(weed: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", weed, bucket="X", endpoint="ftp://x")
    done = desk("config", "check", "--json")
    assert done.code == 2
    for word in ("s3dash.toml", "desk", "bucket", "endpoint"):
        assert word in done.document["error"]["message"]
    (desk.home / "s3dash.toml").write_text("[datastores\n")
    assert desk("status", "--json").document["error"]["type"] == "ConfigError"


def test_config_show_never_shows_a_secret(weed: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", weed)
    done = desk("config", "show", "--json")
    assert done.document["datastores"]["desk"]["credentials"]["access_key_id"] == "env:K"
    assert weed.secret_key not in done.out
    del desk.environ["S"]
    checked = desk("config", "check", "--json")
    assert checked.code == 2
    assert "env:S" in checked.document["error"]["message"]


def test_a_reader_that_goes_away_is_no_traceback(weed: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", weed)
    command = [sys.executable, "-m", "s3dash", "config", "show"]
    process = subprocess.Popen(
        command,
        cwd=desk.home,
        env={**os.environ, **desk.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    told = process.stderr.read()
    assert process.wait(30) == 1
    process.stderr.close()
    assert told == b""


def test_sigterm_during_a_push_ends_cleanly_and_releases_the_lock(
    weed: Server, tmp_path: Path
) -> None:
    """Somebody else holds the lock, so that the push surely waits when the signal comes."""
    bucket = weed.make_bucket()
    desk = Desk(tmp_path / "desk", weed, bucket=bucket)
    desk.write("files/a", "a")
    body = {"holder": "ada@vm", "hostname": "vm", "pid": 7, "ttlMs": 60000, "nonce": "hers"}
    lock = json.dumps(body).encode()
    weed.client().put_object(Bucket=bucket, Key=".datastore.lock", Body=lock)
    process = subprocess.Popen(
        [sys.executable, "-m", "s3dash", "--json", "push"],
        cwd=desk.home,
        env={**os.environ, **desk.environ},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    _wait_for_object(weed, bucket, "files/a", process)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert json.loads(out)["error"]["type"] == "Cancelled"
    assert "Traceback" not in err
    held = weed.client().get_object(Bucket=bucket, Key=".datastore.lock")["Body"].read()
    assert json.loads(held)["nonce"] == "hers"


def _wait_for_object(
    server: Server, bucket: str, key: str, process: "subprocess.Popen[str]"
) -> None:
    """Data goes up before the lock is asked for: once it is there, the push waits."""
    for _ in range(300):
        found = server.client().list_objects_v2(Bucket=bucket, Prefix=key)
        if found.get("KeyCount"):
            return
        with pytest.raises(subprocess.TimeoutExpired):
            process.wait(0.1)
    raise AssertionError(f"{key} never appeared")


def test_a_store_of_another_kind_is_no_cache_to_sync(weed: Server, tmp_path: Path) -> None:
    done = Desk(tmp_path / "desk", weed, kind="keys")("status", "--json")
    assert done.code == 2
    assert done.document["error"]["type"] == "UsageError"
    assert "keys" in done.document["error"]["message"]
