"""Reliability section 3, «Model check»: all interleavings of whole pushes, lock assumed worthless.

The clients are real engines on the store in memory; see `explorer`. For each case the schedules
are explored without a crash and with one crash of ours at any request, and the invariants are
watched at every write. Then every end goes through recovery and a last sync; the short form takes
all ends without a crash, and some of the others.
"""

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.engine.invariants import Invariants
from tests.reliability.commit_cases import CASES, Case
from tests.reliability.commit_ends import distinct, settle
from tests.reliability.commit_model import pushes
from tests.reliability.explorer import Explorer
from tests.tally import Effort

SHORT_CASES = (
    "same_path-v2",
    "two_shards-v2",
    "same_path-v1",
    "plain_same_shard-v2",
    "plain_stale-v2",
    "same_path-v2-large",
    "plain_same_shard-v2-large",
)
SHORT_CRASHES = ("same_path-v2", "both_create-v2", "plain_same_path-v2")
SHORT_ENDS = 8
"""What `make test` takes: these cases, and some of the ends with a crash."""

MEMORY = Path("/dev/shm")
"""Where Linux keeps files in memory: homes are copied some thousand times."""


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    below = MEMORY if os.access(MEMORY, os.W_OK) else tmp_path
    with tempfile.TemporaryDirectory(prefix="s3dash-", dir=below) as name:
        yield Path(name)


def explore(case: Case, home: Path, effort: Effort, *, crashes: int) -> None:
    clients, objects, wanted = case.build(home, pushes)
    rules = Invariants(plain=case.plain)
    explored = Explorer(clients, objects, crashes=crashes, watch=rules.watch)
    effort.count("schedules explored", explored.schedules)
    effort.count("commit states explored", explored.states)
    effort.count("writes held to the invariants", rules.checked)
    ends = explored.ends
    if crashes:
        ends = effort.dice().sample(ends, min(len(ends), effort.pick(SHORT_ENDS, len(ends))))
    ends = distinct(ends)
    for at, end in enumerate(ends):
        settle(end, home / f"end-{at}", wanted, Invariants(plain=case.plain))
    effort.count("commit ends recovered", len(ends))


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """All cases with `--full`, else those of the short form."""
    crash = metafunc.function is test_a_crash_at_any_request_of_any_interleaving_loses_nothing
    cases = [case for case in CASES if case.crashes or not crash]
    if not metafunc.config.getoption("full"):
        short = SHORT_CRASHES if crash else SHORT_CASES
        cases = [case for case in cases if case.name in short]
    metafunc.parametrize("case", cases, ids=[case.name for case in cases])


def test_every_interleaving_of_two_pushes_loses_nothing(
    home: Path, effort: Effort, case: Case
) -> None:
    explore(case, home, effort, crashes=0)


def test_a_crash_at_any_request_of_any_interleaving_loses_nothing(
    home: Path, effort: Effort, case: Case
) -> None:
    explore(case, home, effort, crashes=1)
