"""Wiring: from settings to an engine."""

from collections.abc import Callable
from contextlib import ExitStack

from s3dash.clock import Clock, SystemClock
from s3dash.core.keys import Keys
from s3dash.core.settings import CredentialSource, Datastore
from s3dash.core.snapshot import BY_CHOICE
from s3dash.core.text import count
from s3dash.engine import trust
from s3dash.engine.accounting import Accounting
from s3dash.engine.addresses import state_file
from s3dash.engine.at_home import settled
from s3dash.engine.bus import Bus
from s3dash.engine.context import Context, identify, new_nonce
from s3dash.engine.engine import Engine
from s3dash.engine.excludes import Excludes
from s3dash.engine.lease import USUAL, Timing
from s3dash.engine.remote import PAGE, READERS, IndexReader
from s3dash.engine.stage import Stage
from s3dash.engine.throttle import Throttle
from s3dash.engine.traffic import Traffic
from s3dash.local.atomic import CacheDir
from s3dash.local.sidecar import SidecarFile
from s3dash.local.state import OwnerLock, State
from s3dash.local.trash import Trash
from s3dash.objectstore.opening import open_store
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import Capabilities, ObjectStore
from s3dash.objectstore.sealed import Sealed

__all__ = ["open_engine", "state_file"]


def open_engine(
    settings: Datastore,
    credentials: CredentialSource = None,
    *,
    clock: Clock | None = None,
    store: ObjectStore | None = None,
    patience: Patience | None = None,
    nonce: Callable[[], str] = new_nonce,
    timing: Timing = USUAL,
    ignores_case: bool | None = None,
    proved: Capabilities | None = None,
    page: int = PAGE,
) -> Engine:
    """An engine that is not started: it acts when it is called.

    `ignores_case` is whether the cache's disk does, None: look it up. `proved` is what a `store`
    that is given can do, None: prove it before the first write, unless it was proved lately.

    When another process owns the cache the engine only reads, and names that process; with
    `readonly` it only reads by choice, beside whoever owns it. `patience` is that of a `store`
    that is given. `page` is how many documents of the index a listing names for one request.
    """
    settings = settled(settings)
    clock = clock or SystemClock()
    patience = patience or Patience(clock)
    store = store or open_store(settings, credentials, patience=patience)
    if settings.readonly and not isinstance(store, Sealed):
        store = Sealed(store)
    owner = OwnerLock(settings.state_dir)
    read_only = BY_CHOICE if settings.readonly else _other_owner(owner)
    with ExitStack() as undo:  # a state file that cannot be read leaves the cache to the next try
        undo.callback(owner.release)
        state = State(state_file(settings), read_only=bool(read_only))
        undo.callback(state.close)
        ctx = _context(
            settings,
            store,
            state,
            clock,
            patience,
            nonce,
            timing,
            ignores_case=ignores_case,
            page=page,
        )
        if not read_only:
            ctx.cache.sweep(trash=ctx.trash)
        if proved is not None and not read_only:
            trust.remember(ctx, proved)
        trust.recall_dialect(ctx)
        if state.recovered:
            ctx.note("warning", "state", f"the state database was unusable: {state.recovered}")
        if owner.before:
            ctx.note("warning", "state", sentence_on_killed(owner.before, len(state.journal())))
        engine = Engine(ctx, owner, read_only=read_only)
        undo.pop_all()
    return engine


def _context(
    settings: Datastore,
    store: ObjectStore,
    state: State,
    clock: Clock,
    patience: Patience,
    nonce: Callable[[], str],
    timing: Timing,
    *,
    ignores_case: bool | None,
    page: int,
) -> Context:
    bus = Bus()
    accounting = Accounting(clock, store.usage)
    throttle = Throttle(settings.bandwidth_limit, clock)
    keys = Keys(settings.namespace)
    return Context(
        settings=settings,
        keys=keys,
        store=store,
        reader=IndexReader(
            store, keys, shelf=state, readers=min(READERS, settings.pull_concurrency), page=page
        ),
        state=state,
        cache=CacheDir(settings.cache, namespace=settings.namespace, ignores_case=ignores_case),
        sidecar=SidecarFile(settings.cache, below=settings.sidecar_below),
        trash=Trash(settings.state_dir / "trash", clock, namespace=settings.namespace),
        clock=clock,
        bus=bus,
        accounting=accounting,
        stage=Stage(bus, clock, settings.name),
        throttle=throttle,
        traffic=Traffic(accounting, throttle, clock, settings),
        patience=patience,
        identity=identify(),
        excludes=Excludes(settings),
        nonce=nonce,
        timing=timing,
    )


def sentence_on_killed(who: str, uploads: int) -> str:
    """What became of the work of a process that could not end in order."""
    paths = count(uploads, "path")
    found = f"it had begun to send {paths}" if uploads else "it was sending nothing"
    return (
        f"the last s3dash here ({who}) did not end in order; {found}."
        " Nothing half done is used, the next push or pull goes on from there"
    )


def _other_owner(owner: OwnerLock) -> str:
    """Who owns the cache, or empty when it is ours now."""
    return "" if owner.acquire() else owner.owner() or "unknown process"
