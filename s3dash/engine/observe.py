"""Looking at both sides: scan, index and base become a list of changes."""

import os.path
from collections.abc import Collection

import msgspec
from msgspec.structs import replace

from s3dash.core.diff import Base, Local, Remote, Verdict, classify, wants_hash
from s3dash.core.hydration import Hydrated
from s3dash.core.index import Entry
from s3dash.core.paths import covers, is_data, is_lazy_skippable
from s3dash.core.plan import Change
from s3dash.core.text import count
from s3dash.engine.context import Context
from s3dash.engine.growing import growing
from s3dash.engine.jobs import each
from s3dash.engine.rehash import due
from s3dash.engine.remote import RemoteIndex
from s3dash.errors import LocalError, S3DashError
from s3dash.local.scan import (
    FileStat,
    Scan,
    hash_file,
    is_settled,
    never,
    scan,
    scan_paths,
)
from s3dash.local.state import BaseRow

HASHERS = 4
COUNTED = 5_000
"""Paths between two tellings of how far the comparison is."""
CLASHES = frozenset({Verdict.BOTH_MODIFIED, Verdict.BOTH_ADDED})


class LocalView(msgspec.Struct):
    """The cache as it was just seen. `hashes` holds what had to be read to tell.

    `seeded` are base rows that the state does not have yet (see `_peer_base`). `taken_ns` is the
    wall time before the first file was read.
    """

    scan: Scan
    base: dict[str, BaseRow]
    hashes: dict[str, str] = msgspec.field(default_factory=dict)
    unreadable: dict[str, str] = msgspec.field(default_factory=dict)
    seeded: frozenset[str] = frozenset()
    taken_ns: int = 0

    def side(self, rel: str) -> Local | None:
        stat = self.scan.files.get(rel)
        return None if stat is None else Local(stat.size, self.sha256(rel, stat))

    def sha256(self, rel: str, stat: FileStat) -> str | None:
        if rel in self.hashes:
            return self.hashes[rel]
        row = self.base.get(rel)
        return row.sha256 if row is not None and unmoved(row, stat) else None

    def unknown(self, rel: str) -> bool:
        """What cannot be read is neither changed nor deleted."""
        return rel in self.scan.special or rel in self.unreadable or self.scan.is_unknown(rel)


class Observation(msgspec.Struct):
    """Both sides compared. `unchanged` counts the paths that are in sync.

    In a `lazy` cache `skipped` is what it leaves in the bucket, as if it were to be fetched.
    `missed` are paths that were here once, and whose entry is gone or another one since: not in
    `changes`, for a file that is not here says nothing.
    """

    local: LocalView
    remote: RemoteIndex
    changes: list[Change]
    blocked: dict[str, str]
    unchanged: int
    lazy: bool = False
    skipped: dict[str, Change] = msgspec.field(default_factory=dict)
    missed: list[Change] = msgspec.field(default_factory=list)
    away: list[str] = msgspec.field(default_factory=list)
    """Of a lazy cache: content that was here when it was last looked at, and is not any more."""
    hydrated: Hydrated = msgspec.field(default_factory=Hydrated)


def unmoved(row: BaseRow, stat: FileStat) -> bool:
    """True when the file cannot have changed since its hash was taken."""
    return row.stat == stat and is_settled(stat, row.verified_ns)


def look_local(ctx: Context) -> LocalView:
    """Scan the cache and take the base out of the state.

    A cache that was never synced may not exist yet; one that was and is gone is unknown. One
    that lost its sidecar was emptied, or is another disk: what is missing there is no deletion
    (scenario 42).
    """
    rows = ctx.state.base_rows()
    if not rows or _is_gone(ctx):
        ctx.cache.create()
    is_emptied = bool(rows) and not ctx.sidecar.exists()
    found = scan(
        ctx.cache.base,
        excluded=ctx.excludes.test,
        solo=ctx.keys.namespace is None,
        cancel=ctx.cancel,
        key_prefix_bytes=ctx.key_prefix_bytes,
        on_files=lambda number: ctx.stage.count(count(number, "file")),
    )
    if is_emptied:
        gone = {r for r in rows if r not in found.files and not found.is_unknown(r)}
        ctx.state.forget(gone)
        rows = {rel: row for rel, row in rows.items() if rel not in gone}
    again = due(rows, found.files, now_ns=wall_ns(ctx), days=ctx.settings.full_hash_days)
    rows |= {rel: msgspec.structs.replace(rows[rel], verified_ns=0) for rel in again}
    seeds = _peer_base(ctx, rows)
    return LocalView(found, rows | seeds, seeded=frozenset(seeds))


def _is_gone(ctx: Context) -> bool:
    """A guest's directory that was taken away: like a cache that was emptied, it is filled anew."""
    cache = ctx.cache
    return ctx.settings.is_guest and cache.root.is_dir() and not cache.base.exists()


def look_again(ctx: Context, view: LocalView, rels: Collection[str]) -> LocalView:
    """The same view with some paths (files, or directories with all below) looked at anew."""
    found = scan_paths(
        ctx.cache.base,
        rels,
        excluded=ctx.excludes.test,
        solo=ctx.keys.namespace is None,
        cancel=ctx.cancel,
        key_prefix_bytes=ctx.key_prefix_bytes,
    )
    told = frozenset(rels)
    keep = {r: s for r, s in view.scan.files.items() if not covers(told, r)}
    special = {r: w for r, w in view.scan.special.items() if not covers(told, r)}
    unknown = {r for r in view.scan.unknown if not covers(told, r)}
    merged = replace(
        view.scan,
        files=keep | found.files,
        special=special | found.special,
        unknown=unknown | found.unknown,
    )
    hashes = {r: h for r, h in view.hashes.items() if r in keep}
    return replace(view, scan=merged, hashes=hashes, unreadable={})


def _peer_base(ctx: Context, base: dict[str, BaseRow]) -> dict[str, BaseRow]:
    """What a plain client on this cache knew of the paths that it marked dirty.

    Only marked paths: a plain client takes an entry into its index without looking whether the
    file on disk is of that version, so that an unmarked difference is nobody's edit for sure.
    """
    sidecar = ctx.sidecar.read()
    seeded: dict[str, BaseRow] = {}
    if not sidecar.dirtyPaths:
        return seeded
    for rel, entry in ctx.sidecar.read_index().items():
        if rel in base or entry.sha256 is None or not is_data(rel):
            continue
        if sidecar.marked(ctx.keys.root + rel):
            seeded[rel] = BaseRow(rel, entry.sha256, entry.size, entry.tag, None, None, 0)
    return seeded


def hash_where_needed(ctx: Context, view: LocalView, entries: dict[str, Entry]) -> None:
    """Read the files that stat and size alone cannot decide, and remember what was learnt.

    Also those that may be another file under a new name.
    """
    view.taken_ns = wall_ns(ctx)
    files = view.scan.files
    gone = {row.size for rel, row in view.base.items() if rel not in files and row.size > 0}
    unproved = [
        (rel, stat)
        for rel, stat in files.items()
        if (row := view.base.get(rel)) is None
        or row.stat != stat
        or not is_settled(stat, row.verified_ns)
    ]
    wanted = [
        rel
        for rel, stat in unproved
        if _undecided(view, rel, stat, entries) or (stat.size in gone and rel not in view.base)
    ]
    learnt: list[tuple[str, FileStat, int]] = []
    work = each(
        lambda rel: hash_file(ctx.cache.base / rel, cancel=ctx.cancel),
        wanted,
        workers=HASHERS,
        cancel=ctx.cancel,
        name="s3dash-hash",
    )
    for number, (rel, outcome) in enumerate(work, 1):
        ctx.stage.count(f"reading {number:,} of {count(len(wanted), 'file')}")
        if isinstance(outcome, S3DashError):
            view.unreadable[rel] = outcome.message
            continue
        digest, stat = outcome
        view.hashes[rel] = digest
        view.scan.files[rel] = stat
        row = view.base.get(rel)
        if row is not None and row.sha256 == digest:
            learnt.append((rel, stat, view.taken_ns))
            view.base[rel] = msgspec.structs.replace(row, stat=stat, verified_ns=view.taken_ns)
    ctx.cancel.check()
    if learnt:
        ctx.state.restat(learnt)


def _undecided(view: LocalView, rel: str, stat: FileStat, entries: dict[str, Entry]) -> bool:
    row, entry = view.base.get(rel), entries.get(rel)
    if row is not None and unmoved(row, stat):
        return False
    return wants_hash(stat.size, row.base if row else None, as_remote(entry))


def recognise(index: RemoteIndex, base: dict[str, BaseRow]) -> None:
    """Without an index nothing tells an object's content but a version that we know."""
    for rel, etag in index.etags.items():
        row = base.get(rel)
        if row is not None and row.etag == etag:
            known = msgspec.structs.replace(index.entries[rel], sha256=row.sha256)
            index.entries[rel] = known


def wall_ns(ctx: Context) -> int:
    """The wall clock in nanoseconds, as file times are."""
    return int(ctx.clock.now().timestamp() * 1e9)


def as_remote(entry: Entry | None) -> Remote | None:
    return None if entry is None else Remote(entry.size, entry.sha256, entry.tag)


@growing()
def compare(ctx: Context, view: LocalView, remote: RemoteIndex, *, lazy: bool) -> Observation:
    """The pure comparison over all paths that either side or the base knows."""
    excluded = ctx.excludes.test
    blocked = dict(remote.blocked)
    blocked.update(view.scan.special)
    blocked.update(view.unreadable)
    seen = Observation(view, remote, [], blocked, 0, lazy)
    calm = _all_alike(ctx, view, remote)
    seen.unchanged = len(calm)
    files = of = len(calm)
    size = of_size = sum(remote.entries[rel].size for rel in calm)
    for number, rel in enumerate(_all_paths(view, remote.entries) - calm, len(calm)):
        if number % COUNTED == 0:
            ctx.stage.count(f"{count(number, 'path')} compared")
        if view.unknown(rel) or rel in remote.blocked or excluded(rel):
            continue
        row, local = view.base.get(rel), view.side(rel)
        base, there = row.base if row else None, as_remote(remote.entries.get(rel))
        if there is not None:
            of, of_size = of + 1, of_size + there.size
            if local is not None:
                files, size = files + 1, size + there.size
        if lazy and local is None and is_lazy_skippable(rel):
            _take_absent(ctx, seen, rel, base, there)
        else:
            _take_path(ctx, seen, Change(rel, classify(base, local, there), base, local, there))
    seen.hydrated = Hydrated(files, of, size, of_size)
    if seen.away:
        ctx.state.restat((rel, None, 0) for rel in seen.away)
    return seen


def _all_alike(ctx: Context, view: LocalView, remote: RemoteIndex) -> set[str]:
    """What is as the base has it on both sides, and is told of by nothing else: most paths.

    Without an object for each, for this is done for every path at every look. What it leaves out
    is compared one by one.
    """
    scan, entries, base = view.scan, remote.entries, view.base
    alike = set()
    for rel, stat in scan.files.items():
        row, entry = base.get(rel), entries.get(rel)
        if row is None or entry is None or row.stat != stat or rel in view.hashes:
            continue
        if (entry.sha256 or entry.tag) == row.tag and is_settled(stat, row.verified_ns):
            alike.add(rel)
    alike -= view.seeded
    alike -= remote.blocked.keys()
    alike -= view.unreadable.keys()
    excluded = ctx.excludes.test
    if scan.unknown or scan.special or scan.fenced or excluded is not never:
        return {rel for rel in alike if not (scan.is_unknown(rel) or excluded(rel))}
    return alike


def _take_path(ctx: Context, seen: Observation, change: Change) -> None:
    view, rel, verdict, local = seen.local, change.path, change.verdict, change.local
    if verdict in CLASHES and local is not None and local.sha256 is None:
        change = replace(change, local=Local(local.size, _sha256_of(ctx, view, rel)))
    if verdict is Verdict.IN_SYNC and rel in view.seeded and local is not None:
        change = replace(change, verdict=Verdict.CONVERGED)
    if change.verdict is Verdict.IN_SYNC:
        seen.unchanged += 1
    else:
        seen.changes.append(change)


def _take_absent(
    ctx: Context, seen: Observation, rel: str, base: Base | None, there: Remote | None
) -> None:
    """A file that a lazy cache may lack."""
    if is_taken_away(ctx, seen.local, rel):
        seen.changes.append(Change(rel, classify(base, None, there), base, None, there))
        return
    row = seen.local.base.get(rel)
    if row is not None and row.stat is not None:
        seen.away.append(rel)
        seen.local.base[rel] = msgspec.structs.replace(row, stat=None, verified_ns=0)
    if there is not None:
        seen.skipped[rel] = Change(rel, Verdict.REMOTE_ADDED, None, None, there)
    if base is not None and (there is None or there.tag != base.tag):
        seen.missed.append(Change(rel, Verdict.BOTH_DELETED, base, None, there))


def is_merely_absent(ctx: Context, seen: Observation, rel: str) -> bool:
    """True for a file that is not here, though its directory is, and that this cache may lack."""
    if not (seen.lazy and is_lazy_skippable(rel)) or rel in seen.local.scan.files:
        return False
    return has_directory(ctx, rel)


def has_directory(ctx: Context, rel: str) -> bool:
    """Whether what `rel` is to lie in is there, or anything else in its place."""
    return os.path.lexists(ctx.cache.base / rel.rpartition("/")[0])


def is_taken_away(ctx: Context, view: LocalView, rel: str) -> bool:
    """True when content that was here went together with the directory that it was in.

    In a lazy cache that is the one way to delete it: without the file alone it is not hydrated
    any more, and what was not here is never deleted.
    """
    row = view.base.get(rel)
    if row is None or row.stat is None or rel in view.seeded:
        return False
    return not has_directory(ctx, rel)


def _sha256_of(ctx: Context, view: LocalView, rel: str) -> str | None:
    """A conflict is shown with both hashes, although the sizes told it already."""
    try:
        view.hashes[rel], view.scan.files[rel] = hash_file(ctx.cache.base / rel, cancel=ctx.cancel)
    except LocalError as error:
        view.unreadable[rel] = error.message
    return view.hashes.get(rel)


def _all_paths(view: LocalView, entries: dict[str, Entry]) -> set[str]:
    return view.base.keys() | view.scan.files.keys() | entries.keys()


def local_changes(ctx: Context, view: LocalView, *, lazy: bool) -> list[Change]:
    """What differs from base here, without a look at the bucket."""
    changes = []
    for rel in view.base.keys() | view.scan.files.keys():
        if view.unknown(rel):
            continue
        row, local = view.base.get(rel), view.side(rel)
        if lazy and local is None and is_lazy_skippable(rel) and not is_taken_away(ctx, view, rel):
            continue
        base = row.base if row else None
        as_base = Remote(base.size, base.sha256, base.tag) if base else None
        verdict = classify(base, local, as_base)
        if verdict is not Verdict.IN_SYNC:
            changes.append(Change(rel, verdict, base, local, as_base))
    return changes
