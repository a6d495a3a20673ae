"""The dashboard on an engine that only pretends: what the screen alone costs.

python -m benchmarks.fake_screen dirty COUNT      so many dirty paths
python -m benchmarks.fake_screen moving COUNT     so many transfers that never end
"""

import sys
import time

from msgspec.structs import replace

from s3dash.core.progress import Progress, Rate, Transfer
from s3dash.core.snapshot import DirtyRow, Snapshot
from s3dash.tui.run import run_dashboard
from tests.tui.fake_engine import FakeEngine, ago, idle, moving

SIZE = 1 << 30
SPEED = 1 << 20


class Moving(FakeEngine):
    """Transfers that all move at about a MiB a second."""

    def __init__(self, count: int) -> None:
        super().__init__(idle())
        now = time.monotonic()
        self._rows = [
            Transfer(n, "up", f"data/file-{n:05d}.bin", SIZE, 0, "active", 1, now)
            for n in range(count)
        ]

    def snapshot(self) -> Snapshot:
        now = time.monotonic()
        for row in self._rows:
            row.done = min(SIZE, int((now - row.started) * SPEED * (1 + row.id % 7 / 10)))
        speed = len(self._rows) * SPEED * (1 + (int(now * 4) % 5) / 50)
        progress: Progress = moving(self._rows, Rate(speed, 0.0))
        return replace(self.snap, state="pushing", progress=progress)


def dirty_rows(count: int) -> tuple[DirtyRow, ...]:
    since = ago(300)
    return tuple(
        DirtyRow(f"data/{n // 1000:04d}/file-{n:07d}.bin", "modified", 2048, since, "size differs")
        for n in range(count)
    )


def main(kind: str, count: int) -> int:
    engine = Moving(count) if kind == "moving" else FakeEngine(idle(dirty=dirty_rows(count)))
    return run_dashboard([engine])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], int(sys.argv[2])))
