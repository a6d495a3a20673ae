"""Moving a datastore between the solo layout and a namespace, and back: the order of things.

Both global locks are held all the time, that of the solo layout first, whatever the direction: so
two migrations never wait for each other. They are taken when the model locks have drained. Then
the namespace is registered, the objects are copied on the server, checked, the index follows, and
only then the originals go. This machine's cache moves last. Killed at any point, the next run
goes on.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from msgspec.structs import replace

from s3dash.core import paths
from s3dash.core.cancel import CancelToken
from s3dash.core.events import Level
from s3dash.core.moves import Migrated, MigrationPlan, place_name
from s3dash.core.partitions import PEER_TOPS
from s3dash.core.report import PlanRow
from s3dash.core.text import count, size
from s3dash.engine import moving, moving_cache, trust
from s3dash.engine.catalog_export import owe
from s3dash.engine.context import Context
from s3dash.engine.decided import Turn
from s3dash.engine.drain import drained
from s3dash.engine.moving_look import Look, Places, look, refuse_if_in_use
from s3dash.engine.moving_todo import Todo, sort
from s3dash.engine.registry import claim, known, read_manifest
from s3dash.engine.sameness import forget_copies
from s3dash.engine.sibling import sibling
from s3dash.errors import UsageError
from s3dash.objectstore.port import Capabilities


class Migration:
    """On the facade: `engine.migration`. The engine may work in either place."""

    def __init__(self, ctx: Context, *, turn: Turn) -> None:
        self._ctx = ctx
        self._turn = turn

    def plan(
        self,
        namespace: str,
        *,
        to_solo: bool = False,
        repo_id: str = "",
        cancel: CancelToken | None = None,
    ) -> MigrationPlan:
        """What `run` would do now. Takes no lock and writes nothing to the bucket.

        Raises as `run`, but for the locks.
        """
        with (
            self._turn(cancel) as ctx,
            _between(ctx, namespace, to_solo=to_solo, writes=False) as places,
            ctx.stage.during("comparing", "looking at both places"),
        ):
            _check(places, repo_id)
            return _planned(places)[0]

    def run(
        self,
        namespace: str,
        *,
        to_solo: bool = False,
        repo_id: str = "",
        cancel: CancelToken | None = None,
    ) -> Migrated:
        """Move everything; a run that was cut off goes on where it ended.

        Raises UsageError when it cannot be (dirty cache, new place in use, no index),
        NamespaceTaken, LockHeld, LockLost, UnsafeEndpoint, CommitConflict, Cancelled, and what
        the store raises.
        """
        with (
            self._turn(cancel, writes=True) as ctx,
            _between(ctx, namespace, to_solo=to_solo, writes=True) as places,
        ):
            before, since = ctx.store.usage.requests, ctx.clock.monotonic()
            with ctx.stage.during("comparing", "looking at both places"):
                _check(places, repo_id)
                _planned(places)
            done = _carry_out(places, repo_id)
            return replace(
                done,
                requests=ctx.store.usage.requests - before,
                seconds=round(ctx.clock.monotonic() - since, 3),
            )


@contextmanager
def _between(ctx: Context, namespace: str, *, to_solo: bool, writes: bool) -> Iterator[Places]:
    """Both places; the engine's own is the one that it works in."""

    with _place(ctx, None, writes) as solo, _place(ctx, namespace, writes) as bound:
        yield Places(bound, solo) if to_solo else Places(solo, bound)


@contextmanager
def _place(ctx: Context, namespace: str | None, writes: bool) -> Iterator[Context]:
    if ctx.keys.namespace == namespace:
        yield ctx
        return
    with sibling(ctx, namespace, writes=writes) as other:
        yield replace(other, stage=ctx.stage)  # who waits for its lock sees that


def _check(places: Places, repo_id: str) -> None:
    """What can be refused without a look at any file."""
    name = places.namespace
    if not paths.is_namespace(name) or name in PEER_TOPS:
        raise UsageError(
            f"{name} cannot be a namespace",
            hint="one path segment of letters, digits, '.', '_' and '-', and no data directory",
        )
    store = places.src.store
    manifest = read_manifest(store, name)
    if places.to_solo and manifest is None and not _has_any(places.src):
        raise UsageError(f"there is no namespace {name}", hint="`s3dash namespaces` lists them")
    owner = _owner(places, repo_id)
    if manifest is not None and owner:
        known(manifest, name, owner)
    if manifest is None and not places.to_solo and not owner:
        raise UsageError(
            f"for which repository is {name} to be registered? Nothing says its id",
            hint="--repo-id ID, or `repo_id` in the configuration, or a .swamp.yaml with a repoId",
        )


def _has_any(ctx: Context) -> bool:
    """Whether anything lies there: a namespace that was moved away keeps at least its record."""
    return next(iter(ctx.store.list(ctx.keys.root)), None) is not None


def _owner(places: Places, repo_id: str) -> str:
    return repo_id or places.src.settings.repo_id


def _planned(places: Places) -> tuple[MigrationPlan, Look, Todo]:
    """Raises UsageError when the migration cannot begin, or go on."""
    found = look(places)
    refuse_if_in_use(places, found)
    cache = moving_cache.look_here(places)
    if found.phase not in ("committed", "done"):
        moving_cache.refuse_if_dirty(places.src, cache)
    moving_cache.refuse_if_taken(places, cache.due)
    todo = sort(places, found, lambda *_: False)
    plan = MigrationPlan(
        namespace=places.namespace,
        to_solo=places.to_solo,
        resumed=found.phase in ("copying", "committed"),
        registers=not places.to_solo and read_manifest(places.src.store, places.namespace) is None,
        rows=tuple(_rows(places, found, todo)),
        kept=tuple(todo.kept),
        cache_files=len(cache.files),
    )
    return plan, found, todo


def _rows(places: Places, found: Look, todo: Todo) -> Iterator[PlanRow]:
    to = place_name(places.dst.keys.namespace)
    told = dict.fromkeys(todo.copy, ("copy", f"to {to}, the original goes last"))
    told |= dict.fromkeys(todo.drop, ("delete", f"the same is in {to} already"))
    told |= dict.fromkeys(todo.absent, ("entry", "there is no object; its entry moves"))
    for rel, (action, reason) in sorted(told.items()):
        info = found.ours.get(rel)
        yield PlanRow(rel, action, reason, info.size if info else 0)


# --- doing --------------------------------------------------------------------------------


def _carry_out(places: Places, repo_id: str) -> Migrated:
    ctx = places.src
    can = trust.capabilities(ctx)
    with (
        drained(places.solo, can, operation="migrate") as first,
        drained(places.bound, can, operation="migrate") as second,
        ctx.stage.during("committing", "looking at both places"),
    ):

        def guard() -> None:
            first.guard()
            second.guard()

        held = replace(places, can=can, guard=guard)
        found = look(held)  # nobody else moves now
        refuse_if_in_use(held, found)
        resumed = found.phase in ("copying", "committed")
        registered = _register(held, repo_id, can)
        tally = moving.carry_out(held, found)
    with ctx.stage.during("committing", "moving the cache"):
        files = moving_cache.move(places, moving_cache.look_here(places))
    after = places.dst.reader.load()
    places.dst.save_docs()
    owe(places.dst)
    if not tally.kept:
        forget_copies(ctx)
    _tell(places, tally, files)
    return Migrated(
        namespace=places.namespace,
        to_solo=places.to_solo,
        resumed=resumed,
        registered=registered,
        objects=len(after.entries),
        copied=tally.copied,
        bytes_copied=tally.bytes_copied,
        unchanged=tally.unchanged,
        deleted=tally.deleted,
        cache_files=files,
        kept=tally.rows,
        commit_seq=after.commit_seq,
    )


def _register(places: Places, repo_id: str, can: Capabilities) -> bool:
    """Whether the namespace was registered just now."""
    if places.to_solo:
        return False
    if read_manifest(places.src.store, places.namespace) is not None:
        return False
    return claim(places.src, places.namespace, _owner(places, repo_id), can).created


def _tell(places: Places, tally: moving.Tally, files: int) -> None:
    """In the history of both places: each has a log of its own."""
    here, there = (place_name(c.keys.namespace) for c in (places.src, places.dst))
    text = (
        f"moved from {here} to {there}: {count(tally.copied, 'object')} copied "
        f"({size(tally.bytes_copied)}), {count(tally.deleted, 'original')} deleted, "
        f"{count(files, 'file')} of this cache"
    )
    if tally.kept:
        text += f"; {count(len(tally.kept), 'object')} stay in the old place"
    level: Level = "warning" if tally.kept else "info"
    places.src.note(level, "migrate", text)
    places.dst.note(level, "migrate", text)
