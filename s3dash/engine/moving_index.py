"""The index of a datastore that moves: written in the new place, then removed from the old one.

Documents travel as the bytes that they are, so that fields which we do not know survive. Kept
here: I3 (only by compare-and-swap), I4 (a listed shard exists), I5 (commitSeq goes on). Whatever
is read at whatever moment is an index: each order below is chosen for that.
"""

from collections.abc import Callable, Collection, Iterable

from s3dash.core.index import Document, decode_meta, encode_meta
from s3dash.core.keys import Keys
from s3dash.engine.all_of import all_of
from s3dash.engine.cas import Cas, read
from s3dash.engine.context import Context
from s3dash.engine.deletions import delete_version
from s3dash.engine.docs import Doc
from s3dash.engine.moving_look import Places
from s3dash.errors import NotFound

Docs = dict[str, Doc]
"""By name: the key without what stands before every key of the place."""

Takes = Callable[[str], bool]
"""Whether the entry of this path goes along."""


def read_docs(ctx: Context) -> Docs:
    """Every document of an index, those too that its version does not look at."""
    lead = len(ctx.keys.root)
    listed = [info.key for info in ctx.store.list(ctx.keys.index_dir)]
    wanted = [key for key in listed if _is_document(ctx.keys, key)]
    known = ctx.reader.docs()
    found = {}
    for key, fetched in all_of(
        ctx, lambda key: read(ctx.store, key), [*wanted, ctx.keys.monolith], name="s3dash-index"
    ):
        if fetched is not None:
            doc = Doc(fetched.info.etag, fetched.body)
            found[key[lead:]] = doc
            if key in known:
                ctx.reader.know(key, doc)
    return found


def _is_document(keys: Keys, key: str) -> bool:
    return key == keys.meta or keys.partition_of(key) is not None


class IndexMove:
    """One move of an index. `docs` are those of the old place, as they were read under the lock."""

    def __init__(self, places: Places, *, version: int) -> None:
        self._places = places
        self._version = version
        solo = Keys()
        self._meta, self._monolith = solo.meta, solo.monolith
        self._ours = read_docs(places.src)
        self._theirs = read_docs(places.dst)

    # --- the new place ------------------------------------------------------------------

    def write(self, takes: Takes) -> None:
        """Every entry that `takes` says, in the new place as well. What is there already stays.

        Version 2: shards, then meta, then the monolith that nobody looks at. Version 1: the
        monolith, then meta, then shards, which without a meta would count for an index.
        """
        shards = sorted(name for name in self._ours if name not in (self._meta, self._monolith))
        if self._version == 1:
            self._take_over([self._monolith], takes)
            self._write_meta(shards, changed=False)
            self._take_over(shards, takes)
            return
        changed = self._take_over(shards, takes)
        self._write_meta(shards, changed=changed)
        self._take_over([self._monolith], takes)

    def _take_over(self, names: Iterable[str], takes: Takes) -> bool:
        """Whether anything had to be written."""
        changed = False
        for name in names:
            old, there = self._ours.get(name), self._theirs.get(name)
            body = _merged(old, there, name, takes) if old is not None else None
            if body is not None:
                self._put(self._places.dst, self._theirs, name, body)
                changed = True
        return changed

    def _write_meta(self, shards: Collection[str], *, changed: bool) -> None:
        old, there = self._ours.get(self._meta), self._theirs.get(self._meta)
        if old is None:
            return
        known = self._places.dst.keys
        names = {known.partition_of(known.root + name) or "" for name in shards}
        before = decode_meta(old.body, name=self._meta)
        after = decode_meta(there.body, name=self._meta) if there else None
        said = set(after.partitions if after else before.partitions)
        lacks = bool(names - said) and self._version == 2
        if there is not None and not changed and not lacks:
            return
        if self._version == 1:
            partitions = sorted(said | set(before.partitions))
            fields: dict[str, object] = {"partitions": partitions}
            body = old.body if there is None else encode_meta(there.body, fields)
        else:
            seq = max(before.commitSeq, after.commitSeq if after else 0) + 1
            body = encode_meta(there.body if there else old.body, self._fields(said | names, seq))
        if there is None or body != there.body:
            self._put(self._places.dst, self._theirs, self._meta, body)

    def _fields(self, partitions: Collection[str], seq: int) -> dict[str, object]:
        ctx = self._places.dst
        return {
            "version": 2,
            "partitions": sorted(partitions),
            "commitSeq": seq,
            "writer": f"{ctx.identity.client} {ctx.nonce()}",
        }

    # --- the old place ------------------------------------------------------------------

    def empty(self, stays: Takes) -> None:
        """Take every entry out but those that `stays` says: before their objects go (I2)."""
        ours = self._ours
        for name in [self._monolith, *sorted(ours.keys() - {self._monolith, self._meta})]:
            doc = ours.get(name)
            body = _without(doc, name, stays) if doc is not None else None
            if body is not None:
                self._put(self._places.src, ours, name, body)
        if self._version == 2 and not self.is_needed():
            self._forget_partitions()

    def _forget_partitions(self) -> None:
        doc = self._ours.get(self._meta)
        if doc is None:
            return
        meta = decode_meta(doc.body, name=self._meta)
        if meta.partitions:
            fields = self._fields((), meta.commitSeq + 1)
            self._put(self._places.src, self._ours, self._meta, encode_meta(doc.body, fields))

    def is_needed(self) -> bool:
        """Whether an entry is left in the old place."""
        rules = [self._monolith] if self._version == 1 else [n for n in self._ours if _is_shard(n)]
        return any(
            len(Document.decode(self._ours[name].body, name=name))
            for name in rules
            if name in self._ours
        )

    def remove(self, *, everything: bool) -> None:
        """Delete the documents; while entries are left in them, none of them.

        Not `everything`: what rules stays, and says that the place is empty, so that nobody takes
        what objects are left there for a datastore. Else it goes last: without a meta shards
        count, and without shards an old monolith.
        """
        if self.is_needed() or (self._version == 1 and not everything):
            return
        shards = sorted(filter(_is_shard, self._ours))
        if self._version == 1:
            names = [*shards, self._meta, self._monolith]
        else:
            names = [self._monolith, *shards, *([self._meta] if everything else [])]
        for name in names:
            doc = self._ours.pop(name, None)
            if doc is not None:
                self._delete(name, doc)

    def _delete(self, name: str, doc: Doc) -> None:
        src, places = self._places.src, self._places
        try:
            delete_version(src, places.guard, places.can, key=src.keys.root + name, etag=doc.etag)
        except NotFound:
            return  # where DELETE is not conditional it is looked for first

    def _put(self, ctx: Context, docs: Docs, name: str, body: bytes) -> None:
        there = docs.get(name)
        cas = Cas(ctx.store, ctx.patience, self._places.guard)
        etag = cas.put(ctx.keys.root + name, body, version=there.etag if there else None)
        docs[name] = Doc(etag, body)


def _is_shard(name: str) -> bool:
    return Keys().partition_of(name) is not None


def _merged(old: Doc, there: Doc | None, name: str, takes: Takes) -> bytes | None:
    """The document of the new place with the entries of the old one; None: it is so already."""
    source = Document.decode(old.body, name=name)
    leave = [rel for rel in source.rels() if not takes(rel)]
    if there is None:
        for rel in leave:
            source.remove(rel)
        return source.encode() if leave else old.body
    target = Document.decode(there.body, name=name)
    added = False
    for rel in set(source.rels()) - set(leave) - set(target.rels()):
        value = source.raw(rel)
        if value is not None:
            target.take(rel, value)
            added = True
    return target.encode() if added else None


def _without(doc: Doc, name: str, stays: Takes) -> bytes | None:
    """None when nothing has to go."""
    document = Document.decode(doc.body, name=name)
    gone = [rel for rel in document.rels() if not stays(rel)]
    for rel in gone:
        document.remove(rel)
    return document.encode() if gone else None
