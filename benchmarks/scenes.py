"""What is measured: each scene plays one situation on a terminal and returns its figures."""

import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from threading import Thread

from benchmarks import machine
from benchmarks.figures import Figure, median, quantile
from benchmarks.place import Place
from benchmarks.terminal import CURSOR, Program
from tests.servers import Server

ROOT = Path(__file__).parents[1]
MS = 1000.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Effort:
    """How much of everything: rounds, key presses, seconds of watching, files of the storm."""

    rounds: int
    presses: int
    watch_s: float
    storm: int
    rows: int


QUICK = Effort(rounds=3, presses=60, watch_s=8.0, storm=1_000, rows=1_000_000)
FULL = Effort(rounds=9, presses=300, watch_s=60.0, storm=10_000, rows=1_000_000)


def figure(what: str, value: float, unit: str, most: float | None = None, note: str = "") -> Figure:
    return Figure(what=what, value=value, unit=unit, at_most=most, note=note, load=machine.load())


# --- starting and quitting ------------------------------------------------------------------


def starting(server: Server, root: Path, effort: Effort) -> list[Figure]:
    """From exec to the header with the datastore's name, to the list, to the first answer."""
    place = Place(server, root, "bench-start")
    place.fill("a", 300, 2000)
    place.run("push")
    place.fill("b", 60, 2000, seed=2)
    names = ("header", "list", "online", "quit", "peak", "header work", "list work")
    times: dict[str, list[float]] = {name: [] for name in names}
    for _ in range(effort.rounds):
        with place.screen() as program:
            times["header"].append(program.shows(in_line(0, place.name), "the header"))
            times["header work"].append(machine.cost(program.pid).screen)
            times["list"].append(program.shows(in_list(place.name), "the list"))
            times["list work"].append(machine.cost(program.pid).screen)
            times["online"].append(program.shows(in_line(0, "online"), "the endpoint's answer"))
            program.quiet()
            times["peak"].append(machine.memory(program.pid)[1])
            program.press("q")
            times["quit"].append(program.ended())
    mid = {name: median(values) for name, values in times.items()}
    note = f"median of {effort.rounds}"
    return [
        figure("first content: the header", mid["header"] * MS, "ms", 300, note),
        figure("first list", mid["list"] * MS, "ms", note=note),
        figure("processor time to the header", mid["header work"] * MS, "ms", note=note),
        figure("processor time to the list", mid["list work"] * MS, "ms", note=note),
        figure("first answer of the endpoint", mid["online"] * MS, "ms", note=note),
        figure("quit, idle", mid["quit"] * MS, "ms", 1000, f"key to end of process, {note}"),
        figure("peak memory, 360 files", mid["peak"], "MB", note=note),
    ]


def bare(_server: Server, root: Path, effort: Effort) -> list[Figure]:
    """The smallest Textual application, on this machine at this moment."""
    first, leave, work = [], [], []
    reactions: list[float] = []
    for number in range(effort.rounds):
        command = [sys.executable, str(ROOT / "benchmarks" / "bare.py")]
        with Program(command, cwd=root) as program:
            first.append(program.shows(lambda shown: "bare 0" in shown, "its line"))
            work.append(machine.cost(program.pid).screen)
            program.quiet(0.5)
            if number == 0:
                reactions = reactions_to(program, "j", effort.presses, sign=b"")
                program.quiet(0.3)
            program.press("q")
            leave.append(program.ended())
    note = "the floor: one Static"
    return [
        figure("bare Textual: first content", median(first) * MS, "ms", note=note),
        figure("bare Textual: processor time to it", median(work) * MS, "ms", note=note),
        figure("bare Textual: key to screen p90", quantile(reactions, 0.9) * MS, "ms", note=note),
        figure("bare Textual: quit", median(leave) * MS, "ms", note=note),
    ]


# --- at rest and at work --------------------------------------------------------------------


def idle(server: Server, root: Path, effort: Effort) -> list[Figure]:
    """Nothing happens: nothing is written, and keys are quick."""
    place = Place(server, root, "bench-idle")
    place.fill("a", 200, 2000)
    figures = []
    for auto in (False, True):
        place.configure(auto=auto)
        word = "auto-sync on" if auto else "auto-sync off"
        if auto:
            place.run("push")
        with place.screen() as program:
            program.shows(in_line(0, "online"), "the endpoint's answer")
            program.listen(3.0)
            figures += watched(program, effort.watch_s, f"idle, {word}", most_bytes=0)
            if not auto:
                program.press("2")
                program.shows(lambda shown: "file-000003" in shown, "the dirty paths")
                program.quiet()
                figures += keys(program, effort.presses, "idle", 15)
    return figures


def screen_alone(_server: Server, root: Path, effort: Effort) -> list[Figure]:
    """25 transfers that only pretend to move: processor time and bytes of the screen alone."""
    with fake("moving", 25, root) as program:
        program.shows(in_line(0, "prod-minio"), "the header")
        program.press("3")
        program.shows(lambda shown: "file-00003" in shown, "the transfers")
        program.listen(2.0)
        what = "25 moving, 4 Hz, screen alone"
        figures = watched(program, effort.watch_s, what, most_bytes=30, most_cpu=5)
        return [*figures, *keys(program, effort.presses, "25 moving, screen alone", 30)]


def transfers(server: Server, root: Path, effort: Effort) -> list[Figure]:
    """A real push of 25 files at a time, held back to 2 MiB/s; then quitting in its middle."""
    place = Place(server, root, "bench-moving", limit=2 << 20)
    place.fill("a", 60, 4 << 20)
    with place.screen() as program:
        begin_push(program, 60)
        program.listen(3.0)
        what = "push, 25 at a time, 4 Hz"
        figures = watched(program, effort.watch_s, what, most_bytes=30, most_cpu=5)
        figures += keys(program, effort.presses, "push, 25 at a time", 30)
        program.press("q")
        program.shows(lambda shown: "stop it cleanly" in shown, "the question")
        program.listen(0.5)
        program.press("s")
        note = "from «stop cleanly» to the end of the process"
        figures.append(figure("quit, 25 transfers", program.ended() * MS, "ms", 1000, note))
    return figures


# --- much -----------------------------------------------------------------------------------


def million(_server: Server, root: Path, effort: Effort) -> list[Figure]:
    """A list of a million paths: opened, walked through, filtered."""
    with fake("dirty", effort.rows, root) as program:
        program.shows(in_line(0, "prod-minio"), "the header")
        program.quiet(2.0)
        model, _ = machine.memory(program.pid)
        opened = program.react("2", sign=b"file-0000003")
        program.quiet(2.0)
        after, _ = machine.memory(program.pid)
        figures = [
            figure("1M paths: open", opened * MS, "ms", 500),
            figure("1M paths: memory beyond the model", after - model, "MB", 60),
        ]
        figures += keys(program, effort.presses, "1M paths", 15)
        program.press("/")
        program.shows(lambda shown: "enter keeps" in shown, "the filter line")
        typed, text = [], "file-00999"
        for end in range(1, len(text) + 1):
            typed.append(program.react(text[end - 1], sign=text[:end].encode()))
            program.listen(0.05)
        ended = f"/{text} {effort.rows // 10_000:,} of {effort.rows:,} "
        program.shows(
            lambda shown: ended in shown and f"{effort.rows:,} …" not in shown, "the filter's end"
        )
        worst = max(typed)
        figures.append(figure("1M paths: filter, slowest key", worst * MS, "ms", 50, text))
    return figures


def storm(server: Server, root: Path, effort: Effort) -> list[Figure]:
    """Many small files are pushed while keys are pressed, and again while none are."""
    took: dict[bool, float] = {}
    reactions: list[float] = []
    for pressed in (True, False):
        place = Place(server, root, f"bench-storm-{'keys' if pressed else 'still'}")
        place.fill("a", effort.storm, 5 << 10)
        with place.screen() as program:
            program.quiet()
            start = begin_push(program, effort.storm)
            done = in_line(-2, "push done")
            while not program.seen(done):
                if pressed:
                    reactions += reactions_to(program, "j", 10) + reactions_to(program, "k", 9)
                else:
                    program.listen(0.25)
            took[pressed] = program.shows(done, "the end") - start
    headless = Place(server, root, "bench-storm-headless")
    headless.fill("a", effort.storm, 5 << 10)
    plain = headless.timed("push")
    what = f"push of {effort.storm:,} files"
    note = f"{len(reactions)} keys"
    return [
        figure(f"{what}: key to screen p50", quantile(reactions, 0.5) * MS, "ms", note=note),
        figure(f"{what}: key to screen p90", quantile(reactions, 0.9) * MS, "ms", 50, note),
        figure(f"{what}: key to screen p99", quantile(reactions, 0.99) * MS, "ms", note=note),
        figure(f"{what}: keys pressed", took[True], "s"),
        figure(f"{what}: no key pressed", took[False], "s"),
        figure(f"{what}: without a screen", plain, "s", note="`s3dash push`, with its start"),
        figure(f"{what}: cost of the keys", took[True] / took[False], "×"),
    ]


def burst(server: Server, root: Path, effort: Effort) -> list[Figure]:
    """Many paths become dirty at once while they are looked at."""
    place = Place(server, root, "bench-burst")
    place.fill("a", 50, 1000)
    with place.screen() as program:
        program.shows(in_line(0, "online"), "the endpoint's answer")
        program.press("2")
        program.shows(lambda shown: "file-000003" in shown, "the dirty paths")
        program.quiet()
        reactions: list[float] = []
        wanted = in_line(1, f"Dirty {effort.storm + 50:,}")
        writer = Thread(target=partial(place.fill, "b", effort.storm, 100, seed=3))
        writer.start()
        while not program.seen(wanted):
            reactions += reactions_to(program, "j", 10) + reactions_to(program, "k", 9)
        reactions += reactions_to(program, "j", 20)
        writer.join()
    what = f"{effort.storm:,} paths become dirty"
    note = f"{len(reactions)} keys"
    return [
        figure(f"{what}: key to screen p90", quantile(reactions, 0.9) * MS, "ms", 50, note),
        figure(f"{what}: slowest key", max(reactions) * MS, "ms", note=note),
    ]


# --- helpers --------------------------------------------------------------------------------


def fake(kind: str, count: int, root: Path) -> Program:
    command = [sys.executable, "-m", "benchmarks.fake_screen", kind, str(count)]
    return Program(command, cwd=ROOT, environ={"HOME": str(root)})


def in_line(number: int, text: str) -> Callable[[str], bool]:
    """Whether a line of the screen holds the text."""
    return lambda shown: text in shown.splitlines()[number]


def in_list(text: str) -> Callable[[str], bool]:
    """Whether the text stands below header and tabs."""
    return lambda shown: text in "\n".join(shown.splitlines()[3:])


def begin_push(program: Program, count: int) -> float:
    """Push all that is dirty, by keys, and look at the transfers; when enter was pressed."""
    program.shows(in_line(1, f"Dirty {count:,}"), "all that is dirty")
    program.press("P")
    program.shows(lambda shown: "enter" in shown and "run push" in shown, "the plan")
    program.listen(0.5)
    program.press("\r")
    start = program.now
    program.shows(lambda shown: "run push" not in shown, "the end of the dialog")
    program.press("3")
    program.shows(lambda shown: "PROGRESS" in shown, "the transfers")
    return start


def reactions_to(
    program: Program, key: str, presses: int, *, sign: bytes = CURSOR, seed: int = 5
) -> list[float]:
    """Seconds from key to screen, for keys pressed at uneven times."""
    dice = random.Random(seed)
    found = []
    for _ in range(presses):
        program.listen(dice.uniform(0.02, 0.09))
        found.append(program.react(key, sign))
    return found


def keys(program: Program, presses: int, what: str, most: float) -> list[Figure]:
    """The cursor goes down and up again."""
    found: list[float] = []
    for turn in range(0, presses, 20):
        found += reactions_to(program, "j" if turn % 40 == 0 else "k", 20, seed=turn)
    note = f"{len(found)} keys"
    return [
        figure(f"{what}: key to screen p50", quantile(found, 0.5) * MS, "ms", note=note),
        figure(f"{what}: key to screen p90", quantile(found, 0.9) * MS, "ms", most, note),
        figure(f"{what}: key to screen p99", quantile(found, 0.99) * MS, "ms", note=note),
    ]


def watched(
    program: Program,
    seconds: float,
    what: str,
    *,
    most_bytes: float | None = None,
    most_cpu: float | None = None,
) -> list[Figure]:
    """Processor time and output while nobody touches a key."""
    before, start = machine.cost(program.pid), program.now
    count = program.listen(seconds)
    after, took = machine.cost(program.pid), program.now - start
    whole = 100 * (after.whole - before.whole) / took
    screen = 100 * (after.screen - before.screen) / took
    note = f"over {took:.0f} s; {screen:.2g} % of it the screen's thread"
    if most_bytes == 0:
        written = figure(f"{what}: bytes", count, "B", 0, f"over {took:.0f} s")
    else:
        written = figure(f"{what}: output", count / took / 1024, "KiB/s", most_bytes)
    return [figure(f"{what}: processor", whole, "%", most_cpu, note), written]


Scene = Callable[[Server, Path, Effort], list[Figure]]
SCENES: dict[str, Scene] = {
    "start": starting,
    "bare": bare,
    "idle": idle,
    "alone": screen_alone,
    "transfers": transfers,
    "million": million,
    "storm": storm,
    "burst": burst,
}


def chosen(names: Sequence[str]) -> dict[str, Scene]:
    """The scenes of these names, all when none is named."""
    return {name: SCENES[name] for name in names} if names else SCENES
