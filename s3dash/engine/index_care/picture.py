"""The documents of an index as they are, the broken ones too. Read only.

`IndexReader` gives one meaning to what it reads, and stops at what it cannot read; here every
document is kept apart, so that what is wrong with it can be told and mended.
"""

from collections.abc import Iterator
from contextlib import suppress

import msgspec

from s3dash.core.index import Document, Entry, Meta, decode_entries, decode_meta
from s3dash.engine.context import Context
from s3dash.engine.docs import Doc
from s3dash.engine.index_care.lost_meta import known_meta, stated_version
from s3dash.engine.jobs import each
from s3dash.engine.remote import LOAD_ROUNDS, READERS
from s3dash.errors import (
    CommitConflict,
    IndexCorrupt,
    InvalidResponse,
    NotFound,
    PreconditionFailed,
    S3DashError,
)
from s3dash.objectstore.port import ObjectInfo

MONOLITH = ""
"""Stands for the monolith where shards are named."""


class Picture(msgspec.Struct):
    """`version` is that of the rule in force, 0: there is no index. Shards go by their names.

    `entries` and `bad` (malformed ones, with a reason each) are by shard; under `MONOLITH` those
    of the monolith. `corrupt` shards cannot be read at all, nor can what has a `problem`.
    `partitions` are the shards that meta names.
    """

    version: int = 0
    listing: dict[str, ObjectInfo] = msgspec.field(default_factory=dict)
    docs: dict[str, Doc] = msgspec.field(default_factory=dict)
    meta: Meta | None = None
    entries: dict[str, dict[str, Entry]] = msgspec.field(default_factory=dict)
    bad: dict[str, dict[str, str]] = msgspec.field(default_factory=dict)
    corrupt: dict[str, str] = msgspec.field(default_factory=dict)
    names: frozenset[str] = frozenset()
    meta_problem: str = ""
    monolith_problem: str = ""

    @property
    def partitions(self) -> frozenset[str]:
        return frozenset(self.meta.partitions) if self.meta else frozenset()

    @property
    def dropped(self) -> list[str]:
        """Shards that are there, but that meta does not name; only where the shards rule."""
        rules = self.version == 2 and self.meta is not None
        return sorted(self.names - self.partitions) if rules else []

    @property
    def missing(self) -> list[str]:
        rules = self.version == 2 and self.meta is not None
        return sorted(self.partitions - self.names) if rules else []

    @property
    def ruling(self) -> list[str]:
        """The names of the documents that say what there is."""
        if self.version == 2:
            return sorted(self.names - self.corrupt.keys())
        return [MONOLITH] if MONOLITH in self.entries else []

    def all_entries(self) -> Iterator[tuple[str, str, Entry]]:
        """(shard, path, entry) of all documents that rule; a path may come more than once."""
        for name in self.ruling:
            for rel, entry in self.entries[name].items():
                yield name, rel, entry


def look(ctx: Context, *, copies: bool = True, known: dict[str, Doc] | None = None) -> Picture:
    """The index now, all of one moment. `copies`: also the shards that do not rule (version 1).

    `known` documents are not fetched again; it gets those that were, but what makes no sense: that
    may have been damaged on its way.

    Raises IndexCorrupt only for a version that we do not know; CommitConflict when it keeps
    moving, InvalidResponse for a listing that cannot be true, and what the store raises.
    """
    looking = _Looking(ctx, ctx.reader.docs() if known is None else known)
    for _ in range(LOAD_ROUNDS):
        ctx.cancel.check()
        picture = looking.once(copies=copies)
        if picture is not None:
            return picture
    raise CommitConflict(
        "the remote index kept moving while it was read", hint="try again in a moment"
    )


class _Looking(msgspec.Struct):
    """`known` are documents that need not be fetched again while their version is the same."""

    ctx: Context
    known: dict[str, Doc]

    def once(self, *, copies: bool) -> Picture | None:
        """None when something moved meanwhile."""
        keys = self.ctx.keys
        picture = Picture(listing={info.key: info for info in self.ctx.store.list(keys.index_dir)})
        picture.names = frozenset(n for k in picture.listing if (n := keys.partition_of(k)))
        if not self._read_meta(picture):
            return None
        self._require_whole(picture)
        self._read_monolith(picture)
        if picture.meta is not None:
            picture.version = picture.meta.version
        else:
            picture.version = self._guessed(picture)
        if picture.version == 1 and keys.monolith not in picture.docs:
            picture.monolith_problem = "it is missing"
        if picture.version == 2 or copies:
            return picture if self._read_shards(picture) else None
        return picture

    def _read_meta(self, picture: Picture) -> bool:
        """False when it moved since it was listed."""
        key = self.ctx.keys.meta
        info = picture.listing.get(key)
        if info is None:
            if picture.names:
                picture.meta_problem = "it is missing, and there are shards"
            return True
        doc = self._fetch(info)
        if doc is None:
            return False
        picture.docs[key] = doc
        try:
            picture.meta = decode_meta(doc.body, name=key)
        except IndexCorrupt as error:
            self.known.pop(key, None)
            if stated_version(doc.body) not in (None, 1, 2):
                raise
            picture.meta_problem = error.message
        return True

    def _guessed(self, picture: Picture) -> int:
        """Which rule is in force: what meta still says, what we knew, else what readers assume."""
        doc = picture.docs.get(self.ctx.keys.meta)
        stated = stated_version(doc.body) if doc else None
        if stated is not None:
            return stated
        if not picture.names:
            return 1 if self.ctx.keys.monolith in picture.docs else 0
        known = known_meta(self.ctx)
        return known.version if known is not None else 2

    def _require_whole(self, picture: Picture) -> None:
        """A listing that lacks what is there must not be believed."""
        keys = self.ctx.keys
        absent = sorted(picture.partitions - picture.names)[:READERS]
        for key in [keys.meta, *map(keys.shard, absent)]:
            if key in picture.listing:
                continue
            with suppress(NotFound):  # as listed
                self.ctx.store.head(key)
                raise InvalidResponse(
                    f"the listing of {keys.index_dir} lacks {key}, which is there",
                    hint="the endpoint, or something before it, answers wrongly; try again later",
                )

    def _read_monolith(self, picture: Picture) -> None:
        key = self.ctx.keys.monolith
        known = self.known.get(key)
        try:
            fetched = self.ctx.store.get(key, if_none_match=known.etag if known else None)
        except NotFound:
            return
        doc = known if fetched is None else Doc(fetched.info.etag, fetched.body)
        if doc is None:
            raise InvalidResponse(f"{key} was answered with nothing")
        picture.docs[key] = self.known[key] = doc
        try:
            picture.entries[MONOLITH], picture.bad[MONOLITH] = decode_entries(doc.body, name=key)
        except IndexCorrupt as error:
            self.known.pop(key, None)
            picture.monolith_problem = error.message

    def _read_shards(self, picture: Picture) -> bool:
        """Side by side; False when one of them moved since it was listed."""
        ctx, keys = self.ctx, self.ctx.keys
        jobs = each(
            lambda name: self._fetch(picture.listing[keys.shard(name)]),
            sorted(picture.names),
            workers=min(READERS, ctx.settings.pull_concurrency),
            cancel=ctx.cancel,
            name="s3dash-index",
        )
        whole = True
        for number, (name, doc) in enumerate(jobs, 1):
            ctx.stage.count(f"{number:,} of {len(picture.names):,} shards read")
            if isinstance(doc, S3DashError):
                raise doc
            if doc is None:
                whole = False
                continue
            key = keys.shard(name)
            picture.docs[key] = doc
            try:
                picture.entries[name], picture.bad[name] = decode_entries(doc.body, name=key)
            except IndexCorrupt as error:
                self.known.pop(key, None)
                picture.corrupt[name] = error.message
        ctx.cancel.check()
        return whole

    def _fetch(self, info: ObjectInfo) -> Doc | None:
        """The version that was listed; None when it moved since."""
        known = self.known.get(info.key)
        if known is not None and known.etag == info.etag:
            return known
        try:
            fetched = self.ctx.store.get(info.key, if_match=info.etag)
        except (NotFound, PreconditionFailed):
            return None
        if fetched is None:
            return None
        doc = self.known[info.key] = Doc(fetched.info.etag, fetched.body)
        return doc


# --- documents ---------------------------------------------------------------------------


def document(ctx: Context, picture: Picture, name: str) -> Document | None:
    """A document to be changed; None when it is not there, or cannot be read."""
    if name not in picture.entries:
        return None
    key = key_of(ctx, name)
    return Document.decode(picture.docs[key].body, name=key)


def key_of(ctx: Context, name: str) -> str:
    return ctx.keys.shard(name) if name else ctx.keys.monolith


def monolith_etag(ctx: Context) -> str | None:
    """The version of the monolith now; None: there is none."""
    try:
        return ctx.store.head(ctx.keys.monolith).etag
    except NotFound:
        return None
