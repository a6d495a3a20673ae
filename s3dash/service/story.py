"""From what an engine announces, and from how its state changes, to facts. Pure."""

from collections.abc import Iterable, Iterator

from s3dash.core.events import (
    DirtyChanged,
    Ended,
    Event,
    LocksChanged,
    Noted,
    RemoteChanged,
    StateChanged,
)
from s3dash.core.lock import LockInfo
from s3dash.core.snapshot import Snapshot
from s3dash.service.facts import Fact, Level, Value
from s3dash.service.tally import outcome

NAMED = 10
"""Paths that a fact names; it counts the others."""
AGREE = "`s3dash sync` carries them out, `s3dash watch --deletes` does so unasked"

_LEVELS: dict[str, Level] = {
    "ok": "info",
    "partly": "warning",
    "waiting": "warning",
    "cancelled": "info",
    "failed": "error",
}
_TOLD = {"push": ("info",), "pull": ("info",), "sync": ("info",), "endpoint": ("info", "error")}
"""Notes that the facts here replace, by operation and level."""

_STATES: dict[str, Level] = {
    "waiting for lock": "info",
    "pulling": "debug",
    "pushing": "debug",
    "committing": "debug",
}


class Story:
    """Remembers what was told last. `limit` failed rounds in a row are a failure."""

    def __init__(self, *, limit: int) -> None:
        self._limit = limit
        self._last: Snapshot | None = None
        self._bad = 0
        self._failing = False
        self._noted = ""

    def tell(self, events: Iterable[Event], now: Snapshot, *, at: str) -> list[Fact]:
        """The facts since the last call, in order. `at` is the time of what has none of its own."""
        told = [fact for event in events for fact in self._of_event(event)]
        before, self._last = self._last, now
        told += _first_look(before, now, at)
        if before is not None:
            told += _endpoint(before, now, at)
            told += _suspended(before, now, at)
        told += _conflicts(before, now, at)
        told += _blocked(before, now, at)
        told += _deletions(before, now, at)
        told += _stale_locks(before, now, at)
        told += self._streak(now, at)
        return told

    # --- events -------------------------------------------------------------------------

    def _of_event(self, event: Event) -> Iterator[Fact]:
        match event:
            case Ended():
                self._count(event)
                yield _ended(event, noted=self._noted)
            case Noted() if event.level not in _TOLD.get(event.operation, ()):
                self._noted = event.text
                fields: dict[str, Value] = {"operation": event.operation, "text": event.text}
                yield Fact(at=event.at, level=event.level, event="note", fields=fields)
            case DirtyChanged():
                yield Fact(at=event.at, level="info", event="dirty", fields={"files": event.count})
            case RemoteChanged():
                fields = {"behind": event.behind, "commit_seq": event.commit_seq}
                yield Fact(at=event.at, level="info", event="bucket", fields=fields)
            case LocksChanged():
                yield Fact(at=event.at, level="debug", event="locks", fields={"held": event.count})
            case StateChanged() if event.state in _STATES:
                level = _STATES[event.state]
                fields = {"state": event.state, "detail": event.detail}
                yield Fact(at=event.at, level=level, event="state", fields=fields)

    # --- failures in a row --------------------------------------------------------------

    def _count(self, event: Ended) -> None:
        how = outcome(event)
        if how in ("failed", "partly"):
            self._bad += 1
        elif how == "ok":
            self._bad = 0

    def _streak(self, now: Snapshot, at: str) -> Iterator[Fact]:
        """Rounds that failed, or syncs that went through only in part: with their beginning and
        their end."""
        if not (now.auto.failures or now.dirty or now.behind):
            self._bad = 0
        worst = max(self._bad, now.auto.failures)
        if worst >= self._limit and not self._failing:
            self._failing = True
            why = now.message or now.auto.suspended
            fields: dict[str, Value] = {"times": worst, "text": why}
            yield Fact(at=at, level="error", event="failing", fields=fields, occasion="failure")
        elif worst == 0 and self._failing:
            self._failing = False
            yield Fact(at=at, level="info", event="recovered", occasion="recovered")


def _ended(event: Ended, *, noted: str) -> Fact:
    """`noted` is what a note said last: the reason is not told twice."""
    how = outcome(event)
    fields: dict[str, Value] = {
        "outcome": how,
        **event.counts,
        "seconds": round(event.seconds, 3),
        "requests": event.requests,
        "commit_seq": event.commit_seq,
        "error": event.error,
        "text": event.text if event.text != noted else "",
    }
    shown: dict[str, Value] = {
        name: value for name, value in fields.items() if value not in ("", None)
    }
    return Fact(at=event.at, level=_LEVELS[how], event=event.operation, fields=shown)


# --- the state as it was and as it is -----------------------------------------------------


def _first_look(before: Snapshot | None, now: Snapshot, at: str) -> Iterator[Fact]:
    if not now.checked_at or (before is not None and before.checked_at):
        looked = before is not None and before.checked_at != now.checked_at
        if looked:
            yield Fact(at=at, level="debug", event="look", fields=_numbers(now))
        return
    yield Fact(at=at, level="info", event="looked", fields=_numbers(now))


def _numbers(now: Snapshot) -> dict[str, Value]:
    return {
        "files": now.files,
        "entries": now.index.entries,
        "commit_seq": now.index.commit_seq,
        "dirty": len(now.dirty),
        "behind": len(now.behind),
    }


def _endpoint(before: Snapshot, now: Snapshot, at: str) -> Iterator[Fact]:
    if before.healthy and not now.healthy:
        kind = now.trouble.kind if now.trouble else "failing"
        fields: dict[str, Value] = {"kind": kind, "text": now.message}
        yield Fact(at=at, level="error", event="offline", fields=fields)
    elif now.healthy and not before.healthy:
        yield Fact(at=at, level="info", event="online", fields={"since": before.offline_since})


def _suspended(before: Snapshot, now: Snapshot, at: str) -> Iterator[Fact]:
    was, why = before.auto.suspended, now.auto.suspended
    if why and why != was:
        yield Fact(at=at, level="warning", event="suspended", fields={"text": why})
    elif was and not why:
        yield Fact(at=at, level="info", event="resumed")


def _conflicts(before: Snapshot | None, now: Snapshot, at: str) -> Iterator[Fact]:
    if before is not None and before.conflicts is now.conflicts:
        return
    was = {c.path for c in before.conflicts} if before is not None else set()
    is_now = {c.path for c in now.conflicts}
    if fresh := is_now - was:
        fields: dict[str, Value] = {"paths": sorted(fresh)[:NAMED], "new": len(fresh)}
        fields["all"] = len(is_now)
        yield Fact(at=at, level="warning", event="conflict", fields=fields, occasion="conflict")
    if gone := was - is_now:
        fields = {"paths": sorted(gone)[:NAMED], "gone": len(gone), "all": len(is_now)}
        yield Fact(at=at, level="info", event="settled", fields=fields)


def _blocked(before: Snapshot | None, now: Snapshot, at: str) -> Iterator[Fact]:
    if before is not None and before.blocked is now.blocked:
        return
    was = {b.path for b in before.blocked} if before is not None else set()
    fresh = sorted(f"{b.path} ({b.reason})" for b in now.blocked if b.path not in was)
    if fresh:
        fields: dict[str, Value] = {"paths": fresh[:NAMED], "new": len(fresh)}
        yield Fact(at=at, level="warning", event="blocked", fields=fields)


def _deletions(before: Snapshot | None, now: Snapshot, at: str) -> Iterator[Fact]:
    was = before.auto.deletions if before is not None else 0
    if now.auto.deletions > was:
        fields: dict[str, Value] = {"waiting": now.auto.deletions, "text": AGREE}
        yield Fact(at=at, level="warning", event="deletions", fields=fields, occasion="deletions")


def _stale_locks(before: Snapshot | None, now: Snapshot, at: str) -> Iterator[Fact]:
    if before is not None and before.locks is now.locks:
        return
    was = {_which(lock) for lock in before.locks if lock.stale} if before is not None else set()
    for lock in now.locks:
        if lock.stale and _which(lock) not in was:
            fields: dict[str, Value] = {
                "key": lock.key,
                "holder": lock.holder,
                "hostname": lock.hostname,
                "pid": lock.pid,
                "age_s": lock.age_s,
            }
            yield Fact(
                at=at, level="warning", event="stale-lock", fields=fields, occasion="stale-lock"
            )


def _which(lock: LockInfo) -> tuple[str, str]:
    return lock.key, lock.nonce
