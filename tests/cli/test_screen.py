"""How the command line opens the screen: with which engines, and for another namespace."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from s3dash.cli.options import Options
from s3dash.cli.screen import show, wished
from s3dash.core.screen import ScreenSettings
from s3dash.core.settings import Datastore
from s3dash.tui.configured import Configured, Reload
from tests.cli.fakes import FakeEngine


def settings(name: str, namespace: str | None = None) -> Datastore:
    return Datastore(
        name=name, bucket="b", cache=Path("/c"), state_dir=Path("/s"), namespace=namespace
    )


def test_the_screen_gets_the_engines_and_opens_other_namespaces_of_the_same_datastore() -> None:
    engines = [FakeEngine(settings("one", "infra")), FakeEngine(settings("two"))]
    opened: list[Datastore] = []

    def open_engine(wanted: Datastore) -> FakeEngine:
        opened.append(wanted)
        return FakeEngine(wanted)

    def dashboard(
        given: Sequence[FakeEngine],
        *,
        open_namespace: Callable[[str, str | None], FakeEngine],
        no_color: bool | None,
        **_: object,
    ) -> int:
        assert list(given) == engines
        assert no_color is True
        assert open_namespace("one", "web").settings.namespace == "web"
        assert open_namespace("two", None).settings.name == "two"
        return 7

    code = show(engines, open_engine=open_engine, no_color=True, run_dashboard=dashboard)
    assert code == 7
    assert opened == [replace(settings("one", "web"), home="infra"), settings("two")]
    assert [one.is_guest for one in opened] == [True, False]


@pytest.mark.parametrize(("asked", "passed"), [(True, True), (False, None)])
def test_without_the_option_the_environment_decides_on_colours(
    asked: bool, passed: bool | None
) -> None:
    seen = []

    def dashboard(engines: object, *, no_color: bool | None, **_: object) -> int:
        seen.append(no_color)
        return 0

    engines = [FakeEngine(settings("one"))]
    show(engines, open_engine=FakeEngine, no_color=asked, run_dashboard=dashboard)
    assert seen == [passed]


def test_other_namespaces_are_opened_as_the_file_says_when_it_was_read_again() -> None:
    new = replace(settings("one", "infra"), poll_interval_s=5.0)
    found = Configured(
        source="s3dash.toml",
        datastores=[new, settings("three")],
        open_engine=lambda wanted: FakeEngine(wanted, calls=[("new", None)]),
    )

    def dashboard(
        engines: object,
        *,
        open_namespace: Callable[[str, str | None], FakeEngine],
        reload: Reload,
        **_: object,
    ) -> int:
        assert open_namespace("one", "web").calls == []
        assert reload() is found
        opened = open_namespace("one", "web")
        assert opened.calls == [("new", None)]
        assert opened.settings == replace(new, namespace="web", home="infra")
        assert open_namespace("three", None).settings.name == "three"
        return 0

    show(
        [FakeEngine(settings("one", "infra"))],
        open_engine=FakeEngine,
        no_color=False,
        reload=lambda: found,
        run_dashboard=dashboard,
    )


@pytest.mark.parametrize(
    ("options", "given", "wished_for"),
    [
        (Options(), ScreenSettings(), ScreenSettings()),
        (Options(accessible=True), ScreenSettings(), ScreenSettings(accessible=True)),
        (Options(no_mouse=True), ScreenSettings(), ScreenSettings(mouse=False)),
        (Options(no_color=True), ScreenSettings(), ScreenSettings(no_color=True)),
        (Options(), ScreenSettings(mouse=False), ScreenSettings(mouse=False)),
        (Options(), ScreenSettings(accessible=True), ScreenSettings(accessible=True)),
    ],
)
def test_the_command_line_adds_to_what_the_file_wishes(
    options: Options, given: ScreenSettings, wished_for: ScreenSettings
) -> None:
    assert wished(given, options) == wished_for
