"""Times in a snapshot that run by themselves, told once instead of at every look.

On the way they are moments of the monotonic clock, which all processes of a machine share.
"""

from msgspec.structs import replace

from s3dash.core.snapshot import Snapshot

NEWS_S = 0.5
"""A moment that moved by less than this is the one that was told."""


def as_moments(snapshot: Snapshot, now: float) -> Snapshot:
    """What is left becomes when it is over, what has passed becomes when it began."""
    auto = replace(
        snapshot.auto,
        next_in_s=_sum(now, snapshot.auto.next_in_s),
        running_s=_difference(now, snapshot.auto.running_s),
    )
    return replace(
        snapshot,
        next_look_s=_sum(now, snapshot.next_look_s),
        lock_held_s=_difference(now, snapshot.lock_held_s),
        auto=auto,
    )


def as_spans(snapshot: Snapshot, now: float) -> Snapshot:
    """The way back, at whatever time."""
    auto = snapshot.auto
    if auto.next_in_s is not None or auto.running_s is not None:
        auto = replace(
            auto,
            next_in_s=_left(now, auto.next_in_s),
            running_s=_difference(now, auto.running_s),
        )
    elif snapshot.next_look_s is None and snapshot.lock_held_s is None:
        return snapshot
    return replace(
        snapshot,
        next_look_s=_left(now, snapshot.next_look_s),
        lock_held_s=_difference(now, snapshot.lock_held_s),
        auto=auto,
    )


def settled(new: Snapshot, told: Snapshot, now: float) -> Snapshot:
    """Moments that are what was told stay that, to the bit; both snapshots hold moments."""
    auto = replace(
        new.auto,
        next_in_s=_ahead(told.auto.next_in_s, new.auto.next_in_s, now),
        running_s=_kept(told.auto.running_s, new.auto.running_s),
    )
    return replace(
        new,
        next_look_s=_ahead(told.next_look_s, new.next_look_s, now),
        lock_held_s=_kept(told.lock_held_s, new.lock_held_s),
        auto=auto,
    )


def _kept(told: float | None, new: float | None) -> float | None:
    if told is None or new is None:
        return new
    return told if abs(new - told) < NEWS_S else new


def _ahead(told: float | None, new: float | None, now: float) -> float | None:
    """What is due stays due: nothing left is no other moment at every look."""
    if told is not None and new is not None and told <= now and new <= now:
        return told
    return _kept(told, new)


def _sum(now: float, span: float | None) -> float | None:
    return None if span is None else now + span


def _difference(now: float, span: float | None) -> float | None:
    return None if span is None else now - span


def _left(now: float, moment: float | None) -> float | None:
    return None if moment is None else max(0.0, moment - now)
