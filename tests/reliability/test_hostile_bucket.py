"""Whatever lies in the bucket: errors of ours, no write outside, nothing lost, nothing poisoned."""

import contextlib
import gzip
import json
import os.path
import resource
import tempfile
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from s3dash.clock import from_iso, iso
from s3dash.core import index, lock, sidecar
from s3dash.core.paths import is_data
from s3dash.core.text import safe
from s3dash.errors import IndexCorrupt, S3DashError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.world import Machine, contents, digest, fill
from tests.reliability.mutate import NAMES, Mutator, corpus
from tests.reliability.victim import Victim, World
from tests.servers import Server
from tests.tally import Effort

ROOT = "/cache/"
PARTS = 4


def may_act_on(rel: str, entry: index.Entry) -> bool:
    return is_data(rel) and index.entry_problem(rel, entry) is None


def entries(raw: bytes) -> None:
    """What is acted on lies below the cache; what can be read can be written back."""
    try:
        good, bad = index.decode_entries(raw, name="shard")
    except IndexCorrupt:
        return
    for rel, entry in good.items():
        if may_act_on(rel, entry):
            assert os.path.normpath(ROOT + rel) == ROOT + rel
            assert safe(rel).isprintable()
            assert 0 <= entry.size <= index.MAX_SIZE
    document = index.Document.decode(raw, name="shard")
    assert set(document.rels()) == good.keys() | bad.keys()
    document.put("files/new", index.Entry(key="files/new", size=1))
    for rel in sorted(bad)[:1]:
        document.put(rel, index.Entry(key=rel, size=1))
    again, _ = index.decode_entries(document.encode(), name="again")
    assert {r: e for r, e in good.items() if r != "files/new"}.items() <= again.items()
    assert again["files/new"].size == 1


def meta(raw: bytes) -> None:
    """A meta that is read can be written back with the next commitSeq, and names shards only."""
    try:
        found = index.decode_meta(raw, name="meta")
    except IndexCorrupt:
        return
    for name in found.partitions:
        key = f"/_index/{name}.json"
        assert os.path.normpath(key) == key
        assert name != "_meta"
    seq = found.commitSeq + 1
    again = index.encode_meta(raw, {"version": 2, "commitSeq": seq, "partitions": ["files"]})
    assert index.decode_meta(again, name="again").commitSeq == seq


def locks(raw: bytes) -> None:
    body = lock.decode_lock(raw)
    assert 0 < body.ttlMs <= lock.MAX_TTL_MS
    assert lock.decode_lock(lock.encode_lock(body)) == body
    lock.stated_ttl_ms(raw)
    moment = from_iso(body.acquiredAt)
    assert moment is None or from_iso(iso(moment)) is not None


def marks(raw: bytes) -> None:
    found = sidecar.decode(raw)
    marked = sidecar.mark(found, ["files/x"])
    again = sidecar.decode(sidecar.encode(marked))
    assert set(again.dirtyPaths) == set(marked.dirtyPaths)
    assert all(os.path.normpath(ROOT + rel) == ROOT + rel for rel in again.dirtyPaths)


DECODERS = (entries, meta, locks, marks)


def test_no_bytes_break_a_decoder(effort: Effort) -> None:
    mutator = Mutator(effort.dice(), corpus())
    tries = effort.pick(3_000, 210_000)
    for number in range(tries):
        raw = mutator.any()
        for check in DECODERS:
            try:
                check(raw)
            except Exception as error:
                error.add_note(f"seed {effort.seed}, input {number}, {check.__name__}: {raw!r}")
                raise
    effort.count("inputs tried", tries)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(codec=None), max_size=40),
    st.sampled_from(NAMES),
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(NAMES), inner)
)
ENTRY = st.fixed_dictionaries(
    {"key": SCALARS, "size": SCALARS | st.integers(0, 9)},
    optional=dict.fromkeys(("lastModified", "localMtime", "sha256", "own"), SCALARS),
)
DOCUMENT = st.fixed_dictionaries(
    {"version": SCALARS | st.integers(1, 3)},
    optional={
        "entries": st.dictionaries(st.sampled_from(NAMES) | st.text(), ENTRY | JSON),
        "partitions": st.lists(st.sampled_from(NAMES) | st.text()) | JSON,
        "commitSeq": SCALARS,
        "dirtyPaths": st.lists(st.sampled_from(NAMES) | st.text()) | JSON,
        "localDirty": SCALARS,
        "holder": SCALARS,
        "ttlMs": SCALARS,
        "x": JSON,
    },
)


def test_no_document_breaks_a_decoder(effort: Effort) -> None:
    tries = effort.pick(60, 20_000)

    @seed(effort.seed)
    @settings(
        max_examples=tries, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    @given(DOCUMENT)
    def hold(document: dict[str, Any]) -> None:
        raw = json.dumps(document).encode(errors="surrogatepass")
        for check in DECODERS:
            check(raw)

    hold()
    effort.count("inputs tried", tries)


MB = 1 << 20
GIANTS = {
    "nested lists": b'{"entries":{"a":' + b"[" * 5 * MB + b"]" * 5 * MB + b"}}",
    "nested objects": b'{"a":' * 2 * MB,
    "one long name": b'{"version":2,"entries":{"' + b"x" * 10 * MB + b'":{"key":"x","size":1}}}',
    "one long value": b'{"version":2,"entries":{"a":{"key":"a","size":1,"lastModified":"'
    + b"9" * 10 * MB
    + b'"}}}',
    "one long number": b'{"version":2,"commitSeq":' + b"9" * 10 * MB + b',"entries":{}}',
    "ten million zeros": bytes(10 * MB),
    "escapes": b'{"version":2,"entries":{"' + b"\\u001b" * MB + b'":1}}',
}


@pytest.mark.parametrize("name", GIANTS)
def test_a_giant_costs_bounded_time_and_memory(name: str, tmp_path: Path, effort: Effort) -> None:
    bucket = MemoryBucket()
    ada = Machine(tmp_path / "ada", lambda: MemoryStore(bucket))
    ada.write("files/a", "a")
    ada.push()
    good = contents(MemoryStore(bucket))
    before, began = peak_bytes(), time.process_time()
    keys = ("_index/files.json", "_index/_meta.json", ".datastore.lock")[: effort.pick(1, 3)]
    for key in keys:
        fill(MemoryStore(bucket), {**good, key: GIANTS[name]})
        for call in (ada.status, ada.pull, ada.locks):
            with contextlib.suppress(S3DashError):  # it may be refused, or make no difference
                call()
        MemoryStore(bucket).delete(".datastore.lock")
    (ada.cache / ".datastore-sync-state.json").write_bytes(GIANTS[name])
    fill(MemoryStore(bucket), good)
    ada.sync()
    assert time.process_time() - began < 10
    assert peak_bytes() - before < 200 * MB
    assert ada.files() == {"files/a": b"a"}
    effort.count("inputs tried", len(keys) + 1)


def peak_bytes() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_a_body_that_says_it_is_compressed_stays_as_it_is(weed: Server, tmp_path: Path) -> None:
    """Else a small object would become a huge one, and never the one that its entry names."""
    body = gzip.compress(bytes(20 * MB))
    name = weed.make_bucket()
    for key in ("files/bomb", "_index/_meta.json"):
        weed.client().put_object(Bucket=name, Key=key, Body=body, ContentEncoding="gzip")
    store = weed.store(name, tmp_path)
    with contextlib.closing(store), (tmp_path / "got").open("w+b") as sink:
        found = store.get("_index/_meta.json")
        assert found is not None
        assert found.body == body
        got = store.download("files/bomb", sink)
        assert (got.size, got.sha256) == (len(body), digest(body))
        with pytest.raises(IndexCorrupt):
            index.decode_meta(found.body, name="meta")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.make(tmp_path)


@pytest.mark.parametrize("part", range(PARTS))
def test_no_content_of_the_bucket_breaks_an_engine(effort: Effort, world: World, part: int) -> None:
    """In parts with dice of their own, so that worker processes can share the work."""
    dice = effort.dice()
    tries = effort.pick(5, 1_300)
    for number in range(tries):
        with tempfile.TemporaryDirectory(dir=world.home.parent) as home:
            victim = Victim(world, Path(home), partial(MemoryStore, MemoryBucket()))
            try:
                victim.poison(dice)
                victim.run()
                victim.heal()
            except Exception as error:
                error.add_note(f"seed {effort.seed}, part {part}, case {number}:\n{victim.told}")
                raise
    effort.count("inputs tried", tries)
