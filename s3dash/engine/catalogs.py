"""The catalogs of the namespaces: ours is exported, all are read, and single files fetched.

Reading joins nothing: no lock, no entry, no file in the cache. Another namespace's catalog is a
copy that its own writers keep; one that has none, or none that makes sense, is read by its index.
"""

import difflib
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from s3dash.clock import iso
from s3dash.core import paths
from s3dash.core.cancel import CancelToken
from s3dash.core.catalog import Catalog, Catalogs, Exported, FetchedFile, Unread
from s3dash.core.catalog_wire import MAX_BYTES, Reading, read
from s3dash.core.keys import Keys
from s3dash.core.text import count, size
from s3dash.engine import catalog_export, fetch
from s3dash.engine.context import Context
from s3dash.engine.jobs import each
from s3dash.engine.neighbours import registered
from s3dash.engine.operations import look_here
from s3dash.engine.remote import IndexReader
from s3dash.engine.trust import capabilities
from s3dash.engine.view import View, try_mark_dirty
from s3dash.errors import (
    CommitConflict,
    IndexCorrupt,
    NotFound,
    PreconditionFailed,
    S3DashError,
    UsageError,
)
from s3dash.local import tally
from s3dash.local.kept import Kept, chunks
from s3dash.objectstore.port import ObjectInfo

READERS = 4
"""Catalogs that are read at a time, of any size."""
TRIES = 3


class CatalogsOf:
    """The catalogs of one datastore. Any thread may call; only `export` waits for operations.

    `keep` False: nothing is kept on this disk between calls.
    """

    def __init__(
        self,
        ctx: Context,
        view: View,
        *,
        turn: fetch.Turn,
        keep: bool,
    ) -> None:
        self._ctx = ctx
        self._view = view
        self._turn = turn
        self._kept = Kept(ctx.settings.state_dir / "catalogs" if keep else None)

    # --- ours ---------------------------------------------------------------------------

    def export(self, *, force: bool = False, cancel: CancelToken | None = None) -> Exported:
        """Write our own catalog; `force`: even when the bucket has these very bytes."""
        with self._turn(cancel, writes=True) as ctx:
            capabilities(ctx)
            with ctx.stage.during("committing", "exporting the catalog"):
                done = catalog_export.export(ctx, force=force)
            if done.written:
                ctx.note(
                    "info",
                    "catalog",
                    f"exported {count(done.entries, 'entry', 'entries')}, {size(done.size)}",
                )
            return done

    def keep_up(self) -> None:
        """Export what a push left owed: a large catalog, or one that could not be sent."""
        if catalog_export.is_due(self._ctx):
            with self._turn(None, writes=True) as ctx:
                catalog_export.keep_up(ctx)

    # --- everybody's --------------------------------------------------------------------

    def read(self, namespace: str, *, cancel: CancelToken | None = None) -> Catalog:
        """What a namespace holds. Raises UsageError for what can be none, NotFound."""
        if not paths.is_namespace(namespace):
            raise UsageError(f"{namespace!r} is no name of a namespace")
        cancel = cancel or CancelToken()
        with self._ctx.stage.waiting("comparing", f"reading the catalog of {namespace}"):
            return self._read(namespace, cancel)

    def read_all(self, *, cancel: CancelToken | None = None) -> Catalogs:
        """Those of all registered namespaces and of our own; what fails is told with its name."""
        cancel = cancel or CancelToken()
        names = [n for n in self._ctx.store.list_dirs("") if paths.is_namespace(n)]
        wanted = set(registered(self._ctx.with_cancel(cancel), names))
        wanted |= {name for name in names if name == self._ctx.keys.namespace}
        done: list[Catalog] = []
        failed: list[Unread] = []
        with self._ctx.stage.waiting("comparing", "reading catalogs"):
            jobs = each(
                lambda name: self._read(name, cancel),
                sorted(wanted),
                workers=READERS,
                cancel=cancel,
                name="s3dash-catalogs",
            )
            for name, outcome in jobs:
                if isinstance(outcome, S3DashError):
                    failed.append(
                        Unread(namespace=name, problem=outcome.message, hint=outcome.hint)
                    )
                else:
                    done.append(outcome)
        self._check(cancel)
        return Catalogs(
            read=tuple(sorted(done, key=lambda catalog: catalog.namespace)),
            unread=tuple(sorted(failed, key=lambda one: one.namespace)),
        )

    def fetch(
        self,
        namespace: str,
        path: str,
        *,
        to: str,
        force: bool = False,
        cancel: CancelToken | None = None,
    ) -> FetchedFile:
        """Bring one file of a namespace here, verified, without joining the namespace.

        `to` is absolute: a file, or a directory that takes it under its own name. Raises NotFound
        with near matches, UsageError when `to` is another file or lies in the cache (not with
        `force`: in the cache the old one goes to the trash), Integrity when it is not what the
        namespace says.
        """
        if not paths.is_namespace(namespace):
            raise UsageError(f"{namespace!r} is no name of a namespace")
        token = cancel or CancelToken()
        wanted = fetch.Wanted(
            ctx=self._ctx.with_cancel(token),
            namespace=namespace,
            path=path,
            catalog=lambda: self._catalog(namespace, token),
            listing=lambda: self._read(namespace, token),
        )
        with self._ctx.cancel.calling(token.cancel):
            return fetch.fetch(wanted, Path(to), force=force, turn=self._turn, placed=self._placed)

    def _placed(self, ctx: Context, rel: str) -> None:
        """A file was fetched into the cache: it is dirty."""
        look_here(ctx, self._view, rels={rel})
        try_mark_dirty(ctx, self._view)

    # --- reading ------------------------------------------------------------------------

    def _check(self, cancel: CancelToken) -> None:
        self._ctx.cancel.check()
        cancel.check()

    def _read(self, slug: str, cancel: CancelToken) -> Catalog:
        self._check(cancel)
        note = "it has no catalog"
        try:
            found = self._catalog(slug, cancel)
        except IndexCorrupt as error:
            found, note = None, error.message
        return found or self._from_index(slug, cancel, note)

    def _catalog(self, slug: str, cancel: CancelToken) -> Catalog | None:
        """None: it has none. Raises IndexCorrupt for one that makes no sense."""
        key = Keys(slug).catalog
        for _ in range(TRIES):
            try:
                info = self._ctx.store.head(key)
                return self._version(slug, info, cancel)
            except NotFound:
                return None
            except PreconditionFailed:
                continue  # replaced since we looked
        raise CommitConflict(f"{key} keeps changing", hint="try again in a moment")

    def _version(self, slug: str, info: ObjectInfo, cancel: CancelToken) -> Catalog:
        if info.size > MAX_BYTES:
            raise IndexCorrupt(f"{info.key} is too large to be read: {size(info.size)}")
        reading = self._reading(slug, cancel)
        place = (
            f"{self._ctx.settings.address}/{self._ctx.settings.bucket}/{self._prefixed(info.key)}"
        )
        with self._kept.opened(
            place, info.etag, fetch=lambda sink: self._download(info, sink, cancel)
        ) as file:
            read(chunks(file), reading, name=info.key)
        self._check(cancel)
        return Catalog(
            namespace=slug,
            source="catalog",
            entries=reading.sorted(),
            etag=info.etag,
            exported_at=iso(info.last_modified) if info.last_modified else "",
            left_out=reading.left_out,
            blocked=tuple(reading.blocked),
            note=self._older(slug, info),
        )

    def _older(self, slug: str, catalog: ObjectInfo) -> str:
        """Says so where the index was written after the catalog, and empty otherwise."""
        keys = Keys(slug)
        for key in (keys.meta, keys.monolith):
            with suppress(NotFound):
                index = self._ctx.store.head(key)
                if index.last_modified is None or catalog.last_modified is None:
                    return ""
                if index.last_modified > catalog.last_modified:
                    return "older than its index: what came since may be missing"
        return ""

    def _prefixed(self, key: str) -> str:
        return "/".join(part for part in (self._ctx.settings.prefix, key) if part)

    def _download(self, info: ObjectInfo, sink: BinaryIO, cancel: CancelToken) -> str:
        """Its SHA-256. What is longer than its own headers say is not read to the end."""
        moved = 0

        def arrived(number: int) -> None:
            nonlocal moved
            moved += number
            if moved > MAX_BYTES:
                raise IndexCorrupt(f"{info.key} is longer than it says")
            self._check(cancel)

        got = self._ctx.store.download(info.key, sink, if_match=info.etag, on_bytes=arrived)
        return got.sha256

    def _reading(self, slug: str, cancel: CancelToken) -> Reading:
        prefix = f"{self._ctx.settings.prefix}/" if self._ctx.settings.prefix else ""
        lead = len((prefix + Keys(slug).root).encode())
        return Reading(self._sizes(slug, cancel), key_prefix_bytes=lead)

    def _sizes(self, slug: str, cancel: CancelToken) -> Mapping[str, int]:
        """The files that this cache has of a namespace."""
        known = self._view.local
        if slug == self._ctx.keys.namespace and known is not None:
            return {rel: stat.size for rel, stat in known.scan.files.items()}
        return dict(tally.sizes(self._ctx.settings.cache / slug, cancel))

    def _from_index(self, slug: str, cancel: CancelToken, note: str) -> Catalog:
        keys, store = Keys(slug), self._ctx.store
        shards = next(iter(store.list(keys.index_dir)), None)
        if shards is None and not _is_there(self._ctx, keys.monolith):
            self._must_be(slug)
            return Catalog(
                namespace=slug, source="index", note=f"{note}, and nobody pushed to it yet"
            )
        mine = slug == self._ctx.keys.namespace
        index = IndexReader(store, keys, self._ctx.reader.docs() if mine else None).load()
        self._check(cancel)
        reading = self._reading(slug, cancel)
        for rel, entry in index.entries.items():
            reading.take(rel, entry)
        for rel, why in index.blocked.items():
            reading.refuse(rel, why)
        return Catalog(
            namespace=slug,
            source="index",
            entries=reading.sorted(),
            left_out=reading.left_out,
            blocked=tuple(reading.blocked),
            note=f"{note}: read by its index",
        )

    def _must_be(self, slug: str) -> None:
        """Raises NotFound for a namespace that nobody registered."""
        if _is_there(self._ctx, Keys(slug).manifest):
            return
        names = [n for n in self._ctx.store.list_dirs("") if paths.is_namespace(n)]
        like = difflib.get_close_matches(slug, names, n=3)
        hint = f"there is {', '.join(like)}" if like else "`s3dash namespaces` lists them"
        raise NotFound(f"there is no namespace {slug} in this bucket", hint=hint)


def _is_there(ctx: Context, key: str) -> bool:
    try:
        ctx.store.head(key)
    except NotFound:
        return False
    return True
