"""The event bus: what was dropped stays counted, whoever has gone since."""

from s3dash.core.events import LocksChanged
from s3dash.engine.bus import Bus


def test_drops_are_counted_for_good() -> None:
    """A counter that went down would be taken for a new beginning by who reads the metrics."""
    bus = Bus()
    stays, goes = bus.subscribe(capacity=2), bus.subscribe(capacity=1)
    for _ in range(3):
        bus.publish(LocksChanged(at="", datastore="", count=0))
    assert (stays.dropped, goes.dropped, bus.dropped) == (1, 2, 3)
    goes.close()
    goes.close()
    assert bus.dropped == 3
