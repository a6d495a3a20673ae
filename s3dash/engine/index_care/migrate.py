"""From version 1 to version 2: shards first, meta last, the monolith stays as it is.

Under version 1 the shards are mere copies that nobody reads; the one write of meta makes them the
rule. So at any moment readers see the whole of the one or of the other, and a migration that was
killed is ended by the next. Entries are taken over as the bytes that they are.
"""

from collections import defaultdict
from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from s3dash.core import paths
from s3dash.core.index import EMPTY_SHARD, Document
from s3dash.core.index_care import Dropped, IndexMigrated
from s3dash.core.text import count
from s3dash.engine import commit, origin
from s3dash.engine.context import Context
from s3dash.engine.docs import Doc
from s3dash.engine.drain import drained
from s3dash.engine.index_care.picture import MONOLITH, Picture, document, look, monolith_etag
from s3dash.engine.index_care.writing import Pen
from s3dash.engine.index_care.zombies import INTERNAL, home_of
from s3dash.errors import CommitConflict, IndexCorrupt, UsageError
from s3dash.objectstore.port import Capabilities

NO_SHARD = "no client can have a file of this name"


class Target(msgspec.Struct):
    """What the shards are to be: bodies by name; `dropped` is what is in none of them."""

    bodies: dict[str, bytes]
    entries: int
    dropped: list[Dropped] = msgspec.field(default_factory=list)


class Ready(msgspec.Struct, frozen=True):
    """What was worked out before the lock was had: right as long as it is made of the same."""

    source: Doc | None
    names: frozenset[str]
    target: Target

    def fits(self, ctx: Context, picture: Picture) -> bool:
        """Whether the monolith was not fetched again since, and there are the same shards."""
        same = picture.docs.get(ctx.keys.monolith) is self.source
        return same and picture.names == self.names


def preview(ctx: Context) -> IndexMigrated:
    """What a migration would do. Writes nothing, takes no lock. Raises as `migrate` does."""
    picture = _picture(ctx)
    if picture.version == 2:
        return replace(_already(picture), dry_run=True)
    target = _target(ctx, picture)
    return _told(picture, target, written=len(_differing(ctx, picture, target)), dry_run=True)


def migrate(ctx: Context, can: Capabilities) -> IndexMigrated:
    """Raises UsageError without an index, IndexCorrupt for one that is to be repaired first,
    LockHeld, LockLost, CommitConflict, and what the store raises."""
    known = ctx.reader.docs()
    picture = _picture(ctx, known)
    if picture.version == 2:
        return _already(picture)
    ready = _ready(ctx, picture)  # it takes long, and nobody else waits for it yet
    del picture  # of a large index it is large
    with drained(ctx, can, operation="index") as lease:
        ctx.stage.enter("committing", "migrating the index")
        origin.ensure(ctx, guard=lease.guard)
        done = _Migration(ctx, Pen(ctx, lease, ctx.nonce()), known, ready).run()
    if not done.already:
        ctx.note("info", "index", f"migrated to version 2: {done.sentence}")
    return done


def _picture(ctx: Context, known: dict[str, Doc] | None = None) -> Picture:
    """`known` documents are not fetched again."""
    with ctx.stage.during("comparing", "reading the index"):
        picture = look(ctx, known=known)
    if picture.version == 0:
        raise UsageError(
            "there is no index to migrate", hint="the first push makes one, of version 2"
        )
    if picture.version == 1 and (problem := picture.monolith_problem or picture.meta_problem):
        raise IndexCorrupt(
            f"the index cannot be migrated as it is: {problem}",
            hint="`s3dash index repair` first; nothing was changed",
        )
    return picture


class _Migration:
    """One attempt after the other, until an index of version 2 says what the monolith said."""

    def __init__(self, ctx: Context, pen: Pen, known: dict[str, Doc], ready: Ready) -> None:
        self._ctx = ctx
        self._pen = pen
        self._known = known
        self._ready = ready
        self._source: Doc | None = None
        self._done: IndexMigrated | None = None

    def run(self) -> IndexMigrated:
        for _ in range(commit.ROUNDS):
            picture = _picture(self._ctx, self._known)
            if picture.version == 1:
                self._attempt(picture)
                self._known |= picture.docs
            elif self._done is None:
                return _already(picture)
            elif self._monolith_moved(picture):
                self._catch_up(picture)
            else:
                return replace(self._done, kept=self._pen.kept)
            del picture
        raise CommitConflict(
            "the index kept changing while it was migrated",
            hint="another client writes without the lock; try again, the next run goes on",
        )

    def _attempt(self, picture: Picture) -> None:
        """Shards, a look whether all stands still, meta. What moves is seen in the next round."""
        ctx, pen = self._ctx, self._pen
        source = picture.docs[ctx.keys.monolith]
        target = self._ready.target if self._ready.fits(ctx, picture) else _target(ctx, picture)
        seq = (picture.meta.commitSeq if picture.meta else 0) + 1
        differing = _differing(ctx, picture, target)
        pen.keep([ctx.keys.shard(name) for name in _richer(ctx, picture, target)], picture)
        pen.announce(seq)
        if picture.meta is None and not self._guarded(picture):
            return
        if not pen.put(differing, picture) or self._moved(picture, source):
            return
        changes = {"version": 2, "partitions": sorted(target.bodies), "commitSeq": seq}
        if pen.put_meta(picture, changes, anew=False):
            self._source = source
            self._done = replace(
                _told(picture, target, written=len(differing), dry_run=False), commit_seq=seq
            )

    def _guarded(self, picture: Picture) -> bool:
        """Shards without a meta are taken for the whole index: so there is one before the first."""
        return self._pen.put_meta(picture, {"version": 1, "partitions": []}, anew=True)

    def _moved(self, picture: Picture, source: Doc) -> bool:
        ctx = self._ctx
        now = {info.key: info.etag for info in ctx.store.list(ctx.keys.index_dir)}
        ours = {key: doc.etag for key, doc in picture.docs.items() if key != ctx.keys.monolith}
        return monolith_etag(ctx) != source.etag or any(
            now.get(key) != etag for key, etag in ours.items()
        )

    # --- a plain client pushed between our last look and our meta -------------------------

    def _monolith_moved(self, picture: Picture) -> bool:
        now = picture.docs.get(self._ctx.keys.monolith)
        return now is not None and self._source is not None and now.body != self._source.body

    def _catch_up(self, picture: Picture) -> None:
        """What it changed in the monolith, and nothing else, is committed to the shards."""
        ctx, source = self._ctx, self._source
        if source is None:
            return
        old = Document.decode(source.body, name=ctx.keys.monolith)
        new = document(ctx, picture, MONOLITH) or old
        rels = {r for r in [*old.rels(), *new.rels()] if home_of(r) and paths.is_data(r)}
        edits = [
            commit.Edit(rel, after, before.tag if before else None)
            for rel in sorted(rels)
            if (before := old.get(rel)) != (after := new.get(rel))
        ]
        ctx.note("warning", "index", f"{count(len(edits), 'change')} of a client without the lock")
        done = commit.commit(
            ctx,
            edits,
            index=ctx.reader.load(),
            lease=self._pen.lease,
            writer=f"{ctx.identity.client} {self._pen.nonce}",
        )
        self._source = picture.docs[ctx.keys.monolith]
        if self._done is not None:
            self._done = replace(self._done, commit_seq=done.commit_seq)


# --- what the shards are to be -----------------------------------------------------------


def _ready(ctx: Context, picture: Picture) -> Ready:
    source = picture.docs.get(ctx.keys.monolith)
    return Ready(source, picture.names, _target(ctx, picture))


def _target(ctx: Context, picture: Picture) -> Target:
    """The monolith's entries by shard, in its order; a copy that has none of them becomes empty."""
    monolith = document(ctx, picture, MONOLITH) or Document.empty()
    shards: defaultdict[str, Document] = defaultdict(Document.empty)
    dropped = []
    for rel in monolith.rels():
        home, raw = home_of(rel), monolith.raw(rel)
        if not paths.is_data(rel):
            dropped.append(Dropped(path=rel, reason=INTERNAL))
        elif home is None or raw is None:
            dropped.append(Dropped(path=rel, reason=NO_SHARD))
        else:
            shards[home].take(rel, raw)
    bodies = {name: shard.encode() for name, shard in shards.items()}
    bodies |= dict.fromkeys(picture.names - bodies.keys(), EMPTY_SHARD)
    return Target(bodies, sum(map(len, shards.values())), dropped)


def _differing(ctx: Context, picture: Picture, target: Target) -> Mapping[str, bytes]:
    """The shards that have to be written."""
    return {
        name: body
        for name, body in target.bodies.items()
        if (doc := picture.docs.get(ctx.keys.shard(name))) is None or doc.body != body
    }


def _richer(ctx: Context, picture: Picture, target: Target) -> list[str]:
    """Copies that say what the monolith does not: they are kept before they are replaced."""
    said = picture.entries.get(MONOLITH, {}).keys() | picture.bad.get(MONOLITH, {}).keys()
    return [
        name
        for name in _differing(ctx, picture, target)
        if name in picture.corrupt or picture.entries.get(name, {}).keys() - said
    ]


def _told(picture: Picture, target: Target, *, written: int, dry_run: bool) -> IndexMigrated:
    return IndexMigrated(
        dry_run=dry_run,
        from_version=picture.version,
        entries=target.entries,
        shards=len(target.bodies),
        written=written,
        dropped=tuple(target.dropped),
    )


def _already(picture: Picture) -> IndexMigrated:
    return IndexMigrated(
        dry_run=False,
        from_version=2,
        already=True,
        entries=sum(len(picture.entries[name]) for name in picture.ruling),
        shards=len(picture.names),
        commit_seq=picture.meta.commitSeq if picture.meta else None,
    )
