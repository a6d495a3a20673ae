from collections.abc import Callable, Sequence

import pytest
from msgspec.structs import replace

from s3dash.core.snapshot import State
from s3dash.tui.steady import GLANCE_S, Steady
from tests.tui.fake_engine import idle


def shown(latencies: Sequence[float | None]) -> list[float | None]:
    steady = Steady()
    return [steady(idle(latency_ms=ms), float(n)).latency_ms for n, ms in enumerate(latencies)]


@pytest.mark.parametrize(
    ("latencies", "expected"),
    [
        ([41.0, 45.0, 38.0, 55.0], [41.0, 41.0, 41.0, 41.0]),
        ([2.0, 101.0, 3.0], [2.0, 2.0, 2.0]),
        ([41.0, 99.0, 98.0, 97.0], [41.0, 41.0, 98.0, 98.0]),
        ([41.0, None, 99.0], [41.0, None, 99.0]),
        ([41.0, 400.0, 400.0, 400.0], [41.0, 41.0, 41.0, 41.0]),
    ],
    ids=["jitter", "one slow answer", "it stays", "a new beginning", "one answer, seen often"],
)
def test_a_latency_is_news_when_it_stays_another_one(
    latencies: list[float | None], expected: list[float | None]
) -> None:
    assert shown(latencies) == expected


def states(*given: tuple[float, State]) -> list[str]:
    steady = Steady()
    return [steady(idle(state=state, detail="what"), at).state for at, state in given]


def test_a_short_look_of_an_idle_engine_is_not_shown() -> None:
    assert states((0, "idle"), (0.25, "scanning"), (0.5, "comparing"), (0.75, "idle")) == [
        "idle", "idle", "idle", "idle",
    ]  # fmt: skip


def test_an_idle_engine_has_nothing_to_add() -> None:
    assert Steady()(idle(detail="200 files"), 0.0).detail == ""
    assert Steady()(idle(state="pushing", detail="2 of 3"), 0.0).detail == "2 of 3"


def test_a_look_that_takes_its_time_is_shown_and_so_is_one_that_is_no_look_from_idle() -> None:
    late = GLANCE_S + 0.25
    assert states((0, "idle"), (0.25, "scanning"), (late, "scanning"))[-1] == "scanning"
    assert states((0, "starting"), (0.25, "scanning"))[-1] == "scanning"
    assert states((0, "idle"), (0.25, "pushing"), (0.5, "comparing"))[-1] == "comparing"


@pytest.mark.parametrize("change", [lambda s: s, lambda s: replace(s, state="pushing")])
def test_what_is_not_held_still_is_the_same_object(change: Callable[..., object]) -> None:
    snapshot = change(idle())
    assert Steady()(snapshot, 0.0) is snapshot  # type: ignore[arg-type] # both make snapshots
