"""Many repositories in one bucket, `watch` processes, a screen and writers at once (issue 5).

In full: 20 namespaces with 50 models each, 4 processes of `s3dash watch`, a screen in a terminal
and a writer in every namespace, for three minutes. Everything converges, nothing is lost, no lock
is held for more than 20 s, and what an idle minute costs is counted.
"""

import json
import random
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

import pytest

from s3dash.core.lock import LockBody, encode_lock
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Capabilities, ObjectStore
from s3dash.objectstore.s3 import S3Store
from tests.e2e.terminal import Terminal
from tests.engine import ends
from tests.engine.world import Machine, Stores, contents, digest
from tests.reliability.load import Crew, Hand, Peer, Sampler, Written, differing, tree, until_none
from tests.servers import Server
from tests.service.process import Watch
from tests.service.scrape import OPEN, ask, samples
from tests.tally import Effort

HELD_AT_MOST_S = 20.0
PROVED = Capabilities(create=True, replace=True, delete=True, races=True, dated=True, complete=True)
DEFAULT_POLL_S = 30.0


class Fleet:
    """The bucket, and homes for all who work in it."""

    def __init__(self, weed: Server, home: Path, effort: Effort) -> None:
        self.weed = weed
        self.home = home
        self.bucket = weed.make_bucket()
        self.written = Written()
        self.namespaces = [f"r{n:02}" for n in range(effort.pick(4, 20))]
        self.watched = self.namespaces[: effort.pick(2, 4)]
        self.models = effort.pick(4, 50)
        self.poll_s = effort.pick(1, 5)
        self.stores = Stores(self.store, PROVED)

    def store(self) -> ObjectStore:
        return S3Store(self.weed.settings(self.bucket, self.home), self.weed.credentials)

    def cache(self, name: str, namespace: str) -> Path:
        return self.home / name / "cache" / namespace

    def hand(self, name: str, namespace: str, dice: random.Random) -> Hand:
        base = self.cache(name, namespace)
        base.mkdir(parents=True, exist_ok=True)
        return Hand(name, namespace, base, self.written, random.Random(dice.random()))

    def peer(self, namespace: str, dice: random.Random) -> Peer:
        name = f"peer-{namespace}"
        machine = Machine(
            self.home / name,
            self.stores,
            bucket=self.bucket,
            namespace=namespace,
            lock_timeout_ms=60_000,
        )
        return Peer(machine, self.hand(name, namespace, dice))

    def configured(self, name: str, namespace: str, *, auto: bool = False) -> dict[str, str]:
        """Writes the configuration of a process; its environment."""
        home = self.home / name
        (home / "cache").mkdir(parents=True, exist_ok=True)
        fields = {
            "bucket": self.bucket,
            "endpoint": self.weed.endpoint,
            "region": "us-east-1",
            "force_path_style": True,
            "cache": "cache",
            "namespace": namespace,
            "poll_interval_s": self.poll_s,
            "auto_sync": auto,
        }
        table = "".join(f"{k} = {json.dumps(v)}\n" for k, v in fields.items())
        keys = 'credentials = {access_key_id = "env:K", secret_access_key = "env:S"}\n'
        (home / "s3dash.toml").write_text(f"[datastores.{namespace}]\n{table}{keys}")
        state = {"HOME": str(home), "XDG_STATE_HOME": str(home / "xdg")}
        return {"K": self.weed.access_key, "S": self.weed.secret_key, **state}

    @contextmanager
    def watch(self, namespace: str) -> Iterator[Watch]:
        name = f"watch-{namespace}"
        environ = self.configured(name, namespace)
        options = ("--metrics", "0", "--deletes", "-v")
        with Watch(*options, cwd=self.home / name, environ=environ) as watch:
            yield watch

    @contextmanager
    def screen(self, namespace: str) -> Iterator[Terminal]:
        environ = self.configured("screen", namespace, auto=True)
        terminal = Terminal(cwd=self.home / "screen", environ=environ)
        try:
            yield terminal
        finally:
            terminal.close()


@pytest.mark.timeout(1800)
def test_a_fleet_at_work_converges_and_loses_nothing(
    weed: Server, tmp_path: Path, effort: Effort
) -> None:
    dice = effort.dice()
    fleet = Fleet(weed, tmp_path, effort)
    story = f"seed {effort.seed}, namespaces {len(fleet.namespaces)}"
    with ExitStack() as stack:
        peers = {ns: fleet.peer(ns, dice) for ns in fleet.namespaces}
        for peer in peers.values():
            stack.callback(peer.close)
            peer.begin(fleet.models)
        watches = {ns: stack.enter_context(fleet.watch(ns)) for ns in fleet.watched}
        screen = stack.enter_context(fleet.screen(fleet.watched[0]))
        screen.wait_for(fleet.watched[0], "AUTO")
        for watch in watches.values():
            watch.until("looked")
        sampler = stack.enter_context(Sampler(fleet.store(), 0.3))
        steps = work(fleet, peers, screen, dice, effort)
        converged(fleet, screen, story)
        for peer in peers.values():
            peer.finish()
        requests = rest(watches, fleet, effort)
        screen.press("q")
        assert screen.end() == 0, screen.shown
        for ns, watch in watches.items():
            code, summary = watch.stop()
            assert code == 0, (ns, watch.other, watch.log[-5:])
            assert (summary["conflicts"], summary["dirty"], summary["behind"]) == (0, 0, 0)
            effort.count("syncs by `watch` under load", summary["syncs"])
        assert sampler.looks > 0
    judge(fleet, sampler, peers, story, effort)
    effort.count("steps of the writers", steps)
    effort.count("requests per idle minute and `watch`, at a look each 30 s", requests)


def work(
    fleet: Fleet, peers: dict[str, Peer], screen: Terminal, dice: random.Random, effort: Effort
) -> int:
    """All write at once; the screen is read on, and its keys are pressed."""
    crew = Crew()
    for ns, peer in peers.items():
        crew.add(f"peer {ns}", peer.step, pause_s=dice.uniform(0.5, effort.pick(2, 5)))
    for ns in fleet.watched:
        hand = fleet.hand(f"watch-{ns}", ns, dice)
        hand.models(2)
        crew.add(f"hand {ns}", lambda hand=hand: hand.change(delete=True), pause_s=1.0)  # type: ignore[misc] # its own hand
    keys = iter("123456789" * 1000)
    crew.add("screen", lambda: screen.press(next(keys)), pause_s=1.0)
    end = time.monotonic() + effort.pick(6, 180)
    try:
        while time.monotonic() < end and not crew.errors:
            screen.pause(0.2)
    finally:
        crew.stop()
    assert crew.errors == [], crew.errors
    return crew.steps.total()


def converged(fleet: Fleet, screen: Terminal, story: str) -> None:
    """What was written last is in the index, and in every cache that follows by itself."""
    for ns in fleet.namespaces:
        until_none(partial(unpublished, fleet, ns, screen), f"{story}, index of {ns}")
    for ns in fleet.watched:
        until_none(partial(missing, fleet, f"watch-{ns}", ns, screen), f"{story}, watch of {ns}")
    first = fleet.watched[0]
    until_none(partial(missing, fleet, "screen", first, screen), f"{story}, screen")


def unpublished(fleet: Fleet, ns: str, screen: Terminal) -> list[str]:
    screen.pause(0.05)
    entries = ends.entries(fleet.store, ns)
    want = {rel: digest(body) for rel, body in fleet.written.expected(ns).items()}
    return sorted(rel for rel in entries | want if entries.get(rel) != want.get(rel))


def missing(fleet: Fleet, name: str, ns: str, screen: Terminal) -> list[str]:
    """A screen starts no deletion that nobody agreed to: there those may lie yet."""
    screen.pause(0.05)
    waiting = fleet.written.deleted(ns) if name == "screen" else set()
    here = {r: body for r, body in tree(fleet.cache(name, ns)).items() if r not in waiting}
    return differing(here, fleet.written.expected(ns))


def rest(watches: dict[str, Watch], fleet: Fleet, effort: Effort) -> int:
    """What an idle minute costs one `watch`: counted over some looks, as if one each 30 s."""
    for watch in watches.values():
        until_none(partial(busy, watch), "not quiet")
    before = {ns: figures(watch) for ns, watch in watches.items()}
    looks = effort.pick(3, 60 // fleet.poll_s)
    costs = []
    for ns, watch in watches.items():
        requests, looked = before[ns]
        until_none(partial(looks_left, watch, looked + looks), ns)
        now = figures(watch)
        costs.append((now[0] - requests) / (now[1] - looked))
    effort.count("idle looks counted", looks * len(watches))
    return round(max(costs) * 60 / DEFAULT_POLL_S)


def busy(watch: Watch) -> list[str]:
    """What is not at rest."""
    found = samples(ask(watch.metrics, "/metrics", accept=OPEN).body)
    names = ("s3dash_dirty", "s3dash_behind", "s3dash_conflicts", "s3dash_transfers")
    return [name for (name, _), value in found.items() if name in names and value]


def looks_left(watch: Watch, until: float) -> range:
    return range(round(until - figures(watch)[1]))


def figures(watch: Watch) -> tuple[float, float]:
    """Requests so far, and looks."""
    found = samples(ask(watch.metrics, "/metrics", accept=OPEN).body)
    requests = next(v for (name, _), v in found.items() if name == "s3dash_requests_total")
    return requests, sum(event["event"] == "look" for event in list(watch.log))


def judge(
    fleet: Fleet, sampler: Sampler, peers: dict[str, Peer], story: str, effort: Effort
) -> None:
    held = {who: s for who, s in sampler.longest.items() if s > HELD_AT_MOST_S}
    assert held == {}, story
    lost: list[str] = []
    for ns in fleet.namespaces:
        want = fleet.written.expected(ns)
        lost += [f"bucket {ns}/{told}" for told in differing(objects(fleet, ns), want)]
        lost += [f"peer {ns}/{told}" for told in differing(peers[ns].machine.files(), want)]
        entries = ends.entries(fleet.store, ns)
        hashes = {rel: digest(body) for rel, body in want.items()}
        lost += [f"index {ns}/{rel}" for rel in hashes.keys() | entries.keys()
                 if entries.get(rel) != hashes.get(rel)]  # fmt: skip
    effort.lost(lost, story)
    assert contents(fleet.store(), ".locks/") == {}, story
    effort.count("versions written under load", fleet.written.versions)
    effort.count("pushes tried again under load", sum(p.again.total() for p in peers.values()))
    effort.count("longest hold of a lock under load, in ms", round(sampler.longest_s * 1000))
    effort.count("looks at all locks under load", sampler.looks)


def objects(fleet: Fleet, ns: str) -> dict[str, bytes]:
    from s3dash.core.paths import is_data

    found = contents(fleet.store(), f"{ns}/")
    return {
        k.removeprefix(f"{ns}/"): b for k, b in found.items() if is_data(k.removeprefix(f"{ns}/"))
    }


# --- the harness itself -------------------------------------------------------------------


def test_the_sampler_sees_for_how_long_one_holder_has_a_lock() -> None:
    store = MemoryStore(MemoryBucket())
    with Sampler(store, 0.02) as sampler:
        for nonce in ("one", "two"):
            stored = store.put(".locks/r00.lock", encode_lock(LockBody(nonce=nonce)))
            until_none(partial(unseen, sampler, nonce), nonce)
            store.delete(".locks/r00.lock", if_match=stored.etag)
    assert {who.rpartition("(")[2] for who in sampler.longest} == {"one)", "two)"}


def unseen(sampler: Sampler, nonce: str) -> list[str]:
    held = [s for who, s in list(sampler.longest.items()) if f"({nonce})" in who]
    return [] if any(seconds > 0.5 for seconds in held) else [nonce]


def test_what_differs_between_two_trees_is_named() -> None:
    have, want = {"a": b"1", "b": b"2", "c": b"3"}, {"b": b"2", "c": b"4", "d": b"5"}
    assert differing(have, want) == ["a: too many", "c: other", "d: missing"]
