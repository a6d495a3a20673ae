"""Reports and snapshots, made from what the engine knows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from s3dash import tracing
from s3dash.core.endpoint import EndpointFacts
from s3dash.core.events import Ended
from s3dash.core.hydration import Hydrated
from s3dash.core.keys import Keys
from s3dash.core.plan import Direction
from s3dash.core.report import Leftover, LocalInfo, PathChange, RemoteInfo, Result, Status
from s3dash.core.snapshot import Snapshot
from s3dash.core.tenants import Survey
from s3dash.engine import leftovers
from s3dash.engine.context import Context
from s3dash.engine.deadline import bounded
from s3dash.engine.health import Health
from s3dash.engine.observe import Observation
from s3dash.engine.remote import RemoteIndex
from s3dash.engine.view import View
from s3dash.errors import LocalError, NotFound, S3DashError, StoreError
from s3dash.objectstore.port import ObjectStore

if TYPE_CHECKING:
    from s3dash.engine.live import Live

_MOVED = ("pushed", "pulled", "copied", "deleted_remote", "deleted_local")
_REMAINED = ("conflicts", "blocked", "failed", "cancelled")


def describe(ctx: Context, view: View, health: Health, seen: Observation | None) -> Status:
    """The status document; without `seen` only the local side is known."""
    settings = ctx.settings
    return Status(
        datastore=settings.name,
        bucket=settings.bucket,
        prefix=settings.prefix,
        namespace=settings.namespace,
        endpoint=settings.address,
        healthy=health.healthy,
        latency_ms=health.latency_ms,
        index=view.index,
        local=LocalInfo(
            files=view.files,
            dirty=[PathChange(r.path, r.change, r.size) for r in view.dirty],
            bulk_dirty=view.bulk_dirty,
            lazy=view.lazy,
            hydrated=view.hydrated,
        ),
        remote=RemoteInfo(changed=list(view.behind)),
        conflicts=list(view.conflicts),
        blocked=list(view.blocked),
        locks=list(view.locks),
        message=health.message or _advice(seen.remote if seen else None),
        registered=_registered(ctx) if seen is not None else None,
        leftovers=_leftovers(ctx),
    )


def _leftovers(ctx: Context) -> list[Leftover]:
    with suppress(LocalError):  # a cache that cannot be read is told by what looks at its files
        return leftovers.find(ctx)
    return []


def _registered(ctx: Context) -> bool | None:
    """None: no namespace is bound, or its manifest may not be looked at; that is no failure."""
    name = ctx.keys.namespace
    with suppress(StoreError):
        return is_registered(ctx.store, name) if name is not None else None
    return None


def _advice(remote: RemoteIndex | None) -> str:
    """What a user should know about the index, or nothing."""
    if remote is None:
        return ""
    if remote.dropped:
        names = ", ".join(sorted(remote.dropped))
        return (
            f"another client dropped shards from the index: {names}; the next push puts them back"
        )
    if remote.missing:
        names = ", ".join(sorted(remote.missing))
        return f"the index names shards that are not there: {names}; the next push makes them anew"
    if remote.rebuilt:
        return "there is no index; the entries come from a listing, the next push publishes them"
    return ""


def snapshot(
    ctx: Context,
    view: View,
    health: Health,
    live: "Live",
    *,
    endpoint: EndpointFacts,
    tenants: Survey,
    read_only: str,
) -> Snapshot:
    """The state now, from memory."""
    state, detail = ctx.stage.now
    if state == "idle" and not health.healthy:
        state = "offline"
    return Snapshot(
        datastore=ctx.settings.name,
        namespace=ctx.settings.namespace,
        state=state,
        detail=detail,
        healthy=health.healthy,
        latency_ms=health.latency_ms,
        message=health.message or _advice(ctx.reader.latest),
        offline_since=health.offline_since,
        trouble=health.trouble,
        next_look_s=live.next_look_s,
        checked_at=health.checked_at,
        read_only=read_only,
        files=view.files,
        index=view.index,
        dirty=view.dirty,
        behind=view.behind,
        conflicts=view.conflicts,
        blocked=view.blocked,
        bulk_dirty=view.bulk_dirty,
        lazy=view.lazy,
        hydrated=_hydrated(ctx, view),
        locks=view.locks,
        locks_at=view.locks_at,
        lock_held_s=ctx.stage.lock_held_s,
        auto=live.auto_state,
        watch=live.watch_state,
        last_push=health.last_push,
        last_pull=health.last_pull,
        last_commit=view.commits.latest,
        endpoint=endpoint,
        tenants=tenants,
        progress=ctx.accounting.progress(ctx.traffic.limits),
        events_dropped=ctx.bus.dropped,
    )


def _hydrated(ctx: Context, view: View) -> Hydrated:
    """As it was seen last, and what came since."""
    seen, (files, size) = view.hydrated, ctx.accounting.arrived
    if not files:
        return seen
    return Hydrated(seen.files + files, seen.of, seen.bytes + size, seen.of_bytes)


@contextmanager
def measured(
    ctx: Context, operation: Direction, *, tell: bool = True
) -> Iterator[Callable[[Result], Result]]:
    """Fills in what an operation cost and, with `tell`, announces its end, whichever it was."""
    with (
        tracing.span(f"s3dash.{operation}", _where(ctx)) as told,
        _measuring(ctx, operation, tell=tell) as fill,
        bounded(ctx, operation),
    ):
        yield lambda result: _told(told, fill(result))


def _where(ctx: Context) -> dict[str, tracing.Value]:
    settings = ctx.settings
    return {
        "s3dash.datastore": settings.name,
        "s3dash.namespace": settings.namespace or "",
        "aws.s3.bucket": settings.bucket,
    }


def _told(span: tracing.Told, result: Result) -> Result:
    """Only what is not zero: most operations do one thing."""
    for name in (*_MOVED, "requests"):
        if value := getattr(result, name):
            span.set(f"s3dash.{name}", value)
    for name in _REMAINED:
        if rows := getattr(result, name):
            span.set(f"s3dash.{name}", len(rows))
    return result


@contextmanager
def _measuring(
    ctx: Context, operation: Direction, *, tell: bool
) -> Iterator[Callable[[Result], Result]]:
    began, requests = ctx.clock.monotonic(), ctx.store.usage.requests

    def fill(result: Result) -> Result:
        result.seconds = round(ctx.clock.monotonic() - began, 3)
        result.requests = ctx.store.usage.requests - requests
        if result.commit_seq is None and ctx.reader.latest is not None:
            result.commit_seq = ctx.reader.latest.commit_seq
        if tell:
            ctx.bus.publish(_ended(ctx, result))
        return result

    try:
        yield fill
    except S3DashError as error:
        if tell:
            failed = Result(action=operation, seconds=round(ctx.clock.monotonic() - began, 3))
            failed.requests = ctx.store.usage.requests - requests
            ctx.bus.publish(_ended(ctx, failed, error))
        raise


def _ended(ctx: Context, result: Result, error: S3DashError | None = None) -> Ended:
    numbers = {name: getattr(result, name) for name in _MOVED}
    numbers |= {name: len(getattr(result, name)) for name in _REMAINED}
    return Ended(
        at=ctx.now(),
        datastore=ctx.settings.name,
        operation=result.action,
        seconds=result.seconds,
        requests=result.requests,
        counts={name: number for name, number in numbers.items() if number},
        commit_seq=result.commit_seq,
        error=type(error).__name__ if error else "",
        text=error.message if error else "",
    )


def sentence(result: Result) -> str:
    """One line for the log."""
    counts = {
        "pushed": result.pushed,
        "copied": result.copied,
        "pulled": result.pulled,
        "deleted in the bucket": result.deleted_remote,
        "deleted here": result.deleted_local,
        "conflicts": len(result.conflicts),
        "blocked": len(result.blocked),
        "failed": len(result.failed),
        "cancelled": len(result.cancelled),
    }
    parts = [f"{n} {what}" for what, n in counts.items() if n]
    return ", ".join(parts) or "nothing to do"


def is_registered(store: ObjectStore, name: str) -> bool:
    """True when the namespace has a manifest."""
    try:
        store.head(Keys(name).manifest)
    except NotFound:
        return False
    return True
