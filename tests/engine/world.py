"""Machines that share a bucket: an engine each, with a cache and a state of its own."""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s3dash.clock import Clock
from s3dash.core.settings import Datastore
from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine
from s3dash.objectstore.port import Capabilities, ObjectStore

GOLDEN = Path(__file__).resolve().parents[1] / "golden"


def golden_bucket(name: str) -> dict[str, bytes]:
    """What a real client left in this bucket, by key."""
    return {k: body(o) for k, o in json.loads((GOLDEN / "buckets.json").read_text())[name].items()}


def golden_cache(name: str) -> dict[str, bytes]:
    """What a real client had in this cache, by path."""
    return {k: body(o) for k, o in json.loads((GOLDEN / "caches.json").read_text())[name].items()}


def body(o: dict[str, str]) -> bytes:
    import base64

    return o["text"].encode() if "text" in o else base64.b64decode(o["base64"])


def fill(store: ObjectStore, objects: dict[str, bytes]) -> None:
    for key, value in objects.items():
        store.put(key, value)


def contents(store: ObjectStore, prefix: str = "") -> dict[str, bytes]:
    """Every object below `prefix`, by key."""
    found = {}
    for info in store.list(prefix):
        fetched = store.get(info.key)
        assert fetched is not None
        found[info.key] = fetched.body
    return found


def digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


@dataclass
class Stores:
    """A factory of stores over one bucket, and what the endpoint is known to be able to do."""

    make: Callable[[], ObjectStore]
    proved: Capabilities

    def __call__(self) -> ObjectStore:
        return self.make()


class Machine:
    """One user: a cache directory, a state directory, an engine that is opened per operation."""

    def __init__(
        self,
        home: Path,
        store: Callable[[], ObjectStore],
        *,
        clock: Clock | None = None,
        **settings: Any,
    ) -> None:
        self.home = home
        self.cache = home / "cache"
        self.cache.mkdir(parents=True, exist_ok=True)
        self.store = store
        self.clock = clock
        self.proved = store.proved if isinstance(store, Stores) else None
        fields = {
            "name": home.name,
            "bucket": "shared",
            "cache": self.cache,
            "state_dir": home / "state",
            "lock_timeout_ms": 5000,
            "pull_concurrency": 8,
            "push_concurrency": 8,
            "max_concurrency": 1,  # never more than that, however it goes
        }
        self.settings = Datastore(**{**fields, **settings})

    def engine(self) -> Engine:
        return open_engine(self.settings, store=self.store(), clock=self.clock, proved=self.proved)

    def __getattr__(self, name: str) -> Any:
        """`machine.push(...)`: open an engine, call it, stop it, as a command does."""

        def call(*args: Any, **options: Any) -> Any:
            engine = self.engine()
            try:
                return getattr(engine, name)(*args, **options)
            finally:
                engine.stop()

        return call

    @property
    def base(self) -> Path:
        namespace = self.settings.namespace
        return self.cache / namespace if namespace else self.cache

    def write(self, rel: str, text: str | bytes) -> None:
        path = self.base / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def read(self, rel: str) -> bytes:
        return (self.base / rel).read_bytes()

    def files(self) -> dict[str, bytes]:
        """The data files in the cache, by path; without what is never synced."""
        return {rel: path.read_bytes() for rel, path in self._data()}

    def _data(self) -> Iterator[tuple[str, Path]]:
        from s3dash.core.paths import is_data

        for path in sorted(self.base.rglob("*")):
            rel = path.relative_to(self.base).as_posix()
            if path.is_file() and not path.is_symlink() and is_data(rel):
                yield rel, path

    def sidecar(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads((self.cache / ".datastore-sync-state.json").read_text())
        return found
