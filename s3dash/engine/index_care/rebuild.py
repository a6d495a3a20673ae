"""Entries made anew from the objects, with the hashes that something proves.

What an object is, is told by: the base of this cache, where it is of the very version (ETag); an
entry that we or the cache's index copy still have, where the content is read and has its hash; the
content alone. What is too much to be read gets an entry without a hash, as every client makes one.
"""

from collections.abc import Collection, Iterable, Mapping

import msgspec

from s3dash.clock import iso
from s3dash.core.index import Document, Entry, entry_problem
from s3dash.engine.context import Context
from s3dash.engine.docs import Doc
from s3dash.engine.index_care.bodies import hash_all
from s3dash.engine.index_care.picture import Picture, key_of
from s3dash.engine.index_care.zombies import Tombstones, deletions_on_record
from s3dash.errors import IndexCorrupt
from s3dash.local.state import BaseRow
from s3dash.objectstore.port import ObjectInfo

READ_MOST = 256 << 20
"""Bytes that one look at a repair reads to know what objects are."""


class Knowledge(msgspec.Struct):
    """What this machine and the records know. `hashes` are those that were read, by (path, ETag).

    `tombstones` are the versions whose deletion is on record, `docs` the documents that were read
    so far; `read_most` bytes of objects are read at a time.
    """

    ctx: Context
    base: Mapping[str, BaseRow]
    local: Mapping[str, Entry]
    tombstones: Tombstones = msgspec.field(default_factory=dict)
    hashes: dict[tuple[str, str], str] = msgspec.field(default_factory=dict)
    docs: dict[str, Doc] = msgspec.field(default_factory=dict)
    read_most: int = READ_MOST

    @classmethod
    def of(cls, ctx: Context) -> "Knowledge":
        found = cls(ctx, ctx.state.base_rows(), ctx.sidecar.read_index(), docs=ctx.reader.docs())
        found.refresh()
        return found

    def refresh(self) -> None:
        """Read the records anew: a request for each. Raises what the store raises."""
        self.tombstones = deletions_on_record(self.ctx)

    def saved(self, name: str, picture: Picture) -> Document | None:
        """An earlier version of a document, where we still have it and can read it."""
        key = key_of(self.ctx, name)
        doc = self.ctx.reader.docs().get(key)
        now = picture.docs.get(key)
        if doc is None or (now is not None and now.etag == doc.etag):
            return None
        try:
            return Document.decode(doc.body, name=key)
        except IndexCorrupt:
            return None


def rebuilt(
    known: Knowledge,
    objects: Mapping[str, ObjectInfo],
    *,
    copies: Iterable[Document],
    trusted: bool = False,
) -> dict[str, msgspec.Raw]:
    """An entry for each object, as bytes. `copies` are documents that had some of them.

    `trusted`: what they say of an object of the same size is believed (the copies of version 1).
    Raises Cancelled, and what the store raises.
    """
    had = _entries_of(copies, objects)
    ready = _believed(had, objects) if trusted else {}
    open_ = {rel: info for rel, info in objects.items() if rel not in ready}
    digests = _digests(known, open_)
    scratch = Document.empty()
    for rel, info in open_.items():
        entry = _entry(known, rel, info, digests.get(rel), had)
        if isinstance(entry, Entry):
            scratch.put(rel, entry)
        elif entry is not None:
            scratch.take(rel, entry)
    for rel in scratch.rels():
        if (raw := scratch.raw(rel)) is not None:
            ready[rel] = raw
    return {rel: ready[rel] for rel in objects if rel in ready}


def doomed(known: Knowledge, objects: Mapping[str, ObjectInfo]) -> set[str]:
    """Those of the objects that are a version whose deletion is on record, or may be one.

    What proves to be another version came later, and is alive.
    """
    suspects = {rel: info for rel, info in objects.items() if rel in known.tombstones}
    digests = _digests(known, suspects)
    return {rel for rel in suspects if _may_be(digests.get(rel), known.tombstones[rel])}


def _may_be(sha256: str | None, tags: Collection[str]) -> bool:
    """A tag that is no hash tells nothing about a content."""
    return sha256 is None or sha256 in tags or any(tag.startswith("?") for tag in tags)


def _entries_of(
    copies: Iterable[Document], objects: Mapping[str, ObjectInfo]
) -> dict[str, tuple[Entry, msgspec.Raw]]:
    had: dict[str, tuple[Entry, msgspec.Raw]] = {}
    for copy in copies:
        for rel in copy.rels():
            entry, raw = copy.get(rel), copy.raw(rel)
            fits = entry is not None and entry_problem(rel, entry) is None
            if fits and rel in objects and entry is not None and raw is not None:
                had.setdefault(rel, (entry, raw))
    return had


def _believed(
    had: Mapping[str, tuple[Entry, msgspec.Raw]], objects: Mapping[str, ObjectInfo]
) -> dict[str, msgspec.Raw]:
    return {r: raw for r, (entry, raw) in had.items() if entry.size == objects[r].size}


def _digests(known: Knowledge, objects: Mapping[str, ObjectInfo]) -> dict[str, str]:
    """The SHA-256 of these objects, as far as they are known or may be read."""
    found: dict[str, str] = {}
    to_read: list[tuple[str, str]] = []
    budget = known.read_most
    for rel, info in sorted(objects.items()):
        row = known.base.get(rel)
        if row is not None and row.etag == info.etag:
            found[rel] = row.sha256
        elif (rel, info.etag) in known.hashes:
            found[rel] = known.hashes[rel, info.etag]
        elif info.size <= budget:
            budget -= info.size
            to_read.append((rel, info.etag))
    etags = dict(to_read)
    for rel, digest in hash_all(known.ctx, to_read, total=len(to_read)):
        if digest is not None:
            found[rel] = known.hashes[rel, etags[rel]] = digest
    return found


def _entry(
    known: Knowledge,
    rel: str,
    info: ObjectInfo,
    sha256: str | None,
    had: Mapping[str, tuple[Entry, msgspec.Raw]],
) -> Entry | msgspec.Raw | None:
    """The bytes of an entry that is proved, else a new one; None for what can be none."""
    before = had.get(rel)
    if before is not None and sha256 is not None and before[0].sha256 == sha256:
        return before[1]
    here = known.local.get(rel)
    if here is not None and sha256 is not None and here.sha256 == sha256:
        return here
    fresh = Entry(
        key=rel,
        size=info.size,
        lastModified=iso(info.last_modified) if info.last_modified else "",
        sha256=sha256,
    )
    lead = len(known.ctx.keys.root.encode())
    return None if entry_problem(rel, fresh, key_prefix_bytes=lead) else fresh
