"""How the command line opens the screen: with which engines, and for another namespace."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from s3dash.cli.screen import show
from s3dash.core.settings import Datastore
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
    ) -> int:
        assert list(given) == engines
        assert no_color is True
        assert open_namespace("one", "web").settings.namespace == "web"
        assert open_namespace("two", None).settings.name == "two"
        return 7

    code = show(engines, open_engine=open_engine, no_color=True, run_dashboard=dashboard)
    assert code == 7
    assert opened == [settings("one", "web"), settings("two")]


@pytest.mark.parametrize(("asked", "passed"), [(True, True), (False, None)])
def test_without_the_option_the_environment_decides_on_colours(
    asked: bool, passed: bool | None
) -> None:
    seen = []

    def dashboard(engines: object, *, open_namespace: object, no_color: bool | None) -> int:
        seen.append(no_color)
        return 0

    show([], open_engine=FakeEngine, no_color=asked, run_dashboard=dashboard)
    assert seen == [passed]
