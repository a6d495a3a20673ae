"""The dashboard on fake engines, as a process of its own. `broken` makes it fall over a bug."""

import sys
from dataclasses import replace

from s3dash.core.snapshot import Snapshot
from s3dash.tui.app import run_dashboard
from tests.tui.fake_engine import FakeEngine, busy


class Broken(FakeEngine):
    """Fails in a way that nobody foresaw, with a secret in a local variable."""

    def snapshot(self) -> Snapshot:
        password = "hunter2hunter2"
        if self.asked("start"):
            raise RuntimeError(f"login with {password} failed")
        return super().snapshot()


def main() -> int:
    snap = replace(busy(), locks=())
    engine = Broken(snap) if "broken" in sys.argv else FakeEngine(snap)
    code = run_dashboard([engine])
    started, stopped = len(engine.asked("start")), len(engine.asked("stop"))
    sys.stdout.write(f"started {started} stopped {stopped}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
