"""`s3dash blobs`, on real servers and with its real services."""

import io
import json
import os
import signal
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from s3dash.cli.main import run
from s3dash.stores.blobs import sri
from s3dash.stores.blobs.environment import START
from tests.cli.fakes import Done
from tests.cli.real import plain_run
from tests.servers import Server

FILE = """
[defaults]
endpoint = '{endpoint}'
region = 'us-east-1'
force_path_style = true
credentials = {{ access_key_id = 'env:KEY_ID', secret_access_key = 'env:SECRET' }}

[datastores.packages]
kind = 'blobs'
bucket = '{bucket}'
prefix = '{prefix}/a'

[datastores.other]
kind = 'blobs'
bucket = '{bucket}'
prefix = '{prefix}/b'

[datastores.cache]
bucket = '{bucket}'
prefix = '{prefix}/c'
"""


@dataclass
class Desk:
    """A directory with a configuration, and a bucket that it names."""

    home: Path
    server: Server
    prefix: str = field(default_factory=lambda: uuid.uuid4().hex)

    def __post_init__(self) -> None:
        config = FILE.format(endpoint=self.server.endpoint, bucket=self.bucket, prefix=self.prefix)
        (self.home / "s3dash.toml").write_text(config)

    @property
    def bucket(self) -> str:
        return self.server.shared_bucket()

    @property
    def environ(self) -> dict[str, str]:
        keys = {"KEY_ID": self.server.access_key, "SECRET": self.server.secret_key}
        return {**os.environ, **keys}

    def run(self, *arguments: str, **more: str) -> Done:
        return plain_run("blobs", *arguments, environ={**self.environ, **more}, cwd=self.home)

    def json(self, *arguments: str, code: int = 0) -> dict[str, Any]:
        done = self.run(*arguments, "--json")
        assert done.code == code, done.err + done.out
        found: dict[str, Any] = json.loads(done.out)
        return found

    def write(self, name: str, body: bytes) -> str:
        (self.home / name).write_bytes(body)
        return sri.of(body)

    def bend(self, name: str, body: bytes) -> None:
        key = f"{self.prefix}/a/script-packages/blobs/{name.encode().hex()}"
        self.server.client().put_object(Bucket=self.bucket, Key=key, Body=body)


@pytest.fixture(params=["moto", "weed"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    server: Server = request.getfixturevalue(request.param)
    return Desk(tmp_path, server)


def test_files_are_put_found_got_listed_and_deleted(desk: Desk) -> None:
    first, second = desk.write("first", b"one"), desk.write("second", b"two" * 1000)
    put = desk.json("put", "first", "second")["blobs"]
    assert [(one["file"], one["integrity"], one["outcome"]) for one in put] == [
        ("first", first, "created"),
        ("second", second, "created"),
    ]
    assert desk.json("put", "first")["blobs"][0]["outcome"] == "there"
    assert desk.json("has", first) == {"integrity": first, "has": True}
    assert desk.json("has", sri.of(b"none"), code=1)["has"] is False
    listed = desk.json("list")["blobs"]
    assert {one["integrity"]: one["size"] for one in listed} == {first: 3, second: 3000}
    told = desk.json("get", second, "--to", "copy")
    assert told["size"] == 3000
    assert (desk.home / "copy").read_bytes() == b"two" * 1000
    assert desk.json("delete", first, first) == {"deleted": [first, first]}
    assert desk.run("list").out.splitlines()[-1] == "1 blob"


def test_a_blob_goes_to_standard_output_as_it_is(desk: Desk) -> None:
    body = bytes(range(256)) * 2000
    name = desk.write("f", body)
    desk.run("put", "f")
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, "ascii")
    arguments = ["blobs", "get", name]
    err = io.StringIO()
    code = run(arguments, stdout=out, stderr=err, environ=desk.environ, cwd=desk.home)
    assert (code, err.getvalue()) == (0, "")
    assert raw.getvalue() == body


def test_bl_06_a_damaged_blob_is_an_error_and_writes_nothing(desk: Desk) -> None:
    name = desk.write("f", b"right")
    desk.run("put", "f")
    desk.bend(name, b"wrong")
    done = desk.run("get", name, "--to", "copy", "--json")
    assert done.code == 1
    assert json.loads(done.out)["error"]["type"] == "Integrity"
    assert sri.of(b"wrong") in done.out
    assert not (desk.home / "copy").exists()
    assert desk.json("put", "f")["blobs"][0]["outcome"] == "healed"
    assert desk.json("get", name, "--to", "copy")["size"] == 5


def test_a_file_that_is_there_is_not_replaced(desk: Desk) -> None:
    name = desk.write("f", b"x")
    desk.run("put", "f")
    assert desk.run("get", name, "--to", "f").code == 2
    assert desk.run("get", name, "--to", "f", "--force").code == 0


def test_bl_04_wrong_bytes_are_not_put(desk: Desk) -> None:
    desk.write("f", b"wrong")
    done = desk.run("put", "f", "--integrity", sri.of(b"right"))
    assert done.code == 1
    assert sri.of(b"right") in done.err
    assert desk.json("list") == {"blobs": []}


def test_bl_03_a_name_that_is_no_digest_needs_to_be_opaque(desk: Desk) -> None:
    desk.write("f", b"x")
    assert desk.run("put", "f", "--integrity", "left-pad@1.3.0").code == 2
    put = desk.json("put", "f", "--integrity", "left-pad@1.3.0", "--opaque")
    assert put["blobs"][0]["integrity"] == "left-pad@1.3.0"
    assert desk.json("get", "left-pad@1.3.0", "--to", "copy")["size"] == 1
    desk.bend("legacy@1", b"y")
    assert desk.run("get", "legacy@1", "--to", "legacy").code == 1
    assert desk.run("get", "legacy@1", "--to", "legacy", "--unverified").code == 0


def test_a_scrub_exits_with_3_while_damage_remains(desk: Desk) -> None:
    name = desk.write("f", b"right")
    desk.run("put", "f")
    found = desk.json("scrub")
    assert (found["blobs"], found["verified"], found["damaged"]) == (1, 1, [])
    desk.bend(name, b"wrong")
    found = desk.json("scrub", code=3)
    (damaged,) = found["damaged"]
    assert (damaged["expected"], damaged["actual"]) == (name, sri.of(b"wrong"))
    told = desk.run("scrub")
    assert told.code == 3
    assert name in told.out


def test_bl_10_what_no_manifest_names_goes(desk: Desk) -> None:
    kept, loose = desk.write("kept", b"kept"), desk.write("loose", b"loose")
    desk.run("put", "kept", "loose")
    (desk.home / "lock.json").write_text(json.dumps({"a": {"integrity": kept}}))
    found = desk.json("gc", "--keep", "lock.json", "--dry-run")
    assert (found["candidates"], found["kept_within_grace"], found["retained"]) == (0, 1, 1)
    found = desk.json("gc", "--keep", "lock.json", "--grace", "0", "--dry-run")
    assert (found["dry_run"], found["names"], found["bytes"]) == (True, [loose], 5)
    found = desk.json("gc", "--keep", "lock.json", "--grace", "0s")
    assert (found["deleted"], found["bytes"], found["failed"]) == (1, 5, [])
    assert [one["integrity"] for one in desk.json("list")["blobs"]] == [kept]
    (desk.home / "wrong").write_text("nothing that is here\n")
    assert desk.run("gc", "--keep", "wrong", "--grace", "0").code == 3
    assert len(desk.json("list")["blobs"]) == 1


def test_bl_10_a_collection_needs_a_manifest_and_a_span(desk: Desk) -> None:
    assert desk.run("gc").code == 2
    assert desk.run("gc", "--keep", "missing").code == 1
    (desk.home / "lock").write_text("x")
    assert desk.run("gc", "--keep", "lock", "--grace", "soon").code == 2


def test_bl_13_blobs_move_to_another_datastore(desk: Desk) -> None:
    names = [desk.write(name, name.encode()) for name in ("one", "two")]
    desk.run("put", "one", "two")
    done = desk.json("migrate", "--to", "other")
    assert (done["copied"], done["complete"]) == (2, True)
    assert desk.json("migrate", "--to", "other")["there"] == 2
    listed = desk.json("list", "--datastore", "other")["blobs"]
    assert {one["integrity"] for one in listed} == set(names)
    assert desk.run("migrate", "--to", "packages").code == 2
    assert desk.run("migrate", "--to", "cache").code == 2
    assert "complete" in desk.run("migrate", "--to", "other").out


def test_bl_14_another_datastore_is_looked_in_as_well(desk: Desk) -> None:
    name = desk.write("f", b"right")
    desk.run("put", "f", "--datastore", "other")
    assert desk.run("has", name).code == 1
    assert desk.json("has", name, "--fallback", "other")["has"]
    missing = desk.run("get", name, "--to", "copy")
    assert missing.code == 1
    assert f"there is no blob {name}" in missing.err
    assert desk.json("get", name, "--to", "copy", "--fallback", "other")["size"] == 5
    desk.bend(name, b"wrong")
    again = ("--to", "copy", "--force", "--fallback", "other")
    assert desk.json("get", name, *again)["size"] == 5
    assert (desk.home / "copy").read_bytes() == b"right"


def test_only_a_store_of_blobs_is_written(desk: Desk) -> None:
    desk.write("f", b"x")
    done = desk.run("put", "f", "--datastore", "cache")
    assert done.code == 2
    assert "holds cache" in done.err
    assert desk.json("list", "--datastore", "cache") == {"blobs": []}
    assert desk.run("put", "f", "--readonly").code == 2


def test_bl_08_the_environment_takes_the_place_of_the_configuration(desk: Desk) -> None:
    name = desk.write("f", b"x")
    given = {
        "ENDPOINT": desk.server.endpoint,
        "BUCKET": desk.server.make_bucket(),
        "REGION": "us-east-1",
        "ACCESS_KEY_ID": desk.server.access_key,
        "SECRET_ACCESS_KEY": desk.server.secret_key,
        "FORCE_PATH_STYLE": "1",
    }
    variables = {START + field: value for field, value in given.items()}
    assert desk.run("put", "f", "--from-env", **variables).code == 0
    assert desk.run("has", name, "--from-env", **variables).code == 0
    assert desk.run("has", name).code == 1
    assert desk.run("has", name, "--from-env").code == 2
    partly = desk.run("has", name, "--from-env", **{START + "BUCKET": "packages"})
    assert partly.code == 2
    assert START + "SECRET_ACCESS_KEY: missing" in partly.err


def test_standard_input_is_put(moto: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path, moto)
    done = subprocess.run(
        [sys.executable, "-m", "s3dash", "blobs", "put", "-", "--algorithm", "sha256", "--json"],
        input=b"piped",
        cwd=tmp_path,
        env=desk.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["blobs"][0]["integrity"] == sri.of(b"piped", "sha256")


def test_a_signal_stops_a_long_put_and_leaves_nothing_behind(moto: Server, tmp_path: Path) -> None:
    (tmp_path / "home").mkdir()
    (tmp_path / "staging").mkdir()
    desk = Desk(tmp_path / "home", moto)
    with Path("/dev/zero").open("rb") as endless:
        process = subprocess.Popen(
            [sys.executable, "-m", "s3dash", "blobs", "put", "-"],
            stdin=endless,
            stderr=subprocess.PIPE,
            cwd=desk.home,
            env=desk.environ
            | {"PYTHONPATH": str(Path(__file__).parents[2]), "TMPDIR": str(tmp_path / "staging")},
        )
        while not [*(tmp_path / "staging").iterdir()]:
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(0.02)
        process.send_signal(signal.SIGINT)
        _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"stopped by SIGINT" in told
    assert [*(tmp_path / "staging").iterdir()] == []
    assert desk.json("list") == {"blobs": []}


@pytest.mark.parametrize(
    "arguments",
    [
        ["put", "a", "b", "--integrity", "sha512-x"],
        ["put", "-", "-"],
        ["put", "a", "--opaque"],
        ["get", "sha512-x", "--json"],
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path: Path, arguments: list[str]) -> None:
    config = FILE.format(endpoint="http://127.0.0.1:9", bucket="aaa", prefix="p")
    (tmp_path / "s3dash.toml").write_text(config)
    environ = {**os.environ, "KEY_ID": "k", "SECRET": "s"}
    assert plain_run("blobs", *arguments, environ=environ, cwd=tmp_path).code == 2
