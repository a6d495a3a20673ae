"""The three-way comparison: every combination of base, local and remote, written out."""

from itertools import product

import pytest

from s3dash.core.diff import Base, Local, Remote, Verdict, classify, wants_hash

V = Verdict
BASE = Base(sha256="old", size=1, tag="old")
LOCALS = {
    "none": None,
    "old": Local(1, "old"),
    "new": Local(2, "new"),
    "unhashed": Local(3, None),
}
REMOTES = {
    "none": None,
    "base": Remote(1, "old", "old"),
    "retagged": Remote(1, "old", "other-tag"),
    "new": Remote(2, "new", "new"),
    "other": Remote(4, "other", "other"),
    "unhashed": Remote(5, None, "?5:t"),
}

WITH_BASE = {
    ("none", "none"): V.BOTH_DELETED,
    ("none", "base"): V.LOCAL_DELETED,
    ("none", "retagged"): V.LOCAL_DELETED,
    ("none", "new"): V.REMOTE_REVIVED,
    ("none", "other"): V.REMOTE_REVIVED,
    ("none", "unhashed"): V.REMOTE_REVIVED,
    ("old", "none"): V.REMOTE_DELETED,
    ("old", "base"): V.IN_SYNC,
    ("old", "retagged"): V.CONVERGED,
    ("old", "new"): V.REMOTE_MODIFIED,
    ("old", "other"): V.REMOTE_MODIFIED,
    ("old", "unhashed"): V.REMOTE_MODIFIED,
    ("new", "none"): V.LOCAL_REVIVED,
    ("new", "base"): V.LOCAL_MODIFIED,
    ("new", "retagged"): V.LOCAL_MODIFIED,
    ("new", "new"): V.CONVERGED,
    ("new", "other"): V.BOTH_MODIFIED,
    ("new", "unhashed"): V.BOTH_MODIFIED,
    ("unhashed", "none"): V.LOCAL_REVIVED,
    ("unhashed", "base"): V.LOCAL_MODIFIED,
    ("unhashed", "retagged"): V.LOCAL_MODIFIED,
    ("unhashed", "new"): V.BOTH_MODIFIED,
    ("unhashed", "other"): V.BOTH_MODIFIED,
    ("unhashed", "unhashed"): V.BOTH_MODIFIED,
}
WITHOUT_BASE = {
    ("none", "none"): V.IN_SYNC,
    ("none", "base"): V.REMOTE_ADDED,
    ("none", "retagged"): V.REMOTE_ADDED,
    ("none", "new"): V.REMOTE_ADDED,
    ("none", "other"): V.REMOTE_ADDED,
    ("none", "unhashed"): V.REMOTE_ADDED,
    ("old", "none"): V.LOCAL_ADDED,
    ("old", "base"): V.CONVERGED,
    ("old", "retagged"): V.CONVERGED,
    ("old", "new"): V.BOTH_ADDED,
    ("old", "other"): V.BOTH_ADDED,
    ("old", "unhashed"): V.BOTH_ADDED,
    ("new", "none"): V.LOCAL_ADDED,
    ("new", "base"): V.BOTH_ADDED,
    ("new", "retagged"): V.BOTH_ADDED,
    ("new", "new"): V.CONVERGED,
    ("new", "other"): V.BOTH_ADDED,
    ("new", "unhashed"): V.BOTH_ADDED,
    ("unhashed", "none"): V.LOCAL_ADDED,
    ("unhashed", "base"): V.BOTH_ADDED,
    ("unhashed", "retagged"): V.BOTH_ADDED,
    ("unhashed", "new"): V.BOTH_ADDED,
    ("unhashed", "other"): V.BOTH_ADDED,
    ("unhashed", "unhashed"): V.BOTH_ADDED,
}


def test_the_tables_leave_no_combination_out() -> None:
    everything = set(product(LOCALS, REMOTES))
    assert set(WITH_BASE) == set(WITHOUT_BASE) == everything


@pytest.mark.parametrize(("local", "remote"), WITH_BASE)
def test_against_a_base(local: str, remote: str) -> None:
    assert classify(BASE, LOCALS[local], REMOTES[remote]) is WITH_BASE[local, remote]


@pytest.mark.parametrize(("local", "remote"), WITHOUT_BASE)
def test_without_a_base(local: str, remote: str) -> None:
    assert classify(None, LOCALS[local], REMOTES[remote]) is WITHOUT_BASE[local, remote]


def test_a_base_from_an_entry_without_hash_is_known_by_its_tag() -> None:
    base = Base(sha256="old", size=1, tag="?1:t")
    entry = Remote(1, None, "?1:t")
    assert classify(base, Local(1, "old"), entry) is V.IN_SYNC
    assert classify(base, Local(1, "new"), entry) is V.LOCAL_MODIFIED
    assert classify(base, None, entry) is V.LOCAL_DELETED
    assert classify(base, Local(1, "old"), Remote(1, None, "?1:later")) is V.REMOTE_MODIFIED


def test_equal_sizes_never_stand_for_equal_content() -> None:
    assert classify(None, Local(7, "a"), Remote(7, "b", "b")) is V.BOTH_ADDED
    assert classify(None, Local(7, None), Remote(7, None, "?7:t")) is V.BOTH_ADDED


@pytest.mark.parametrize(
    ("size", "base", "remote", "want"),
    [
        (1, BASE, None, True),
        (2, BASE, None, False),
        (2, BASE, REMOTES["new"], True),
        (2, None, REMOTES["new"], True),
        (3, None, REMOTES["new"], False),
        (3, None, None, False),
    ],
)
def test_a_hash_is_needed_when_a_size_agrees(
    size: int, base: Base | None, remote: Remote | None, want: bool
) -> None:
    assert wants_hash(size, base, remote) is want
