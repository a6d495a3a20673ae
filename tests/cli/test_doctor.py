"""`s3dash doctor` as a process: stopped by signals, read by scripts."""

import io
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from s3dash.cli.diagnostics import Diagnostics
from s3dash.core.policies import fence, iam
from s3dash.objectstore.probe_base import ROOT
from tests.cli.test_real import Desk
from tests.contract.endpoint import Asked
from tests.contract.gate import gated
from tests.servers import Server

ENDS_S = 60


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_it_and_nothing_is_left(
    weed: Server, tmp_path: Path, number: signal.Signals
) -> None:
    """The signal comes while the races are under way."""
    bucket = weed.make_bucket()
    racing = threading.Event()

    def rule(asked: Asked) -> Asked:
        if "/race-3" in asked.path:
            racing.set()
        return asked

    with gated(weed, rule) as gate:
        desk = Desk(tmp_path / "desk", gate.server, bucket=bucket)
        process = subprocess.Popen(
            [sys.executable, "-m", "s3dash", "doctor", "--json"],
            cwd=desk.home,
            env={**desk.environ, "PATH": os.environ["PATH"]},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            assert racing.wait(ENDS_S)
            process.send_signal(number)
            out, err = process.communicate(timeout=ENDS_S)
        finally:
            process.kill()
            process.wait()
    document = json.loads(out)
    assert process.returncode == 130
    assert document["error"]["type"] == "Cancelled"
    assert b"Traceback" not in err
    assert "Contents" not in weed.client().list_objects_v2(Bucket=bucket)
    assert "Uploads" not in weed.client().list_multipart_uploads(Bucket=bucket)


def test_what_a_killed_doctor_left_is_swept_by_the_next(weed: Server, tmp_path: Path) -> None:
    """Only once it is an hour old by the server's clock: it may be under way elsewhere."""
    bucket = weed.make_bucket()
    weed.client().put_object(Bucket=bucket, Key=f"team/{ROOT}killed/create", Body=b"x")
    desk = Desk(tmp_path / "desk", weed, bucket=bucket, prefix="team")
    document = desk("doctor", "--json").document
    assert next(c for c in document["checks"] if c["name"] == "clean-up")["ok"]
    listed = weed.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert [found["Key"] for found in listed] == [f"team/{ROOT}killed/create"]


def test_the_document_has_the_promised_fields(moto: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", moto, bucket=moto.make_bucket(), prefix="team")
    done = desk("doctor", "--json")
    document: dict[str, Any] = done.document
    assert (done.code, document["locking"], document["dialect"]) == (0, "safe", "quoted")
    assert {frozenset(check) for check in document["checks"]} == {
        frozenset({"name", "ok", "detail"})
    }
    assert [p["name"] for p in document["permissions"] if p["needed"]][:3] == [
        "s3:ListBucket",
        "s3:PutObject",
        "s3:GetObject",
    ]
    assert "testsecret" not in done.out + done.err


class Watched(io.StringIO):
    """A stream that says that somebody looks at it."""

    def isatty(self) -> bool:
        return True


def test_progress_is_told_to_those_who_watch() -> None:
    stream = Watched()
    with Diagnostics(stream).steps() as show:
        assert show is not None
        show(3, 18, "create race")
    assert "create race" in stream.getvalue()
    assert "3 of 18" in stream.getvalue()
    with Diagnostics(io.StringIO()).steps() as show:
        assert show is None


def test_policies_are_of_the_datastore_and_ask_nothing(weed: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", weed, bucket="my-bucket", prefix="team", region="cn-north-1")
    for kind, make in (("iam", iam), ("fence", fence)):
        done = desk("doctor", "--policy", kind)
        assert (done.code, done.err) == (0, "")
        assert json.loads(done.out) == make("my-bucket", "team", region="cn-north-1")
