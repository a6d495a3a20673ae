"""`s3dash control`: happy paths, refusals, JSON, and a real bucket."""

import subprocess
import sys
from pathlib import Path

import pytest

from s3dash.errors import UnsafeEndpoint
from tests.cli.fakes import FakeEngine, cli
from tests.cli.test_real import Desk
from tests.servers import Server


def filled(**bodies: bytes) -> FakeEngine:
    engine = FakeEngine()
    engine.control.bodies.update(bodies)
    return engine


def test_a_record_is_put_from_a_file_and_got(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"line\n")
    engine = filled()
    done = cli("control", "put", "k", "--from", str(tmp_path / "in"), "--json", engine=engine)
    assert done.code == 0
    assert done.document | {"etag": ""} == {"key": "k", "etag": "", "size": 5, "created": True}
    assert cli("control", "get", "k", engine=engine).out == "line\n"
    document = cli("control", "get", "k", "--json", engine=engine).document
    assert set(document) == {"key", "etag", "size", "last_modified", "text"}
    assert document["text"] == "line\n"
    to = tmp_path / "out"
    told = cli("control", "get", "k", "--to", str(to), "--json", engine=engine).document
    assert to.read_bytes() == b"line\n"
    assert (told["to"], "text" in told) == (str(to), False)


def test_bytes_that_are_no_text_come_as_base64() -> None:
    document = cli("control", "get", "k", "--json", engine=filled(k=b"\xff")).document
    assert document["base64"] == "/w=="


def test_a_record_on_a_terminal_is_harmless() -> None:
    done = cli("control", "get", "k", engine=filled(k=b"\x1b[31mred\nnext"), terminal=True)
    assert done.out == "\\x1b[31mred\nnext\n"


def test_the_list_and_its_json() -> None:
    engine = filled(b=b"22", a=b"1")
    engine.control.bodies["s3dash/own"] = b"x"
    records = cli("control", "list", "--json", engine=engine).document["records"]
    assert [(r["key"], r["size"]) for r in records] == [("a", 1), ("b", 2)]
    assert set(records[0]) == {"key", "size", "last_modified", "etag"}
    assert [r["key"] for r in cli("control", "list", "b", "--json", engine=engine).document["records"]] == ["b"]  # fmt: skip # noqa: E501 - one call
    assert len(cli("control", "list", "--all", "--json", engine=engine).document["records"]) == 3
    assert "2 records" in cli("control", "list", engine=engine).out
    assert "no records" in cli("control", "list", engine=filled()).out


def test_put_if_absent_is_refused_when_there_is_one(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"new")
    engine = filled(k=b"old")
    given = ("k", "--from", str(tmp_path / "in"), "--json")
    for words in (("put", "--if-absent"), ("put-if-absent",)):
        done = cli("control", *words, *given, engine=engine)
        assert (done.code, done.document["error"]["type"]) == (1, "PreconditionFailed")
    assert engine.control.bodies["k"] == b"old"


def test_if_match_decides_and_a_missing_record_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"new")
    engine = filled(k=b"old")
    etag = cli("control", "get", "k", "--json", engine=engine).document["etag"]
    given = ("control", "put", "k", "--from", str(tmp_path / "in"), "--if-match")
    assert cli(*given, "other", engine=engine).code == 1
    assert cli(*given, etag, engine=engine).code == 0
    assert cli("control", "delete", "k", "--if-match", etag, "--json", engine=engine).code == 1
    done = cli("control", "delete", "k", "--json", engine=engine)
    assert (done.code, done.document["deleted"]) == (0, "k")
    for verb in ("delete", "get"):
        done = cli("control", verb, "k", "--json", engine=engine)
        assert (done.code, done.document["error"]["type"]) == (1, "NotFound")


@pytest.mark.parametrize(
    "arguments",
    [
        ("put", "k"),
        ("put", "k", "value"),
        ("put", "k", "-", "--from", "x"),
        ("put", "../k", "-"),
        ("put", "s3dash/x", "-"),
    ],
)
def test_what_makes_no_sense_is_told_before_anything_is_read(arguments: tuple[str, ...]) -> None:
    engine = filled()
    done = cli("control", *arguments, "--json", engine=engine)
    assert (done.code, done.document["error"]["type"]) == (2, "UsageError")
    assert engine.control.bodies == {}


def test_a_file_that_cannot_be_read_or_is_too_large(tmp_path: Path) -> None:
    done = cli("control", "put", "k", "--from", str(tmp_path / "none"), "--json")
    assert (done.code, done.document["error"]["type"]) == (1, "LocalError")
    (tmp_path / "big").write_bytes(b"x" * (2**20 + 1))
    assert cli("control", "put", "k", "--from", str(tmp_path / "big")).code == 2


def test_an_unsafe_endpoint_is_told(tmp_path: Path) -> None:
    (tmp_path / "in").write_bytes(b"x")
    engine = filled()
    engine.control.error = UnsafeEndpoint("it does not honour conditions")
    done = cli("control", "put", "k", "--from", str(tmp_path / "in"), "--if-absent", engine=engine)
    assert done.code == 4


def test_control_alone_shows_its_commands() -> None:
    done = cli("control")
    assert "put-if-absent" in done.out + done.err


def test_records_of_a_real_bucket(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    desk = Desk(tmp_path / "desk", weed, bucket=bucket, namespace="infra")
    (desk.home / "in").write_bytes(b"\x00\xff")
    done = desk("control", "put", "a/b", "--from", str(desk.home / "in"), "--if-absent", "--json")
    assert (done.code, done.document["created"]) == (0, True)
    stored = weed.client().get_object(Bucket=bucket, Key="infra/_control/a/b")
    assert stored["Body"].read() == b"\x00\xff"
    assert stored["ETag"].strip('"') == done.document["etag"]
    again = desk("control", "put-if-absent", "a/b", "--from", str(desk.home / "in"), "--json")
    assert (again.code, again.document["error"]["type"]) == (1, "PreconditionFailed")
    (record,) = desk("control", "list", "--json").document["records"]
    assert (record["key"], record["size"]) == ("a/b", 2)
    assert desk("control", "get", "a/b", "--json").document["base64"] == "AP8="
    assert desk("control", "list", "--namespace", "web", "--json").document["records"] == []
    assert desk("control", "put", "x", "--from", str(desk.home / "in"), "--readonly").code == 2
    assert desk("control", "delete", "a/b", "--if-match", record["etag"]).code == 0
    assert desk("control", "delete", "a/b").code == 1


def test_bytes_go_through_pipes_as_they_are(weed: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", weed, bucket=weed.make_bucket())
    body = bytes(range(256))

    def run(*arguments: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        return subprocess.run(
            [sys.executable, "-m", "s3dash", "control", *arguments],
            input=given,
            capture_output=True,
            cwd=desk.home,
            env={**desk.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])},
            timeout=60,
            check=False,
        )

    assert run("put", "k", "-", given=body).returncode == 0
    assert run("get", "k").stdout == body


def test_an_endpoint_that_ignores_conditions_refuses_them(rclone: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", rclone, bucket=rclone.make_bucket())
    (desk.home / "in").write_bytes(b"x")
    given = ("k", "--from", str(desk.home / "in"), "--json")
    done = desk("control", "put", "--if-absent", *given)
    assert (done.code, done.document["error"]["type"]) == (4, "UnsafeEndpoint")
    assert desk("control", "put", *given).code == 0
