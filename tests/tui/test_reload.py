"""Reading the configuration again while the screen runs."""

import threading
from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from s3dash.core.diff import Verdict
from s3dash.core.progress import Counts, Progress
from s3dash.core.screen import Palette, ScreenSettings
from s3dash.core.settings import Datastore
from s3dash.errors import ConfigError
from s3dash.tui.configured import Configured
from s3dash.tui.flows.reload import compare
from s3dash.tui.keytable.views import VIEWS
from s3dash.tui.screens.busy import BusyScreen
from s3dash.tui.screens.detail import DetailScreen
from s3dash.tui.screens.plan import PlanScreen
from s3dash.tui.theme import CONTRAST, NIGHT
from tests.tui.driver import NARROW, Stage, play
from tests.tui.fake_engine import FakeEngine, change, idle, refusing, settings


class File:
    """A configuration that a test writes, and the engines that were opened with it."""

    def __init__(self, *datastores: Datastore) -> None:
        self.datastores: Sequence[Datastore] = datastores
        self.screen = ScreenSettings()
        self.error: Exception | None = None
        self.opened: list[FakeEngine] = []
        self.refuses: Callable[[Datastore], bool] = lambda _: False

    def read(self) -> Configured:
        if self.error is not None:
            raise self.error
        return Configured(
            source="s3dash.toml",
            datastores=self.datastores,
            open_engine=self.open,
            screen=self.screen,
        )

    def open(self, wanted: Datastore) -> FakeEngine:
        if self.refuses(wanted):
            raise refusing("the disk is full")
        engine = FakeEngine(idle(wanted.name, wanted.namespace))
        engine.settings_ = wanted
        self.opened.append(engine)
        return engine


def one(name: str = "prod-minio", namespace: str | None = "infra") -> FakeEngine:
    return FakeEngine(idle(name, namespace))


def names(stage: Stage) -> list[str]:
    return [site.name for site in stage.app.look.sites]


async def again(stage: Stage, words: str) -> None:
    stage.app.tell("before")
    await stage.press("ctrl+r")
    await stage.until(lambda: words in stage.event)
    await stage.rest()


def test_what_differs_is_found_by_name() -> None:
    old = {name: settings(name) for name in ("a", "b", "c")}
    now = [replace(settings("b"), poll_interval_s=5.0), settings("c"), settings("d")]
    assert compare(old, now) == (["d"], ["a"], ["b"])


# --- the screen itself ----------------------------------------------------------------------


def test_keys_and_colours_take_effect_at_once() -> None:
    file = File(settings())
    file.screen = ScreenSettings(theme="s3dash-contrast", keys={"push": ("f5",)})

    async def script(stage: Stage) -> None:
        assert stage.app.theme == NIGHT.name
        await again(stage, "s3dash.toml read again: the datastores are the same")
        assert stage.app.theme == CONTRAST.name
        assert "screen      s3dash.toml read again" in stage.text()
        assert "f5 push" in stage.line("#keys")
        await stage.press("f5")
        await stage.opened(PlanScreen)
        await stage.press("escape")
        file.screen = ScreenSettings()
        await again(stage, "read again")
        assert stage.app.theme == NIGHT.name
        assert "P push" in stage.line("#keys")

    play(script, one(), reload=file.read)
    assert file.opened == []


def test_a_theme_chosen_meanwhile_stays_while_the_file_says_the_same() -> None:
    file = File(settings())

    async def script(stage: Stage) -> None:
        stage.app.theme = "nord"
        await again(stage, "read again")
        assert stage.app.theme == "nord"
        file.screen = ScreenSettings(theme="mine", themes={"mine": Palette(primary="#ff8800")})
        await again(stage, "read again")
        assert (stage.app.theme, stage.app.current_theme.primary) == ("mine", "#ff8800")
        file.screen = replace(file.screen, themes={"mine": Palette(primary="#0088ff")})
        await again(stage, "read again")
        assert stage.app.current_theme.primary == "#0088ff"
        file.screen = ScreenSettings()
        await again(stage, "read again")
        assert stage.app.theme == NIGHT.name
        assert "mine" not in stage.app.available_themes

    play(script, one(), reload=file.read)


def test_a_clash_keeps_the_keys_and_is_shown_with_file_and_table() -> None:
    file = File(settings())
    file.screen = ScreenSettings(keys={"push": ("p",), "auto": ("f99",)}, theme="nosuch")

    async def script(stage: Stage) -> None:
        await stage.press("ctrl+r")
        await stage.opened(DetailScreen)
        text = stage.line("#detail-text")
        assert "s3dash.toml: [screen]: keys: p: both push and pull in every view" in text
        assert "auto: f99: no such key" in text
        assert "theme: no such theme" in text
        await stage.press("escape")
        assert stage.app.theme == NIGHT.name
        assert "P push" in stage.line("#keys")

    play(script, one(), reload=file.read)


def test_accessible_no_color_and_notices_are_taken_up() -> None:
    file = File(settings())
    file.screen = ScreenSettings(accessible=True, no_color=True, notify_after_s=0)

    async def script(stage: Stage) -> None:
        assert "─" in stage.text()
        await again(stage, "read again")
        assert stage.app.has_class("-accessible", "-no-color")
        await stage.press("2")
        assert stage.event.endswith("Dirty: 0 rows")
        assert "─" not in stage.text()
        file.screen = ScreenSettings()
        await again(stage, "read again")
        assert not stage.app.has_class("-accessible")
        assert "─" in stage.text()

    play(script, one(), reload=file.read)


# --- an invalid file ------------------------------------------------------------------------


@pytest.mark.parametrize("size", [NARROW, (120, 40)])
def test_an_invalid_file_changes_nothing_and_all_its_errors_can_be_read(
    size: tuple[int, int],
) -> None:
    file = File()
    lines = [f"s3dash.toml: [datastores.d{n}]: bucket: missing" for n in range(60)]
    file.error = ConfigError("60 problems in the configuration:\n" + "\n".join(lines))

    async def script(stage: Stage) -> None:
        await stage.press("ctrl+r")
        screen = await stage.opened(DetailScreen)
        assert "60 problems" in stage.line("#detail-text")
        assert lines[59] in stage.line("#detail-text")
        scroll = screen.query_one("#detail-scroll")
        await stage.press("pagedown", "pagedown")
        await stage.until(lambda: scroll.scroll_offset.y > 0)
        await stage.press("escape")
        assert "the last good one stays" in stage.event
        assert names(stage) == ["prod-minio"]
        await stage.press("9")
        assert any("[datastores.d" in row for row in stage.rows())

    engine = one()
    play(script, engine, size=size, reload=file.read)
    assert engine.asked("stop") == []


def test_without_a_file_the_command_says_why() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("ctrl+r")
        assert "there is no configuration file to read" in stage.event

    play(script, one())


# --- datastores -----------------------------------------------------------------------------


def test_datastores_come_and_go() -> None:
    file = File(settings("staging"), settings("fresh"))
    gone, stays = one(), one("staging")

    async def script(stage: Stage) -> None:
        await again(stage, "read again: new: fresh, gone: prod-minio")
        assert names(stage) == ["staging", "fresh"]
        assert stage.app.look.site.name == "staging"
        assert "staging" in stage.line("#header")
        for view in VIEWS:
            await stage.press(view.keys)

    play(script, gone, stays, reload=file.read)
    assert (len(gone.asked("stop")), stays.asked("stop")) == (1, [])
    assert [len(engine.asked("start")) for engine in file.opened] == [1]


def test_the_current_datastore_stays_current_when_another_comes_before_it() -> None:
    file = File(settings("first"), settings())

    async def script(stage: Stage) -> None:
        await again(stage, "new: first")
        assert names(stage) == ["first", "prod-minio"]
        assert stage.app.look.site.name == "prod-minio"

    play(script, one(), reload=file.read)


def test_changed_settings_open_the_engine_anew_in_the_namespace_of_the_user() -> None:
    file = File(replace(settings(), poll_interval_s=5.0))
    engine = one(namespace="web")
    engine.settings_ = settings()

    async def script(stage: Stage) -> None:
        engine.settings_ = settings(namespace="web")
        await again(stage, "changed: prod-minio")
        wanted = replace(settings().within("web"), poll_interval_s=5.0)
        assert file.opened[0].settings == wanted
        assert stage.app.engine is file.opened[0]

    play(script, engine, reload=file.read)
    assert len(engine.asked("stop")) == 1


def test_an_engine_that_cannot_be_opened_anew_comes_back_as_it_was() -> None:
    file = File(replace(settings(), poll_interval_s=5.0))
    file.refuses = lambda wanted: wanted.poll_interval_s == 5.0

    async def script(stage: Stage) -> None:
        await stage.press("ctrl+r")
        await stage.until(lambda: file.opened and stage.app.engine is file.opened[0])
        assert stage.app.engine.settings == settings()
        await stage.press("9")
        await stage.until(lambda: any("cannot be opened: the d" in row for row in stage.rows()))

    play(script, one(), reload=file.read)


def test_a_new_datastore_that_cannot_be_opened_is_told_and_left_out() -> None:
    file = File(settings(), settings("fresh"))
    file.refuses = lambda wanted: True

    async def script(stage: Stage) -> None:
        await stage.press("9", "ctrl+r")
        await stage.until(lambda: any("fresh cannot be opened" in row for row in stage.rows()))
        assert names(stage) == ["prod-minio"]

    play(script, one(), reload=file.read)


def test_the_last_datastore_is_not_taken_away() -> None:
    async def script(stage: Stage) -> None:
        await again(stage, "no shared cache would be left")
        assert names(stage) == ["prod-minio"]

    play(script, one(), reload=File().read)


def working() -> FakeEngine:
    moving = Progress(counts=Counts(active=1))
    return FakeEngine(idle(state="pushing", progress=moving))


@pytest.mark.parametrize("key", ["escape", "enter"])
def test_one_at_work_is_asked_about_and_may_stay(key: str) -> None:
    file, engine = File(settings("fresh")), working()

    async def script(stage: Stage) -> None:
        await stage.press("ctrl+r")
        await stage.opened(BusyScreen)
        assert "prod-minio: at work" in stage.line("#busy-text")
        await stage.press(key)
        await stage.until(lambda: "stay as they were" in stage.event)
        assert names(stage) == ["prod-minio"]

    play(script, engine, reload=file.read)
    assert engine.asked("stop") == []
    assert file.opened == []


def test_one_at_work_may_end_first() -> None:
    file, engine = File(settings("fresh")), working()

    async def script(stage: Stage) -> None:
        await stage.press("ctrl+r")
        await stage.opened(BusyScreen)
        await stage.press("w")
        await stage.until(lambda: "waiting for prod-minio" in stage.event)
        assert engine.asked("stop") == []
        await stage.press("ctrl+r")
        assert "still reading" in stage.event
        engine.snap = idle()
        await stage.settle()
        await stage.until(lambda: names(stage) == ["fresh"] and engine.asked("stop"))

    play(script, engine, reload=file.read)
    assert len(engine.asked("stop")) == 1


async def pushing(stage: Stage, engine: FakeEngine) -> None:
    """A push from here that goes on until it is cancelled."""
    engine.changes, engine.gate = [change("a", Verdict.LOCAL_ADDED)], threading.Event()
    await stage.press("P")
    await stage.opened(PlanScreen)
    await stage.until(lambda: "Comparing" not in stage.text())
    stage.clock.advance(1.0)
    await stage.press("enter")
    await stage.until(engine.running.is_set)


def test_one_at_work_may_be_stopped() -> None:
    file, engine = File(settings("fresh")), one()

    async def script(stage: Stage) -> None:
        await pushing(stage, engine)
        await stage.press("ctrl+r")
        await stage.opened(BusyScreen)
        await stage.press("y")
        await stage.until(lambda: names(stage) == ["fresh"] and engine.asked("stop"))

    play(script, engine, reload=file.read)
    assert len(engine.asked("stop")) == 1


def test_stopping_one_at_work_leaves_what_runs_in_another_alone() -> None:
    here, other = one("here"), working()
    other.auto.on_cancel = lambda: setattr(other, "snap", idle())
    file = File(here.settings)

    async def script(stage: Stage) -> None:
        await pushing(stage, here)
        await stage.press("ctrl+r")
        await stage.opened(BusyScreen)
        await stage.press("y")
        await stage.until(lambda: names(stage) == ["here"])
        assert stage.app.look.running is not None
        assert other.auto.cancelled == 1
        assert here.gate is not None
        here.gate.set()
        await stage.until(lambda: stage.app.look.running is None)
        assert "cancelled" not in stage.event

    play(script, here, other, reload=file.read)


def test_what_could_not_be_taken_up_is_tried_again() -> None:
    wanted = replace(settings(), poll_interval_s=5.0)
    file = File(wanted)
    file.refuses = lambda wanted: wanted.poll_interval_s == 5.0

    async def script(stage: Stage) -> None:
        await stage.press("ctrl+r")
        await stage.until(lambda: "cannot be opened: the disk" in stage.event)
        await stage.until(lambda: not stage.app.reloading)
        file.refuses = lambda _: False
        await again(stage, "changed: prod-minio")
        assert stage.app.engine.settings == wanted

    play(script, one(), reload=file.read)


def test_a_datastore_with_another_name_takes_its_cache_over() -> None:
    """One engine owns a cache: the old one ends before the new one is opened, not after."""
    engine, renamed = one(), replace(settings(), name="prod")
    file = File(renamed)
    before: list[int] = []

    def refuses(wanted: Datastore) -> bool:
        before.append(len(engine.asked("stop")))
        return False

    file.refuses = refuses

    async def script(stage: Stage) -> None:
        await again(stage, "new: prod, gone: prod-minio")
        assert names(stage) == ["prod"]
        assert stage.app.opened == file.opened

    play(script, engine, reload=file.read)
    assert before == [1]
    assert len(engine.asked("stop")) == 1
