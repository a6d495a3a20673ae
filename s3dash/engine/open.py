"""Wiring: from settings to a store and an engine."""

import hashlib
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from s3dash.clock import Clock, SystemClock
from s3dash.core.keys import Keys
from s3dash.core.settings import CredentialSource, Datastore
from s3dash.engine import trust
from s3dash.engine.accounting import Accounting
from s3dash.engine.bus import Bus
from s3dash.engine.context import Context, identify, new_nonce
from s3dash.engine.engine import Engine
from s3dash.engine.lease import USUAL, Timing
from s3dash.engine.remote import READERS, Doc, IndexReader
from s3dash.engine.stage import Stage
from s3dash.engine.throttle import Throttle
from s3dash.local.atomic import CacheDir
from s3dash.local.sidecar import SidecarFile
from s3dash.local.state import OwnerLock, State
from s3dash.local.trash import Trash
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import Capabilities, ObjectStore


def open_store(
    settings: Datastore, credentials: CredentialSource, *, patience: Patience | None = None
) -> ObjectStore:
    """The bucket of a datastore; nothing is sent yet. None: boto3's default chain."""
    from s3dash.objectstore.s3 import S3Store  # late: the SDKs take a while to import

    return S3Store(settings, credentials, patience=patience)


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
) -> Engine:
    """An engine that is not started: it acts when it is called.

    `ignores_case` is whether the cache's disk does, None: look it up. `proved` is what a `store`
    that is given can do, None: prove it before the first write, unless it was proved lately.

    When another process owns the cache the engine only reads, and names that process. `patience`
    is that of a `store` that is given.
    """
    clock = clock or SystemClock()
    patience = patience or Patience(clock)
    store = store or open_store(settings, credentials, patience=patience)
    owner = OwnerLock(settings.state_dir)
    read_only = "" if owner.acquire() else owner.owner() or "unknown process"
    with ExitStack() as undo:  # a state file that cannot be read leaves the cache to the next try
        undo.callback(owner.release)
        state = State(state_file(settings), read_only=bool(read_only))
        undo.callback(state.close)
        docs = {key: Doc(etag, body) for key, (etag, body) in state.docs().items()}
        bus = Bus()
        keys = Keys(settings.namespace)
        ctx = Context(
            settings=settings,
            keys=keys,
            store=store,
            reader=IndexReader(store, keys, docs, readers=min(READERS, settings.pull_concurrency)),
            state=state,
            cache=CacheDir(settings.cache, namespace=settings.namespace, ignores_case=ignores_case),
            sidecar=SidecarFile(settings.cache),
            trash=Trash(settings.state_dir / "trash", clock, namespace=settings.namespace),
            clock=clock,
            bus=bus,
            accounting=Accounting(clock, store.usage),
            stage=Stage(bus, clock, settings.name),
            throttle=Throttle(settings.bandwidth_limit, clock),
            patience=patience,
            identity=identify(),
            nonce=nonce,
            timing=timing,
        )
        if not read_only:
            ctx.cache.sweep(trash=ctx.trash)
        if proved is not None and not read_only:
            trust.remember(ctx, proved)
        trust.recall_dialect(ctx)
        if state.recovered:
            ctx.note("warning", "state", f"the state database was unusable: {state.recovered}")
        undo.pop_all()
    return Engine(ctx, owner, read_only=read_only)


def state_file(settings: Datastore) -> Path:
    """One database per cache and bucket address: a base is never mixed up with another's."""
    address = "\n".join(
        (settings.endpoint or "", settings.bucket, settings.prefix, settings.namespace or "")
    )
    return settings.state_dir / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.sqlite"
