"""Who held the lock, when, and who wrote: judged from what the server answered."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from s3dash.engine.lease import STALE_SLACK_S
from tests.reliability.ledger import Record

LOCK = ".datastore.lock"
META = "_index/_meta.json"
MONOLITH = ".datastore-index.json"
HEADS = (META, MONOLITH)
"""What makes a commit hold: meta, or in version 1 the monolith. Who pushes first to where others
have put objects already makes version 1 before 2; cut off in the middle of that, it stays 1."""
COMMITS = "_control/s3dash/commits/"
DATE_STEP_S = 1.0
"""The server's `Date` has whole seconds."""


@dataclass(slots=True)
class Hold:
    """One lease as the server saw it. `puts`: the acquisition, then every beat it accepted."""

    nonce: str
    ttl_s: float
    puts: list[Record]
    ended: Record | None = None
    """The DELETE that released it; None: it was taken over, or is held still."""

    def __str__(self) -> str:
        how = f"over {self.taken.if_match}" if self.taken.if_match else "anew"
        end = f"{self.ended.at:.1f}" if self.ended else "never"
        beats = len(self.puts) - 1
        return f"{self.who} {self.nonce}: {self.taken.at:.1f} {how}, {beats} beats, released {end}"

    @property
    def who(self) -> str:
        return self.puts[0].who

    @property
    def taken(self) -> Record:
        return self.puts[0]


@dataclass(slots=True)
class Verdict:
    """What was found wrong, in words; empty: nothing."""

    wrong: list[str] = field(default_factory=list)

    def unless(self, holds: bool, what: str) -> None:
        if not holds:
            self.wrong.append(what)


def leases(records: Iterable[Record]) -> list[Hold]:
    """Every lease that the server granted, in order."""
    by_nonce: dict[str, Hold] = {}
    of_whom: dict[str, Hold] = {}
    for record in sorted(records, key=lambda r: r.until):
        if record.key != LOCK or not record.applied:
            continue
        if record.method == "DELETE":
            of_whom[record.who].ended = record
            continue
        body = json.loads(record.body)
        hold = by_nonce.get(body["nonce"])
        if hold is None:
            hold = Hold(body["nonce"], body["ttlMs"] / 1000, [])
            by_nonce[body["nonce"]] = of_whom[record.who] = hold
        hold.puts.append(record)
    return list(by_nonce.values())


def one_at_a_time(holds: Sequence[Hold]) -> Verdict:
    """By the versions of the lock object and by the server's clock.

    A lease begins where there was no lock, after the one before was released, or on exactly the
    last version of a lease that had not moved for its time to live and the slack, and every
    beat is on the version before it.
    """
    found = Verdict()
    for hold in holds:
        for version, beat in pairwise(hold.puts):
            found.unless(_tag(beat) == version.etag, f"{hold.who}: a beat over another version")
    for before, after in pairwise(holds):
        names = f"{before.who} ({before.nonce}) and {after.who} ({after.nonce})"
        if after.taken.if_match is None:
            end = before.ended
            gone = end is not None and end.at <= after.taken.until
            found.unless(gone, f"{names} held the lock at once")
            continue
        last = before.puts[-1]
        found.unless(_tag(after.taken) == last.etag, f"{names}: taken over in another version")
        still = last.date and after.taken.date and (after.taken.date - last.date).total_seconds()
        enough = before.ttl_s + STALE_SLACK_S - DATE_STEP_S
        found.unless(bool(still and still >= enough), f"{names}: taken over after {still} s")
    return found


def only_holders_write(records: Iterable[Record], holds: Sequence[Hold]) -> Verdict:
    """Every change of the index and every record of a commit came from a lease that ran (I7).

    It ran: its acquisition was answered before, its release not yet, and its last beat was
    asked for less than three quarters of its time to live ago.
    """
    found = Verdict()
    for record in records:
        if record.applied and is_index_write(record):
            ran = any(_runs(hold, record) for hold in holds)
            found.unless(ran, f"{record.who} wrote {record.key} without a lease")
    return found


def _runs(hold: Hold, record: Record) -> bool:
    if hold.who != record.who or hold.taken.until > record.at:
        return False
    if hold.ended is not None and hold.ended.until < record.at:
        return False
    latest = max(put.at for put in hold.puts if put.at <= record.at)
    return record.at - latest < hold.ttl_s * 0.75


def is_index_write(record: Record) -> bool:
    return record.method == "PUT" and record.key.startswith(("_index/", COMMITS, MONOLITH))


def attempts_after(records: Iterable[Record], who: str, at: float) -> list[Record]:
    """Index writes, refused ones too, of a machine that woke up, until it has a lock anew."""
    found: list[Record] = []
    for record in sorted(records, key=lambda r: r.at):
        if record.who != who or record.at < at:
            continue
        if record.key == LOCK and record.applied and record.method == "PUT":
            return found
        if is_index_write(record):
            found.append(record)
    return found


def commit_seqs(records: Iterable[Record]) -> list[int]:
    """The commitSeq of every meta that was written, in the order of the answers.

    Who finds objects and no index puts a meta of version 1 up first, which counts nothing.
    """
    metas = [r for r in records if r.key == META and r.applied]
    said = [json.loads(r.body) for r in sorted(metas, key=lambda r: r.until)]
    return [meta["commitSeq"] for meta in said if meta["version"] > 1]


def _tag(record: Record) -> str:
    return (record.if_match or "").strip('"')
