"""What all dialogs share."""

import asyncio

import pytest

from s3dash.tui.cells import one
from s3dash.tui.screens.detail import DetailScreen
from tests.tui import dialogs
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import FakeEngine


def test_keys_that_come_in_faster_than_a_dialog_closes_answer_once() -> None:
    answers: list[object] = []

    async def script(stage: Stage) -> None:
        screen = DetailScreen("about", lambda: [one("text")])
        await stage.app.push_screen(screen, answers.append)
        for _ in range(3):
            screen.dismiss(None)
        await stage.rest()
        assert stage.at_home
        screen.dismiss(None)
        await stage.rest()
        assert stage.at_home

    play(script, FakeEngine())
    assert answers == [None]


@pytest.mark.parametrize("name", dialogs.kinds())
def test_what_comes_while_a_dialog_opens_or_closes_breaks_nothing(name: str) -> None:
    """Until its parts are there, and while they are taken down, the engines go on telling."""

    async def script(stage: Stage) -> None:
        screen = dialogs.make(dialogs.kinds()[name], stage.app, [])
        opening = asyncio.ensure_future(stage.app.push_screen(screen))
        while not opening.done():
            stage.app.show_dialog()
            await asyncio.sleep(0)
        closing = screen.dismiss(None)
        while not closing.is_done:
            dialogs.fill(screen)
            dialogs.fails(screen)
            stage.app.show_dialog()
            await asyncio.sleep(0)
        await stage.rest()
        assert stage.at_home

    play(script, FakeEngine())
