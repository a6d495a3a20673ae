"""The screen where no shared cache is configured: the Explorer works, the others say why not."""

import asyncio

import pytest

from s3dash.engine.api import EngineApi
from s3dash.engine.uncached import uncached
from s3dash.tui.app import DashApp
from tests.tui.driver import Stage
from tests.tui.fake_engine import FakeClock
from tests.tui.shelves import store
from tests.tui.test_explorer import docs


async def shown(*keys: str) -> str:
    engine: EngineApi = uncached(store("docs"))
    clock = FakeClock()
    app = DashApp([engine], clock=clock, shelves=docs().shelves(first="docs"))
    async with app.run_test(size=(120, 40)) as pilot:
        stage = Stage(app, pilot, clock)
        await stage.until(lambda: app.exploring.state == "listed")
        await stage.rest()
        assert "a.txt" in stage.text()
        await stage.press(*keys)
        return stage.text()


def test_views_of_a_cache_say_why_they_are_empty() -> None:
    for number in "2456":
        assert "docs holds files: this view is for a shared cache" in asyncio.run(shown(number))


def test_the_overview_says_what_it_holds() -> None:
    text = asyncio.run(shown("1"))
    assert "○ no cache" in text
    assert "8 explores it" in text
    assert "watching" not in text


@pytest.mark.parametrize("key", ["P", "p", "s", "N", "Z", "L"])
def test_commands_of_a_cache_are_refused_with_the_reason(key: str) -> None:
    assert "8 Explorer is for those" in asyncio.run(shown("1", key))
