"""The figures that stand alone: what s3dash takes when nobody is beside it.

Called by `make bench`; alone: python -m benchmarks.alone [--quick]
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks import machine
from benchmarks.counting import counting
from benchmarks.figures import Figure, table
from benchmarks.place import Place
from benchmarks.scenes import FULL, MS, QUICK, Effort, figure, in_line
from s3dash.engine.api import EngineApi
from s3dash.engine.open import open_engine
from s3dash.local.scan import scan
from tests.servers import Server, start_weed

SIZE = 5 << 10
BELOW = "data/bench/items"
"""A directory of the peers' own kind: nobody asks whether it is a namespace."""
PATIENCE_S = 120.0


def figures(server: Server, root: Path, effort: Effort) -> list[Figure]:
    """All of them. `effort.storm` is the number of files; the scan takes ten times as many."""
    place = Place(server, root, "bench-alone")
    place.fill(BELOW, effort.storm, SIZE)
    place.run("push")
    place.run("pull")
    found = [*starting(place, effort), *asking(server, place, effort), *scanning(root, effort)]
    return [*found, *bursting(server, place, effort), *idling(server, root, effort)]


def starting(place: Place, effort: Effort) -> list[Figure]:
    """Whole processes on a clean cache."""
    files = f"{effort.storm:,} files"
    bounds: dict[str, tuple[str, float | None]] = {
        "--help": ("--help", 150),
        "status": (f"status, {files}, clean", 500),
        "push": (f"push with nothing to do, {files}", None),
        "pull": (f"pull with nothing to do, {files}", None),
        "sync": (f"sync with nothing to do, {files}", None),
    }
    return [
        figure(what, _median(partial(place.timed, command), effort.rounds) * MS, "ms", most)
        for command, (what, most) in bounds.items()
    ]


def _median(take: Callable[[], float], rounds: int) -> float:
    return median(take() for _ in range(rounds))


def asking(server: Server, place: Place, effort: Effort) -> list[Figure]:
    """Requests, counted by a proxy; then one changed file, timed without it."""
    counts: dict[str, int] = {}
    changed = place.cache / BELOW / "000" / "file-000000.bin"
    with counting(server) as counted:
        place.point_at(counted.server)
        place.run("sync")  # another address is another datastore: what is known of it begins here
        for command in ("status", "push", "pull", "sync"):
            counted.clear()
            place.run(command)
            counts[command] = len(counted.requests)
        changed.write_bytes(b"another" * 700)
        counted.clear()
        place.run("push")
        one = counted.requests
    place.point_at(server)
    place.run("push")
    took = []
    for number in range(effort.rounds):
        changed.write_bytes(b"%7d" % number * 700)
        took.append(place.timed("push"))
    what = f"one file changed of {effort.storm:,}"
    return [
        *(
            figure(f"{c} with nothing to do: requests", n, "", None if c == "status" else 2)
            for c, n in counts.items()
        ),
        figure(f"push of {what}", median(took) * MS, "ms"),
        figure(f"push of {what}: requests", len(one), ""),
    ]


def scanning(root: Path, effort: Effort) -> list[Figure]:
    """The walk over the cache, in this process; what was just written is in memory."""
    many = 10 * effort.storm
    base = root / "scanned"
    for number in range(many):
        directory = base / f"{number // 500:03d}"
        if number % 500 == 0:
            directory.mkdir(parents=True)
        (directory / f"file-{number:06d}.bin").write_bytes(b"")
    most = 0.6 * many / 100_000

    def once() -> float:
        start = time.perf_counter()
        assert len(scan(base).files) == many
        return time.perf_counter() - start

    return [figure(f"scan of {many:,} files", _median(once, effort.rounds) * MS, "ms", most * MS)]


# --- a burst -------------------------------------------------------------------------------


def bursting(server: Server, place: Place, effort: Effort) -> list[Figure]:
    """All files change, content and not size: from the last write to all of them being listed."""
    what = f"{effort.storm:,} files change: listed as dirty"
    return [
        figure(f"{what}, by the engine", _burst_of_engine(server, place, effort), "s", 2.0),
        figure(f"{what}, on the screen", _burst_on_screen(place, effort), "s", 2.0),
    ]


def _burst_of_engine(server: Server, place: Place, effort: Effort) -> float:
    settings = server.settings(
        place.bucket, place.root / "burst", cache=place.cache, state_dir=place.root / "burst-state"
    )
    engine = open_engine(settings, server.credentials)
    try:
        engine.sync()
        engine.start()
        _until(engine, 0)
        place.fill(BELOW, effort.storm, SIZE, seed=7)
        start = time.perf_counter()
        _until(engine, effort.storm)
        return time.perf_counter() - start
    finally:
        engine.stop()


def _until(engine: EngineApi, dirty: int) -> None:
    """Wait until the watcher is on and so many paths are dirty."""
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        now = engine.snapshot()
        if now.watch.mode == "native" and len(now.dirty) == dirty and now.state == "idle":
            return
        time.sleep(0.01)
    raise RuntimeError(f"{dirty:,} dirty paths were expected, there are {len(now.dirty):,}")


def _burst_on_screen(place: Place, effort: Effort) -> float:
    place.run("push")
    with place.screen() as program:
        program.shows(in_line(0, "online"), "the endpoint's answer")
        program.quiet()
        place.fill(BELOW, effort.storm, SIZE, seed=8)
        start = program.now
        return program.shows(in_line(1, f"Dirty {effort.storm:,}"), "the dirty paths") - start


# --- nothing happens -----------------------------------------------------------------------


def idling(server: Server, root: Path, effort: Effort) -> list[Figure]:
    """A dashboard that nobody touches, on a clean cache of a few files."""
    found = []
    for auto in (False, True):
        word = f"idle dashboard, auto-sync {'on' if auto else 'off'}"
        with counting(server) as counted:
            place = Place(counted.server, root, f"bench-idle-{'on' if auto else 'off'}", auto=auto)
            place.fill(BELOW, 200, SIZE)
            place.run("push")
            with place.screen() as program:
                program.shows(in_line(0, "online"), "the endpoint's answer")
                program.listen(3.0)
                counted.clear()
                before, start = machine.cost(program.pid).whole, time.monotonic()
                program.listen(effort.watch_s)
                spent = machine.cost(program.pid).whole - before
                lasted = time.monotonic() - start
                asked = len(counted.requests)
        found += [
            figure(f"{word}: processor", 100 * spent / lasted, "%", 1.0, f"over {lasted:.0f} s"),
            figure(f"{word}: requests a minute", 60 * asked / lasted, "", 12.0),
        ]
    return found


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="alone", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="less of everything")
    given = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="s3dash-alone-") as name:
        server = start_weed(Path(name) / "server")
        try:
            found = figures(server, Path(name), QUICK if given.quick else FULL)
        finally:
            server.stop()
    print(table(found))
    return int(any(one.verdict == "MISSED" for one in found))


if __name__ == "__main__":
    sys.exit(main())
