"""What each safety costs: a cold push and a cold pull as they are, and with that one left out.

Called by `make bench`; alone: python -m benchmarks.safety [--quick]

Each of the rounds runs all of them, beginning with another one; a figure is what the median with
all safeties takes beyond the median without that one. It can come out below nothing, where the
noise of the machine is larger than the cost. What was made stays until the end (see `cold`).
"""

import argparse
import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median

from benchmarks.figures import Figure, number, table
from benchmarks.place import Place
from benchmarks.runs import Command, Spent, run
from benchmarks.scenes import FULL, MS, QUICK, Effort, figure
from tests.servers import Server, start_weed

ALL = "nothing"
PUSHED = ("flushing files and names", "the proof of the endpoint", "the journal of uploads",
          "hashing uploads")  # fmt: skip
PULLED = (
    "flushing files and names", "verifying downloads", "hashing and verifying downloads"
)  # fmt: skip
SIZE = 5 << 10
ROOT = Path(__file__).parents[1]


def figures(server: Server, root: Path, effort: Effort) -> list[Figure]:
    """`effort.storm` is the number of files."""
    source = Place(server, root, "safety-source")
    source.fill("data/bench", effort.storm, SIZE)
    source.run("push")
    files = f"{effort.storm:,} × {SIZE >> 10} KiB"
    up = partial(_pushed, server, root, source)
    down = partial(_pulled, server, root, source)
    return [
        *_compared(f"push of {files}", up, PUSHED, effort.rounds),
        *_compared(f"pull of {files}", down, PULLED, effort.rounds),
    ]


def _compared(
    what: str, take: Callable[[str, str], Spent], safeties: tuple[str, ...], rounds: int
) -> list[Figure]:
    variants = (ALL, *safeties)
    spent: dict[str, list[Spent]] = {name: [] for name in variants}
    for turn in range(rounds):
        for at in range(len(variants)):
            name = variants[(at + turn) % len(variants)]
            spent[name].append(take(name, f"{turn}-{at}"))
    whole, work = _medians(spent[ALL])
    found = [figure(f"{what}: as it is", whole, "s", note=f"processor {number(work)} s")]
    for name in safeties:
        seconds, processor = _medians(spent[name])
        note = f"{number((whole - seconds) / whole * 100)} %; processor {_ms(work - processor)} ms"
        found.append(figure(f"{what}: {name}", (whole - seconds) * MS, "ms", note=note))
    return found


def _ms(seconds: float) -> str:
    return number(seconds * MS)


def _medians(runs: list[Spent]) -> tuple[float, float]:
    return median(one.seconds for one in runs), median(one.processor_s for one in runs)


def _pushed(server: Server, root: Path, source: Place, name: str, turn: str) -> Spent:
    """The same files into a bucket of its own, its first volume laid out, from a fresh state."""
    files = root / f"files-{turn}"
    shutil.copytree(source.cache / "data", files / "data")
    place = Place(server, root, f"safety-up-{turn}-{len(name)}", cache=files)
    client = server.client()
    client.put_object(Bucket=place.bucket, Key="first", Body=b"x")
    client.delete_object(Bucket=place.bucket, Key="first")
    spent = _run(place, name, "push")
    client.delete_bucket(Bucket=place.bucket)
    return spent


def _pulled(server: Server, root: Path, source: Place, name: str, turn: str) -> Spent:
    place = Place(server, root, f"safety-down-{turn}-{len(name)}", bucket=source.bucket)
    return _run(place, name, "pull")


def _run(place: Place, name: str, command: str) -> Spent:
    argv = [sys.executable, "-m", "benchmarks.without", name, "--json", command]
    environ = {**os.environ, **place.environ, "PYTHONPATH": str(ROOT)}
    return run(Command(argv=argv, environ=environ, cwd=place.root), place.root / "log")


def main() -> None:
    parser = argparse.ArgumentParser(prog="safety", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="1,000 files, three rounds")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="s3dash-safety-") as name:
        server = start_weed(Path(name) / "server")
        try:
            print(table(figures(server, Path(name), QUICK if given.quick else FULL)))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
