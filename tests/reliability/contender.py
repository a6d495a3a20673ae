"""One of several machines that push against each other: a process of its own.

`python -m tests.reliability.contender JOB`, JOB in JSON. It begins when its standard input ends.
Every line on standard output is a JSON document: `{"ready": true}` before that,
`{"acked": {path: SHA-256}}` after a push that said it held, `{"again": error}` after one
that is to be tried again. A process that takes over a home goes on where the last one ended.
"""

import json
import random
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from s3dash.core.settings import Credentials, Datastore
from s3dash.engine.engine import Engine
from s3dash.engine.lease import Timing
from s3dash.engine.open import open_engine
from s3dash.errors import LockHeld, LockLost, S3DashError
from tests.servers import ACCESS_KEY, SECRET_KEY

EDIT_EVERY = 3


@dataclass(frozen=True, slots=True)
class Job:
    """What one contender does: `commits` pushes in its `home`, through its own `endpoint`.

    `ways`: that many uploads and writes of shards at a time.
    """

    name: str
    home: str
    endpoint: str
    bucket: str
    commits: int
    seed: int
    request_timeout_ms: int
    ways: int
    timing: Timing

    def text(self) -> str:
        return msgspec.json.encode(self).decode()

    @classmethod
    def read(cls, text: str) -> "Job":
        return msgspec.json.decode(text, type=cls)

    def engine(self) -> Engine:
        home = Path(self.home)
        settings = Datastore(
            name=self.name,
            bucket=self.bucket,
            cache=home / "cache",
            state_dir=home / "state",
            region="us-east-1",
            endpoint=self.endpoint,
            force_path_style=True,
            request_timeout_ms=self.request_timeout_ms,
            lock_timeout_ms=300_000,
            pull_concurrency=4,
            push_concurrency=self.ways,
            max_concurrency=128,
        )
        return open_engine(settings, Credentials(ACCESS_KEY, SECRET_KEY), timing=self.timing)


def contend(job: Job) -> None:
    engine = job.engine()
    try:
        _tell({"ready": True})
        sys.stdin.read()
        for number in range(_done(job), job.commits):
            _edit(job, number)
            _push(engine)
            (Path(job.home) / "done").write_text(str(number + 1))
    finally:
        engine.stop()


def _done(job: Job) -> int:
    """How many pushes an earlier process of this home saw acknowledged."""
    noted = Path(job.home) / "done"
    return int(noted.read_text()) if noted.exists() else 0


def _edit(job: Job, number: int) -> None:
    """New files with names of this machine's own, in shards that all share; now and then edits."""
    dice = random.Random(f"{job.seed} {job.name} {number}")
    new = [f"{top}/{job.name}-{number}-{n}" for n in range(dice.randint(1, 3))
           for top in dice.sample(["files", "logs", "audit"], 1)]  # fmt: skip
    cache = Path(job.home) / "cache"
    old = sorted(p.relative_to(cache).as_posix() for p in cache.glob(f"*/{job.name}-*"))
    edited = dice.sample(old, 1) if old and number % EDIT_EVERY == EDIT_EVERY - 1 else []
    for rel in (*new, *edited):
        path = cache / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{rel} as of push {number} {dice.getrandbits(64):x}\n")


def _push(engine: Engine) -> None:
    """Until it holds. What a user would try again is tried again, and told."""
    while True:
        try:
            result = engine.push()
        except S3DashError as error:
            if not (error.retryable or isinstance(error, (LockHeld, LockLost))):
                raise
            _tell({"again": f"{type(error).__name__}: {error.message}"})
            continue
        if result.failed:
            _tell({"again": str(result.failed)})
            continue
        assert not result.conflicts, result.conflicts
        assert not result.blocked, result.blocked
        _tell({"acked": _contents(engine.settings.cache)})
        return


def _contents(cache: Path) -> dict[str, str]:
    from tests.engine.world import digest

    files = (p for p in cache.glob("*/*") if p.is_file() and not p.parent.name.startswith("_"))
    return {p.relative_to(cache).as_posix(): digest(p.read_bytes()) for p in files}


def _tell(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    contend(Job.read(sys.argv[1]))
