"""Machines on a bucket whose requests can be lost, raced or refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from s3dash.errors import Integrity
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from tests.engine.hooked import hooked
from tests.engine.world import Machine


class Plug:
    """Pulled at the n-th operation: from then on every call fails, as after a crash."""

    def __init__(self, at: int) -> None:
        self.left = at

    def __call__(self, op: str, key: str) -> None:
        self.left -= 1
        if self.left < 0:
            raise Integrity("the plug was pulled")


def machine(
    home: Path,
    bucket: MemoryBucket | Callable[[], ObjectStore],
    *,
    before: Hook | None = None,
    after: Hook | None = None,
    **settings: Any,
) -> Machine:
    """A machine at `home`; the same home with other hooks is the same machine.

    `bucket` is one in memory, or a factory of stores over any.
    """
    if isinstance(bucket, MemoryBucket):
        return Machine(home, lambda: MemoryStore(bucket, before=before, after=after), **settings)
    return Machine(home, hooked(bucket, before, after), **settings)


class Once:
    """Runs `act` at the first request of this operation and key, and never again."""

    def __init__(self, op: str, key: str, act: Any) -> None:
        self.op, self.key, self.act = op, key, act
        self.done = False

    def __call__(self, op: str, key: str) -> None:
        if not self.done and (op, key) == (self.op, self.key):
            self.done = True
            self.act()


def pair(
    tmp_path: Path, bucket: MemoryBucket | Callable[[], ObjectStore], **files: str
) -> tuple[Machine, Machine]:
    ada, bob = machine(tmp_path / "ada", bucket), machine(tmp_path / "bob", bucket)
    for name, text in files.items():
        ada.write(f"files/{name}", text)
    ada.push()
    bob.pull()
    return ada, bob


def changed(tmp_path: Path, bucket: MemoryBucket) -> tuple[Machine, Machine]:
    """Ada has edited, added and deleted; Bob has what was before."""
    ada, bob = pair(tmp_path, bucket, edit="base", gone="base", stay="base")
    ada.write("files/edit", "edit")
    ada.write("data/t/id/new/1/raw", "new")
    (ada.cache / "files/gone").unlink()
    return ada, bob


CHANGED = {"files/edit": "edit", "files/stay": "base", "data/t/id/new/1/raw": "new"}
