"""What all dialogs share."""

from s3dash.tui.cells import one
from s3dash.tui.screens.detail import DetailScreen
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
