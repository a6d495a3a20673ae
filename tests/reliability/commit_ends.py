"""What must hold when the clients of the commit model have ended, or died.

First recovery and a last sync: every machine syncs again, as a new process on what it left behind,
until nothing moves. Then all agree, and every content that a user wrote is still there.
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from s3dash.core.paths import is_data
from s3dash.core.report import Result
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.clocks import TestClock
from tests.engine.invariants import Invariants, entries_of
from tests.engine.world import digest
from tests.reliability.commit_model import Ours, Steady
from tests.reliability.explorer import End, Runner

ROUNDS = 6
META = "_index/_meta.json"
MONOLITH = ".datastore-index.json"


@dataclass(frozen=True, slots=True)
class Wanted:
    """`alive`: contents that no user replaced or deleted. `gone`: paths that are no more.

    `exact`: what lies where at the end, when there is nothing to argue about.
    """

    alive: Sequence[bytes]
    exact: Mapping[str, bytes] | None = None


def distinct(ends: Iterable[End]) -> list[End]:
    """Ends that differ in more than the way there: bucket, caches, states and trash."""
    found: dict[object, End] = {}
    for end in ends:
        images = tuple(_client(r).image(r)[1] for r in end.runners if _is_ours(r))
        found.setdefault((_versions(end), images), end)
    return list(found.values())


def _versions(end: End) -> frozenset[tuple[str, str]]:
    return frozenset((key, kept.etag) for key, kept in end.objects.items())


def _is_ours(runner: Runner) -> bool:
    return isinstance(runner.at.client, Ours)


def _client(runner: Runner) -> Ours:
    assert isinstance(runner.at.client, Ours)
    return runner.at.client


def settle(end: End, home: Path, wanted: Wanted, rules: Invariants) -> None:
    """Let everybody sync, and look. Raises AssertionError with the whole schedule."""
    bucket = MemoryBucket(clock=TestClock(), objects=end.objects)
    machines = [_revived(r, home, bucket, rules) for r in end.runners if _is_ours(r)]
    story = list(end.story)
    try:
        for _ in range(ROUNDS):
            results = [_sync(machine, story) for machine in machines]
            if not any(r.pushed + r.pulled + r.deleted_local + r.deleted_remote for r in results):
                break
        check(bucket, machines, wanted)
    except AssertionError as error:
        raise AssertionError("\n".join([*story, str(error)])) from error
    finally:
        shutil.rmtree(home)


def _revived(runner: Runner, home: Path, bucket: MemoryBucket, rules: Invariants) -> Steady:
    client = _client(runner)
    target = home / client.name
    shutil.copytree(client.image(runner)[0], target)
    return Steady(target, partial(MemoryStore, rules.watch(bucket, "")), era="later")


def _sync(machine: Steady, story: list[str]) -> Result:
    result: Result = machine.sync(policy="keep-both", max_delete=100)
    story.append(f"{machine.home.name} syncs: {result}")
    assert not result.failed, result.failed
    return result


def check(bucket: MemoryBucket, machines: Sequence[Steady], wanted: Wanted) -> None:
    objects = bucket.objects()
    data = {key: kept.body for key, kept in objects.items() if is_data(key)}
    named = _index(bucket)
    over = {r for r, sha in named.items() if sha not in (None, digest(data.get(r, b"")))}
    assert not over, f"NOT WHAT THE INDEX NAMES {sorted(over)}"
    assert data.keys() == named.keys(), f"NOT NAMED {data.keys() ^ named.keys()}"
    for machine in machines:
        have, status = machine.files(), machine.status()
        assert have == data, f"APART {machine.home.name} {have} {data}"
        left = (status.local.dirty, status.remote.changed, status.conflicts, status.blocked)
        assert left == ([], [], [], []), f"NOT CLEAN {machine.home.name} {left}"
    trash = {p.read_bytes() for m in machines for p in (m.home / "state/trash").glob("*.blob")}
    lost = set(wanted.alive) - set(data.values()) - trash
    assert not lost, f"LOST {lost}"
    assert wanted.exact is None or data == wanted.exact, f"NOT AS WANTED {data}"


def _index(bucket: MemoryBucket) -> dict[str, str | None]:
    """Path to SHA-256. On version 1 the monolith rules, and the shards say the same; on version 2
    it may have stayed from before."""
    objects = bucket.objects()
    meta = objects.get(META)
    first = meta is None or json.loads(meta.body)["version"] == 1
    named: dict[str, str | None] = {}
    for key in objects:
        if key.startswith("_index/") and not key.endswith("/_meta.json"):
            named.update({r: e.get("sha256") for r, e in entries_of(objects[key].body).items()})
    if MONOLITH in objects and first:
        rule = entries_of(objects[MONOLITH].body)
        assert named == {r: e.get("sha256") for r, e in rule.items()}, "THE COPIES LAG BEHIND"
    return named
