"""The versions of a path, read to be looked at. Nothing is written, on either side.

No turn is waited for: a look must be possible while a push runs. What changes meanwhile is seen
by the file's stat and the object's ETag, and the bytes are compared with the SHA-256 that the
index or the base names.
"""

import io
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

from msgspec.structs import replace

from s3dash.clock import iso
from s3dash.core.cancel import CancelToken
from s3dash.core.content import MAX_BYTES, Content, Side, Writers
from s3dash.core.index import Entry
from s3dash.core.paths import blocked_reason, is_data
from s3dash.engine import intents
from s3dash.engine.context import Context
from s3dash.engine.push import file_time
from s3dash.errors import LocalChanged, LocalError, NotFound, PathBlocked, PreconditionFailed
from s3dash.local.peek import Peeked, peek
from s3dash.local.state import BaseRow
from s3dash.objectstore.port import ObjectInfo

TOO_LARGE = "too large to show"
NOBODY = "nobody has these bytes any more: not the trash, not this host, not the bucket"
IN_FLIGHT = "its object is not the version that the index names: a write in flight"
NOT_LISTED = "an object is there that the index does not name: a write in flight"
NO_OBJECT = "the index names it, but its object is gone"
TRIES = 3
RECORDS = 200
"""Commit records that are looked through for a writer, the latest first: one request each."""


class Contents:
    """Any thread may call. `limit` is in bytes; a version that is larger has no body.

    Raises what the store raises, LocalError, PathBlocked for what can be no path, Cancelled.
    """

    def __init__(self, ctx: Context, *, limit: int = MAX_BYTES) -> None:
        self._ctx = ctx
        self._limit = limit

    def read(self, path: str, side: Side, *, cancel: CancelToken | None = None) -> Content:
        """One version of a path as it is now, verified."""
        cancel = cancel or CancelToken()
        if side == "local":
            return self._local(path)
        return self._remote(path, cancel) if side == "remote" else self._base(path, cancel)

    def writers(self, paths: Collection[str], *, cancel: CancelToken | None = None) -> Writers:
        """Who committed what the bucket has of these paths, as far as commits are on record."""
        index = self._ctx.reader.latest
        entries = {path: index.entries.get(path) for path in paths} if index else {}
        tags = {path: entry.tag for path, entry in entries.items() if entry is not None}
        found = intents.writers(self._ctx, tags, most=RECORDS, cancel=cancel or CancelToken())
        return Writers(here=self._ctx.identity.holder, remote=found)

    # --- this host ----------------------------------------------------------------------

    def _local(self, path: str) -> Content:
        found = self._peek(self._ctx.cache.target(path))
        if found is None:
            return Content(side="local", absent=True, why="no such file on this host")
        size, time = found.stat.size, file_time(found.stat)
        if found.body is None:
            return Content(side="local", size=size, time=time, why=TOO_LARGE)
        return Content(side="local", body=found.body, size=size, sha256=found.sha256, time=time)

    def _peek(self, target: Path) -> Peeked | None:
        for _ in range(TRIES - 1):
            with suppress(LocalChanged):  # somebody is saving it: once more
                return peek(target, limit=self._limit)
        return peek(target, limit=self._limit)

    # --- the bucket ---------------------------------------------------------------------

    def _remote(self, path: str, cancel: CancelToken) -> Content:
        reason = blocked_reason(path) or ("" if is_data(path) else "reserved name")
        if reason:
            raise PathBlocked(f"{path!r}: {reason}")
        for _ in range(TRIES - 1):
            cancel.check()
            with suppress(PreconditionFailed):  # replaced between two requests: once more
                return self._object(path, cancel)
        return self._object(path, cancel)

    def _entry(self, path: str) -> Entry | None:
        index = self._ctx.reader.latest
        return index.entries.get(path) if index is not None else None

    def _object(self, path: str, cancel: CancelToken) -> Content:
        """What the index names. Raises PreconditionFailed when it is replaced meanwhile."""
        key, entry = self._ctx.keys.data(path), self._entry(path)
        try:
            info = self._ctx.store.head(key)
        except NotFound:
            return Content(side="remote", absent=True, why=NO_OBJECT if entry else "not there")
        sha256 = (entry.sha256 or "") if entry else ""
        told = Content(side="remote", size=info.size, sha256=sha256, time=_time(entry, info))
        if entry is None and self._ctx.reader.latest is not None:
            return replace(told, absent=True, why=NOT_LISTED)
        if info.size > self._limit:
            return replace(told, why=TOO_LARGE)
        sink = io.BytesIO()
        got = self._ctx.store.download(
            key, sink, if_match=info.etag, on_bytes=lambda _count: cancel.check()
        )
        if sha256 and got.sha256 != sha256:
            return replace(told, why=IN_FLIGHT)
        return replace(told, body=sink.getvalue(), size=got.size, sha256=got.sha256)

    # --- what both last had -------------------------------------------------------------

    def _base(self, path: str, cancel: CancelToken) -> Content:
        row = self._ctx.state.base_row(path)
        if row is None:
            return Content(side="base", absent=True, why="none known: new on both sides")
        time = file_time(row.stat) if row.stat else ""
        told = Content(side="base", size=row.size, sha256=row.sha256, time=time)
        if row.size > self._limit:
            return replace(told, why=TOO_LARGE)
        body = self._whoever_has(row, cancel)
        return replace(told, body=body, why=NOBODY if body is None else "")

    def _whoever_has(self, row: BaseRow, cancel: CancelToken) -> bytes | None:
        """The bytes of a base, from this host, the trash or the bucket, in this order."""
        for place in self._places(row):
            with suppress(LocalError):  # what cannot be read here may be read elsewhere
                found = peek(place(), limit=self._limit)
                if found is not None and found.sha256 == row.sha256:
                    return found.body
        entry = self._entry(row.rel)
        if entry is None or entry.tag != row.tag:  # the bucket has another one: ask it nothing
            return None
        there = self._remote(row.rel, cancel)
        return there.body if there.sha256 == row.sha256 else None

    def _places(self, row: BaseRow) -> Iterator[Callable[[], Path]]:
        yield lambda: self._ctx.cache.target(row.rel)
        for item in self._ctx.trash.list():
            if item.sha256 == row.sha256:
                yield partial(self._ctx.trash.path, item.id)


def _time(entry: Entry | None, info: ObjectInfo) -> str:
    """When its writer had it written; else when it came into the bucket."""
    if entry is not None:
        return entry.localMtime or entry.lastModified
    return iso(info.last_modified) if info.last_modified else ""
