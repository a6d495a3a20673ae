"""s3dash with one of its safeties left out, to see what that one costs. Never to be used.

python -m benchmarks.without NAME ARGUMENT ...        as `s3dash ARGUMENT ...`, less that
"""

import hashlib
import importlib
import os
import sys
from collections.abc import Callable, Mapping
from typing import Any

from s3dash.objectstore.port import Capabilities


class _Unread:
    """A digest that reads nothing: another one for each, as for files that differ."""

    digest_size = 32
    name = "sha256"
    _number = 0

    def __init__(self, _data: bytes = b"", **_: object) -> None:
        type(self)._number += 1
        self._text = f"{self._number:064x}"

    def update(self, _data: object) -> None:
        """Nothing."""

    def digest(self) -> bytes:
        return bytes.fromhex(self._text)

    def hexdigest(self) -> str:
        return self._text

    def copy(self) -> "_Unread":
        return self


def _nothing(*_: object, **__: object) -> None:
    return None


def _everything(_: object) -> Capabilities:
    return Capabilities(**dict.fromkeys(Capabilities.__struct_fields__, True))


def _knows(*_: object) -> bool:
    return True


Patch = tuple[str, str, Callable[..., Any]]
"""A module, what of it (with a class before), and what stands there instead."""

SAFETIES: Mapping[str, tuple[Patch, ...]] = {
    "nothing": (),
    "flushing files and names": (
        ("s3dash.local.fsio", "fsync", _nothing),
        ("s3dash.local.syncfs", "_flush", _nothing),
    ),
    "the proof of the endpoint": (
        ("s3dash.engine.trust", "_remembered", _everything),
        ("s3dash.engine.trust", "_knows", _knows),
    ),
    "the journal of uploads": (
        ("s3dash.local.state", "State.journal_add", _nothing),
        ("s3dash.local.state", "State.attempt", _nothing),
    ),
    "verifying downloads": (("s3dash.engine.pull", "_verify", _nothing),),
    "hashing and verifying downloads": (
        ("s3dash.engine.pull", "_verify", _nothing),
        ("s3dash.objectstore.s3", "hashlib.sha256", _Unread),
    ),
    "hashing uploads": (("s3dash.objectstore.source", "hashlib.sha256", _Unread),),
}


class _Hashlib:
    """hashlib for one module, with another SHA-256."""

    def __init__(self, sha256: Callable[..., Any]) -> None:
        self.sha256 = sha256

    def __getattr__(self, name: str) -> Any:
        return getattr(hashlib, name)


def leave_out(name: str) -> None:
    """Raises KeyError for no safety's name, AttributeError when what it stands for has moved."""
    for module, what, instead in SAFETIES[name]:
        owner: Any = importlib.import_module(module)
        *path, last = what.split(".")
        if path == ["hashlib"]:
            getattr(owner.hashlib, last)
            owner.hashlib = _Hashlib(instead)
            continue
        for one in path:
            owner = getattr(owner, one)
        getattr(owner, last)
        setattr(owner, last, instead)


def main() -> int:
    from s3dash.__main__ import main as run

    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    leave_out(sys.argv[1])
    sys.argv[1:2] = []
    return run()


if __name__ == "__main__":
    sys.exit(main())
