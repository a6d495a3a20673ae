"""The cache of a datastore that moves: files are renamed, and what we know of them goes along.

Nothing is copied, read or fetched again. Files go first and the base after them: a base that runs
ahead of its files would read as deletions; files without a base are only read once more.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import msgspec

from s3dash.core.partitions import PEER_TOPS
from s3dash.core.paths import is_data, is_namespace
from s3dash.core.sidecar import Sidecar
from s3dash.core.text import count
from s3dash.engine import neighbours
from s3dash.engine.context import Context
from s3dash.engine.hydration import is_lazy
from s3dash.engine.moving_look import Places
from s3dash.engine.observe import LocalView, hash_where_needed, local_changes, look_local
from s3dash.engine.origin import FACT as ORIGIN
from s3dash.errors import LocalError, UsageError
from s3dash.local import fsio
from s3dash.local.rows import BaseRow
from s3dash.local.scan import FileStat, hash_file

FACTS = (ORIGIN, "lazy")


class Cache(msgspec.Struct, frozen=True):
    """This cache as the old place sees it; `fenced` are directories of namespaces in it."""

    view: LocalView
    fenced: frozenset[str]

    def is_ours(self, rel: str) -> bool:
        return rel.partition("/")[0] not in self.fenced and is_data(rel)

    @property
    def due(self) -> list[str]:
        """The paths that are to move, sorted; also those of files that are not here."""
        return sorted(filter(self.is_ours, {*self.view.base, *self.view.scan.files}))

    @property
    def files(self) -> list[str]:
        return sorted(filter(self.is_ours, self.view.scan.files))


def look_here(places: Places) -> Cache:
    """Raises LocalError, and what the store raises: it is asked whose a directory may be."""
    view = look_local(places.src)
    if not places.to_solo:
        heads = {r.partition("/")[0] for r in (*view.base, *view.scan.files) if "/" in r}
        names = {head for head in heads - PEER_TOPS if is_namespace(head)}
        fenced = {*neighbours.registered(places.src, names), places.namespace}
        return Cache(view, frozenset(fenced | view.scan.fenced))
    return Cache(view, frozenset())


def refuse_if_dirty(ctx: Context, cache: Cache) -> None:
    """Raises UsageError while something here was not pushed yet."""
    hash_where_needed(ctx, cache.view, {})
    changes = local_changes(ctx, cache.view, lazy=is_lazy(ctx))
    dirty = sorted(c.path for c in changes if cache.is_ours(c.path))
    if dirty:
        raise UsageError(
            f"{count(len(dirty), 'local change')} of this cache, first {dirty[0]}: "
            "nothing was changed",
            hint="push or pull first",
        )
    if ctx.state.journal():
        raise UsageError("a push of this cache was cut off: nothing was changed", hint="push first")


def refuse_if_taken(places: Places, rels: Iterable[str]) -> None:
    """Raises UsageError when other files lie where those of this cache are to go."""
    src, dst = places.src.cache.base, places.dst.cache.base
    taken = [rel for rel in rels if _lies(src / rel) and _differs(src / rel, dst / rel)]
    if taken:
        raise UsageError(
            f"{dst / taken[0]} and {count(len(taken) - 1, 'more file')} are in the way of this "
            "cache's own files; nothing was changed",
            hint="move them away: they are left over from another layout",
        )


def _lies(path: Path) -> bool:
    return os.path.lexists(path)


def _differs(source: Path, target: Path) -> bool:
    if not _lies(target):
        return any(p.is_file() or p.is_symlink() for p in _above(target))
    if target.is_dir() or target.is_symlink():
        return True
    return hash_file(source)[0] != hash_file(target)[0]


def _above(target: Path) -> Iterator[Path]:
    """The directories that a file would lie in, up to where there are some."""
    for parent in target.parents:
        if parent.is_dir():
            return
        yield parent


def move(places: Places, cache: Cache) -> int:
    """Rename what is left to rename, then hand over the base; how many files are there then."""
    src, dst = places.src, places.dst
    rels = cache.due
    with fsio.telling(f"the cache {src.settings.cache} cannot be moved"):
        if rels:
            fsio.make_dirs(dst.cache.base)
        for top in sorted({rel.partition("/")[0] for rel in rels}):
            src.cancel.check()
            _move(src.cache.base / top, dst.cache.base / top)
        fsio.fsync_path(src.cache.root)
        if rels:
            fsio.fsync_path(dst.cache.base)
        _tidy(src.cache.base, src.cache.root)
    _hand_over(places)
    src.sidecar.update(lambda now: _at(places, now))
    return sum(1 for rel in rels if _lies(dst.cache.base / rel))


def _move(source: Path, target: Path) -> None:
    """A whole directory at once where the new place has none of that name."""
    if not _lies(source):
        return
    if not _lies(target):
        source.rename(target)
        return
    if _is_directory(source) and _is_directory(target):
        for child in sorted(source.iterdir()):
            _move(child, target / child.name)
        fsio.fsync_path(target)
        source.rmdir()
    elif source.is_symlink() or _differs(source, target):
        raise LocalError(f"{target} is in the way of {source}", hint="move it away")
    else:
        source.unlink()  # the very bytes are at the target


def _is_directory(path: Path) -> bool:
    """A link to one is none: what it leads to is not ours."""
    return path.is_dir() and not path.is_symlink()


def _tidy(base: Path, root: Path) -> None:
    """A namespace's directory that is empty now."""
    if base != root and base.is_dir() and not any(base.iterdir()):
        base.rmdir()


# --- what we know -------------------------------------------------------------------------


def _hand_over(places: Places) -> None:
    src, dst = places.src, places.dst
    known = dst.state.base_rows()
    rows = src.state.base_rows()
    moved = [_restated(dst, row) for rel, row in rows.items() if rel not in known]
    dst.state.apply(save=moved, older=src.state.all_older())
    for fact in FACTS:
        value = src.state.get(fact)
        if value is not None and dst.state.get(fact) is None:
            dst.state.set(fact, value)
    src.trash.hand_over(dst.keys.namespace)
    src.state.forget(rows)
    src.state.drop_docs(src.state.doc_etags())


def _restated(dst: Context, row: BaseRow) -> BaseRow:
    """A file that was renamed by itself has another ctime; nothing else of it may differ."""
    path = dst.cache.base / row.rel
    if row.stat is None or not _lies(path):
        return row
    now = FileStat.of(path.lstat())
    if not row.stat.same_content(now):
        return row
    return BaseRow(row.rel, row.sha256, row.size, row.tag, row.etag, now, row.verified_ns)


def _at(places: Places, now: Sidecar) -> Sidecar:
    """Marks get or lose the namespace. What was verified was the old place: nobody relies on it."""
    root = f"{places.namespace}/"
    marks = (
        m.removeprefix(root) if places.to_solo else root + m.removeprefix(root)
        for m in now.dirtyPaths
    )
    changed = msgspec.structs.replace(
        now, dirtyPaths=tuple(marks), commitSeq=None, remoteIndexETag=""
    )
    same = changed.dirtyPaths == now.dirtyPaths
    return now if same and not (now.commitSeq or now.remoteIndexETag) else changed
