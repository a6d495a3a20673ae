"""The second writer of the demo: a process of its own, with a cache and an engine of its own.

Run as `python -m s3dash.demo.writer`, by `beside`. Where the world is and its keys come by the
environment. It ends when its standard input does, so it never outlives who started it.
With `--follow` it does what it is told, one JSON request a line, one JSON answer a line.
"""

import argparse
import hashlib
import json
import os
import random
import sys
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, TextIO

from s3dash.clock import SystemClock
from s3dash.core.cancel import CancelToken
from s3dash.core.settings import Credentials
from s3dash.demo import content
from s3dash.demo.world import COLLEAGUE, World, model_lock, write
from s3dash.engine.engine import Engine
from s3dash.engine.lease import Identity, Lease
from s3dash.errors import S3DashError
from s3dash.objectstore.port import Capabilities

ROOT, ENDPOINT = "S3DASH_DEMO_ROOT", "S3DASH_DEMO_ENDPOINT"
KEY_ID, SECRET = "S3DASH_DEMO_KEY_ID", "S3DASH_DEMO_SECRET"

HOLD_S = 7.0
_BUILDS = 6


class Colleague:
    """Does what a busy colleague does: edits, adds, deletes, pushes, holds locks."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._rng = random.Random("ann")  # noqa: S311 - plausible text, no secret in it
        self._clock = SystemClock()
        self._turn = 0
        self._held = ExitStack()

    def change(self, namespace: str = "infra", clash: str = "") -> dict[str, str | None]:
        """Edit, add and delete, then push: path to the new SHA-256, None for a deletion.

        `clash` is edited too, whatever anybody else does with it.
        """
        self._turn += 1
        with self._engine(namespace) as engine:
            engine.sync(policy="remote")
            made = self._edits(namespace, clash)
            here = self._world.files(COLLEAGUE, namespace)
            gone = self._oldest_build(here)
            write(here, made)
            if gone:
                (here / gone).unlink()
            result = engine.push(policy="local")
        if result.failed or result.conflicts:
            raise S3DashError("the colleague's push was not complete")
        told: dict[str, str | None] = {p: hashlib.sha256(b).hexdigest() for p, b in made.items()}
        return told | ({gone: None} if gone else {})

    def hold(self, key: str) -> None:
        """Take a lock and keep it, with a heartbeat, until `let_go`."""
        self._held.enter_context(self._lease(key))

    def let_go(self) -> None:
        self._held.close()

    def live(self, gone: threading.Event, *, every_s: float) -> None:
        """Something new every few seconds, until `gone` is set."""
        while not gone.wait(self._rng.uniform(0.7, 1.3) * every_s):
            try:
                self._something(gone)
            except S3DashError as error:
                sys.stderr.write(f"{type(error).__name__}: {error.message}\n")

    def _something(self, gone: threading.Event) -> None:
        match self._turn % 7:
            case 1:
                self._hold_for_a_while(model_lock("@acme/server"), gone)
                self.change()
            case 3:
                self.change(clash=content.CLASHING[self._turn // 7 % len(content.CLASHING)])
            case 4:
                self._hold_for_a_while(".locks/web.lock", gone)
                self.change()
            case 5:
                self._hold_for_a_while(model_lock("@acme/network"), gone)
                self.change("web")
            case _:
                self.change()

    def _hold_for_a_while(self, key: str, gone: threading.Event) -> None:
        def hold() -> None:
            with self._lease(key):
                gone.wait(HOLD_S)

        threading.Thread(target=hold, name="s3dash-demo-lock", daemon=True).start()

    @contextmanager
    def _engine(self, namespace: str) -> Iterator[Engine]:
        engine = self._world.engine(COLLEAGUE, namespace)
        try:
            yield engine
        finally:
            engine.stop()

    @contextmanager
    def _lease(self, key: str) -> Iterator[None]:
        identity = Identity("ann@build-7", "build-7", os.getpid(), "s3dash-demo")
        with self._world.store() as store:
            lease = Lease(
                store,
                key,
                nonce=f"{self._rng.getrandbits(64):016x}",
                identity=identity,
                capabilities=Capabilities(True, True, True, True, True),
                clock=self._clock,
                cancel=CancelToken(),
            )
            with lease:
                yield

    def _edits(self, namespace: str, clash: str) -> dict[str, bytes]:
        known = sorted(content.files(namespace))
        logs = [path for path in known if path.startswith("workflow-runs/")]
        made = {path: content.text(self._rng, 12) for path in self._rng.sample(logs, 2)}
        size = self._rng.choice((2_000, 40_000, 1_500_000))
        made[f"files/builds/{self._turn:04}.bin"] = self._rng.randbytes(size)
        made["logs/scheduler.log"] = content.text(self._rng, 200)
        if clash:
            made[clash] = b"edited by ann\n" + content.text(self._rng, 8)
        return made

    def _oldest_build(self, here: Path) -> str:
        """A path to delete, once there are enough."""
        builds = sorted((here / "files/builds").glob("*.bin"))
        return builds[0].relative_to(here).as_posix() if len(builds) >= _BUILDS else ""


def follow(colleague: Colleague, requests: Iterable[str], answers: TextIO) -> None:
    """Answer each request, one a line: `{do: change|hold|let go, …}`."""
    for line in requests:
        request = json.loads(line)
        try:
            answer = _answer(colleague, request)
        except S3DashError as error:
            answer = error.document()
        answers.write(json.dumps(answer) + "\n")
        answers.flush()
    colleague.let_go()


def _answer(colleague: Colleague, request: dict[str, Any]) -> dict[str, Any]:
    match request.pop("do"):
        case "change":
            return {"changed": colleague.change(**request)}
        case "hold":
            colleague.hold(**request)
        case "let go":
            colleague.let_go()
    return {}


def world_of(environ: Mapping[str, str]) -> World:
    """The world that the environment describes."""
    credentials = Credentials(environ[KEY_ID], environ[SECRET])
    return World(Path(environ[ROOT]), environ[ENDPOINT], credentials)


def main() -> None:
    parser = argparse.ArgumentParser(prog="s3dash.demo.writer")
    parser.add_argument("--follow", action="store_true")
    parser.add_argument("--every", type=float, default=3.0, metavar="SECONDS")
    given = parser.parse_args()
    colleague = Colleague(world_of(os.environ))
    if given.follow:
        follow(colleague, sys.stdin, sys.stdout)
        return
    gone = threading.Event()
    threading.Thread(target=_wait_for_the_end, args=(gone,), daemon=True).start()
    colleague.live(gone, every_s=given.every)


def _wait_for_the_end(gone: threading.Event) -> None:
    sys.stdin.read()
    gone.set()


if __name__ == "__main__":
    main()
