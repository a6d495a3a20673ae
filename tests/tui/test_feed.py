from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.clock import iso
from s3dash.core.events import StateChanged, TransferChanged
from s3dash.core.progress import Progress, Rate
from s3dash.core.snapshot import AutoSync, HistoryRow
from s3dash.tui.feed import Feed, essence, log_row
from tests.tui.fake_engine import NOW, FakeEngine, ago, busy, dirty, idle, lock


def feed(engine: FakeEngine) -> Feed:
    return Feed(engine, mono=1000.0)


def test_an_idle_engine_is_no_news() -> None:
    engine = FakeEngine(busy())
    followed = feed(engine)
    for second in range(1, 9):
        engine.snap = replace(engine.snap, progress=Progress())
        assert followed.poll(1000.0 + second) == (False, [])


@pytest.mark.parametrize(
    "fields",
    [
        {"state": "pushing"},
        {"healthy": False},
        {"dirty": (dirty("x"),)},
        {"locks": (lock(),)},
        {"last_push": ago(1)},
        {"latency_ms": None},
        {"lock_held_s": 3.0},
        {"auto": AutoSync(True, 30.0, 12.0)},
        {"progress": Progress(rate=Rate(5.0, 0.0))},
        {"read_only": "pid 3"},
    ],
    ids=lambda fields: next(iter(fields)),
)
def test_whatever_can_be_seen_is_news(fields: dict[str, Any]) -> None:
    engine = FakeEngine(idle())
    followed = feed(engine)
    engine.snap = replace(engine.snap, **fields)
    assert followed.poll(1000.25)[0]
    assert not followed.poll(1000.5)[0]


def test_times_are_news_once_a_second() -> None:
    at = replace(idle(), lock_held_s=3.1)
    assert essence(at) == essence(replace(at, lock_held_s=3.9))
    assert essence(at) != essence(replace(at, lock_held_s=4.0))


def test_notes_become_lines_of_the_log() -> None:
    engine = FakeEngine()
    followed = feed(engine)
    engine.note("2 pushed")
    changed, fresh = followed.poll(1000.25)
    assert changed
    assert [row.text for row in fresh] == ["2 pushed"]
    assert [row.text for row in followed.site.log] == ["2 pushed"]


def test_only_failed_transfers_make_a_line() -> None:
    def event(state: str) -> TransferChanged:
        return TransferChanged(
            at=iso(NOW), datastore="d", transfer_id=1, path="p", state=state, error="why"
        )

    row = log_row(event("failed"))
    assert row is not None
    assert (row.level, row.text) == ("error", "p: why")
    assert log_row(event("done")) is None
    assert log_row(StateChanged(at=iso(NOW), datastore="d", state="idle")) is None


def test_history_comes_before_and_is_not_doubled() -> None:
    engine = FakeEngine()
    followed = feed(engine)
    engine.note("new")
    followed.poll(1000.25)
    new = followed.site.log[0]
    followed.take_history([HistoryRow(ago(99), "push", "info", "old"), new])
    assert [row.text for row in followed.site.log] == ["old", "new"]


def test_throughput_is_sampled_once_a_second_and_falls_silent() -> None:
    engine = FakeEngine(idle(progress=Progress(rate=Rate(1000.0, 0.0))))
    followed = feed(engine)
    for quarter in range(1, 9):
        followed.poll(1000.0 + quarter / 4)
    assert followed.site.up == (1000.0, 1000.0)
    assert followed.site.down == (0.0, 0.0)


def test_the_age_of_locks_counts_from_the_look_that_found_them() -> None:
    engine = FakeEngine(idle())
    followed = feed(engine)
    engine.snap = replace(engine.snap, locks=(lock(),))
    followed.poll(1004.0)
    assert followed.site.seen_at == 1004.0
    followed.poll(1008.0)
    assert followed.site.seen_at == 1004.0


def test_dirty_bytes_are_summed() -> None:
    rows = (dirty("a", size=5), dirty("b", size=7))
    assert feed(FakeEngine(idle(dirty=rows))).site.dirty_bytes == 12


def test_closing_ends_the_subscription() -> None:
    engine = FakeEngine()
    feed(engine).close()
    assert engine.boxes[0].closed
