"""Pictures of the demo as it really looked, for the README: `make screenshots`.

Runs the demo without a terminal, goes through the views as a user would, and keeps what the
screen shows. A picture is taken when its subject is there, never after a fixed time.
"""

import asyncio
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from s3dash.core.snapshot import Snapshot
from s3dash.demo.beside import Beside
from s3dash.demo.shelves import shelves, stock
from s3dash.demo.world import YOU, World, edit_as_you, living
from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine
from s3dash.tui.app import DashApp
from s3dash.tui.exporting import self_contained

SIZES = ((120, 40), (80, 24))
PATIENCE_S = 90.0
LIMIT = 2 << 20
"""Bytes per second: slow enough that transfers can be seen."""

Ready = Callable[[Snapshot], bool]


class Shot(msgspec.Struct, frozen=True):
    """Press the keys, wait until `ready` holds for the current engine, keep the screen."""

    name: str
    keys: tuple[str, ...]
    ready: Ready = lambda _: True


SHOTS = (
    Shot("overview", ("1",), lambda s: len(s.dirty) > 2 and len(s.behind) > 2 and bool(s.locks)),
    Shot("dirty", ("2",), lambda s: bool(s.dirty)),
    Shot("locks", ("4", "r"), lambda s: len(s.locks) > 1),
    Shot("namespaces", ("5",), lambda s: s.tenants.state == "asked"),
    Shot("conflicts", ("6",), lambda s: bool(s.conflicts)),
    Shot("diff", ("d",)),
    Shot("endpoints", ("escape", "7", "c"), lambda s: s.endpoint.finding is not None),
    Shot("explorer", ("8", "G", "enter")),
    Shot("plan", ("1", "s")),
    Shot("transfers", ("y", "3"), lambda s: s.progress.counts.active > 0),
    Shot("log", ("9",), lambda s: s.state == "idle"),
    Shot("trash", ("Z",)),
    Shot("help", ("escape", "3", "question_mark")),
)


class Camera:
    """One run of the demo's screen at one size."""

    def __init__(self, app: DashApp, engine: Engine, pilot: Any, folder: Path, size: str) -> None:
        self._app = app
        self._engine = engine
        self._pilot = pilot
        self._folder = folder
        self._size = size

    async def take(self, shot: Shot) -> Path:
        """Raises TimeoutError when the subject does not come."""
        await self._pilot.press(*shot.keys)
        end = time.monotonic() + PATIENCE_S
        while not shot.ready(self._engine.snapshot()):
            if time.monotonic() > end:
                raise TimeoutError(f"{shot.name}: its subject did not come")
            await self._pilot.pause(0.1)
        await self._pilot.pause(0.6)
        picture = self._app.export_screenshot(title=f"s3dash {self._size}")
        path = self._folder / f"{shot.name}-{self._size}.svg"
        path.write_text(self_contained(picture), encoding="utf-8")
        return path


async def photograph(world: World, folder: Path, size: tuple[int, int]) -> list[Path]:
    """All shots at one size, in columns and rows."""
    settings = replace(world.settings(YOU, "infra"), bandwidth_limit=LIMIT)
    engines = [open_engine(settings, world.credentials), world.engine(YOU, "web")]
    app = DashApp(
        engines,
        open_namespace=lambda _, other: world.engine(YOU, other or "infra"),
        shelves=shelves(world, readonly=False),
    )
    try:
        async with app.run_test(size=size) as pilot:
            camera = Camera(app, engines[0], pilot, folder, f"{size[0]}x{size[1]}")
            return [await camera.take(shot) for shot in SHOTS]
    finally:
        for engine in engines:
            engine.stop()


def main(folder: Path) -> int:
    """A fresh demo for each size; prints what it wrote."""
    folder.mkdir(exist_ok=True)
    for size in SIZES:
        with living(lambda _: None) as world, Beside(world):
            edit_as_you(world)
            stock(world)
            for path in asyncio.run(photograph(world, folder, size)):
                sys.stdout.write(f"{path}\n")
    return 0


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        sys.exit(main(Path(sys.argv[1] if len(sys.argv) > 1 else "screenshots")))
