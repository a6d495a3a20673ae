"""`make bench-screen`: the numbers of the screen, measured on a real terminal.

python -m benchmarks.screen [--quick] [--json] [SCENE ...]
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import machine
from benchmarks.figures import Figure, as_json, table
from benchmarks.scenes import FULL, QUICK, SCENES, chosen
from tests.servers import start_weed


def main(arguments: Sequence[str] | None = None) -> int:
    """1 when a number was not held, or a scene could not be played to its end."""
    given = _parse(arguments)
    effort = QUICK if given.quick else FULL
    figures: list[Figure] = []
    broken = []
    with tempfile.TemporaryDirectory(prefix="s3dash-bench-") as name:
        root = Path(name)
        server = start_weed(root / "server")
        try:
            for scene, play in chosen(given.scenes).items():
                print(f"{scene} …", file=sys.stderr, flush=True)
                try:
                    figures += play(server, root, effort)
                except RuntimeError as error:
                    broken.append(f"{scene}: {error}")
        finally:
            server.stop()
    _write(figures, as_document=given.json)
    for words in broken:
        print(words, file=sys.stderr)
    return int(bool(broken) or any(figure.verdict == "MISSED" for figure in figures))


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench-screen", description=__doc__)
    parser.add_argument("scenes", nargs="*", metavar="SCENE", help=", ".join(SCENES))
    parser.add_argument("--quick", action="store_true", help="less of everything")
    parser.add_argument("--json", action="store_true", help="one JSON document")
    given = parser.parse_args(arguments)
    unknown = [name for name in given.scenes if name not in SCENES]
    if unknown:
        parser.error(f"there is no scene {unknown[0]}; there are {', '.join(SCENES)}")
    return given


def _write(figures: Sequence[Figure], *, as_document: bool) -> None:
    about = {"at": datetime.now(UTC).isoformat(timespec="seconds"), **machine.described()}
    if as_document:
        document = {"machine": about, "figures": as_json(figures)}
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    sys.stdout.write("\n".join(f"{name}: {value}" for name, value in about.items()))
    sys.stdout.write(f"\n\n{table(figures)}\n")


if __name__ == "__main__":
    sys.exit(main())
