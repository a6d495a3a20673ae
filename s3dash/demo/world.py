"""The demo's little world: a datastore on a server of its own, and the people who share it."""

import json
import random
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
from msgspec.structs import replace

from s3dash.clock import Clock, SystemClock, iso
from s3dash.core.keys import Keys
from s3dash.core.lock import LockBody, encode_lock
from s3dash.core.settings import Credentials, Datastore
from s3dash.demo import content
from s3dash.demo.server import Server
from s3dash.engine.engine import Engine
from s3dash.engine.jobs import retrying
from s3dash.engine.open import open_engine
from s3dash.objectstore.opening import open_store
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectStore

BUCKET = "acme-datastore"
PREFIX = "team"
YOU, COLLEAGUE = "you", "ann"
STALE_TTL_MS = 1000

Note = Callable[[str], None]


class World(msgspec.Struct, frozen=True):
    """Where everything is. Caches and states lie below `root`, one directory per person."""

    root: Path
    endpoint: str
    credentials: Credentials

    def settings(self, person: str, namespace: str) -> Datastore:
        home = self.root / person
        return Datastore(
            name=f"acme-{namespace}",
            bucket=BUCKET,
            prefix=PREFIX,
            region="us-east-1",
            endpoint=self.endpoint,
            force_path_style=True,
            namespace=namespace,
            cache=home / f"{namespace}-cache",
            state_dir=home / f"{namespace}-state",
            request_timeout_ms=10_000,
            poll_interval_s=3.0,
        )

    def files(self, person: str, namespace: str) -> Path:
        """The directory that a person works in."""
        return self.settings(person, namespace).cache / namespace

    def engine(self, person: str, namespace: str, *, readonly: bool = False) -> Engine:
        settings = replace(self.settings(person, namespace), readonly=readonly)
        return open_engine(settings, self.credentials)

    def reopen(self, settings: Datastore) -> Engine:
        """The engine of another namespace for the same person: the screen's switch."""
        person = settings.state_dir.parent.name
        namespace = settings.namespace or content.NAMESPACES[0]
        return self.engine(person, namespace, readonly=settings.readonly)

    @contextmanager
    def store(self) -> Iterator[ObjectStore]:
        """The bucket below the prefix, to look at it beside every engine."""
        store = open_store(replace(self.settings(YOU, "infra"), namespace=None), self.credentials)
        try:
            yield store
        finally:
            store.close()


@contextmanager
def living(note: Note, *, clock: Clock | None = None) -> Iterator[World]:
    """A server with a filled datastore; all of it is gone afterwards."""
    root = Path(tempfile.mkdtemp(prefix="s3dash-demo-"))
    try:
        note("starting a SeaweedFS server on loopback")
        with Server(root / "server", clock=clock) as server:
            world = World(root, server.endpoint, server.credentials)
            note("filling a datastore with the namespaces infra and web")
            found(world, clock or SystemClock())
            yield world
    finally:
        shutil.rmtree(root, ignore_errors=True)


def found(world: World, clock: Clock) -> None:
    """Register the namespaces, push everything once, pull it once, and leave one lock behind."""
    with world.store() as store:
        for namespace in content.NAMESPACES:
            _register(store, namespace, clock)
        for namespace in content.NAMESPACES:
            write(world.files(COLLEAGUE, namespace), content.files(namespace))
            for person, direction in ((COLLEAGUE, "push"), (YOU, "pull")):
                engine = world.engine(person, namespace)
                try:
                    engine.push() if direction == "push" else engine.pull()
                finally:
                    engine.stop()
        _leave_a_lock(store, clock)


def _register(store: ObjectStore, namespace: str, clock: Clock) -> None:
    """The first PUT also makes the bucket, which may need a moment after the server's start."""
    manifest = {
        "namespace": namespace,
        "repoId": content.REPOSITORIES[namespace],
        "registeredAt": iso(clock.now()),
    }
    body = json.dumps(manifest, indent=2).encode()
    retrying(
        lambda _attempt: store.put(Keys(namespace).manifest, body, content_type="application/json"),
        patience=Patience(clock),
    )


def _leave_a_lock(store: ObjectStore, clock: Clock) -> None:
    """What a process leaves behind that died in the middle of its work."""
    body = LockBody(
        holder="cron@nightly-3",
        hostname="nightly-3",
        pid=4711,
        acquiredAt=iso(clock.now()),
        ttlMs=STALE_TTL_MS,
        nonce=str(uuid.uuid4()),
    )
    store.put(stale_lock(), encode_lock(body), content_type="application/json")


def stale_lock() -> str:
    """The key of the lock that nobody holds any more."""
    return model_lock("@acme/database")


def model_lock(model: str) -> str:
    """The key of the lock of the first instance of a model in `infra`."""
    first = min(path for path in content.files("infra") if path.startswith(f"data/{model}/"))
    return f"infra/{'/'.join(first.split('/')[:4])}/.lock"


def write(directory: Path, files: dict[str, bytes]) -> None:
    for rel, body in files.items():
        path = directory / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)


def edit_as_you(world: World) -> None:
    """Local changes for the screen to show: edits, new files of some size, a deletion."""
    here = world.files(YOU, "infra")
    rng = random.Random("you")  # noqa: S311 - plausible text, no secret in it
    for path in (*content.CLASHING, "logs/api.log", "README.md"):
        with (here / path).open("ab") as file:
            file.write(content.text(rng, 3))
    notes = {f"files/notes/2026-11-{day:02}.md": content.text(rng, 15) for day in range(1, 5)}
    write(here, {**notes, "files/images/patched.img": rng.randbytes(3 << 20)})
    (here / "audit/2026/01.jsonl").unlink()
