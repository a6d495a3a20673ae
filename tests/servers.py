"""S3 servers for tests: on loopback, on free ports, in a directory of their own.

Each start function returns a ready `Server`; whoever starts one stops it.
"""

import ctypes
import json
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from s3dash.core.settings import Credentials, Datastore

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

    from s3dash.objectstore.s3 import S3Store

ACCESS_KEY = "testkey"
SECRET_KEY = "testsecret"
READY_S = 30.0
PR_SET_PDEATHSIG = 1
STARTS = 3


@dataclass
class Server:
    """A running S3 server and the keys that it knows."""

    kind: str
    endpoint: str
    directory: Path
    process: "subprocess.Popen[bytes]"
    access_key: str = ACCESS_KEY
    secret_key: str = SECRET_KEY
    _client: "S3Client | None" = field(default=None, repr=False)
    _shared: str = field(default="", repr=False)

    @property
    def credentials(self) -> Credentials:
        return Credentials(self.access_key, self.secret_key)

    def client(self) -> "S3Client":
        """A plain boto3 client, to look at the bucket behind the back of the code under test."""
        if self._client is None:
            self._client = raw_client(self.endpoint, self.credentials)
        return self._client

    def make_bucket(self, name: str | None = None) -> str:
        """A bucket that nobody else uses; its name."""
        name = name or f"test-{uuid.uuid4().hex[:12]}"
        self.client().create_bucket(Bucket=name)
        return name

    def shared_bucket(self) -> str:
        """One for all tests that keep to a prefix of their own: a new one costs 0.2 s."""
        if not self._shared:
            self._shared = self.make_bucket()
        return self._shared

    def settings(self, bucket: str, tmp_path: Path, **over: Any) -> Datastore:
        """Settings of a datastore in `bucket`, with cache and state below `tmp_path`."""
        fields: dict[str, Any] = {
            "name": "test",
            "bucket": bucket,
            "cache": tmp_path / "cache",
            "state_dir": tmp_path / "state",
            "region": "us-east-1",
            "endpoint": self.endpoint,
            "force_path_style": True,
            "request_timeout_ms": 10_000,
        }
        return Datastore(**{**fields, **over})

    def store(self, bucket: str, tmp_path: Path, **over: Any) -> "S3Store":
        """The real store on `bucket`; close it after use."""
        from s3dash.objectstore.s3 import S3Store

        return S3Store(self.settings(bucket, tmp_path, **over), self.credentials)

    def stop(self) -> None:
        """Ends this process and no other, and removes its directory."""
        if self._client is not None:
            self._client.close()
        _end(self.process)
        shutil.rmtree(self.directory, ignore_errors=True)


def raw_client(endpoint: str, credentials: Credentials) -> "S3Client":
    import boto3
    from botocore.config import Config

    return boto3.Session().client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=credentials.access_key_id,
        aws_secret_access_key=credentials.secret_access_key,
        region_name="us-east-1",
        config=Config(s3={"addressing_style": "path"}, connect_timeout=5, max_pool_connections=32),
    )


def start_weed(directory: Path, *, identities: object = None) -> Server:
    """SeaweedFS; knows one identity and creates no bucket by itself.

    `identities`: the document of its `-s3.config`, to let it know others.
    """
    limits = []
    if identities is not None:
        directory.mkdir(parents=True, exist_ok=True)
        document = directory / "identities.json"
        document.write_text(json.dumps(identities))
        limits = [f"-s3.config={document}"]

    def command(port: int) -> list[str]:
        ports = {"s3.port": port}
        names = ("master.port", "volume.port", "filer.port", "admin.port")
        for name in (*names, *(f"{n}.grpc" for n in (*names, "s3.port"))):
            ports[name] = free_port()
        flags = {f"-{name}={number}" for name, number in ports.items()}
        return [
            _tool("weed"),
            "mini",
            f"-dir={directory}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-admin.ui=false",
            "-webdav=false",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-s3.autoCreateBucket=false",
            "-master.telemetry=false",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=20000",
            *sorted(flags),
            *limits,
        ]

    return _start("weed", directory, command)


def start_moto(directory: Path) -> Server:
    """moto; it asks for no credentials and ignores some conditions."""

    def command(port: int) -> list[str]:
        return [_tool("moto_server"), "-H", "127.0.0.1", "-p", str(port)]

    return _start("moto", directory, command)


def start_rclone(directory: Path) -> Server:
    """`rclone serve s3`: an endpoint that ignores every condition."""
    data = directory / "data"
    data.mkdir(parents=True, exist_ok=True)

    def command(port: int) -> list[str]:
        keys = f"{ACCESS_KEY},{SECRET_KEY}"
        flags = ["--auth-key", keys, "--addr", f"127.0.0.1:{port}", "--config", ""]
        return [_tool("rclone"), "serve", "s3", *flags, str(data)]

    return _start("rclone", directory, command)


def free_port() -> int:
    """A port that nobody listens on, outside the range that the system hands to clients."""
    for _ in range(200):
        port = random.randint(10_000, 32_000)
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) != 0:
                return port
    raise RuntimeError("no free port")


def _tool(name: str) -> str:
    return str(Path(sys.executable).parent / name)


def _start(kind: str, directory: Path, command: Callable[[int], list[str]]) -> Server:
    """Another process may take a port first: then again, on other ports."""
    directory.mkdir(parents=True, exist_ok=True)
    for _ in range(STARTS):
        port = free_port()
        process = _spawn(command(port), directory)
        server = Server(kind, f"http://127.0.0.1:{port}", directory, process)
        if _ready(server):
            return server
        _end(process)
    log = (directory / "server.log").read_text(errors="replace")[-2000:]
    raise RuntimeError(f"{kind} did not start:\n{log}")


def _spawn(command: list[str], directory: Path) -> "subprocess.Popen[bytes]":
    environment = {
        "PATH": "/usr/bin:/bin",
        "HOME": str(directory),
        "TMPDIR": str(directory),
        "AWS_ACCESS_KEY_ID": ACCESS_KEY,
        "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1",  # a new bucket grows 7 volumes otherwise: 0.2 s
    }
    with (directory / "server.log").open("wb") as log:
        return subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )


def _die_with_parent() -> None:
    """A test run that is killed cannot clean up: then the kernel ends the server.

    It watches the thread that started the server, so start one from a thread that stays.
    """
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _ready(server: Server) -> bool:
    """True once the server stores an object; False when it ended or never answered."""
    end = time.monotonic() + READY_S
    while time.monotonic() < end and server.process.poll() is None:
        if _answers(server.endpoint) and _stores(server):
            return True
        time.sleep(0.05)
    return False


def _answers(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(endpoint, timeout=2).close()
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code < 500
    except OSError:
        return False
    return True


def _stores(server: Server) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        bucket = server.make_bucket()
        server.client().put_object(Bucket=bucket, Key="ready", Body=b"x")
    except (BotoCoreError, ClientError):
        return False
    return True


def _end(process: "subprocess.Popen[bytes]") -> None:
    """Nothing it holds is worth a clean shutdown, which takes a second or two.

    SeaweedFS makes its sockets in /tmp, whatever TMPDIR says: they go by their ports.
    """
    process.kill()
    process.wait(10)
    for port in re.findall(r"port(?:\.grpc)?=(\d+)", str(process.args)):
        for socket_path in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            socket_path.unlink(missing_ok=True)
