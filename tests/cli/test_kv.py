"""`s3dash kv` with everything real behind it, on SeaweedFS."""

import base64
import io
import json
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from s3dash.cli.main import run
from s3dash.stores.kv import ipfs
from tests.cli.fakes import Done, Terminal
from tests.cli.test_real import Desk
from tests.servers import Server

BINARY = bytes(range(256))


@pytest.fixture
def desk(weed: Server, tmp_path: Path) -> Desk:
    return made(weed, tmp_path)


def made(server: Server, home: Path, **fields: Any) -> Desk:
    prefix = f"kv/{uuid.uuid4().hex[:10]}"
    bucket = server.shared_bucket()
    return Desk(home, server, **{"bucket": bucket, "prefix": prefix, "kind": "keys", **fields})


def put(desk: Desk, values: dict[str, bytes]) -> None:
    """By one batch."""
    lines = [
        json.dumps({"put": key, "base64": base64.b64encode(value).decode()})
        for key, value in values.items()
    ]
    (desk.home / "lines").write_text("\n".join(lines))
    done = desk("kv", "batch", "lines", "--json")
    assert done.document["put"] == len(values), done.err


def raw(desk: Desk, *arguments: str) -> tuple[int, bytes]:
    """A run whose standard output takes bytes."""
    out = io.BytesIO()
    stream = io.TextIOWrapper(out, encoding="utf-8", write_through=True)
    code = run(arguments, stdout=stream, stderr=io.StringIO(), environ=desk.environ, cwd=desk.home)
    return code, out.getvalue()


def keys(done: Done) -> list[str]:
    return [row["key"] for row in done.document["entries"]]


def test_a_value_there_and_back(desk: Desk) -> None:
    (desk.home / "value").write_bytes(BINARY)
    done = desk("kv", "put", "a//b", "value", "--json")
    assert (done.code, done.document) == (0, {"key": "/a/b", "size": 256})
    assert desk("kv", "size", "/a/b", "--json").document == {"key": "/a/b", "size": 256}
    assert desk("kv", "size", "/a/b").out == "256\n"
    assert raw(desk, "kv", "get", "/a/b") == (0, BINARY)
    assert desk("kv", "get", "/a/b", "--json").document == {
        "key": "/a/b",
        "size": 256,
        "base64": base64.b64encode(BINARY).decode(),
    }
    told = desk("kv", "get", "/a/b", "--to", "copy", "--json").document
    assert told == {"key": "/a/b", "size": 256, "to": "copy"}
    assert (desk.home / "copy").read_bytes() == BINARY


def test_a_missing_key(desk: Desk) -> None:
    done = desk("kv", "get", "/missing", "--to", "copy", "--json")
    assert (done.code, done.document["error"]["type"]) == (1, "KeyNotFound")
    assert done.document["error"]["message"] == "there is no /missing"
    assert not (desk.home / "copy").exists()
    assert desk("kv", "size", "/missing").code == 1
    done = desk("kv", "has", "/missing", "--json")
    assert (done.code, done.document) == (1, {"key": "/missing", "has": False})
    assert desk("kv", "delete", "/missing").code == 0


def test_on_a_terminal_values_are_harmless_and_long_work_is_shown(desk: Desk) -> None:
    (desk.home / "value").write_bytes(b"a\x1b[31m")
    put(desk, {f"/{ipfs.block_key(body)}": body for body in (b"a", b"b")})
    shown = {}
    for command in (("put", "/v", "value"), ("get", "/v"), ("verify",), ("batch", "lines")):
        out, err = Terminal(), Terminal()
        code = run(("kv", *command), stdout=out, stderr=err, environ=desk.environ, cwd=desk.home)
        assert code == 0
        shown[command[0]] = (out.getvalue(), err.getvalue())
    assert shown["get"][0] == "a\\x1b[31m\n"
    assert "storing /v" in shown["put"][1]
    assert "verifying" in shown["verify"][1]
    assert "sending" in shown["batch"][1]


def test_a_file_that_is_not_there(desk: Desk) -> None:
    for command in (("put", "/a", "missing"), ("batch", "missing")):
        done = desk("kv", *command, "--json")
        assert (done.code, done.document["error"]["type"]) == (1, "LocalError")


def test_has_and_delete(desk: Desk) -> None:
    put(desk, {"/a": b"1", "/b": b"2"})
    assert desk("kv", "has", "/a").code == 0
    done = desk("kv", "delete", "/a", "b/", "/b", "--json")
    assert (done.code, done.document) == (0, {"deleted": ["/a", "/b"]})
    assert (desk("kv", "has", "/a").code, desk("kv", "has", "/b").code) == (1, 1)


def test_standard_input_is_a_value_and_standard_output_gets_it(desk: Desk) -> None:
    command = [sys.executable, "-m", "s3dash", "--config", str(desk.home / "s3dash.toml")]
    options: dict[str, Any] = {"env": desk.environ, "capture_output": True, "timeout": 60}
    stored = subprocess.run([*command, "kv", "put", "/in", "-"], input=BINARY, **options)
    assert stored.returncode == 0, stored.stderr
    got = subprocess.run([*command, "kv", "get", "/in"], **options)
    assert (got.returncode, got.stdout) == (0, BINARY)


def test_a_query(desk: Desk) -> None:
    put(desk, {f"/n/{n}": b"%d" % (9 - n) for n in range(10)} | {"/z": BINARY})
    found = desk("kv", "query", "/n", "--order", "value", "--offset", "1", "--limit", "3", "--json")
    assert found.document["entries"][0] == {"key": "/n/8", "size": 1, "text": "1"}
    assert keys(found) == ["/n/8", "/n/7", "/n/6"]
    assert found.document["query"] == 'SELECT keys,vals FROM "/n" ORDER [VALUE] OFFSET 1 LIMIT 3'
    found = desk(
        "kv", "query", "--keys-only", "--order", "-key", "--json",
        "--filter", "KEY ^= /n", "--filter", 'key>="/n/3"', "--filter", "VALUE > 2",
    )  # fmt: skip
    assert keys(found) == ["/n/6", "/n/5", "/n/4", "/n/3"]
    assert found.document["entries"][0] == {"key": "/n/6", "size": 1}
    (odd,) = desk("kv", "query", "--filter", "key=/z", "--json").document["entries"]
    assert base64.b64decode(odd["base64"]) == BINARY


def test_a_query_for_people(desk: Desk) -> None:
    put(desk, {"/a": b"text\x1b[31m", "/b": b"x" * 2000})
    lines = desk("kv", "query", "--order", "key").out.splitlines()
    assert lines[0] == "      9 B  /a  text\\x1b[31m"
    assert lines[1].endswith("x" * 60)
    assert lines[2] == "2 keys"
    assert desk("kv", "query", "/none").out == "no keys\n"


@pytest.mark.parametrize(
    "arguments",
    [
        ("query", "--filter", "size > 3"),
        ("query", "--filter", "value ^= x"),
        ("query", "--filter", 'key == "/a'),
        ("query", "--order", "size"),
        ("query", "--limit", "-1"),
        ("put", "/", "lines"),
        ("put", "/a", "lines", "--kubo", "lines"),
    ],
)
def test_what_makes_no_sense_is_refused(desk: Desk, arguments: tuple[str, ...]) -> None:
    (desk.home / "lines").write_text("")
    assert desk("kv", *arguments).code == 2


def test_a_batch_in_its_order(desk: Desk) -> None:
    lines = [
        {"put": "/a", "text": "old"},
        {"put": "/gone", "text": ""},
        {"put": "/a", "text": "new ü"},
        {"delete": "/gone"},
        {"put": "/b", "base64": "AAE="},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    (desk.home / "lines").write_text(text + "\n\n")
    done = desk("kv", "batch", "lines", "--json")
    assert done.document == {"put": 4, "deleted": 1, "bytes": 11}
    assert sorted(keys(desk("kv", "query", "--json"))) == ["/a", "/b"]
    assert raw(desk, "kv", "get", "/a")[1].decode() == "new ü"


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("{", "line 2: this is no JSON"),
        ("[]", "line 2: must be an object of texts"),
        ('{"put": "/x"}', "line 2: must be {"),
        ('{"put": "/x", "text": 7}', "line 2: must be an object of texts"),
        ('{"put": "/x", "base64": "?"}', "line 2: base64: this is none"),
        ('{"put": "/", "text": ""}', "the key / can have no value"),
    ],
)
def test_nothing_of_a_batch_is_sent_when_a_line_is_wrong(desk: Desk, line: str, told: str) -> None:
    (desk.home / "lines").write_text('{"put": "/fine", "text": "x"}\n' + line)
    done = desk("kv", "batch", "lines")
    assert done.code == 2
    assert f"lines: {told}" in done.err
    assert desk("kv", "has", "/fine").code == 1


def test_blocks_are_verified(weed: Server, tmp_path: Path) -> None:
    desk = made(weed, tmp_path, layout="flatfs")
    good = {f"/{ipfs.block_key(body)}": body for body in (b"a", b"bb", b"ccc")}
    put(desk, good)
    done = desk("kv", "verify", "--json")
    told = {"checked": 3, "ok": 3, "unknown": 0, "bytes": 6, "damaged": []}
    assert (done.code, done.document) == (0, told)
    bad = next(iter(good))
    put(desk, {bad: b"changed", "/NOBLOCK": b""})
    done = desk("kv", "verify", "--json")
    assert (done.code, done.document["checked"], done.document["unknown"]) == (1, 5 - 1, 0 + 1)
    (damaged,) = done.document["damaged"]
    assert (damaged["key"], damaged["size"], damaged["ok"]) == (bad, 7, False)
    assert "expected ca978112ca1bbdca" in damaged["reason"]
    told_people = desk("kv", "verify").out
    assert "damaged" in told_people
    assert "2 of 4 keys are what they say, 1 damaged, 1 are no blocks" in told_people


def test_another_kind_is_read_and_not_written(weed: Server, tmp_path: Path) -> None:
    desk = made(weed, tmp_path / "keys")
    put(desk, {"/a/b": b"x"})
    prefix = json.loads(desk("config", "show", "--json").out)["datastores"]["desk"]["prefix"]
    other = made(weed, tmp_path / "files", kind="files", prefix=prefix)
    assert keys(other("kv", "query", "--json")) == ["/a/b"]
    (other.home / "value").write_text("x")
    assert other("kv", "put", "/c", "value").code == 2
    assert desk("kv", "delete", "/a/b", "--readonly").code == 2
    assert desk("kv", "has", "/a/b").code == 0


def test_kubos_configuration_stands_in_for_ours(weed: Server, tmp_path: Path) -> None:
    root = f"kubo/{uuid.uuid4().hex[:10]}"
    spec = {
        "type": "s3ds", "region": "us-east-1", "bucket": weed.shared_bucket(),
        "rootDirectory": root, "regionEndpoint": weed.endpoint,
        "accessKey": weed.access_key, "secretKey": weed.secret_key,
    }  # fmt: skip
    local = {"type": "levelds", "path": "datastore", "mountpoint": "/"}
    mounts = [{"child": spec, "type": "measure", "mountpoint": "/blocks"}, local]
    (tmp_path / "config").write_text(json.dumps({"Datastore": {"Spec": {"mounts": mounts}}}))
    desk = made(weed, tmp_path / "desk")
    (desk.home / "block").write_bytes(b"hello")
    kubo = ("--kubo", str(tmp_path / "config"))
    key = f"/blocks/{ipfs.block_key(b'hello')}"
    assert desk("kv", "put", key, "block", *kubo).code == 0
    assert keys(desk("kv", "query", "--json", *kubo)) == [key]
    theirs = ipfs.block_key(b"")  # as go-ds-s3 leaves it there
    weed.client().put_object(Bucket=weed.shared_bucket(), Key=f"{root}/{theirs}", Body=b"")
    assert desk("kv", "verify", "--json", *kubo).document["ok"] == 2
    assert desk("kv", "delete", f"/blocks/{theirs}", *kubo).code == 0
    refused = desk("kv", "put", "/local", "block", *kubo, "--json")
    assert refused.document["error"]["type"] == "NoMount"
    assert desk("kv", "delete", key, *kubo, "--readonly").code == 2
    assert desk("kv", "delete", key, *kubo).code == 0
    assert keys(desk("kv", "query", "--json", *kubo)) == []
    assert weed.secret_key not in refused.out + refused.err
