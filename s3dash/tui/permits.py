"""Which commands cannot be given now, and why. Pure."""

from s3dash.tui.format import safe
from s3dash.tui.look import Look

DECIDING = ("conflicts.local", "conflicts.remote", "conflicts.both")
MOVING = ("push", "pull", "sync", *DECIDING)


def why_not(name: str, look: Look, *, namespaces: bool) -> str:
    """One clause that says what stands against the command; empty when nothing does.

    `namespaces` tells whether going over to another one is possible at all.
    """
    owner, running = look.snapshot.read_only, look.running
    if name in (*MOVING, "auto") and owner:
        return f"read-only: this cache belongs to {safe(owner)}"
    if name in (*MOVING, "namespace") and running is not None:
        return f"a {running.direction} is running; x in 3 Transfers cancels it"
    if name == "namespace" and not namespaces:
        return "namespaces cannot be changed here"
    if name == "transfers.cancel" and running is None:
        return "nothing runs that was started here"
    return ""
