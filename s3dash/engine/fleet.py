"""Who else writes here: records of commits, locks, manifests and the heads of indexes.

Bounded by design: a delimiter listing, then for each namespace its manifest, the head of its index,
one or two listings of records, and the newest records themselves, which are read once, as they
never change. Nothing is written, and no operation is waited for.
"""

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta

from s3dash.clock import iso
from s3dash.core import fleet
from s3dash.core.cancel import CancelToken
from s3dash.core.fleet import Announced, FleetView, Place
from s3dash.core.index import decode_meta
from s3dash.core.keys import Keys
from s3dash.engine import intents, locks
from s3dash.engine.cas import read
from s3dash.engine.context import Context
from s3dash.engine.jobs import each
from s3dash.engine.registry import candidates, read_manifest
from s3dash.engine.view import View
from s3dash.errors import NotFound, S3DashError
from s3dash.objectstore.port import ObjectInfo

READERS = 8
PLACES_MOST = 200
RECORDS = 10
"""The latest commits of a namespace that are looked at; fewer where there are many namespaces."""
RECORDS_LEAST = 3
RECORDS_IN_ALL = 400
AFTER_S = 120.0
"""Version 1 says not who wrote it. So much later than the last record, it was no s3dash."""


class Fleet:
    """On the facade: `engine.fleet`. Any thread may call."""

    def __init__(self, ctx: Context, view: View) -> None:
        self._ctx = ctx
        self._view = view
        self._lock = threading.Lock()
        self._records: dict[str, Announced | None] = {}

    def look(self, *, cancel: CancelToken | None = None) -> FleetView:
        """Everybody who left a trace. What cannot be read of one namespace is told at its place.

        Raises what the first listings raise, and Cancelled.
        """
        ctx = self._ctx.with_cancel(cancel or CancelToken())
        names: list[str | None] = [None, *candidates(ctx)]
        wanted, skipped = names[:PLACES_MOST], len(names[PLACES_MOST:])
        most = max(RECORDS_LEAST, min(RECORDS, RECORDS_IN_ALL // len(wanted)))
        held = locks.look_around(ctx.store, ctx.keys, known=self._view.locks, rels=(), lists=False)
        announced: list[Announced] = []
        places: list[Place] = []
        for place, commits in self._places(ctx, wanted, most):
            announced += commits
            if _is_real(place) or commits:
                places.append(place)
        places.sort(key=lambda place: place.namespace or "")
        self._forget_some()
        me = ctx.identity.holder
        writers = fleet.assemble(announced, held, places, me=me)
        return FleetView(at=ctx.now(), writers=writers, places=tuple(places), skipped=skipped)

    def _places(
        self, ctx: Context, names: list[str | None], most: int
    ) -> Iterator[tuple[Place, list[Announced]]]:
        jobs = each(
            lambda name: self._place(ctx, name, most),
            names,
            workers=READERS,
            cancel=ctx.cancel,
            name="s3dash-fleet",
        )
        for name, found in jobs:
            if isinstance(found, S3DashError):
                yield Place(namespace=name, problem=found.message), []
            else:
                yield found
        ctx.cancel.check()

    def _place(self, ctx: Context, name: str | None, most: int) -> tuple[Place, list[Announced]]:
        ctx.cancel.check()
        keys = Keys(name)
        manifest = read_manifest(ctx.store, name) if name else None
        records = intents.newest(ctx.store, keys, most=most, now=ctx.clock.now())
        latest = records[0].last_modified if records else None
        seq, written, by_plain = _head(ctx, keys, latest)
        found = [self._announced(ctx, name, info) for info in records]
        place = Place(
            namespace=name,
            repo_id=manifest.repo_id if manifest else "",
            registered_at=manifest.registered_at if manifest else "",
            seq=seq,
            written_at=iso(written) if written else "",
            by_plain=by_plain,
        )
        return place, [one for one in found if one is not None]

    def _announced(self, ctx: Context, name: str | None, info: ObjectInfo) -> Announced | None:
        with self._lock:
            if info.key in self._records:
                return self._records[info.key]
        ctx.cancel.check()
        intent, said = intents.read_one(ctx, info.key), None
        if intent is not None:
            at = iso(info.last_modified) if info.last_modified else intent.at
            commit = fleet.commit_of(
                intent.adds,
                intent.tombstones,
                intent.bases,
                namespace=name,
                at=at,
                seq=intent.seq,
            )
            said = Announced(intent.holder, intent.writer.partition(" ")[0], commit)
        with self._lock:
            self._records[info.key] = said
        return said

    def _forget_some(self) -> None:
        """Records never change, but many come in a long session."""
        with self._lock:
            if len(self._records) > 4 * RECORDS_IN_ALL:
                self._records.clear()


def _head(
    ctx: Context, keys: Keys, latest: datetime | None
) -> tuple[int | None, datetime | None, bool]:
    """commitSeq and time of an index, and whether a plain client wrote it last."""
    found = read(ctx.store, keys.meta)
    meta = decode_meta(found.body, name=keys.meta) if found else None
    if meta is not None and found is not None and meta.version == 2:
        return meta.commitSeq, found.info.last_modified, meta.writer is None
    try:
        written = ctx.store.head(keys.monolith).last_modified
    except NotFound:
        return None, None, False
    if written is None or latest is None:
        return None, written, True
    return None, written, written - latest > timedelta(seconds=AFTER_S)


def _is_real(place: Place) -> bool:
    """Whether there is any reason to tell of it."""
    return bool(place.repo_id or place.registered_at or place.written_at or place.problem)
