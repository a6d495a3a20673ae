"""View 4: who holds what."""

from collections.abc import Sequence

from s3dash.core.lock import LockInfo
from s3dash.tui import copying
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import age, between, clock_time, count, countdown, moment, safe, when
from s3dash.tui.glyphs import LIVE, STALE, Sign, lock_sign
from s3dash.tui.look import Look
from s3dash.tui.views.base import Badge, View, field, head, joined, row_of

LISTED_S = 60
"""How long a listing of the models' locks counts as new."""


def sign(lock: LockInfo, look: Look) -> Sign:
    return lock_sign(lock, left_s=look.ttl_left(lock))


def place(lock: LockInfo) -> str:
    """What the lock is on, for people."""
    if lock.scope == "global":
        return "whole datastore"
    if lock.scope == "namespace":
        return f"namespace {safe(lock.namespace or '?')}"
    where = f"{safe(lock.namespace)}/" if lock.namespace else ""
    return f"model {where}{safe(lock.model or '?')}"


def blocks(lock: LockInfo) -> str:
    """What cannot go on as long as the lock is held."""
    if lock.scope == "global":
        return "pushes, syncs and repairs of the datastore; pulls go on"
    if lock.scope == "namespace":
        return "pushes, syncs and repairs of this namespace; pulls go on"
    return "other writers of this model; pushes and pulls go on"


def _since(lock: LockInfo, look: Look) -> str:
    seconds = between(lock.acquired_at, look.now)
    ago = "" if seconds is None or seconds < 0 else f", {age(seconds)} ago"
    return f"{when(lock.acquired_at, look.now)}{ago}"


def _left(lock: LockInfo, look: Look) -> Cell:
    left = look.ttl_left(lock)
    if left > 0:
        return one(countdown(left))
    return one(f"-{countdown(-left)}" if left > -3600 else "over 1 h", "bad")


def _looked(look: Look) -> Cell:
    """That the locks of models may be more than these; nothing while they were just listed."""
    at = look.snapshot.locks_at
    seconds = between(at, look.now)
    if seconds is None or seconds < LISTED_S:
        return ()
    return one(f"model locks: looked at {moment(at, look.now)}, r looks again", "dim")


class LocksView(View[LockInfo]):
    name = "locks"
    number = "4"
    title = "Locks"
    copies = "holder"
    columns = (
        Column(title="STATE", width=7, cell=lambda r, look: sign(r, look).cell),
        Column(title="LOCK", middle=True, cell=lambda r, _: one(place(r))),
        Column(
            title="HOLDER",
            width=20,
            least=46,
            cell=lambda r, _: one(safe(r.holder) or "?", "strong"),
        ),
        Column(title="HOST", width=12, least=88, cell=lambda r, _: one(safe(r.hostname), "dim")),
        Column(
            title="PID", width=7, right=True, least=104, cell=lambda r, _: one(str(r.pid), "dim")
        ),
        Column(
            title="SINCE",
            width=8,
            least=76,
            cell=lambda r, _: one(clock_time(r.acquired_at), "dim"),
        ),
        Column(title="TTL LEFT", width=8, right=True, least=60, cell=_left),
    )

    def __init__(self) -> None:
        self.fields = {
            "state": lambda r: "stale" if r.stale else "live",
            "ns": lambda r: r.namespace or "",
            "scope": lambda r: r.scope,
            "holder": lambda r: r.holder,
        }

    def rows(self, look: Look) -> Sequence[LockInfo]:
        return look.snapshot.locks

    def key(self, row: LockInfo) -> str:
        return row.key

    def text(self, row: LockInfo) -> str:
        return f"{row.key} {row.holder} {row.hostname}"

    def path(self, row: LockInfo, _look: Look) -> str:
        return row.holder

    def uri(self, row: LockInfo, look: Look) -> str:
        return copying.uri_of_key(look.settings, row.key)

    def _stale(self, look: Look) -> int:
        return sum(1 for lock in look.snapshot.locks if sign(lock, look) is STALE)

    def badge(self, look: Look) -> Badge:
        return Badge(len(look.snapshot.locks), self._stale(look) > 0)

    def summary(self, look: Look) -> Cell:
        locks, stale = look.snapshot.locks, self._stale(look)
        live = len(locks) - stale
        return joined(
            [
                one(count(len(locks), "lock"), "strong"),
                one(f"{LIVE.glyph} {live} live", LIVE.look) if live else (),
                one(f"{STALE.glyph} {stale} stale", STALE.look) if stale else (),
                _looked(look),
            ]
        )

    def empty(self, look: Look) -> list[Cell]:
        lines = [one("No locks.", "good"), one("Nobody writes to this datastore now.", "dim")]
        looked = _looked(look)
        return [*lines, looked] if looked else lines

    def detail(self, row: LockInfo, look: Look) -> list[Cell]:
        lines = [
            head(place(row)),
            one(""),
            row_of("state", sign(row, look).cell),
            *facts(row, look),
        ]
        if sign(row, look) is STALE:
            lines += [
                one(""),
                one("Its holder has not been heard of for longer than its TTL.", "dim"),
            ]
        return [*lines, one(""), (("F", "key"), (" force release", "dim"))]


def facts(lock: LockInfo, look: Look) -> list[Cell]:
    """Everything that the lock says, as the detail and the release dialog show it."""
    return [
        field("holder", safe(lock.holder) or "?", "strong"),
        field("host", safe(lock.hostname) or "?"),
        field("pid", str(lock.pid)),
        field("client", safe(lock.client) if lock.client else "unknown", "dim"),
        field("acquired", _since(lock, look)),
        field("heartbeat", f"{countdown(look.lock_age(lock))} ago"),
        row_of("TTL left", (*_left(lock, look), (f"  of {countdown(lock.ttl_ms / 1000)}", "dim"))),
        field("blocks", blocks(lock)),
        field("nonce", safe(lock.nonce), "dim"),
        field("key", safe(lock.key), "dim"),
    ]
