"""Every view and dialog looks as it did when somebody last looked: pictures at two sizes."""

import difflib

import pytest

from tests.tui import pictures
from tests.tui.pictures import SIZES, Scene
from tests.tui.scenes import SCENES


@pytest.mark.parametrize("size", SIZES, ids=lambda size: f"{size[0]}x{size[1]}")
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_it_looks_as_it_did(scene: Scene, size: tuple[int, int]) -> None:
    want, drawn = scene.path(size).read_text(encoding="utf-8"), scene.draw(size)
    if drawn != want:
        before, now = pictures.lines(want), pictures.lines(drawn)
        told = "\n".join(difflib.unified_diff(before, now, "before", "now", lineterm="", n=0))
        pytest.fail(f"{scene.path(size).name} looks different:\n{told or 'only the colours'}")
