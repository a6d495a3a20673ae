"""What is known of an endpoint: how it answers, what was proved of it, what lies open on it."""

from collections.abc import Sequence
from typing import Literal

import msgspec

Locking = Literal["safe", "unsafe"]


class Proof(msgspec.Struct, frozen=True):
    """One check of the doctor: whether it held, and what was seen."""

    name: str
    ok: bool
    detail: str


class Grant(msgspec.Struct, frozen=True):
    """One permission: `granted`, `denied` or `unknown`, and what it is for."""

    name: str
    needed: bool
    granted: str
    detail: str


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """All that the doctor found, at the ISO time `at`. `fenced`: see `core/policies.py`."""

    at: str
    locking: Locking
    checks: tuple[Proof, ...]
    grants: tuple[Grant, ...] = ()
    dialect: str = "quoted"
    fenced: bool = False

    @property
    def broken(self) -> tuple[Proof, ...]:
        return tuple(proof for proof in self.checks if not proof.ok)

    @property
    def missing(self) -> tuple[Grant, ...]:
        """What these credentials need and were not proved to have."""
        return tuple(g for g in self.grants if g.needed and g.granted != "granted")


class Checking(msgspec.Struct, frozen=True):
    """An examination that is under way: `done` of `total` proofs, and what they were."""

    done: int = 0
    total: int = 0
    latest: str = ""
    proofs: tuple[Proof, ...] = ()
    stopping: bool = False


class Mishap(msgspec.Struct, frozen=True):
    """Something that the endpoint did wrong, `times` times, the last at the ISO time `at`."""

    at: str
    text: str
    times: int = 1


class UploadRow(msgspec.Struct, frozen=True, kw_only=True):
    """An upload in parts that is neither completed nor aborted. Ages by the server's clock.

    `started` is the ISO time; `age_s` and `quiet_s` are the seconds since it began, and since its
    latest part came; `parts` and `size` in bytes are None when they were not asked for. `ours`:
    this cache began it. `busy`: an operation of this process may be sending it.
    """

    key: str
    upload_id: str
    started: str = ""
    age_s: float | None = None
    quiet_s: float | None = None
    parts: int | None = None
    size: int | None = None
    ours: bool = False
    busy: bool = False

    @property
    def fresh(self) -> bool:
        """Somebody else's, and heard of so lately that they may be at it; or nobody can tell."""
        return not self.ours and (self.quiet_s is None or self.quiet_s < FRESH_S)


FRESH_S = 900.0


class OpenUploads(msgspec.Struct, frozen=True, kw_only=True):
    """All of them below the prefix, as of the ISO time `at`; `problem`: why they are not known."""

    rows: tuple[UploadRow, ...] = ()
    at: str = ""
    problem: str = ""

    @property
    def size(self) -> int:
        return sum(row.size or 0 for row in self.rows)

    @property
    def is_whole(self) -> bool:
        """False when the bytes of some are not known."""
        return all(row.size is not None for row in self.rows)

    @property
    def oldest_s(self) -> float | None:
        return max((r.age_s for r in self.rows if r.age_s is not None), default=None)


class Aborted(msgspec.Struct, frozen=True):
    """What became of uploads that were to be aborted; `kept` ones are in use here."""

    done: int = 0
    kept: int = 0
    failed: tuple[str, ...] = ()


class EndpointFacts(msgspec.Struct, frozen=True, kw_only=True):
    """One engine's view of its endpoint; the same object while nothing changes.

    `latencies` are the times of the last small requests in ms, the newest last. `skew_s` is how
    far the server's clock is ahead. `proved_at` is when a push proved that locks hold. `problem`:
    why the latest examination came to nothing.
    """

    identity: str = ""
    latencies: tuple[float, ...] = ()
    skew_s: float | None = None
    mishaps: tuple[Mishap, ...] = ()
    finding: Finding | None = None
    proved_at: str = ""
    checking: Checking | None = None
    problem: str = ""
    uploads: OpenUploads | None = None

    @property
    def locking(self) -> Locking | None:
        """What is proved of its locks, the newer proof first; None: nothing is."""
        return verdict(self.finding, self.proved_at)


def verdict(finding: Finding | None, proved_at: str) -> Locking | None:
    """Whether locks hold, by the newer of a doctor's finding and a push's proof."""
    if finding is not None and finding.at >= proved_at:
        return finding.locking
    return "safe" if proved_at else None


def percentile(values: Sequence[float], share: float) -> float | None:
    """The smallest value that at least `share` of all do not exceed; None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -int(-share * len(ordered) // 1)  # rounded up
    return ordered[max(0, min(len(ordered), rank) - 1)]
