"""When the next round of an engine comes: the usual pause, sooner while others work, later while
nothing can be done.

A held lock is no failure: it is looked at again soon, and each time a little later, at the latest
after the usual pause. An endpoint that is away, and whatever else fails, is left in peace for
longer and longer. Every pause differs a little, so that machines that were started together, or
cut off together, do not ask together.
"""

import random
from collections.abc import Callable

from s3dash.core.lock import LockInfo
from s3dash.errors import CommitConflict, LockHeld, LockLost, S3DashError

BUSY_S = 5.0
AWAY_MAX_S = 120.0
FAILED_MAX_S = 300.0
SPREAD = 0.1
_BUSY = (LockHeld, LockLost, CommitConflict)


def _about() -> float:
    return random.uniform(1 - SPREAD, 1 + SPREAD)  # noqa: S311 - no secret in it


class Pace:
    """Told how each round went; `failures` are those in a row that failed."""

    def __init__(self, *, about: Callable[[], float] = _about) -> None:
        self._about = about
        self._busy = 0
        self._longest_s = FAILED_MAX_S
        self.failures = 0

    def went_well(self) -> None:
        self.failures = self._busy = 0

    def waits_for_others(self) -> None:
        """Nothing failed, but somebody else holds what this machine needs."""
        self.failures = 0
        self._busy += 1

    def went_wrong(self, error: S3DashError | None) -> None:
        """None: the bucket did not answer a look, or answered with a failure."""
        if isinstance(error, _BUSY):
            return self.waits_for_others()
        self._busy = 0
        self.failures += 1
        self._longest_s = AWAY_MAX_S if error is None else FAILED_MAX_S

    def pause_s(self, usual_s: float) -> float:
        """`usual_s` is the configured time between two looks."""
        if self._busy:
            return min(usual_s, BUSY_S * self._busy) * self._about()
        if not self.failures:
            return usual_s * self._about()
        grown = usual_s * 2.0 ** min(self.failures - 1, 8)
        return max(usual_s, min(self._longest_s, grown)) * self._about()


class Lockout:
    """A lock that was waited for in vain: while the same holder keeps it alive, why queue again?"""

    def __init__(self) -> None:
        self._shut = False
        self._nonce = ""

    def refused(self) -> None:
        """The lock was not had in time."""
        self._shut, self._nonce = True, ""

    def keeper(self, gate: LockInfo | None) -> str:
        """Who keeps us out; empty once the lock is free, stale, or somebody else's.

        `gate` is the lock as it was seen last.
        """
        other = gate is not None and self._nonce and gate.nonce != self._nonce
        if not self._shut or gate is None or gate.stale or other:
            self._shut = False
            return ""
        self._nonce = gate.nonce
        return gate.holder or "an unknown client"
