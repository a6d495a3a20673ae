"""What an engine is doing, as those who look see it."""

from s3dash.clock import SystemClock
from s3dash.engine.bus import Bus
from s3dash.engine.stage import Stage


def test_counts_are_seen_and_not_announced() -> None:
    bus = Bus()
    box = bus.subscribe(capacity=16)
    stage = Stage(bus, SystemClock(), "team")
    with stage.during("scanning"):
        for number in range(1000):
            stage.count(f"{number} files")
        assert stage.now == ("scanning", "999 files")
        assert len(box.drain()) == 1
    assert stage.now == ("starting", "")
