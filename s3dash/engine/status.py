"""Reports and snapshots, made from what the engine knows."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from s3dash.core.endpoint import EndpointFacts
from s3dash.core.keys import Keys
from s3dash.core.report import LocalInfo, PathChange, RemoteInfo, Result, Status
from s3dash.core.snapshot import Snapshot
from s3dash.core.tenants import Survey
from s3dash.engine.context import Context
from s3dash.engine.health import Health
from s3dash.engine.observe import Observation
from s3dash.engine.remote import RemoteIndex
from s3dash.engine.view import View
from s3dash.errors import NotFound
from s3dash.objectstore.port import ObjectStore

if TYPE_CHECKING:
    from s3dash.engine.live import Live


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
        ),
        remote=RemoteInfo(changed=list(view.behind)),
        conflicts=list(view.conflicts),
        blocked=list(view.blocked),
        locks=list(view.locks),
        message=health.message or _advice(seen.remote if seen else None),
    )


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
        locks=view.locks,
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


@contextmanager
def measured(ctx: Context) -> Iterator[Callable[[Result], Result]]:
    """Fills in what an operation cost."""
    began, requests = ctx.clock.monotonic(), ctx.store.usage.requests

    def fill(result: Result) -> Result:
        result.seconds = round(ctx.clock.monotonic() - began, 3)
        result.requests = ctx.store.usage.requests - requests
        if result.commit_seq is None and ctx.reader.latest is not None:
            result.commit_seq = ctx.reader.latest.commit_seq
        return result

    yield fill


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
