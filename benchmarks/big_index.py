"""A large index: read cold, read again with one shard changed, committed to, held in memory.

Called by `make bench`; alone: python -m benchmarks.big_index [--quick]

`effort.storm` says how large: a shard of 100 entries for every 4 files of it, so 2,500 shards in
full. The bounds are those of that size. The index is written with our own writer, and there are no
objects behind it: nothing here reads any.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks import machine
from benchmarks.counting import Seen, counting
from benchmarks.figures import Figure, table
from benchmarks.place import SCRIPT, Place
from benchmarks.scenes import FULL, MS, QUICK, Effort, figure
from s3dash.core.index import Document, Entry, encode_meta
from s3dash.core.keys import Keys
from s3dash.objectstore.port import ObjectStore
from tests.servers import Server, start_weed

PER_SHARD = 100
FILES_PER_SHARD = 4
"""Of `effort.storm`: 10,000 give 2,500 shards."""
LARGE = 10_000
"""Shards of the index whose memory is measured: 1,000,000 entries."""
KEYS = Keys()
LOCK = f"/{KEYS.lock}"


def figures(server: Server, root: Path, effort: Effort) -> list[Figure]:
    """All of them; with less than the full size none has a bound, and memory is left out."""
    shards, full = effort.storm // FILES_PER_SHARD, effort.storm >= FULL.storm
    bucket = seeded(server, root, "bench-index", shards)
    found = [*reading(server, root, bucket, effort, full=full)]
    found += committing(server, root, bucket, full=full)
    return [*found, *holding(server, root)] if full else found


# --- the index ---------------------------------------------------------------------------


def shard_name(number: int) -> str:
    return f"data--server--model-{number:05d}"


def shard(number: int, *, version: int = 0) -> bytes:
    """100 entries of one model. Another `version` has another last entry."""
    document, name = Document.empty(), f"data/server/model-{number:05d}"
    for place in range(PER_SHARD):
        rel, at = f"{name}/item-{place // 4:04d}/{place % 4}/raw", number * PER_SHARD + place
        last = version if place == PER_SHARD - 1 else 0
        entry = Entry(
            key=rel,
            size=5000 + at % 977 + last,
            lastModified=f"2026-11-{1 + at % 20:02}T10:{at % 60:02}:00.{at % 1000:03}Z",
            localMtime=f"2026-11-{1 + at % 20:02}T09:{at % 60:02}:00.{at % 997:03}Z",
            sha256=hashlib.sha256(f"{rel} {last}".encode()).hexdigest(),
        )
        document.put(rel, entry)
    return document.encode()


def meta(shards: int, *, seq: int = 1) -> bytes:
    names = sorted(map(shard_name, range(shards)))
    return encode_meta(None, {"version": 2, "partitions": names, "commitSeq": seq})


def seeded(server: Server, root: Path, bucket: str, shards: int) -> str:
    """A bucket with an index of so many shards."""
    server.make_bucket(bucket)
    store = server.store(bucket, root)
    try:
        with ThreadPoolExecutor(8) as pool:
            for _ in pool.map(lambda n: write(store, n), range(shards)):
                pass
        store.put(KEYS.meta, meta(shards))
    finally:
        store.close()
    return bucket


def write(store: ObjectStore, number: int, *, version: int = 0) -> None:
    store.put(KEYS.shard(shard_name(number)), shard(number, version=version))


# --- reading -----------------------------------------------------------------------------


class Reader:
    """A process that reads the index, as often as it is asked to."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def answer(self) -> dict[str, Any]:
        """Raises RuntimeError when it has none."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the reader of the index ended early")
        found: dict[str, Any] = json.loads(line)
        return found

    def again(self) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return self.answer()


@contextmanager
def reader(server: Server, bucket: str, home: Path) -> Iterator[Reader]:
    """In a home of its own; what it read is kept there for the next."""
    (home / "cache").mkdir(parents=True, exist_ok=True)
    (home / "state").mkdir(exist_ok=True)
    keys = server.credentials
    order = {
        "endpoint": server.endpoint,
        "bucket": bucket,
        "access_key_id": keys.access_key_id,
        "secret_access_key": keys.secret_access_key,
        "home": str(home),
    }
    argv = [sys.executable, "-m", "benchmarks.index_reader"]
    with subprocess.Popen(argv, stdin=-1, stdout=-1, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
        yield Reader(process)
        process.stdin.close()


def reading(
    server: Server, root: Path, bucket: str, effort: Effort, *, full: bool
) -> Iterator[Figure]:
    """By processes that know nothing, by the same again, and by new ones that know almost all."""
    rounds, cold, warm, kept = min(5, effort.rounds), list[Any](), list[Any](), list[Any]()
    whole = list[float]()
    store = server.store(bucket, root)
    for number in range(rounds):
        home, start = root / f"reader-{number}", time.perf_counter()
        with reader(server, bucket, home) as one:
            cold.append(one.answer())
            whole.append(time.perf_counter() - start)
            write(store, number, version=number + 1)
            warm.append(one.again())
        write(store, number, version=number + 101)
        with reader(server, bucket, home) as one:
            kept.append(one.answer())
    store.close()
    entries = f"{cold[0]['entries']:,} entries in {effort.storm // FILES_PER_SHARD:,} shards"
    yield seconds(f"index cold, {entries}", whole, 3.0 if full else None, "process start included")
    yield seconds("index cold: the reading alone", [c["load_s"] for c in cold], None)
    beyond = [max(0.0, w["load_s"] - w["listing_s"]) * MS for w in warm]
    note = f"beyond the listing, {median(w['listing_s'] for w in warm) * MS:.0f} ms"
    yield figure("index, one shard changed", median(beyond), "ms", 150 if full else None, note)
    asked = max(w["requests"] for w in warm)
    yield figure("index, one shard changed: requests", asked, "", None, "the listing included")
    after = [(k["open_s"] + max(0.0, k["load_s"] - k["listing_s"])) * MS for k in kept]
    yield figure("the same in a new process", median(after), "ms", None, "all is decoded again")


def seconds(what: str, taken: Sequence[float], most: float | None, note: str = "") -> Figure:
    return figure(what, median(taken), "s", most, note)


# --- committing --------------------------------------------------------------------------


def committing(server: Server, root: Path, bucket: str, *, full: bool) -> Iterator[Figure]:
    """One changed file, pushed through a proxy that counts."""
    place = Place(server, root, "bench-commit", bucket=bucket)
    file = place.cache / "data/server/model-00000/item-0000/0/changed"
    file.parent.mkdir(parents=True)
    with counting(server) as counted:
        place.point_at(counted.server)
        file.write_bytes(b"first")
        place.run("push")
        file.write_bytes(b"another")
        counted.clear()
        place.run("push")
        asked = counted.requests
    commit = locked(asked)
    moved = sum(seen.up + seen.down for seen in commit)
    most = (10, 100) if full else (None, None)
    yield figure("commit of one change: requests", len(commit), "", most[0], "lock to unlock")
    yield figure("commit of one change: moved", moved / 1000, "KB", most[1], "bodies, both ways")
    whole = sum(seen.up + seen.down for seen in asked)
    yield figure("push of one change: requests", len(asked), "", None, "a listing included")
    yield figure("push of one change: moved", whole / 1000, "KB", None, "a listing included")


def locked(asked: Sequence[Seen]) -> Sequence[Seen]:
    """From the request that takes the global lock to the one that lets it go."""
    of_lock = [n for n, seen in enumerate(asked) if seen.path.partition("?")[0].endswith(LOCK)]
    return asked[of_lock[0] : of_lock[-1] + 1]


# --- memory ------------------------------------------------------------------------------


def holding(server: Server, root: Path) -> Iterator[Figure]:
    """A million entries, none of which is here: as much to tell as there can be."""
    bucket = seeded(server, root, "bench-huge", LARGE)
    place = Place(server, root, "bench-memory", bucket=bucket)
    for arguments in (["status", "--json"], ["pull", "--dry-run", "--json"]):
        found = launched(place, arguments)
        what = f"{' '.join(arguments)}, 1,000,000 entries"
        yield figure(f"{what}: peak memory", found["peak_mb"], "MB", 1500)
        yield figure(f"{what}: time", found["seconds"], "s", None, "whole process")


def launched(place: Place, arguments: Sequence[str]) -> dict[str, float]:
    """One command, and what it cost. Raises RuntimeError when it failed."""
    log = place.root / "log"
    order = {
        "argv": [SCRIPT, *arguments],
        "env": {"PATH": "/usr/bin:/bin", **place.environ},
        "cwd": str(place.root),
        "log": str(log),
    }
    beside = Path(__file__).with_name("launch.py")
    done = subprocess.run(
        [sys.executable, str(beside)],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=True,
    )
    found: dict[str, float] = json.loads(done.stdout)
    if found["code"] != 0:
        raise RuntimeError(f"{' '.join(arguments)} failed: {log.read_text()[-500:]}")
    log.unlink()
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    """1 when a number was not held."""
    parser = argparse.ArgumentParser(prog="big-index", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a smaller index")
    effort = QUICK if parser.parse_args(arguments).quick else FULL
    with tempfile.TemporaryDirectory(prefix="s3dash-bench-") as name:
        server = start_weed(Path(name) / "server")
        try:
            found = figures(server, Path(name), effort)
        finally:
            server.stop()
    print(f"{machine.described()['processor']}\n\n{table(found)}")
    return int(any(one.verdict == "MISSED" for one in found))


if __name__ == "__main__":
    sys.exit(main())
