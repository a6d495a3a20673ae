"""Which namespaces there are: found by few requests, and told even where some cannot be read."""

import json
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from msgspec.structs import replace

from s3dash.clock import iso
from s3dash.core.cancel import CancelToken
from s3dash.core.tenants import Survey, Tenant
from s3dash.engine.census import Census
from s3dash.engine.engine import Engine
from s3dash.errors import AccessDenied, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore, Usage
from tests.engine.clocks import TestClock
from tests.engine.conftest import Join
from tests.engine.world import Machine, fill, golden_bucket

HOSTILE = "a[/x]\x1b[31m\u202egpj.exe\n\u200b"


def register(store: ObjectStore, slug: str, **fields: object) -> None:
    body = {"namespace": slug, "repoId": f"repo-{slug}", "registeredAt": "2026-01-01T00:00:00Z"}
    store.put(f"{slug}/.namespace.json", json.dumps({**body, **fields}).encode())


def by_slug(survey: Survey) -> dict[str, Tenant]:
    return {row.slug: row for row in survey.rows}


def test_own_and_foreign_namespaces_with_their_sums(
    join: Join, store: Callable[[], ObjectStore]
) -> None:
    first = store()
    for slug in ("infra", "web"):
        register(first, slug)
    bob = join("bob", namespace="web")
    bob.write("files/w", "12345")
    bob.push()
    ada = join("ada", namespace="infra")
    ada.write("files/a", "123")
    ada.write("data/m/i/1/raw", "1234567")
    ada.push()
    engine = ada.engine()
    try:
        assert engine.snapshot().tenants.state == "unasked"
        engine.status()
        rows = by_slug(engine.census.look())
        assert set(rows) == {"infra", "web"}
        infra, web = rows["infra"], rows["web"]
        assert (infra.mine, infra.registered, infra.repo_id) == (True, True, "repo-infra")
        assert (infra.objects, infra.size, infra.held) == (2, 10, 10)
        assert (web.mine, web.registered, web.objects) == (False, True, None)
        assert web.index_at
        assert by_slug(engine.census.count(["web"]))["web"].held == 0
        (ada.cache / "web/files").mkdir(parents=True)
        (ada.cache / "web/files/w").write_text("of another size")
        assert by_slug(engine.census.count(["web"]))["web"].held == 0
        (ada.cache / "web/files/w").write_text("54321")
        assert by_slug(engine.census.count(["web"]))["web"].objects == 1
        web = by_slug(engine.census.look())["web"]
        assert (web.size, web.held, web.hydrated) == (5, 5, 1.0)
        assert (web.left_files, web.left_size) == (1, 5)
        assert engine.snapshot().tenants == engine.census.seen
    finally:
        engine.stop()
    again = ada.engine()
    try:
        assert by_slug(again.census.look())["web"].objects == 1  # kept for the next start
    finally:
        again.stop()


def test_a_golden_bucket_is_read_as_its_peers_wrote_it(
    join: Join, store: Callable[[], ObjectStore]
) -> None:
    """`infra` is on version 1, `web` on version 2."""
    fill(store(), {k.removeprefix("team/"): v for k, v in golden_bucket("gold-ns").items()})
    engine = join("ada", namespace="infra").engine()
    try:
        engine.census.look()
        rows = by_slug(engine.census.count(["infra", "web"]))
    finally:
        engine.stop()
    assert {slug: row.objects for slug, row in rows.items()} == {"infra": 15, "web": 15}
    assert all(row.repo_id and row.registered and row.index_at for row in rows.values())


class Counting:
    """A hook that counts requests by name; `act` may raise."""

    def __init__(self, act: Callable[[str, str], None] = lambda op, key: None) -> None:
        self.asked: Counter[str] = Counter()
        self.usage = Usage()
        self._act = act

    def __call__(self, op: str, key: str) -> None:
        self.asked[op] += 1
        self._act(op, key)


@contextmanager
def opened(
    tmp_path: Path, memory: MemoryBucket, hook: Counting, namespace: str | None = None
) -> Iterator[Engine]:
    store = MemoryStore(memory, before=hook)
    hook.usage = store.usage
    engine = Machine(tmp_path / "ada", lambda: store, namespace=namespace).engine()
    hook.asked.clear()
    try:
        yield engine
    finally:
        engine.stop()


def test_the_cost_grows_with_the_namespaces_and_not_with_the_objects(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    plain, hook = MemoryStore(memory), Counting()
    for n in range(500):
        register(plain, f"ns-{n:03}")
        plain.put(f"ns-{n:03}/_index/_meta.json", b'{"version":2,"partitions":[],"commitSeq":1}')
        for m in range(3):
            plain.put(f"ns-{n:03}/files/{m}", b"x")
    with opened(tmp_path, memory, hook, "ns-007") as engine:
        survey = engine.census.look()
    assert len(survey.rows) == survey.read == 500
    assert hook.asked == {"list_dirs": 1, "get_range": 500, "head": 500}


def test_rows_are_there_before_anything_of_them_was_read(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    plain = MemoryStore(memory)
    register(plain, "infra")
    register(plain, "web")
    seen: list[list[str]] = []

    def look(op: str, key: str) -> None:
        if op == "get_range":
            seen.append([row.slug for row in engine.census.seen.rows])

    hook = Counting(look)
    with opened(tmp_path, memory, hook, "infra") as engine:
        engine.census.look()
    assert seen == [["infra", "web"]] * 2


def test_a_solo_datastore_has_none(memory: MemoryBucket, tmp_path: Path) -> None:
    plain, hook = MemoryStore(memory), Counting()
    for key in ("data/m/i/1/raw", "files/a", "own-folder/b", "_index/_meta.json", ".locks/x.lock"):
        plain.put(key, b"{}")
    with opened(tmp_path, memory, hook) as engine:
        survey = engine.census.look()
    assert (survey.state, survey.rows) == ("asked", ())
    assert hook.asked["list"] == 0


def test_leftovers_in_the_cache_are_shown_and_never_asked_for(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    register(MemoryStore(memory), "infra")
    hook = Counting()
    with opened(tmp_path, memory, hook, "infra") as engine:
        old = engine.settings.cache / "gone/files"
        old.mkdir(parents=True)
        (old / "a").write_bytes(b"123")
        (engine.settings.cache / "empty").mkdir()
        rows = by_slug(engine.census.look())
    assert set(rows) == {"infra", "gone"}
    gone = rows["gone"]
    assert (gone.in_bucket, gone.left_files, gone.left_size) == (False, 1, 3)
    assert hook.asked["get_range"] == 1


def test_hostile_manifests_and_names_harm_nothing(memory: MemoryBucket, tmp_path: Path) -> None:
    plain, hook = MemoryStore(memory), Counting()
    register(plain, "liar", namespace="somebody-else", repoId=HOSTILE)
    plain.put("broken/.namespace.json", b"<html>")
    plain.put("empty/.namespace.json", b"")
    plain.put("deep/.namespace.json", b"[" * 100_000)
    plain.put("huge/.namespace.json", b'{"repoId":"' + b"x" * (1 << 20))
    for name in ("a[/x]\x1b[31m", "..", "x" * 300, "-dash", "sp ace"):
        plain.put(f"{name}/.namespace.json", b"{}")
    with opened(tmp_path, memory, hook) as engine:
        rows = by_slug(engine.census.look())
    assert set(rows) == {"liar", "broken", "empty", "deep", "huge"}
    assert (rows["liar"].says, rows["liar"].repo_id) == ("somebody-else", HOSTILE)
    for name in ("broken", "deep", "huge", "empty"):
        assert rows[name].registered
        assert rows[name].problem == "its manifest cannot be read"
    assert hook.usage.bytes_down < 300_000


def test_one_that_may_not_be_read_says_so_and_the_others_are_read(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    plain = MemoryStore(memory)
    for slug in ("infra", "secret", "web"):
        register(plain, slug)

    def deny(op: str, key: str) -> None:
        if key.startswith("secret/"):
            raise AccessDenied(f"access denied: read {key}", hint="ask for s3:GetObject")

    with opened(tmp_path, memory, Counting(deny), "infra") as engine:
        rows = by_slug(engine.census.look())
        assert "access denied" in rows["secret"].problem
        assert rows["web"].repo_id == "repo-web"
        counted = by_slug(engine.census.count(["secret", "web"]))
    assert "access denied" in counted["secret"].problem
    assert "no index" in counted["web"].problem


def test_a_listing_that_fails_is_told_and_what_was_known_stays(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    register(MemoryStore(memory), "infra")
    down = threading.Event()

    def cut(op: str, key: str) -> None:
        if down.is_set():
            raise Unreachable("no answer from the endpoint", hint="is the network up?")

    with opened(tmp_path, memory, Counting(cut), "infra") as engine:
        engine.census.look()
        down.set()
        survey = engine.census.look()
    assert (survey.state, survey.message) == ("failed", "no answer from the endpoint")
    assert survey.hint == "is the network up?"
    assert [row.slug for row in survey.rows] == ["infra"]


def test_a_damaged_index_is_told_at_its_row(memory: MemoryBucket, tmp_path: Path) -> None:
    plain = MemoryStore(memory)
    register(plain, "web")
    plain.put("web/_index/_meta.json", b"<html>")
    with opened(tmp_path, memory, Counting(), None) as engine:
        engine.census.look()
        row = by_slug(engine.census.count(["web"]))["web"]
    assert "is no index meta" in row.problem
    assert (row.busy, row.objects) == ("", None)


def test_two_surveys_at_a_time_are_one(memory: MemoryBucket, tmp_path: Path) -> None:
    register(MemoryStore(memory), "web")
    inside, go = threading.Event(), threading.Event()

    def hold(op: str, key: str) -> None:
        if op == "list_dirs":
            inside.set()
            assert go.wait(10)

    hook = Counting(hold)
    with opened(tmp_path, memory, hook, None) as engine:
        thread = threading.Thread(target=engine.census.look)
        thread.start()
        assert inside.wait(10)
        assert engine.census.look().state == "asking"
        go.set()
        thread.join(10)
        assert engine.census.seen.state == "asked"
    assert hook.asked["list_dirs"] == 1


def test_another_engine_of_the_datastore_begins_with_what_the_last_one_knew(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    plain = MemoryStore(memory)
    register(plain, "infra")
    register(plain, "web")
    with opened(tmp_path, memory, Counting(), "infra") as engine:
        known = engine.census.look()
    hook = Counting()
    with opened(tmp_path, memory, hook, "web") as engine:
        engine.census.adopt(known, asked=True)
        rows = by_slug(engine.census.seen)
        assert engine.census.seen.state == "asked"
        assert (rows["web"].mine, rows["infra"].mine) == (True, False)
        assert rows["infra"].repo_id == "repo-infra"
        engine.census.adopt(known, asked=False)
        assert engine.snapshot().tenants.state == "unasked"
        assert hook.asked == {}


def test_the_picker_asks_for_all_manifests_side_by_side(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    plain, hook = MemoryStore(memory), Counting()
    for n in range(40):
        register(plain, f"ns-{n:02}")
    plain.put("files/a", b"x")
    with opened(tmp_path, memory, hook, "ns-01") as engine:
        names = engine.namespaces()
    assert names == [f"ns-{n:02}" for n in range(40)]
    assert hook.asked["head"] <= 41
    assert hook.asked["list_dirs"] <= 2


def test_the_age_of_an_index_is_the_servers_told_by_our_clock(tmp_path: Path) -> None:
    """The server is a year ahead; its index is ten minutes old all the same."""
    ours, theirs = TestClock(), TestClock()
    theirs.advance(timedelta(days=365).total_seconds())
    bucket = MemoryBucket(clock=theirs)
    store = MemoryStore(bucket)
    register(store, "web")
    store.put("web/_index/_meta.json", b"{}")
    theirs.advance(600)
    engine = Machine(tmp_path / "ada", lambda: store, clock=ours, namespace="infra").engine()
    row = by_slug(engine.census.look())["web"]
    engine.stop()
    assert row.index_at == iso(ours.now() - timedelta(seconds=600))


def test_beyond_a_thousand_rows_wait_until_somebody_asks(
    memory: MemoryBucket, tmp_path: Path
) -> None:
    plain, hook = MemoryStore(memory), Counting()
    for n in range(1100):
        plain.put(f"ns-{n:04}/.namespace.json", b'{"repoId":"r"}')
    with opened(tmp_path, memory, hook) as engine:
        survey = engine.census.look()
        assert (len(survey.rows), survey.read, hook.asked["get_range"]) == (1100, 1000, 1000)
        last = survey.rows[-1]
        assert not last.read
        row = by_slug(engine.census.count([last.slug]))[last.slug]
    assert (row.read, row.registered, row.repo_id) == (True, True, "r")


class Meanwhile(CancelToken):
    """Does something once, when somebody asks whether to go on."""

    act: Callable[[], object] | None = None

    def check(self) -> None:
        act, self.act = self.act, None
        if act is not None:
            act()
        super().check()


def test_what_is_counted_while_a_survey_begins_is_kept(join: Join) -> None:
    web = join("web", namespace="web")
    web.write("files/w", "12345")
    web.push()
    ada = join("ada", namespace="infra")
    (ada.cache / "web/files").mkdir(parents=True)
    (ada.cache / "web/files/w").write_text("54321")
    engine, token = ada.engine(), Meanwhile()
    census = Census(replace(engine._ctx, cancel=token), engine._view)
    census.look()
    token.act = lambda: census.count(["web"])
    row = by_slug(census.look())["web"]
    engine.stop()
    assert token.act is None
    assert (row.objects, row.busy) == (1, "")
