"""The part of an engine that has to do with versions of a path: contents, undoing, the trash."""

import hashlib
import threading
from collections.abc import Callable, Collection

from s3dash.core.cancel import CancelToken
from s3dash.core.content import Content, Side, Writer, Writers
from s3dash.core.report import TrashItem
from s3dash.errors import LocalError

AT = "2026-03-14T13:40:00.000Z"


def content(side: Side, body: bytes | None, **fields: object) -> Content:
    """A version as an engine reads it; None: the side has it not."""
    if body is None:
        return Content(**{"side": side, "absent": True, "why": "not there", **fields})  # type: ignore[arg-type] # passed through
    digest = hashlib.sha256(body).hexdigest()
    given = {"side": side, "body": body, "size": len(body), "sha256": digest, "time": AT}
    return Content(**{**given, **fields})  # type: ignore[arg-type] # passed through


class FakeContents:
    """Set `bodies` by path and side. `gate`, when set, holds up every reading until it opens."""

    def __init__(self) -> None:
        self.bodies: dict[tuple[str, Side], bytes | Content | Exception | None] = {}
        self.known: dict[str, Writer] = {}
        self.asked: list[tuple[str, Side]] = []
        self.asked_writers: list[tuple[str, ...]] = []
        self.tokens: list[CancelToken] = []
        self.gate: threading.Event | None = None
        self.error: Exception | None = None

    def read(self, path: str, side: Side, *, cancel: CancelToken | None = None) -> Content:
        self.asked.append((path, side))
        if cancel is not None:
            self.tokens.append(cancel)
        while self.gate is not None and not self.gate.wait(0.005):
            if cancel is not None:
                cancel.check()
        found = self.bodies.get((path, side))
        if isinstance(found, Exception):
            raise found
        return found if isinstance(found, Content) else content(side, found)

    def writers(self, paths: Collection[str], *, cancel: CancelToken | None = None) -> Writers:
        self.asked_writers.append(tuple(paths))
        if self.error is not None:
            raise self.error
        return Writers(here="me@desk", remote={p: w for p, w in self.known.items() if p in paths})


class FakeDecided:
    """Undoes whatever it is asked to, unless there is an error for the path."""

    def __init__(self) -> None:
        self.undone: list[str] = []
        self.error: dict[str, Exception] = {}

    def undo(self, path: str, *, cancel: CancelToken | None = None) -> str:
        if path in self.error:
            raise self.error[path]
        self.undone.append(path)
        return f"{path}: the local version is back"


def item(
    id: str = "1", path: str = "files/a", *, reason: str = "replaced by a pull", **fields: object
) -> TrashItem:
    given = {
        "id": id,
        "path": path,
        "sha256": "d" * 64,
        "size": 2048,
        "at": AT,
        "reason": reason,
        "expires": True,
    }
    return TrashItem(**{**given, **fields})  # type: ignore[arg-type] # passed through


class FakeTrash:
    """Its items, oldest first; `taken` are paths where another file is."""

    def __init__(self, called: Callable[..., None]) -> None:
        self._called = called
        self.items: list[TrashItem] = []
        self.taken: dict[str, Exception] = {}

    def list(self) -> list[TrashItem]:
        self._called("trash")
        return list(self.items)

    def restore(self, id: str, to: str | None) -> str:
        self._called("restore_trash", id, to)
        found = self._find(id)
        path = to or found.path
        if path in self.taken:
            raise self.taken[path]
        self.items.remove(found)
        return path

    def drop(self, id: str) -> TrashItem:
        self._called("drop_trash", id)
        found = self._find(id)
        self.items.remove(found)
        return found

    def _find(self, id: str) -> TrashItem:
        for found in self.items:
            if found.id == id:
                return found
        raise LocalError(f"{id} is not in the trash")
