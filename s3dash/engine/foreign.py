"""Foreign objects below a namespace: found, shown, and put where they belong under the locks.

Nothing that is the only copy of some bytes is deleted: what is dropped was compared with what is
at its home, what moves is copied and in the home's index first, a lock is set aside. Locks are
taken in the order of their keys, so that no two repairs or migrations wait for each other.
"""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager

import msgspec
from msgspec.structs import replace

from s3dash.core import paths
from s3dash.core.cancel import CancelToken
from s3dash.core.events import Level
from s3dash.core.foreign import Facts, Foreign, ForeignReport, decide, is_lock, segments
from s3dash.core.partitions import PEER_TOPS
from s3dash.core.text import count
from s3dash.engine import intents, neighbours, publish, trust
from s3dash.engine.all_of import all_of
from s3dash.engine.cas import read
from s3dash.engine.context import Context
from s3dash.engine.decided import Turn
from s3dash.engine.drain import is_over
from s3dash.engine.foreign_moves import Found, Mover
from s3dash.engine.moving_look import head
from s3dash.engine.remote import RemoteIndex
from s3dash.engine.sameness import same
from s3dash.engine.sibling import sibling
from s3dash.errors import UsageError
from s3dash.objectstore.port import Capabilities, ObjectInfo


class Home(msgspec.Struct):
    """A namespace that foreign objects may belong to: its index, and what was deleted there."""

    index: RemoteIndex
    records: intents.Records = msgspec.field(default_factory=intents.Records)


class ForeignObjects:
    """On the facade: `engine.foreign`."""

    def __init__(self, ctx: Context, *, turn: Turn) -> None:
        self._ctx = ctx
        self._turn = turn

    def look(self, namespace: str, *, cancel: CancelToken | None = None) -> ForeignReport:
        """What is there, and what `repair` would do. Takes no lock, writes nothing.

        Raises UsageError for a name that is none, IndexCorrupt, and what the store raises.
        """
        with (
            self._turn(cancel) as ctx,
            _within(ctx, namespace) as there,
            ctx.stage.during("comparing", f"looking for foreign objects in {namespace}"),
        ):
            rows = tuple(found.row for found in _find(there))
            return ForeignReport(namespace=namespace, applied=False, foreign=rows)

    def repair(self, namespace: str, *, cancel: CancelToken | None = None) -> ForeignReport:
        """Do it, home by home, each under both locks and after a fresh look.

        Raises as `look`, and LockHeld, LockLost, UnsafeEndpoint, ReadOnly.
        """
        with self._turn(cancel, writes=True) as ctx, _within(ctx, namespace) as there:
            can = trust.capabilities(ctx)
            with ctx.stage.during("comparing", f"looking for foreign objects in {namespace}"):
                found = _find(there)
            done: list[Foreign] = []
            for home in sorted({one.home for one in found}):
                rels = frozenset(one.rel for one in found if one.home == home)
                with ctx.stage.during("committing", "repairing"):
                    done += _repair(there, home, rels, can)
            report = ForeignReport(
                namespace=namespace,
                applied=True,
                foreign=tuple(sorted(done, key=lambda row: row.path)),
            )
            _tell(ctx, report)
            return report


@contextmanager
def _within(ctx: Context, namespace: str) -> Iterator[Context]:
    if not paths.is_namespace(namespace) or namespace in PEER_TOPS:
        raise UsageError(f"{namespace} cannot be a namespace")
    if next(iter(ctx.store.list(f"{namespace}/")), None) is None:
        raise UsageError(
            f"there is no namespace {namespace}", hint="`s3dash namespaces` lists them"
        )
    with _place(ctx, namespace) as there:
        yield there


@contextmanager
def _place(ctx: Context, namespace: str) -> Iterator[Context]:
    if ctx.keys.namespace == namespace:
        yield ctx
    else:
        with sibling(ctx, namespace) as other:
            yield replace(other, stage=ctx.stage)  # who waits for its lock sees that


# --- finding ------------------------------------------------------------------------------


def _find(there: Context, *, only: frozenset[str] | None = None) -> list[Found]:
    """Every foreign path with what is to become of it, sorted; `only` some paths."""
    index = there.reader.load()
    strange = _strange(there, index)
    objects = _objects(there, strange)
    rels = {*objects, *(r for r in index.entries if _head(r) in strange)}
    if only is not None:
        rels &= only
    homes = {name: _home(there, name) for name in {_head(rel) for rel in rels if not is_lock(rel)}}
    answers = all_of(
        there,
        lambda rel: _judge(there, rel, objects.get(rel), homes),
        sorted(rels),
        name="s3dash-foreign",
    )
    found = [replace(one, entry=index.entries.get(rel)) for rel, one in answers]
    return sorted(found, key=lambda one: one.rel)


def _head(rel: str) -> str:
    return rel.partition("/")[0] if "/" in rel else ""


def _strange(there: Context, index: RemoteIndex) -> list[str]:
    """The first segments that are not this namespace's own."""
    names = {*there.store.list_dirs(there.keys.root), *map(_head, index.entries)}
    maybe = {name for name in names - PEER_TOPS if paths.is_namespace(name)}
    mine = there.keys.namespace or ""
    return segments(mine, names, neighbours.registered(there, maybe - {mine}))


def _objects(there: Context, strange: list[str]) -> dict[str, ObjectInfo]:
    lead = len(there.keys.root)
    found: dict[str, ObjectInfo] = {}
    for name in strange:
        for info in there.store.list(f"{there.keys.data(name)}/"):
            found[info.key[lead:]] = info
    lock = head(there, there.keys.data(paths.GLOBAL_LOCK))
    if lock is not None:
        found[paths.GLOBAL_LOCK] = lock
    return found


def _home(there: Context, name: str) -> Home:
    with _place(there, name) as home:
        index = home.reader.load()
        return Home(index, intents.read_all(home) if index.docs else intents.Records())


def _judge(there: Context, rel: str, info: ObjectInfo | None, homes: Mapping[str, Home]) -> Found:
    """`<namespace>/<rel>`, held against what is at its home."""
    name, _, rest = rel.partition("/")
    at_home = None if is_lock(rel) else head(there, rel)
    facts = Facts(is_object=info is not None)
    if is_lock(rel):
        facts = replace(facts, alive=_is_alive(there, rel))
    elif info is not None:
        is_same = at_home is not None and same(there, info, at_home)
        facts = _at_home(homes[name], rest, there=at_home is not None, is_same=is_same)
    action, reason = decide(rel, facts)
    row = Foreign(
        path=there.keys.data(rel),
        home="" if is_lock(rel) else rel,
        action=action,
        reason=reason,
        size=info.size if info else None,
    )
    return Found(rel, row, info, at_home)


def _at_home(home: Home, rest: str, *, there: bool, is_same: bool) -> Facts:
    return Facts(
        there=there,
        same=is_same,
        entry_there=rest in home.index.entries and not home.index.rebuilt,
        indexed=bool(home.index.docs),
        withdrawn=bool(home.records.tombstones.get(rest)),
    )


def _is_alive(there: Context, rel: str) -> bool:
    found = read(there.store, there.keys.data(rel))
    return found is not None and not is_over(found)


# --- doing --------------------------------------------------------------------------------


def _repair(there: Context, home: str, rels: frozenset[str], can: Capabilities) -> list[Foreign]:
    """What belongs to one home. What became of each row is what the answer says."""
    with ExitStack() as held:
        back = there if home in ("", there.keys.namespace) else None
        other = back or held.enter_context(_place(there, home))
        places = {ctx.keys.lock: ctx for ctx in (there, other)}
        leases = [
            held.enter_context(publish.lock(places[key], there.nonce(), can))
            for key in sorted(places)
        ]
        held.enter_context(there.stage.holding_lock())

        def guard() -> None:
            for lease in leases:
                lease.guard()

        mover = Mover(there, other, can, dict(zip(sorted(places), leases, strict=True)), guard)
        return mover.apply(_find(there, only=rels))


def _tell(ctx: Context, report: ForeignReport) -> None:
    done, kept = report.by("drop", "move", "set-aside"), report.by("keep")
    if not done and not kept:
        return
    level: Level = "warning" if kept else "info"
    text = f"{count(len(done), 'foreign object')} of namespace {report.namespace} put right"
    ctx.note(level, "namespaces", f"{text}, {len(kept)} kept" if kept else text)
