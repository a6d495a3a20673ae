"""An operation that has nothing to do looks at the cache once, and believes what it saw."""

from pathlib import Path
from typing import Any

import pytest

from s3dash.core.sidecar import mark
from s3dash.local import scan
from s3dash.local.sidecar import SidecarFile
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.ends import all_have
from tests.engine.faults import pair


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A word for each look at a whole cache."""
    seen: list[str] = []

    def counted(*args: Any, **options: Any) -> Any:
        seen.append("scan")
        return scan.scan(*args, **options)

    monkeypatch.setattr("s3dash.engine.observe.scan", counted)
    return seen


@pytest.mark.parametrize("call", ["push", "pull", "sync"])
def test_nothing_to_do_is_one_look(
    tmp_path: Path, memory: MemoryBucket, scans: list[str], call: str
) -> None:
    ada, _ = pair(tmp_path, memory, a="1", b="2")
    getattr(ada, call)()
    scans.clear()
    result = getattr(ada, call)()
    assert (result.unchanged, result.pushed, result.pulled) == (2, 0, 0)
    assert scans == ["scan"]


def test_after_a_push_the_cache_is_looked_at_again(
    tmp_path: Path, memory: MemoryBucket, scans: list[str]
) -> None:
    """Files go on changing while others are sent."""
    ada, bob = pair(tmp_path, memory, a="1", b="2")
    ada.write("files/a", "edited")
    scans.clear()
    assert ada.push().pushed == 1
    assert scans == ["scan", "scan"]
    bob.pull()
    all_have(lambda: MemoryStore(memory), {"files/a": "edited", "files/b": "2"}, ada, bob)


def test_a_mark_goes_only_after_a_look_that_is_newer(
    tmp_path: Path, memory: MemoryBucket, scans: list[str]
) -> None:
    ada, _ = pair(tmp_path, memory, a="1", b="2")
    sidecar = SidecarFile(ada.cache)
    sidecar.update(lambda now: mark(now, ["files/a"]))
    scans.clear()
    assert ada.push().pushed == 0
    assert scans == ["scan", "scan"]
    assert sidecar.read().dirtyPaths == ()
