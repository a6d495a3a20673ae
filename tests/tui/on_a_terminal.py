"""The dashboard on fake engines, as a process of its own.

`broken` makes it fall over a bug; `into=FILE` says there how it ended.
"""

import sys
from dataclasses import replace
from pathlib import Path

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
    told = f"started {started} stopped {stopped}\n"
    for argument in sys.argv:
        if argument.startswith("into="):
            Path(argument.removeprefix("into=")).write_text(told)
            return code
    sys.stdout.write(told)
    return code


if __name__ == "__main__":
    sys.exit(main())
