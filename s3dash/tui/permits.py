"""Which commands cannot be given now, and why. Pure."""

from s3dash.core.snapshot import BY_CHOICE, why_read_only
from s3dash.tui import keys
from s3dash.tui.format import safe
from s3dash.tui.look import Look, Running

DECIDING = ("conflicts.local", "conflicts.remote", "conflicts.both", "conflicts.undo")
WRITING = frozenset(key.name for key in keys.ALL if key.writes)
RECORDS = ("records.new", "records.replace", "records.delete")
REMOTE = ("locks.release", "endpoints.uploads", "namespaces.register", *RECORDS)
"""Commands that write past the cache: they can be given while another process owns it."""
CACHED = WRITING | {
    "namespace", "trash", "catalogs", "fleet", "records", "endpoints.again",
    "endpoints.uploads", "namespaces.again", "namespaces.search", "namespaces.stand",
    "namespaces.count",
}  # fmt: skip
"""Commands that only a shared cache has."""
BIN = ("trash.restore", "trash.drop")
MOVING = (
    "push",
    "pull",
    "sync",
    "hydrate",
    "namespaces.pull",
    "namespaces.push",
    "namespaces.migrate",
    "namespaces.to-solo",
    "namespaces.repair",
    "transfers.retry",
    "dirty.push-model",
    "care.confirm",
    *DECIDING,
    *BIN,
)
UNFINISHED = (
    "transfers.pause", "transfers.pause-all", "transfers.cancel", "transfers.sooner",
    "transfers.later",
)  # fmt: skip


def _is_in_the_way(running: Running, look: Look) -> bool:
    """An auto-sync only where it runs."""
    return not running.auto or running.site == look.site.name


def why_not(name: str, look: Look, *, namespaces: bool) -> str:
    """One clause that says what stands against the command; empty when nothing does.

    `namespaces` tells whether going over to another one is possible at all.
    """
    if look.settings.kind != "cache" and name in CACHED:
        return f"{safe(look.settings.name)} holds {look.settings.kind}: 8 Explorer is for those"
    return _of_a_cache(name, look, namespaces=namespaces)


def _of_a_cache(name: str, look: Look, *, namespaces: bool) -> str:
    owner, running = look.snapshot.read_only, look.running
    if owner and name in WRITING and (owner == BY_CHOICE or name not in REMOTE):
        return f"read-only: {safe(why_read_only(owner))}"
    if name in (*MOVING, "namespace") and running is not None and _is_in_the_way(running, look):
        return f"{running.name} is running; X in 3 Transfers cancels it"
    if name == "namespace" and not namespaces:
        return "namespaces cannot be changed here"
    if name == "endpoints.stop" and not any(s.snapshot.endpoint.checking for s in look.sites):
        return "no check is under way"
    if name == "hydrate" and not look.snapshot.lazy:
        return "this cache leaves nothing in the bucket: a pull brings all there is"
    if name == "namespaces.export" and look.settings.namespace is None:
        return "only a namespace has a catalog"
    if name == "namespaces.migrate" and look.settings.namespace is not None:
        return f"you work in namespace {safe(look.settings.namespace)} already"
    if name == "namespaces.to-solo" and look.settings.namespace is None:
        return "you work in no namespace: this is the solo layout"
    if name == "transfers.cancel-all" and running is None:
        return "nothing runs that was started here"
    return _of_transfers(name, look)


def _of_transfers(name: str, look: Look) -> str:
    counts = look.snapshot.progress.counts
    if name in UNFINISHED and not counts.unfinished:
        return "nothing moves"
    if name == "transfers.retry" and not counts.failed:
        return "nothing has failed"
    return ""
