"""`make bench`: side by side with rclone, s5cmd and aws, on one server, in one run.

python -m benchmarks.bench [--quick] [--json] [--save FILE] [--tools DIR] [ROW ...]
python -m benchmarks.bench --from FILE        the tables of an earlier run, as Markdown
"""

import argparse
import importlib
import json
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from benchmarks import contest, figures, machine, scenes, standing
from benchmarks.cold import Pulling, Pushing
from benchmarks.ground import Ground, Stage
from benchmarks.kept import Changed, Nothing, Renamed
from benchmarks.peers import WORKERS, Peer, peers
from benchmarks.works import Task, Work, tasks
from tests.servers import Server, start_weed

TOOLS = Path(__file__).parents[1] / ".venv-bench"
STAGES: Mapping[Work, type[Stage]] = {
    Work.PUSH: Pushing,
    Work.PULL: Pulling,
    Work.NOTHING: Nothing,
    Work.CHANGED: Changed,
    Work.BIG_PUSH: Pushing,
    Work.BIG_PULL: Pulling,
    Work.RENAME: Renamed,
}
ROUNDS, QUICK_ROUNDS = 5, 2
BESIDE = ("alone", "big_index", "slow", "safety")
"""Modules of other figures: `figures(server, root, effort)`."""


def main(arguments: Sequence[str] | None = None) -> int:
    """1 when a goal is missed, or what a program left was not what it should be."""
    given = _parse(arguments)
    if given.source is not None:
        _show(json.loads(given.source.read_text()))
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))  # clean up then too
    document = _measured(given)
    if given.json:
        print(json.dumps(document, indent=2))
    else:
        _show(document)
    for words in document["broken"]:
        print(words, file=sys.stderr)
    return int(bool(document["broken"] or document["missed"]))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("rows", nargs="*", metavar="ROW", help="only these")
    parser.add_argument("--quick", action="store_true", help="1,000 files, two rounds")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    parser.add_argument("--save", type=Path, metavar="FILE", help="the JSON document as a file too")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="measure nothing")
    parser.add_argument("--tools", type=Path, default=TOOLS, help="the environment of the peers")
    parser.add_argument("--rounds", type=int, metavar="N", help="instead of 5, with --quick 2")
    parser.add_argument("--code", type=Path, metavar="DIR", help="measure this checkout of s3dash")
    given = parser.parse_args(arguments)
    known = [*tasks(quick=given.quick), *BESIDE]
    unknown = [row for row in given.rows if row not in known]
    if unknown:
        parser.error(f"there is no row {unknown[0]}; there are {', '.join(known)}")
    return given


def _measured(given: argparse.Namespace) -> dict[str, Any]:
    """Row by row; what is there so far is saved after each."""
    rivals = peers(given.tools)
    document: dict[str, Any] = {
        "machine": _about(rivals),
        "rows": [],
        "figures": [],
        "missed": [],
        "broken": [],
    }
    with tempfile.TemporaryDirectory(prefix="s3dash-bench-", ignore_cleanup_errors=True) as name:
        for row, measure in _chosen(given, rivals).items():
            try:
                _with_server(Path(name) / row, partial(measure, document))
            except (ImportError, RuntimeError, subprocess.SubprocessError) as error:
                document["broken"].append(f"{row}: {error}")
            if given.save is not None:
                given.save.write_text(json.dumps(document, indent=2) + "\n")
    return document


def _about(rivals: Sequence[Peer]) -> dict[str, str]:
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "s3dash": version("s3dash"),
        **machine.described(),
        **{peer.name: peer.version() for peer in rivals},
        "at a time": f"{WORKERS}; s3dash as configured by default",
    }


Measure = Callable[[dict[str, Any], Server, Path], None]
"""Adds to the document what it finds on that server, in that directory."""


def _chosen(given: argparse.Namespace, rivals: Sequence[Peer]) -> dict[str, Measure]:
    """What to measure: the rows that were named, else all; fewer with `--quick`."""
    named = bool(given.rows)
    rows: dict[str, Measure] = {
        row: partial(_compared, task, rivals, given)
        for row, task in tasks(quick=given.quick, named=named).items()
    }
    beside: dict[str, Measure] = {
        row: partial(_beside, row, scenes.QUICK if given.quick else scenes.FULL) for row in BESIDE
    }
    if named:
        return {row: measure for row, measure in {**rows, **beside}.items() if row in given.rows}
    return rows if given.quick else {**rows, **beside}


def _with_server(root: Path, measure: Callable[[Server, Path], None]) -> None:
    """Each on a server of its own, so that all begin with the same."""
    root.mkdir()
    server = start_weed(root / "server")
    try:
        measure(server, root)
    finally:
        server.stop()


def _compared(
    task: Task,
    rivals: Sequence[Peer],
    given: argparse.Namespace,
    document: dict[str, Any],
    server: Server,
    root: Path,
) -> None:
    stage = STAGES[task.work](Ground(server, root, rivals, task, code=given.code))
    rounds = given.rounds or (QUICK_ROUNDS if given.quick else ROUNDS)
    played = contest.hold(stage.entrants(), rounds, say=task.name, trial=not given.quick)
    row = standing.Row(task=task, played=played, counted=stage.counted())
    document["rows"].append(standing.as_json(row))
    document["missed"] += [f"{task.name}: {words}" for words in row.missed]
    _tell(f"{task.name}: {row.ratio:.2f} times the best peer, {row.best}; {row.verdict}")


def _beside(
    row: str, effort: scenes.Effort, document: dict[str, Any], server: Server, root: Path
) -> None:
    _tell(f"{row} …")
    found: list[figures.Figure] = importlib.import_module(f"benchmarks.{row}").figures(
        server, root, effort
    )
    document["figures"] += figures.as_json(found)
    document["missed"] += [figure.what for figure in found if figure.verdict == "MISSED"]


def _tell(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _show(document: Mapping[str, Any]) -> None:
    """The document for people, as Markdown."""
    print("\n".join(f"{name}: {value}" for name, value in document["machine"].items()), end="\n\n")
    rows = [standing.from_json(row) for row in document["rows"]]
    if rows:
        for table in (standing.speeds, standing.costs, standing.ways):
            print(table(rows), end="\n\n")
    more = [figures.from_json(figure) for figure in document["figures"]]
    if more:
        print(figures.table(more))


if __name__ == "__main__":
    sys.exit(main())
