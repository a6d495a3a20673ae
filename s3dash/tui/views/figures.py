"""A datastore in figures, for machines and for the clipboard. Pure."""

from pathlib import Path

from s3dash.core.settings import Datastore
from s3dash.tui.look import Site


def cache_of(settings: Datastore) -> Path:
    """Where the files of the datastore's namespace lie."""
    return settings.cache / settings.namespace if settings.namespace else settings.cache


def raw_site(site: Site) -> dict[str, object]:
    """The figures of a row by name, for machines; sizes are bytes, times ISO."""
    settings, snapshot, auto = site.settings, site.snapshot, site.snapshot.auto
    return {
        "datastore": site.name,
        "namespace": snapshot.namespace,
        "endpoint": settings.address,
        "bucket": settings.bucket,
        "prefix": settings.prefix,
        "cache": str(settings.cache),
        "state": snapshot.state,
        "healthy": snapshot.healthy,
        "latency_ms": snapshot.latency_ms,
        "files": snapshot.files,
        "index_version": snapshot.index.version,
        "commit_seq": snapshot.index.commit_seq,
        "entries": snapshot.index.entries,
        "dirty": len(snapshot.dirty),
        "dirty_bytes": site.dirty_bytes,
        "behind": len(snapshot.behind),
        "conflicts": len(snapshot.conflicts),
        "blocked": len(snapshot.blocked),
        "last_push": snapshot.last_push,
        "last_pull": snapshot.last_pull,
        "last_commit": snapshot.last_commit.at,
        "last_commit_by": snapshot.last_commit.by,
        "auto_sync": auto.enabled,
        "next_auto_sync_s": auto.next_in_s,
        "auto_suspended": auto.suspended,
        "locks": [lock.key for lock in snapshot.locks],
    }
