"""Whatever lies where a catalog should be: bounded, told, and no way out of the place given."""

import contextlib
import json
import os.path
import time
from pathlib import Path
from random import Random

import pytest

from s3dash.core.catalog_wire import MAX_BYTES, MAX_ENTRIES, Reading, read
from s3dash.core.text import safe
from s3dash.errors import IndexCorrupt, S3DashError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.catalog_world import opened, register
from tests.engine.world import Machine, digest
from tests.reliability.mutate import NAMES, VALUES, Mutator, corpus
from tests.reliability.test_hostile_bucket import MB, peak_bytes
from tests.tally import Effort

ROOT = "/cache/web/"
KEY = "web/.catalog-export.json"


def taken(raw: bytes, size: int) -> Reading | None:
    """What is read of it in pieces of so many bytes; None: it is told as no catalog."""
    reading = Reading({})
    try:
        read((raw[at : at + size] for at in range(0, len(raw), size)), reading, name="k")
    except IndexCorrupt:
        return None
    return reading


def check(raw: bytes, dice: Random) -> None:
    """What is taken can be a file below its namespace; how it arrived makes no difference."""
    whole = taken(raw, max(1, len(raw)))
    cut = taken(raw, dice.randint(1, 200))
    assert (whole and whole.entries) == (cut and cut.entries)
    for rel, entry in (whole.entries if whole else {}).items():
        assert os.path.normpath(ROOT + rel) == ROOT + rel
        assert safe(rel).isprintable()
        assert 0 <= entry.size < 2**53
        assert entry.sha256 is None or len(entry.sha256) == 64
        assert len(entry.last_modified) <= 40


def catalog(dice: Random) -> bytes:
    """A catalog of hostile names and values, whole as JSON."""
    rows: list[object] = []
    for _ in range(dice.randint(0, 8)):
        row: dict[str, object] = {"relPath": dice.choice(NAMES), "size": 3}
        for name in ("relPath", "size", "lastModified", "sha256", "own"):
            if dice.random() < 0.3:
                row[name] = dice.choice(VALUES)
        rows.append(dice.choice((row, row, row, dice.choice(VALUES))))
    return json.dumps(rows).encode()


def test_no_bytes_break_the_reader(effort: Effort) -> None:
    dice = effort.dice()
    mutator = Mutator(dice, corpus())
    tries = effort.pick(1_500, 100_000)
    for number in range(tries):
        raw = catalog(dice) if number % 2 else mutator.any()
        try:
            check(raw, dice)
        except Exception as error:
            error.add_note(f"seed {effort.seed}, input {number}: {raw!r}")
            raise
    effort.count("inputs tried", tries)


GIANTS = {
    "nested lists": b"[" * 5 * MB,
    "nested objects": b'[{"a":' * MB,
    "one long name": b'[{"relPath":"' + b"x" * 10 * MB + b'","size":1}]',
    "zeros": b"[" + b"0," * 5 * MB + b"0]",
    "empty objects": b"[" + b"{}," * 3 * MB + b"{}]",
    "blanks": b"[" + b" " * 10 * MB + b"]",
    "no bytes of text": bytes(10 * MB),
    "escapes": b'[{"relPath":"' + b"\\u001b" * MB + b'","size":1}]',
}


@pytest.mark.parametrize("name", GIANTS)
def test_a_giant_costs_bounded_time_and_memory(name: str, tmp_path: Path, effort: Effort) -> None:
    bucket = MemoryBucket()
    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket), namespace="web")
    bob.write("files/b", "b")
    bob.push()
    store = MemoryStore(bucket)
    register(store, "web")
    store.put(KEY, GIANTS[name])
    assert len(GIANTS[name]) < MAX_BYTES
    ada = Machine(tmp_path / "ada", lambda: MemoryStore(bucket), namespace="infra")
    before, began = peak_bytes(), time.process_time()
    with opened(ada) as engine:
        (found,) = engine.catalogs.read_all().read
        assert [e.path for e in found.entries] in (["files/b"], [])
        assert (found.source == "index") == bool(found.entries)
        assert found.left_out <= MAX_ENTRIES
        done = engine.catalogs.fetch("web", "files/b", to=str(tmp_path / "got"))
        assert done.verified
    assert time.process_time() - began < 20
    assert peak_bytes() - before < 150 * MB
    bob.write("files/c", "c")
    bob.push()
    with opened(ada) as engine:
        assert [e.path for e in engine.catalogs.read("web").entries] == ["files/b", "files/c"]
    effort.count("inputs tried", 1)


def test_no_catalog_leads_a_fetch_astray(effort: Effort, tmp_path: Path) -> None:
    """Whatever is named, a file is written where the user said, or nothing is."""
    dice = effort.dice()
    bucket = MemoryBucket()
    store = MemoryStore(bucket)
    register(store, "web")
    ada = Machine(tmp_path / "ada", lambda: MemoryStore(bucket), namespace="infra")
    out = tmp_path / "out"
    out.mkdir()
    tries = effort.pick(40, 4_000)
    with opened(ada) as engine:
        known = _tree(tmp_path)
        for number in range(tries):
            raw = catalog(dice)
            store.put(KEY, raw)
            rel = dice.choice(NAMES)
            with contextlib.suppress(S3DashError):
                done = engine.catalogs.fetch("web", rel, to=str(out / "got"))
                assert not done.verified or digest((out / "got").read_bytes()) == done.sha256
            (out / "got").unlink(missing_ok=True)
            with contextlib.suppress(S3DashError):
                engine.catalogs.read("web")
            fresh = {p for p in _tree(tmp_path) - known if "/ada/state/" not in p}
            fresh = {p for p in fresh if "/_control/" not in p}
            assert not fresh, f"seed {effort.seed}, try {number}, {rel!r}: {fresh}\n{raw!r}"
    effort.count("inputs tried", tries)


def _tree(home: Path) -> set[str]:
    return {str(path) for path in home.rglob("*")}
