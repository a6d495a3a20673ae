"""Pictures of every view and dialog, with fake engines and a clock that stands.

`python -m tests.tui.pictures` draws them anew; look at each before it is committed.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

from s3dash.tui.exporting import self_contained
from s3dash.tui.shelves import Shelves
from tests.tui.driver import NARROW, WIDE, Stage, play
from tests.tui.fake_engine import FakeEngine

FOLDER = Path(__file__).parent / "pictures"
SIZES = (WIDE, NARROW)
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Scene:
    """Press the keys on these engines, wait until `ready` holds, look."""

    name: str
    keys: tuple[str, ...]
    engines: Callable[[], tuple[FakeEngine, ...]]
    ready: Callable[[Stage], object] = lambda _: True
    shelves: Callable[[], Shelves] = Shelves

    def path(self, size: tuple[int, int]) -> Path:
        return FOLDER / f"{self.name}-{size[0]}x{size[1]}.svg"

    def draw(self, size: tuple[int, int]) -> str:
        drawn: list[str] = []

        async def script(stage: Stage) -> None:
            for key in self.keys:
                await stage.press(key)
                await stage.until(lambda: stage.is_still)
            await stage.until(lambda: self.ready(stage))
            await stage.settle()
            picture = stage.app.export_screenshot(title=f"{self.name} {size[0]}x{size[1]}")
            drawn.append(self_contained(picture))

        with in_utc(), chdir("/"):
            play(script, *self.engines(), size=size, shelves=self.shelves())
        return drawn[0]


@contextmanager
def in_utc() -> Iterator[None]:
    """Times of day are shown in the user's zone."""
    before = os.environ.get("TZ")
    os.environ["TZ"] = "UTC"
    time.tzset()
    try:
        yield
    finally:
        if before is None:
            del os.environ["TZ"]
        else:
            os.environ["TZ"] = before
        time.tzset()


def lines(svg: str) -> list[str]:
    """The text of a picture, line by line, for a message that people can read."""
    rows: dict[float, list[tuple[float, str]]] = {}
    for text in ElementTree.fromstring(svg).iter(f"{_SVG}text"):
        place = rows.setdefault(float(text.get("y", "0")), [])
        place.append((float(text.get("x", "0")), "".join(text.itertext())))
    return ["".join(part for _, part in sorted(row)).rstrip() for _, row in sorted(rows.items())]


def main(scenes: "list[Scene]") -> int:
    FOLDER.mkdir(exist_ok=True)
    for scene in scenes:
        for size in SIZES:
            scene.path(size).write_text(scene.draw(size), encoding="utf-8")
            sys.stdout.write(f"{scene.path(size).name}\n")
    return 0


if __name__ == "__main__":
    from tests.tui.scenes import SCENES

    sys.exit(main(SCENES))
