"""A server, and datastores on it to look at through the real program."""

import os
import random
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from benchmarks.terminal import Program
from tests.servers import Server

SCRIPT = str(Path(sys.executable).parent / "s3dash")
CONFIG = """
[datastores.{name}]
bucket = "{bucket}"
endpoint = "{endpoint}"
region = "us-east-1"
force_path_style = true
cache = "{cache}"
request_timeout_ms = 30000
bandwidth_limit = {limit}
auto_sync = {auto}

[datastores.{name}.credentials]
access_key_id = "env:BENCH_KEY_ID"
secret_access_key = "env:BENCH_SECRET"
"""


class Place:
    """One datastore: a bucket, a cache and a configuration in a directory.

    `bucket` is one that exists; else one is made, called like the place. `cache` is the directory
    of the files; else one of its own.
    """

    def __init__(
        self,
        server: Server,
        root: Path,
        name: str,
        *,
        bucket: str | None = None,
        cache: Path | None = None,
        limit: int = 0,
        auto: bool = False,
    ) -> None:
        self.name = name
        self.root = root / name
        self.root.mkdir(parents=True)
        self.cache = cache or self.root / "cache"
        self.cache.mkdir(exist_ok=True)
        self.bucket = bucket or server.make_bucket(name)
        self._server = server
        self.configure(limit=limit, auto=auto)

    def configure(self, *, limit: int = 0, auto: bool = False) -> None:
        """Write the configuration. `limit` is bytes per second, 0 none."""
        text = CONFIG.format(
            name=self.name,
            bucket=self.bucket,
            endpoint=self._server.endpoint,
            cache=self.cache,
            limit=limit,
            auto=str(auto).lower(),
        )
        (self.root / "s3dash.toml").write_text(text)

    def point_at(self, server: Server) -> None:
        """The same bucket by way of another server, such as a proxy before it."""
        self._server = server
        self.configure()

    @property
    def environ(self) -> Mapping[str, str]:
        keys, near = self._server.credentials, {"AWS_EC2_METADATA_DISABLED": "true"}
        home = self.root / "home"
        return {
            **near,
            "BENCH_KEY_ID": keys.access_key_id,
            "BENCH_SECRET": keys.secret_access_key,
            "HOME": str(home),
            **{f"XDG_{kind}_HOME": str(home / kind) for kind in ("CONFIG", "STATE", "CACHE")},
        }

    def fill(self, below: str, count: int, size: int, *, seed: int = 1) -> None:
        """Files of random bytes, 500 in a directory."""
        dice = random.Random(seed)
        for number in range(count):
            directory = self.cache / below / f"{number // 500:03d}"
            directory.mkdir(parents=True, exist_ok=True)
            (directory / f"file-{number:06d}.bin").write_bytes(dice.randbytes(size))

    def run(self, *arguments: str) -> None:
        """One command without a screen. Raises CalledProcessError with what it said."""
        subprocess.run(
            [SCRIPT, *arguments],
            cwd=self.root,
            env={**os.environ, **self.environ},
            check=True,
            capture_output=True,
        )

    def timed(self, *arguments: str) -> float:
        """Seconds that the command takes."""
        start = time.perf_counter()
        self.run(*arguments)
        return time.perf_counter() - start

    def screen(self) -> Program:
        """The dashboard on a terminal."""
        return Program([SCRIPT], cwd=self.root, environ=self.environ)
