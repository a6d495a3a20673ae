"""Scenario 22 where the stat tells nothing: every file is read again now and then."""

from datetime import datetime, timedelta
from pathlib import Path

import pytest

from s3dash.clock import SystemClock
from s3dash.engine import rehash
from s3dash.engine.open import state_file
from s3dash.local.scan import FileStat
from s3dash.local.state import BaseRow, State
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.ends import all_have
from tests.engine.faults import machine
from tests.engine.world import Machine

DAY_NS = 86_400_000_000_000
NOW = 100 * DAY_NS


class Later(SystemClock):
    """The machine's clock, some days ahead."""

    def __init__(self, days: float) -> None:
        self._ahead = timedelta(days=days)

    def now(self) -> datetime:
        return super().now() + self._ahead


def edit_without_a_trace(ada: Machine, rel: str, text: str) -> None:
    """As on a file system that keeps neither ctime nor inode: base has the new file's stat."""
    ada.status()
    ada.write(rel, text)
    state = State(state_file(ada.settings))
    try:
        verified_ns = state.base_rows()[rel].verified_ns
        state.restat([(rel, FileStat.of((ada.base / rel).lstat()), verified_ns + DAY_NS)])
    finally:
        state.close()


@pytest.mark.parametrize(("days", "found"), [(0.0, True), (2.0, True), (7.0, False)])
def test_22_an_edit_that_no_stat_tells_of_is_found_when_its_file_is_due(
    tmp_path: Path, memory: MemoryBucket, days: float, found: bool
) -> None:
    ada, bob = machine(tmp_path / "ada", memory), machine(tmp_path / "bob", memory)
    ada.write("files/a", "base")
    ada.write("files/b", "base")
    ada.push()
    edit_without_a_trace(ada, "files/a", "edit")
    assert ada.status().local.dirty == []
    later = machine(tmp_path / "ada", memory, full_hash_days=days)
    later.clock = Later(5)
    assert [row.path for row in later.status().local.dirty] == (["files/a"] if found else [])
    assert later.push().pushed == int(found)
    if found:
        bob.pull()
        all_have(lambda: MemoryStore(memory), {"files/a": "edit", "files/b": "base"}, bob)


def rows(**verified_days: float) -> dict[str, BaseRow]:
    return {
        rel: BaseRow(rel, "", 1, "", None, None, int(at * DAY_NS))
        for rel, at in verified_days.items()
    }


def files(size: int, *rels: str) -> dict[str, FileStat]:
    return {rel: FileStat(size, 0, 0, 0) for rel in rels}


def test_what_was_read_longest_ago_comes_first_and_not_all_at_once() -> None:
    known = rows(old=1, older=0.5, fresh=99, future=120, gone=1)
    here = files(rehash.BYTES // 2, "old", "older", "fresh", "future")
    assert rehash.due(known, here, now_ns=NOW, days=7) == ["older", "old"]
    assert rehash.due(known, here, now_ns=NOW, days=99.2) == ["older", "future"]


def test_a_file_beyond_the_bound_has_its_turn_too() -> None:
    known, here = rows(large=1, small=2), files(rehash.BYTES * 9, "large", "small")
    assert rehash.due(known, here, now_ns=NOW, days=7) == ["large"]


def test_many_files_are_spread_over_many_looks() -> None:
    names = [f"f{n}" for n in range(rehash.FILES * 3)]
    known = rows(**dict.fromkeys(names, 1.0))
    assert len(rehash.due(known, files(0, *names), now_ns=NOW, days=7)) == rehash.FILES
    assert len(rehash.due(known, files(0, *names), now_ns=NOW, days=0)) == len(names)
