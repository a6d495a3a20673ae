"""Which namespaces there are, and what each holds: a delimiter listing and small reads.

The bucket is never listed as a whole. What costs more, the index, is fetched only when asked.
"""

import threading
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from s3dash.clock import iso
from s3dash.core import paths
from s3dash.core.index import Entry
from s3dash.core.keys import Keys
from s3dash.core.outlook import Standing
from s3dash.core.partitions import PEER_TOPS
from s3dash.core.tenants import MANIFEST_MOST, Manifest, Survey, Tenant, decode_manifest
from s3dash.engine import leftovers
from s3dash.engine.context import Context
from s3dash.engine.jobs import each
from s3dash.engine.remote import IndexReader
from s3dash.engine.view import View
from s3dash.errors import Cancelled, LocalError, NotFound, S3DashError
from s3dash.local import tally
from s3dash.objectstore.port import ObjectInfo

READERS = 8
COUNTERS = 2
"""Indexes in memory at the same time, of any size."""
MOST = 1000
"""Namespaces that are looked at unasked: up to three small requests each."""
_COUNTED = "counted:"


class _Counted(msgspec.Struct, frozen=True):
    at: str
    objects: int
    size: int
    held: int


class Census:
    """`seen` is replaced as a whole and may be read from any thread; one survey at a time."""

    def __init__(self, ctx: Context, view: View) -> None:
        self._ctx = ctx
        self._view = view
        self._lock = threading.Lock()
        self._asking = threading.Lock()
        self.seen = Survey()

    def adopt(self, survey: Survey, *, asked: bool) -> None:
        """Begin with what the engine of another namespace of the same datastore knew.

        Not `asked`: whoever looks at it is to ask anew.
        """
        mine = self._ctx.keys.namespace
        rows = (replace(r, mine=r.slug == mine, left_files=None, busy="") for r in survey.rows)
        state = "asked" if asked and survey.state == "asked" else "unasked"
        self._put(rows=tuple(rows), state=state, at=survey.at)

    # --- the survey ---------------------------------------------------------------------

    def look(self) -> Survey:
        """Find all namespaces, then read a little of each. Rows appear in `seen` as they come.

        What was known before stays until it is known anew. A failed listing is told in the
        survey; so is, at its row, what cannot be read of one namespace.
        """
        if not self._asking.acquire(blocking=False):
            return self.seen
        try:
            self._put(state="asking", read=0, total=0, message="", hint="")
            self._begin()
            wanted = [row.slug for row in self.seen.rows if row.in_bucket][:MOST]
            self._put(total=len(wanted))
            self._side_by_side(wanted, self._read, workers=READERS)
            self._rows(lambda rows: (row for row in rows if row.is_real or not row.read))
            self._put(state="asked", at=self._ctx.now())
        except Cancelled:
            self._put(state="unasked")
        except S3DashError as error:
            self._put(state="failed", message=error.message, hint=error.hint)
        finally:
            self._asking.release()
        return self.seen

    def _begin(self) -> None:
        """A row for every name that may be a namespace's, with what costs no request."""
        ctx, mine = self._ctx, self._ctx.keys.namespace
        listed = {name for name in ctx.store.list_dirs("") if paths.is_namespace(name)}
        here = self._directories()
        names = {name for name in listed if name not in PEER_TOPS}
        if mine is not None:
            names |= {mine} | {name for name in here if name not in PEER_TOPS}
        counted = ctx.state.facts(_COUNTED)
        left = {name: self._left(name, here) for name in names}
        if mine is not None and (solo := leftovers.solo(ctx)).files:
            left[""] = solo.files, solo.size
            names.add("")

        def begun(name: str, row: Tenant | None) -> Tenant:
            row = row or _recalled(Tenant(slug=name), counted.get(_COUNTED + name))
            files, size = left[name]
            return replace(
                row,
                mine=name == mine,
                in_bucket=name in listed or name == mine,
                read=row.read or name not in listed,
                left_files=files,
                left_size=size,
            )

        def all_begun(rows: tuple[Tenant, ...]) -> Iterator[Tenant]:
            known = {row.slug: row for row in rows}
            return (begun(name, known.get(name)) for name in sorted(names, key=_last_of_all))

        self._rows(all_begun)

    def _directories(self) -> set[str]:
        with suppress(LocalError):  # a cache that cannot be read holds nothing that we could show
            return {n for n in tally.directories(self._ctx.settings.cache) if paths.is_namespace(n)}
        return set()

    def _left(self, slug: str, here: Collection[str]) -> tuple[int | None, int | None]:
        """Files and bytes that the cache has of a namespace that is not ours."""
        if slug == self._ctx.keys.namespace or slug not in here:
            return None, None
        found = [size for _, size in tally.sizes(self._base(slug), self._ctx.cancel)]
        return len(found), sum(found)

    def _side_by_side(
        self, slugs: Iterable[str], work: Callable[[str], None], *, workers: int
    ) -> None:
        ctx = self._ctx
        jobs = each(work, slugs, workers=workers, cancel=ctx.cancel, name="s3dash-census")
        for slug, outcome in jobs:
            if isinstance(outcome, Cancelled):
                raise outcome
            if isinstance(outcome, S3DashError):
                self._change(slug, read=True, busy="", problem=outcome.message)
        ctx.cancel.check()

    def _read(self, slug: str) -> None:
        """Its manifest and the age of its index; for our own the sums, which are known already."""
        keys = Keys(slug)
        raw = self._beginning(keys.manifest)
        manifest = decode_manifest(b"{}" if raw is None else raw)
        said = manifest or Manifest()
        index = self._head(keys.meta) or self._head(keys.monolith)
        self._change(
            slug,
            read=True,
            registered=raw is not None,
            repo_id=said.repo_id,
            registered_at=said.registered_at,
            says=said.namespace if said.namespace != slug else "",
            index_at=self._since(index),
            problem="" if manifest is not None else "its manifest cannot be read",
        )
        self._one_more()
        if slug == self._ctx.keys.namespace and self._ctx.reader.latest is not None:
            self._store_count(slug, self._ctx.reader.latest.entries)

    def _beginning(self, key: str) -> bytes | None:
        try:
            return self._ctx.store.get_range(key, start=0, length=MANIFEST_MOST)
        except NotFound:
            return None

    def _head(self, key: str) -> ObjectInfo | None:
        try:
            return self._ctx.store.head(key)
        except NotFound:
            return None

    def _since(self, info: ObjectInfo | None) -> str:
        """When it was written, told by our clock: its age is by the server's."""
        if info is None:
            return ""
        now = self._ctx.clock.now()
        if info.last_modified is None or info.server_time is None:
            return iso(now)
        return iso(now - max(timedelta(0), info.server_time - info.last_modified))

    def stand(self, standings: Collection[Standing]) -> None:
        """Take up where the cache stands with them all."""
        told, at = {s.namespace: s for s in standings}, self._ctx.now()

        def stood(row: Tenant) -> Tenant:
            found = told.get(row.slug)
            return _stood(row, found, at) if found is not None else row

        self._rows(lambda rows: (stood(row) for row in rows))

    # --- counting -----------------------------------------------------------------------

    def count(self, slugs: Collection[str]) -> Survey:
        """Fetch the index of these namespaces, and nothing else: fills what `Tenant` counts.

        One that cannot be read says so at its row. Raises Cancelled when the engine is stopped.
        """
        for slug in slugs:
            self._change(slug, busy="reading the index", problem="")
        self._side_by_side(slugs, self._count, workers=COUNTERS)
        return self.seen

    def _count(self, slug: str) -> None:
        keys, store = Keys(slug), self._ctx.store
        if any(row.slug == slug and not row.read for row in self.seen.rows):
            self._read(slug)
        shards = next(iter(store.list(keys.index_dir)), None)
        if shards is None and self._head(keys.monolith) is None:
            self._change(slug, busy="", problem="it has no index: nobody pushed to it yet")
            return
        mine = slug == self._ctx.keys.namespace
        reader = IndexReader(store, keys, self._ctx.reader.docs() if mine else None)
        self._store_count(slug, reader.load().entries)

    def _store_count(self, slug: str, entries: Mapping[str, Entry]) -> None:
        here = self._sizes(slug)
        counted = _Counted(
            self._ctx.now(),
            len(entries),
            sum(entry.size for entry in entries.values()),
            sum(e.size for rel, e in entries.items() if here.get(rel) == e.size),
        )
        self._ctx.state.set(_COUNTED + slug, msgspec.json.encode(counted).decode())
        self._change(slug, busy="", **_fields(counted))

    def _sizes(self, slug: str) -> dict[str, int]:
        """The files that this cache has of a namespace."""
        known = self._view.local
        if slug == self._ctx.keys.namespace and known is not None:
            return {rel: stat.size for rel, stat in known.scan.files.items()}
        return dict(tally.sizes(self._base(slug), self._ctx.cancel))

    def _base(self, slug: str) -> Path:
        return self._ctx.settings.cache / slug

    # --- what is seen -------------------------------------------------------------------

    def _change(self, slug: str, **fields: Any) -> None:
        """Fields of one row."""
        self._rows(lambda rows: (replace(r, **fields) if r.slug == slug else r for r in rows))

    def _rows(self, change: Callable[[tuple[Tenant, ...]], Iterable[Tenant]]) -> None:
        """Other rows, made of those that stand now: a survey and a count may go on at a time."""
        with self._lock:
            self.seen = replace(self.seen, rows=tuple(change(self.seen.rows)))

    def _one_more(self) -> None:
        with self._lock:
            self.seen = replace(self.seen, read=self.seen.read + 1)

    def _put(self, **fields: Any) -> None:
        """Fields of the survey itself."""
        with self._lock:
            self.seen = replace(self.seen, **fields)


def _last_of_all(slug: str) -> tuple[bool, str]:
    """What the solo layout left comes after all namespaces."""
    return not slug, slug


def _recalled(row: Tenant, text: str | None) -> Tenant:
    """With what was counted in an earlier run."""
    try:
        counted = msgspec.json.decode(text, type=_Counted) if text else None
    except msgspec.DecodeError:
        return row  # a damaged note: it is counted again when somebody asks
    return replace(row, **_fields(counted)) if counted is not None else row


def _stood(row: Tenant, found: Standing, at: str) -> Tenant:
    known = found.here and found.healthy
    return replace(
        row,
        here=found.here,
        dirty=len(found.local.dirty) if found.here else None,
        behind=len(found.remote.changed) if known else None,
        conflicts=len(found.conflicts) if known else None,
        commit_seq=found.index.commit_seq,
        committed_at=found.last_commit.at,
        committed_by=found.last_commit.by,
        holder=next((lock.holder or "?" for lock in found.locks), ""),
        problem=found.message if not found.healthy else "",
        stood_at=at,
    )


def _fields(counted: _Counted) -> dict[str, Any]:
    return {
        "objects": counted.objects,
        "size": counted.size,
        "held": counted.held,
        "counted_at": counted.at,
    }
