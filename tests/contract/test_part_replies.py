"""Large files over a bad line: lost, strange and slow answers."""

import hashlib
import io
import os
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.settings import Datastore
from s3dash.errors import (
    InvalidResponse,
    PreconditionFailed,
    S3DashError,
    ServerFault,
    Throttled,
    Unreachable,
)
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.s3 import S3Store
from tests.contract.endpoint import CREDENTIALS, Asked, Reply, answering, error
from tests.contract.test_files import fetch, make
from tests.contract.test_parts import Notes


def test_a_lost_reply_to_the_completion_is_read_back(tmp_path: Path) -> None:
    data, asked = make(tmp_path / "f", 3000), list[str]()

    def lose(op: str, key: str) -> None:
        asked.append(op)
        if op == "complete_upload":
            raise Unreachable("the reply was lost")

    store = MemoryStore(MemoryBucket(), after=lose, multipart_above=1000, part_size=1000)
    up = store.upload("f", tmp_path / "f", if_none_match=True)
    assert fetch(store, "f", if_match=up.etag) == data
    assert asked.count("send_part") == 3
    assert asked.count("complete_upload") == 1


def test_a_completion_that_never_arrived_is_asked_for_again_by_the_next_try(
    tmp_path: Path,
) -> None:
    data, notes, asked = make(tmp_path / "f", 3000), Notes(), list[str]()

    def refuse(op: str, key: str) -> None:
        asked.append(op)
        if op == "complete_upload" and asked.count(op) == 1:
            raise ServerFault("the endpoint failed")

    store = MemoryStore(MemoryBucket(), before=refuse, multipart_above=1000, part_size=1000)
    with pytest.raises(ServerFault):
        store.upload("f", tmp_path / "f", if_none_match=True, log=notes)
    store.upload("f", tmp_path / "f", if_none_match=True, log=notes)
    assert fetch(store, "f") == data
    assert asked.count("send_part") == 3
    assert list(store.list_uploads()) == []


@pytest.mark.parametrize("op", ["create_upload", "send_part", "list_parts", "head"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_whatever_request_fails_the_next_try_ends_well(tmp_path: Path, op: str, when: str) -> None:
    data, notes, failed = make(tmp_path / "f", 5500), Notes(), list[str]()

    def fail(what: str, key: str) -> None:
        if what == op and not failed:
            failed.append(what)
            raise ServerFault("the endpoint failed")
        if what == "complete_upload" and op in ("list_parts", "head") and len(failed) < 2:
            failed.append(what)
            raise ServerFault("the endpoint failed")

    bucket = MemoryBucket()
    hooks: dict[str, Any] = {when: fail}
    for _ in range(5):
        store = MemoryStore(bucket, multipart_above=1000, part_size=1000, **hooks)
        try:
            store.upload("f", tmp_path / "f", if_none_match=True, log=notes)
        except ServerFault:
            continue
        break
    assert failed
    assert fetch(store, "f") == data
    orphans = 1 if (op, when) == ("create_upload", "after") else 0  # nobody learned its name
    assert len(list(store.list_uploads())) == orphans


def _multipart(parts: dict[str, bytes], complete: Reply) -> Callable[[Asked], Reply]:
    """An endpoint that takes parts, and answers the completion as it is told."""

    def reply(asked: Asked) -> Reply:
        if asked.method == "POST" and "uploads" in asked.path:
            return Reply(
                body=b"<InitiateMultipartUploadResult><UploadId>u</UploadId>"
                b"</InitiateMultipartUploadResult>"
            )
        if asked.method == "PUT":
            parts[asked.path] = asked.body
            digest = hashlib.md5(asked.body).hexdigest()
            return Reply(headers={"ETag": f'"{digest}"'})
        if asked.method == "POST":
            return complete
        return Reply(404) if asked.method == "HEAD" else Reply(204)

    return reply


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        (Reply(body=error("InternalError")), ServerFault),
        (Reply(body=error("PreconditionFailed")), PreconditionFailed),
        (Reply(409, error("ConditionalRequestConflict")), PreconditionFailed),
        (Reply(body=b""), InvalidResponse),
        (Reply(body=b"<html>welcome</html>"), InvalidResponse),
        (Reply(503, error("SlowDown")), Throttled),
    ],
)
def test_only_a_completion_that_names_a_version_is_one(
    tmp_path: Path, told: Reply, kind: type[S3DashError]
) -> None:
    data, parts = make(tmp_path / "f", 17 << 20), dict[str, bytes]()
    reply = _multipart(parts, told)
    with answering(reply) as endpoint:
        store = endpoint.store(tmp_path)
        with pytest.raises(kind):
            store.upload("f", tmp_path / "f", if_none_match=True)
        store.close()
    assert b"".join(parts[path] for path in sorted(parts)) == data
    methods = [asked.method for asked in endpoint.asked]
    assert methods.count("DELETE") == 1
    checks = [a.headers.get("content-md5") for a in endpoint.asked if a.method == "PUT"]
    assert all(checks)


def test_a_part_that_arrives_as_other_bytes_is_sent_again(tmp_path: Path) -> None:
    """The endpoint's ETag is not the MD5 of what was sent: nothing of that may be completed."""
    make(tmp_path / "f", 17 << 20)
    good = _multipart({}, Reply(body=b"<R><ETag>whole-3</ETag></R>"))
    flipped: list[str] = []

    def reply(asked: Asked) -> Reply:
        told = good(asked)
        if asked.method == "PUT" and not flipped:
            flipped.append(asked.path)
            return Reply(headers={"ETag": f'"{"0" * 32}"'})
        return told

    with answering(reply) as endpoint:
        store = endpoint.store(tmp_path)
        assert store.upload("f", tmp_path / "f", if_none_match=True).etag == "whole-3"
        store.close()
    puts = [asked.path for asked in endpoint.asked if asked.method == "PUT"]
    assert (len(puts), puts.count(flipped[0])) == (4, 2)


class SlowLine:
    """An endpoint that takes a MiB, then lets 0.2 s pass: 5 MiB/s, with hardly a buffer."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0))
        self._door.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
        self.url = f"http://127.0.0.1:{self._door.getsockname()[1]}"
        self.took = 0
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._thread.join()
        self._door.close()

    def _serve(self) -> None:
        line, _ = self._door.accept()
        with line, line.makefile("rb") as stream:
            headers = [text.decode().lower() for text in iter(stream.readline, b"\r\n")]
            if any(text.startswith("expect:") for text in headers):
                line.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            (length,) = (int(t.split(":")[1]) for t in headers if t.startswith("content-length:"))
            digest = hashlib.md5()
            while self.took < length:
                piece = stream.read(min(1 << 20, length - self.took))
                digest.update(piece)
                self.took += len(piece)
                threading.Event().wait(0.2)
            etag = f'ETag: "{digest.hexdigest()}"'
            line.sendall(f"HTTP/1.1 200 OK\r\n{etag}\r\nContent-Length: 0\r\n\r\n".encode())


def test_a_slow_line_is_no_dead_one(tmp_path: Path) -> None:
    """The time limit of a request is for silence: not for all that it carries."""
    make(tmp_path / "f", 12 << 20)
    line = SlowLine()
    settings = Datastore(
        name="slow",
        bucket="bucket",
        cache=tmp_path,
        state_dir=tmp_path,
        endpoint=line.url,
        force_path_style=True,
        request_timeout_ms=1000,
    )
    store = S3Store(settings, CREDENTIALS)
    assert store.upload("f", tmp_path / "f", if_none_match=True).size == 12 << 20
    store.close()
    line.close()
    assert line.took == 12 << 20


@pytest.mark.parametrize("replaced", [False, True])
def test_a_download_that_breaks_in_the_middle_goes_on_with_the_same_version(
    tmp_path: Path, replaced: bool
) -> None:
    data = os.urandom(3 << 20)

    def reply(asked: Asked) -> Reply:
        headers = {"ETag": '"v1"', "Last-Modified": "Sat, 21 Nov 2026 12:00:00 GMT"}
        start = asked.headers.get("range")
        if start is None:
            return Reply(body=data[: 1 << 20], headers=headers, length=len(data))
        if replaced:
            return Reply(412, error("PreconditionFailed"))
        first = int(start.removeprefix("bytes=").partition("-")[0])
        span = f"bytes {first}-{len(data) - 1}/{len(data)}"
        return Reply(206, data[first:], {**headers, "Content-Range": span})

    sink = io.BytesIO()
    with answering(reply) as endpoint:
        store = endpoint.store(tmp_path)
        if replaced:
            with pytest.raises(S3DashError):
                store.download("f", sink, if_match="v1")
        else:
            assert store.download("f", sink, if_match="v1").etag == "v1"
            assert sink.getvalue() == data
        store.close()
    again = [asked for asked in endpoint.asked if "range" in asked.headers]
    assert [asked.headers.get("if-match") for asked in again] == ['"v1"'] * len(again)
    assert again
