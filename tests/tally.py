"""How much the reliability tests try, from which seed, what they counted and what they lost.

`make test` runs a short, seeded part of them; `--full` runs all. Each test counts what it tried
through its `effort`; the sums are printed at the end, over all worker processes.
"""

import random
from collections import Counter
from collections.abc import Collection, Iterator

import pytest

TALLY = "tally"
LOST = "lost"
_counts: Counter[str] = Counter()


class Effort:
    """What one test is to try, and its counts."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self.full: bool = request.config.getoption("full")
        self.seed: int = request.config.getoption("seed")
        self.counts: Counter[str] = Counter()
        self._name = request.node.nodeid

    def pick(self, short: int, full: int) -> int:
        """How many to try: `short` in `make test`, `full` in `make reliability`."""
        return full if self.full else short

    def dice(self) -> random.Random:
        """Chance, the same for the same seed and test."""
        return random.Random(f"{self.seed} {self._name}")

    def count(self, what: str, n: int = 1) -> None:
        """Add to a line of the summary, for example «kills survived»."""
        self.counts[what] += n

    def lost(self, what: Collection[object], story: str = "") -> None:
        """Fails, and counts in the summary, unless `what` is empty."""
        self.counts[LOST] += len(what)
        assert not what, f"lost: {sorted(map(str, what))}\n{story}"


@pytest.fixture
def effort(request: pytest.FixtureRequest) -> Iterator[Effort]:
    mine = Effort(request)
    yield mine
    request.node.user_properties.append((TALLY, dict(mine.counts)))


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("reliability")
    group.addoption("--full", action="store_true", help="try all, not the short seeded part")
    group.addoption("--seed", type=int, default=1, help="where the dice start")


def pytest_report_header(config: pytest.Config) -> str:
    return f"seed: {config.getoption('seed')}{', full' if config.getoption('full') else ''}"


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    if report.when == "teardown":
        for name, counts in report.user_properties:
            if name == TALLY and isinstance(counts, dict):
                _counts.update(counts)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    if not _counts:
        return
    write = terminalreporter.write_line
    terminalreporter.section("reliability")
    for what in sorted(_counts.keys() - {LOST}):
        write(f"{what}: {_counts[what]:,}")
    failed = len(terminalreporter.getreports("failed")) + len(terminalreporter.getreports("error"))
    write(f"seed: {config.getoption('seed')}")
    write(f"lost: {_counts[LOST]}" + (f", and {failed} tests failed" if failed else ""))
