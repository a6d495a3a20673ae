"""`s3dash init`: a configuration from options, tested against real servers."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fakes import Done
from tests.cli.real import plain_run
from tests.servers import Server

KEYS = ("--access-key-id", "env:K", "--secret-access-key", "env:S")


def init(cwd: Path, *arguments: str, **environ: str) -> Done:
    return plain_run("init", *arguments, environ={**os.environ, **environ}, cwd=cwd)


def at(server: Server, bucket: str, *more: str) -> list[str]:
    return ["--bucket", bucket, "--endpoint", server.endpoint, *KEYS, *more]


def keys(server: Server) -> dict[str, str]:
    return {"K": server.access_key, "S": server.secret_key}


def test_it_looks_at_the_bucket_and_writes_the_users_own_file(
    weed: Server, tmp_path: Path, sealed: Path
) -> None:
    bucket = weed.make_bucket()
    cache = str(tmp_path / "cache")
    done = init(tmp_path, *at(weed, bucket, "--cache", cache, "--json"), **keys(weed))
    assert done.code == 0, done.err
    path = sealed / ".config/s3dash/config.toml"
    document: dict[str, Any] = done.document
    assert document["path"] == str(path)
    assert document["created"] is True
    assert [c["name"] for c in document["checks"]] == [
        "endpoint", "credentials", "datastore", "directory", "locks",
    ]  # fmt: skip
    assert all(c["ok"] for c in document["checks"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert weed.access_key not in path.read_text()
    assert weed.secret_key not in path.read_text()
    status = plain_run("status", "--json", environ={**os.environ, **keys(weed)}, cwd=tmp_path)
    assert status.document["bucket"] == bucket
    listed = weed.client().list_objects_v2(Bucket=bucket)
    assert listed["KeyCount"] == 0, "the test of the locks leaves nothing behind"


def test_a_second_datastore_joins_the_file_and_comments_stay(weed: Server, tmp_path: Path) -> None:
    file = tmp_path / "s3dash.toml"
    file.write_text('# precious\n[datastores.old]\nbucket = "old-bucket" # here\ncache = "old"\n')
    before = file.read_text()
    bucket = weed.make_bucket()
    more = ("--cache", str(tmp_path / "c"), "--name", "new", "--prefix", "/team/", "--no-test")
    done = init(tmp_path, *at(weed, bucket, *more))
    assert done.code == 0, done.err
    assert file.read_text().startswith(before)
    assert "added to" in done.out
    shown = plain_run("config", "show", "--json", cwd=tmp_path).document["datastores"]
    assert list(shown) == ["old", "new"]
    assert shown["new"]["prefix"] == "team"


def test_the_same_name_is_refused_and_nothing_is_sent(tmp_path: Path) -> None:
    file = tmp_path / "s3dash.toml"
    file.write_text('[datastores.team]\nbucket = "old-bucket"\n')
    done = init(tmp_path, "--bucket", "other", "--name", "team", "--endpoint", "http://127.0.0.1:1")
    assert done.code == 2
    assert "there is a datastore team already; nothing was written" in done.err
    assert file.read_text() == '[datastores.team]\nbucket = "old-bucket"\n'


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--bucket", "X"], "bucket: must be 3 to 63"),
        (["--bucket", "abc", "--endpoint", "ftp://x"], "endpoint: must be a URL"),
        (["--bucket", "abc", "--access-key-id", "AKIAHUNTER2SECRET"], "must be a reference"),
        (["--bucket", "abc", "--access-key-id", "env:A"], "secret_access_key: missing"),
        (["--bucket", "abc", "--endpoint", "http://hunter2:x@h"], "must not carry a user"),
        (["--bucket", "abc", "--name", "a b"], "the name must be"),
        ([], "bucket"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_asked(
    tmp_path: Path, sealed: Path, arguments: list[str], told: str
) -> None:
    done = init(tmp_path, *arguments)
    assert done.code == 2
    assert told in done.err
    assert "hunter2" not in done.err.lower()
    assert not (sealed / ".config").exists()


@pytest.mark.parametrize(
    ("change", "code", "told"),
    [
        ({"S": "wrong"}, 1, "does not take these credentials"),
        ({"S": ""}, 2, "env:S: this variable is not set"),
    ],
)
def test_credentials_that_do_not_work_write_nothing(
    weed: Server, tmp_path: Path, sealed: Path, change: dict[str, str], code: int, told: str
) -> None:
    done = init(tmp_path, *at(weed, weed.make_bucket()), **{**keys(weed), **change})
    assert (done.code, told in done.err) == (code, True), done.err
    assert "nothing was written" in done.err
    assert not (sealed / ".config").exists()


def test_a_bucket_that_is_not_there_writes_nothing_unless_told_so(
    weed: Server, tmp_path: Path, sealed: Path
) -> None:
    done = init(tmp_path, *at(weed, "no-such-bucket", "--json"), **keys(weed))
    assert done.code == 1
    assert json.loads(done.out)["error"]["type"] == "BucketNotFound"
    assert not (sealed / ".config").exists()
    again = init(tmp_path, *at(weed, "no-such-bucket", "--no-test"), **keys(weed))
    assert again.code == 0
    assert (sealed / ".config/s3dash/config.toml").exists()


def test_no_answer_and_an_answer_that_is_not_s3_are_told_apart(tmp_path: Path) -> None:
    done = init(tmp_path, "--bucket", "abc", "--endpoint", "http://127.0.0.1:9")
    assert "no answer from http://127.0.0.1:9" in done.err
    assert done.code == 1


def test_a_named_file_is_made(moto: Server, tmp_path: Path) -> None:
    """moto ignores some conditions, takes any credentials, and does for a second opinion."""
    bucket = moto.make_bucket()
    file = tmp_path / "deep" / "my.toml"
    cache = str(tmp_path / "cache")
    done = init(tmp_path, *at(moto, bucket, "--config", str(file), "--cache", cache), **keys(moto))
    assert done.code == 0, done.err
    assert file.exists()
    assert "locks" in done.out


def test_an_endpoint_that_ignores_conditions_is_told(rclone: Server, tmp_path: Path) -> None:
    bucket = rclone.make_bucket()
    cache = str(tmp_path / "cache")
    done = init(tmp_path, *at(rclone, bucket, "--cache", cache, "--json"), **keys(rclone))
    assert done.code == 0, done.err
    [locks] = [c for c in done.document["checks"] if c["name"] == "locks"]
    assert locks["ok"] is False
    assert "a push is refused" in locks["detail"]


def test_the_help_of_a_missing_configuration_names_the_ways_out(tmp_path: Path) -> None:
    done = plain_run("status", cwd=tmp_path)
    assert done.code == 2
    assert "s3dash init" in done.err
    assert "s3dash demo" in done.err


def test_without_a_terminal_the_dashboard_names_them_too(tmp_path: Path) -> None:
    done = plain_run(cwd=tmp_path)
    assert done.code == 2
    assert "s3dash init" in done.err
    assert "s3dash demo" in done.err
