"""Writes that come to an answer, whatever was lost on the way."""

from pathlib import Path

import pytest

from s3dash.errors import PreconditionFailed, Unreachable
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.patience import Patience
from s3dash.stores.steady import Steady
from tests.engine.clocks import QuickClock


class Losing:
    """Loses the first answers, after they took effect or before."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self, op: str, key: str) -> None:
        if op in ("put", "delete", "upload", "complete_upload") and self.left:
            self.left -= 1
            raise Unreachable("lost")


def steady(*, before: int = 0, after: int = 0) -> Steady:
    store = MemoryStore(MemoryBucket(), before=Losing(before), after=Losing(after))
    return Steady(store, Patience(QuickClock()))


def behind_our_back(found: Steady) -> MemoryStore:
    assert isinstance(found.store, MemoryStore)
    return MemoryStore(found.store.bucket)


@pytest.mark.parametrize("lost", [{"before": 2}, {"after": 2}])
def test_a_put_is_sent_again(lost: dict[str, int]) -> None:
    found = steady(**lost)
    etag = found.put("k", b"body").etag
    assert found.store.head("k").etag == etag


def test_a_creation_whose_answer_was_lost_is_read_back() -> None:
    found = steady(after=1)
    etag = found.put("k", b"body", if_none_match=True).etag
    assert found.store.head("k").etag == etag


def test_a_creation_that_never_arrived_is_sent_again() -> None:
    found = steady(before=1)
    found.put("k", b"body", if_none_match=True)
    assert found.store.head("k").size == 4


def test_what_somebody_else_created_meanwhile_is_theirs() -> None:
    found = steady(before=1)
    behind_our_back(found).put("k", b"theirs")
    with pytest.raises(PreconditionFailed):
        found.put("k", b"body", if_none_match=True)


def test_a_deletion_is_sent_again() -> None:
    found = steady(after=1)
    behind_our_back(found).put("k", b"x")
    found.delete("k")
    assert list(found.store.list()) == []


@pytest.mark.parametrize("lost", [{"before": 2}, {"after": 2}])
def test_a_file_is_sent_again(lost: dict[str, int], tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"body")
    found = steady(**lost)
    assert found.upload("k", tmp_path / "f").etag == found.store.head("k").etag


def test_a_file_whose_creation_was_not_answered_is_read_back(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"body")
    found = steady(after=1)
    done = found.upload("k", tmp_path / "f", if_none_match=True)
    assert (done.etag, done.size) == (found.store.head("k").etag, 4)


def test_another_file_that_was_created_meanwhile_is_theirs(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"body")
    for theirs in (b"their", b"ours"):
        found = steady(before=1)
        behind_our_back(found).put("k", theirs)
        with pytest.raises(PreconditionFailed):
            found.upload("k", tmp_path / "f", if_none_match=True)
