"""Fetching one file of a namespace that we do not work in: verified, whole, nothing joined.

What the file should be its index says; where that does not know it, its catalog. Only the one
shard is read that the path belongs to.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, Protocol

import msgspec

from s3dash.core import paths
from s3dash.core.cancel import CancelToken
from s3dash.core.catalog import Catalog, FetchedFile, near
from s3dash.core.index import Entry, decode_entries, decode_meta, entry_problem
from s3dash.core.keys import Keys
from s3dash.core.partitions import partition
from s3dash.core.progress import Transfer
from s3dash.engine import cas
from s3dash.engine.context import Context
from s3dash.engine.fetch_place import Place, install, must_may, place_for
from s3dash.engine.jobs import retrying
from s3dash.engine.pin import is_proved
from s3dash.errors import (
    IndexCorrupt,
    Integrity,
    NotFound,
    PathBlocked,
    PreconditionFailed,
    S3DashError,
)
from s3dash.local import deliver
from s3dash.local.scan import hash_file
from s3dash.objectstore.port import Downloaded


class Turn(Protocol):
    """One operation at a time; see `Engine`."""

    def __call__(
        self, cancel: CancelToken | None, *, writes: bool = False
    ) -> AbstractContextManager[Context]: ...


Placed = Callable[[Context, str], None]


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """One file of one namespace. `catalog` reads that of the namespace, None: it has none.

    `listing` is what the namespace holds by whatever tells it; raises NotFound when there is no
    such namespace.
    """

    ctx: Context
    namespace: str
    path: str
    catalog: Callable[[], Catalog | None]
    listing: Callable[[], Catalog]

    @property
    def key(self) -> str:
        return Keys(self.namespace).data(self.path)

    @property
    def name(self) -> str:
        return f"{self.namespace}/{self.path}"

    @property
    def lead(self) -> int:
        """Bytes before the path in the key of its object."""
        prefix = f"{self.ctx.settings.prefix}/" if self.ctx.settings.prefix else ""
        return len((prefix + Keys(self.namespace).root).encode())


def fetch(wanted: Wanted, to: Path, *, force: bool, turn: Turn, placed: Placed) -> FetchedFile:
    """See `CatalogsOf.fetch`."""
    reason = paths.blocked_reason(wanted.path, key_prefix_bytes=wanted.lead)
    if reason or not paths.is_data(wanted.path):
        raise PathBlocked(f"{wanted.path!r}: {reason or 'reserved name'}")
    place = place_for(wanted.ctx, to, wanted.path, force=force)
    if place.rel is None:
        return _fetch(wanted, place, force=force)
    with turn(wanted.ctx.cancel, writes=True) as ctx:
        ctx.cache.check()
        done = _fetch(wanted, place, force=force)
        if done.written:
            ctx.note("info", "fetch", f"fetched {wanted.name} into the cache as {place.rel}")
            placed(ctx, place.rel)
        return done


# --- what it should be -------------------------------------------------------------------


def promised(wanted: Wanted) -> Entry | None:
    """What the namespace says of the file; None: nothing."""
    entry = _indexed(wanted)
    if entry is None:
        entry = _catalogued(wanted)
    if entry is not None and (why := entry_problem(wanted.path, entry)):
        raise Integrity(f"{wanted.name}: {why}")
    return entry


def _indexed(wanted: Wanted) -> Entry | None:
    """By the shard that the path belongs to, or the monolith where that one rules."""
    keys, store = Keys(wanted.namespace), wanted.ctx.store
    with suppress(IndexCorrupt):  # then its catalog may know
        meta = cas.read(store, keys.meta)
        version = decode_meta(meta.body, name=keys.meta).version if meta else 0
        shard, whole = keys.shard(partition(wanted.path)), keys.monolith
        for key in {1: (whole,), 2: (shard,)}.get(version, (shard, whole)):
            found = cas.read(store, key)
            if found is not None:
                entry = decode_entries(found.body, name=key)[0].get(wanted.path)
                if entry is not None:
                    return entry
    return None


def _catalogued(wanted: Wanted) -> Entry | None:
    with suppress(IndexCorrupt):  # then nobody knows
        catalog = wanted.catalog()
        for entry in catalog.entries if catalog else ():
            if entry.path == wanted.path:
                return Entry(key=entry.path, size=entry.size, sha256=entry.sha256)
    return None


def _nowhere(wanted: Wanted) -> NotFound:
    """With what may have been meant. Raises NotFound when there is no such namespace either."""
    like: list[str] = []
    with suppress(IndexCorrupt):  # a hint is worth no other error
        like = near((entry.path for entry in wanted.listing().entries), wanted.path)
    name = wanted.path.rpartition("/")[2]
    hint = f"there is {'; '.join(like)}" if like else f"s3dash namespaces search {name}"
    return NotFound(f"{wanted.namespace} has no file {wanted.path}", hint=hint)


# --- moving it ---------------------------------------------------------------------------


def _fetch(wanted: Wanted, place: Place, *, force: bool) -> FetchedFile:
    """Download it, unless it is there already; show how it goes among the transfers."""
    ctx = wanted.ctx
    entry = promised(wanted)
    if entry is not None and entry.sha256 is not None and place.old is not None:
        if hash_file(place.target, cancel=ctx.cancel)[0] == entry.sha256:
            return _done(wanted, place, entry.size, entry.sha256, verified=True, written=False)
        must_may(place, force=force)
    row = ctx.accounting.queue("down", wanted.name, entry.size if entry else 0)
    try:
        with ctx.stage.waiting("pulling", f"fetching {wanted.name}"):
            done = retrying(
                partial(_attempt, wanted, place, row, entry, force=force),
                patience=ctx.patience,
                once_more=(Integrity,),
            )
    except S3DashError as error:
        ctx.accounting.finish(row, "cancelled", error.message)
        raise
    ctx.accounting.finish(row, "done")
    return done


def _attempt(
    wanted: Wanted,
    place: Place,
    row: Transfer,
    known: Entry | None,
    attempt: int,
    *,
    force: bool,
) -> FetchedFile:
    """One try; `known` is what was promised before the first one."""
    ctx = wanted.ctx
    row.attempt = attempt
    ctx.accounting.start(row)
    entry = known if attempt == 1 else promised(wanted)
    staging = ctx.cache.staging() if place.rel is not None else deliver.beside(place.target)
    with staging as temp:
        got = _download(wanted, entry, row, temp)
        verified = entry is not None and entry.sha256 is not None
        if not verified and not is_proved(ctx, wanted.key, got, temp):
            raise Integrity(f"{wanted.name}: its bytes differ from one read to the next")
        done = partial(_done, wanted, place, got.size, got.sha256, verified=verified)
        if place.old is not None:
            if hash_file(place.target, cancel=ctx.cancel)[0] == got.sha256:
                return done(written=False)
            must_may(place, force=force)
        install(ctx, place, temp)
        return done(written=True)


def _download(wanted: Wanted, entry: Entry | None, row: Transfer, temp: BinaryIO) -> Downloaded:
    """The whole object, compared with what is known of it."""
    ctx = wanted.ctx
    try:
        info = ctx.store.head(wanted.key)
        ctx.accounting.resize(row, info.size)
        got = ctx.store.download(
            wanted.key, temp, if_match=info.etag, on_bytes=partial(ctx.moved, row)
        )
    except PreconditionFailed as error:
        raise Integrity(f"{wanted.name} was replaced while it was fetched") from error
    except NotFound as error:
        if entry is None:
            raise _nowhere(wanted) from error
        raise NotFound(
            f"{wanted.name} is in the index of {wanted.namespace}, but its object is gone",
            hint="somebody may just be deleting it; try again in a moment",
        ) from error
    expected = entry.size if entry is not None else info.size
    sha256 = entry.sha256 if entry is not None else None
    if got.size != expected or (sha256 is not None and sha256 != got.sha256):
        raise Integrity(
            f"{wanted.name}: the object is not the version that {wanted.namespace} names "
            f"({got.size} of {expected} bytes); nothing was written",
            hint="a write in flight, or a damaged object; try again in a moment",
        )
    return got


def _done(
    wanted: Wanted, place: Place, size: int, sha256: str, *, verified: bool, written: bool
) -> FetchedFile:
    return FetchedFile(
        namespace=wanted.namespace,
        path=wanted.path,
        to=str(place.target),
        size=size,
        sha256=sha256,
        verified=verified,
        written=written,
    )
