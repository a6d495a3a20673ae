"""Two machines in sync: what the tests of the guards begin with."""

from pathlib import Path

from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.faults import machine


class World:
    """Ada and Bob in sync on `files/a`, `files/b` and `files/stay`."""

    def __init__(self, tmp_path: Path, memory: MemoryBucket) -> None:
        self.memory = memory
        self.ada, self.bob = machine(tmp_path / "ada", memory), machine(tmp_path / "bob", memory)
        for name in ("a", "b", "stay"):
            self.ada.write(f"files/{name}", f"base {name}")
        self.ada.push()
        self.bob.pull()

    def store(self) -> MemoryStore:
        return MemoryStore(self.memory)

    def files(self, **changed: bytes | str) -> dict[str, bytes | str]:
        now: dict[str, bytes | str] = {f"files/{n}": f"base {n}" for n in ("a", "b", "stay")}
        return now | {f"files/{name}": body for name, body in changed.items()}
