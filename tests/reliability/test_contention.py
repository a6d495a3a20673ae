"""Eight processes, one lock: stopped, killed, and nothing is lost (issue 3, line 3).

On SeaweedFS, each process with a cache, a state and a door to the server of its own. Moments
are requests, so that the dice find them again.
"""

import json
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from s3dash.engine.lease import Timing
from s3dash.objectstore.s3 import S3Store
from tests.engine import ends
from tests.engine.world import Machine, contents, digest
from tests.reliability import holders
from tests.reliability.contender import Job
from tests.reliability.holders import COMMITS, HEADS, LOCK, META, MONOLITH
from tests.reliability.ledger import Ledger, Record
from tests.servers import Server
from tests.tally import Effort

PROCESSES = 8
BEFORE_A_WRITE = ("acquired", "recorded", "shard")
"""Moments under the lock after which a machine that believes in it would write."""

MOMENTS = (*BEFORE_A_WRITE, "head")
ROOT = Path(__file__).parents[2]


@dataclass
class Ambush:
    """A signal to a machine, before it gets the answer to the n-th request of a kind.

    Who `stops` so must do one thing at a time: another thread may have looked at its lease just
    before, and sends what it was about to send when it wakes, for the server to refuse.
    """

    who: str
    number: signal.Signals
    moment: str
    nth: int
    seen: int = 0
    at: float = 0.0
    woken: float = 0.0

    def meets(self, record: Record) -> bool:
        if self.at or record.who != self.who or not self._is_it(record):
            return False
        self.seen += 1
        return self.seen == self.nth

    @property
    def stops(self) -> bool:
        return self.number is signal.SIGSTOP

    def has_sprung(self, _: list[Record]) -> bool:
        return bool(self.at)

    def _is_it(self, record: Record) -> bool:
        kinds = {
            "any": True,
            "acquired": record.key == LOCK and record.if_match is None and record.applied,
            "recorded": record.key.startswith(COMMITS) and record.applied,
            "shard": _is_shard(record) and record.applied,
            "head": record.key in HEADS and record.applied,
        }
        return kinds[self.moment]

    def __str__(self) -> str:
        return (
            f"{self.number.name} to {self.who} at its {self.nth}. request «{self.moment}» "
            f"({self.at:.1f} to {self.woken:.1f})"
        )


def _is_shard(record: Record) -> bool:
    return record.key.startswith("_index/") and record.key != META


class Crowd:
    """The processes, what they said, and the ambushes that are laid for them."""

    def __init__(self, ledger: Ledger, jobs: list[Job], ambushes: list[Ambush]) -> None:
        self.ledger = ledger
        self.broken: list[str] = []
        self.jobs = {job.name: job for job in jobs}
        self.ambushes = ambushes
        self.running: dict[str, subprocess.Popen[str]] = {}
        self.acked: dict[str, dict[str, str]] = {job.name: {} for job in jobs}
        self.again: Counter[str] = Counter()
        self._readers: list[threading.Thread] = []
        self._ready = {job.name: threading.Event() for job in jobs}
        self._lock = threading.Lock()

    def start_all(self) -> None:
        """They begin when all are there: one that came after the others had ended would have
        nobody to take its lock over."""
        for name in self.jobs:
            self.start(name)
        for name in self.jobs:
            self._ready[name].wait()
        assert self.broken == []
        for name in self.jobs:
            self.begin(name)

    def begin(self, name: str) -> None:
        gate = self.running[name].stdin
        assert gate is not None
        gate.close()

    def start(self, name: str) -> None:
        with (Path(self.jobs[name].home) / "stderr").open("a") as complaints:
            process = subprocess.Popen(
                [sys.executable, "-m", "tests.reliability.contender", self.jobs[name].text()],
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=complaints,
                text=True,
                start_new_session=True,  # the end of a shell above would wake who is stopped
            )
        self.running[name] = process
        reader = threading.Thread(target=self._read, args=(name, process))
        reader.start()
        self._readers.append(reader)

    def watch(self, record: Record) -> None:
        """Called by the ledger before a machine gets its answer."""
        with self._lock:
            met = [a for a in self.ambushes if a.meets(record)]
        for ambush in met:
            self.running[ambush.who].send_signal(ambush.number)
            ambush.at = record.until
        if met:
            self.ledger.tell()

    def end(self) -> None:
        for process in self.running.values():
            process.kill()
            process.wait()
        for reader in self._readers:
            reader.join()

    def finish(self) -> None:
        for name, process in self.running.items():
            code = process.wait()
            told = (Path(self.jobs[name].home) / "stderr").read_text()
            assert code == 0, f"{name} ended with {code}:\n{told}"
        for reader in self._readers:
            reader.join()

    def wait_until(self, holds: Callable[[list[Record]], Any], what: str) -> None:
        """Fails at once when one of the processes failed."""
        self.ledger.wait_until(lambda records: self.broken or holds(records), what)
        assert self.broken == [], what

    def _read(self, name: str, process: "subprocess.Popen[str]") -> None:
        assert process.stdout is not None
        with process.stdout as stream:
            for line in stream:
                document = json.loads(line)
                if "ready" in document:
                    self._ready[name].set()
                self.acked[name].update(document.get("acked", {}))
                if "again" in document:
                    self.again[document["again"].split(":")[0]] += 1
        if process.wait() not in (0, -signal.SIGKILL):
            self.broken.append((Path(self.jobs[name].home) / "stderr").read_text())
            self.ledger.tell()
        self._ready[name].set()


def test_of_eight_processes_some_are_stopped_and_killed_and_no_entry_is_lost(
    weed: Server, tmp_path: Path, effort: Effort
) -> None:
    dice = effort.dice()
    bucket = weed.make_bucket()
    names = [f"m{n}" for n in range(PROCESSES)]
    ambushes = lay(dice, names, effort)
    story = f"seed {effort.seed}: " + "; ".join(map(str, ambushes))
    with Ledger(weed) as ledger:
        ways = dict.fromkeys(names, 4) | {a.who: 1 for a in ambushes if a.stops}
        jobs = [job(name, tmp_path, ledger, bucket, effort, ways[name]) for name in names]
        crowd = Crowd(ledger, jobs, ambushes)
        ledger.after = crowd.watch
        try:
            crowd.start_all()
            killed, *stopped = ambushes
            let_pass_its_time(crowd, stopped, story)
            crowd.wait_until(killed.has_sprung, f"{killed}; {story}")
            assert crowd.running[killed.who].wait() == -signal.SIGKILL
            crowd.start(killed.who)
            crowd.begin(killed.who)
            crowd.finish()
        finally:
            crowd.end()
        records = list(ledger.records)
    story = f"seed {effort.seed}: " + "; ".join(map(str, ambushes))
    judge(records, ambushes, story, effort)
    machine = Machine(
        tmp_path / "reader",
        lambda: S3Store(weed.settings(bucket, tmp_path), weed.credentials),
        bucket=bucket,
    )
    everything_is_there(machine, crowd, story, effort)
    effort.count("pushes tried again", sum(crowd.again.values()))


def lay(dice: random.Random, names: list[str], effort: Effort) -> list[Ambush]:
    """One is killed and one is stopped while they surely hold the lock; in full one anywhere."""
    killed, stopped, also = dice.sample(names, 3)
    nth = effort.pick(1, 12)
    ambushes = [
        Ambush(killed, signal.SIGKILL, dice.choice(MOMENTS), dice.randint(1, nth)),
        Ambush(stopped, signal.SIGSTOP, dice.choice(BEFORE_A_WRITE), dice.randint(1, nth)),
        Ambush(also, signal.SIGSTOP, "any", dice.randint(40, 400)),
    ]
    return ambushes[: effort.pick(2, 3)]


def job(name: str, tmp_path: Path, ledger: Ledger, bucket: str, effort: Effort, ways: int) -> Job:
    """In full with the real timing; the short form is as patient as a quick test can be."""
    home = tmp_path / name
    (home / "cache").mkdir(parents=True)
    return Job(
        name=name,
        home=str(home),
        endpoint=ledger.door(name),
        bucket=bucket,
        commits=effort.pick(24, 200) // PROCESSES,
        seed=effort.seed,
        timing=Timing() if effort.full else Timing(ttl_s=4.0, beat_s=0.8, settle_s=0.5),
        request_timeout_ms=effort.pick(1000, 10_000),
        ways=ways,
    )


def let_pass_its_time(crowd: Crowd, stopped: list[Ambush], story: str) -> None:
    """Until each is stopped for longer than its TTL, and who held the lock was robbed of it."""
    holder = stopped[0]
    for ambush in stopped:
        crowd.wait_until(ambush.has_sprung, f"{ambush}; {story}")
    ttl_s = crowd.jobs[holder.who].timing.ttl_s
    crowd.wait_until(
        lambda records: any(_is_robbed(r, holder) for r in records),
        f"a takeover and a commit while {holder.who} was stopped; {story}",
    )
    crowd.ledger.wait_beyond(max(ambush.at for ambush in stopped) + ttl_s)  # all else may be done
    for ambush in stopped:
        ambush.woken = crowd.ledger.records[-1].until
        crowd.running[ambush.who].send_signal(signal.SIGCONT)


def _is_robbed(record: Record, ambush: Ambush) -> bool:
    """Somebody else committed while the ambushed machine believes that it holds the lock."""
    return (
        record.key in HEADS
        and record.applied
        and record.at > ambush.at
        and (record.who != ambush.who)
    )


def judge(records: list[Record], ambushes: list[Ambush], story: str, effort: Effort) -> None:
    holds = holders.leases(records)
    story += "".join(f"\n  {hold}" for hold in holds)
    wrong = holders.one_at_a_time(holds).wrong + holders.only_holders_write(records, holds).wrong
    assert wrong == [], story
    taken_over = [h for h in holds if h.taken.if_match is not None]
    assert len(taken_over) >= 2, f"nobody's lock was taken over; {story}"
    for ambush in ambushes:
        if ambush.stops:
            attempts = holders.attempts_after(records, ambush.who, ambush.woken)
            assert attempts == [], f"{ambush.who} wrote after it woke up; {story}"
    seqs = holders.commit_seqs(records)
    assert seqs == list(range(1, len(seqs) + 1)), story
    old = sum(record.key == MONOLITH and record.applied for record in records)
    effort.count("commits under contention", len(seqs) or old)
    effort.count("lock holders, never two at once", len(holds))
    effort.count("processes stopped for longer than the TTL", len(ambushes) - 1)
    effort.count("kills survived")


def everything_is_there(machine: Machine, crowd: Crowd, story: str, effort: Effort) -> None:
    acked = {rel: sha for files in crowd.acked.values() for rel, sha in files.items()}
    entries = ends.entries(machine.store)
    objects = {rel: digest(body) for rel, body in ends.data(machine.store).items()}
    effort.lost([rel for rel, sha in acked.items() if entries.get(rel) != sha], story)
    assert entries == objects == acked, story
    shards = contents(machine.store(), "_index/")
    listed = Counter(
        rel for key, body in shards.items() if key != META for rel in json.loads(body)["entries"]
    )
    assert max(listed.values()) == 1, f"in two shards: {listed.most_common(3)}; {story}"
    assert LOCK not in contents(machine.store(), LOCK), story
    machine.pull()
    ends.all_have(machine.store, {rel: machine.read(rel) for rel in acked}, machine)
    effort.count("entries acknowledged", len(acked))
