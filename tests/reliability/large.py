"""One push or pull in a process of its own, which tells its peak of memory, or dies on the way.

`python -m tests.reliability.large ORDER`, where ORDER is JSON: see `Order`. Prints an `Outcome`.
"""

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import msgspec

from s3dash.core.settings import Credentials, Datastore
from s3dash.engine.open import open_engine
from s3dash.objectstore.port import OnBytes, Uploaded, UploadLog
from s3dash.objectstore.s3 import S3Store
from s3dash.objectstore.source import Held

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 1800


@dataclass(frozen=True)
class Order:
    """What to do, and where. `die_at`: bytes after which the process kills itself."""

    action: str
    settings: dict[str, Any]
    keys: tuple[str, str]
    sizes: dict[str, Any] = field(default_factory=dict)
    die_at: int | None = None


@dataclass(frozen=True)
class Outcome:
    """`peak_mb`: the most memory that was resident at once. `result`: as the command prints it."""

    peak_mb: int
    bytes_up: int
    bytes_down: int
    result: dict[str, Any]


class Doomed(S3Store):
    """Ends the process, without a last word, once so many bytes of files have left."""

    def __init__(
        self, settings: Datastore, credentials: Credentials, *, die_at: int, **sizes: Any
    ) -> None:
        super().__init__(settings, credentials, **sizes)
        self._left = die_at
        self._lock = threading.Lock()

    def upload(
        self,
        key: str,
        source: Path | Held,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        on_bytes: OnBytes | None = None,
        log: UploadLog | None = None,
    ) -> Uploaded:
        def moved(count: int) -> None:
            with self._lock:
                self._left -= count
                if self._left <= 0:
                    os.kill(os.getpid(), signal.SIGKILL)
            if on_bytes is not None:
                on_bytes(count)

        return super().upload(
            key,
            source,
            if_match=if_match,
            if_none_match=if_none_match,
            content_type=content_type,
            metadata=metadata,
            on_bytes=moved,
            log=log,
        )


def carry_out(order: Order) -> Outcome | None:
    """In a fresh process; None when it was killed."""
    done = subprocess.run(
        [sys.executable, "-m", "tests.reliability.large", json.dumps(asdict(order), default=str)],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
    )
    if done.returncode == -signal.SIGKILL:
        return None
    assert done.returncode == 0, done.stderr[-4000:]
    return Outcome(**json.loads(done.stdout))


def peak_mb() -> int:
    """Of this process alone: `ru_maxrss` would count what its parent had before the exec."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text())
    assert found is not None
    return int(found.group(1)) >> 10


def main() -> None:
    order = Order(**json.loads(sys.argv[1]))
    paths = {name: Path(order.settings[name]) for name in ("cache", "state_dir")}
    settings = Datastore(**{**order.settings, **paths})
    credentials = Credentials(*order.keys)
    if order.die_at is None:
        store = S3Store(settings, credentials, **order.sizes)
    else:
        store = Doomed(settings, credentials, die_at=order.die_at, **order.sizes)
    engine = open_engine(settings, store=store)
    result = engine.push() if order.action == "push" else engine.pull()
    engine.stop()
    usage = store.usage
    told = Outcome(peak_mb(), usage.bytes_up, usage.bytes_down, msgspec.to_builtins(result))
    sys.stdout.write(json.dumps(asdict(told)))


if __name__ == "__main__":
    main()
