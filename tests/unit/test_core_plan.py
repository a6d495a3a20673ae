"""From verdicts to actions: every direction and policy, the order, the guard."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3dash.core.diff import Base, Local, Remote, Verdict
from s3dash.core.guard import Deletions, check_guard
from s3dash.core.plan import Action, Change, Direction, Plan, make_plan
from s3dash.core.settings import CONFLICT_POLICIES, ConflictPolicy
from s3dash.errors import GuardTripped

A, V = Action, Verdict
DIRECTIONS: tuple[Direction, ...] = ("push", "pull", "sync")
PLAIN: dict[Verdict, tuple[Action | None, Action | None, Action | None]] = {
    V.IN_SYNC: (None, None, None),
    V.CONVERGED: (A.ADOPT, A.ADOPT, A.ADOPT),
    V.LOCAL_ADDED: (A.UPLOAD, None, A.UPLOAD),
    V.LOCAL_MODIFIED: (A.UPLOAD, None, A.UPLOAD),
    V.LOCAL_DELETED: (A.DELETE_REMOTE, None, A.DELETE_REMOTE),
    V.LOCAL_REVIVED: (A.UPLOAD, None, A.UPLOAD),
    V.CLOBBERED: (A.RESTORE, None, A.RESTORE),
    V.REMOTE_ADDED: (None, A.DOWNLOAD, A.DOWNLOAD),
    V.REMOTE_MODIFIED: (None, A.DOWNLOAD, A.DOWNLOAD),
    V.REMOTE_DELETED: (None, A.DELETE_LOCAL, A.DELETE_LOCAL),
    V.REMOTE_REVIVED: (None, A.DOWNLOAD, A.DOWNLOAD),
    V.BOTH_DELETED: (A.FORGET, A.FORGET, A.FORGET),
}
CLASH: dict[ConflictPolicy, tuple[Action, Action, Action]] = {
    "ask": (A.CONFLICT, A.CONFLICT, A.CONFLICT),
    "keep-both": (A.CONFLICT, A.KEEP_BOTH, A.KEEP_BOTH),
    "local": (A.UPLOAD, A.CONFLICT, A.UPLOAD),
    "remote": (A.CONFLICT, A.DOWNLOAD, A.DOWNLOAD),
}
CLASHES = (V.BOTH_MODIFIED, V.BOTH_ADDED)


def change(path: str, verdict: Verdict, *, up: int = 10, down: int = 100) -> Change:
    return Change(path, verdict, None, Local(up, "l"), Remote(down, "r", "r"))


def only(verdict: Verdict, direction: Direction, policy: ConflictPolicy) -> Action | None:
    plan = make_plan([change("a", verdict)], direction=direction, policy=policy)
    assert len(plan.items) <= 1
    return plan.items[0].action if plan.items else None


def test_the_tables_leave_nothing_out() -> None:
    assert set(PLAIN) | set(CLASHES) == set(Verdict)
    assert set(CLASH) == set(CONFLICT_POLICIES)


@pytest.mark.parametrize("policy", CONFLICT_POLICIES)
@pytest.mark.parametrize("verdict", PLAIN)
def test_a_one_sided_change_has_one_action_whatever_the_policy(
    verdict: Verdict, policy: ConflictPolicy
) -> None:
    assert tuple(only(verdict, way, policy) for way in DIRECTIONS) == PLAIN[verdict]


@pytest.mark.parametrize("policy", CONFLICT_POLICIES)
@pytest.mark.parametrize("verdict", CLASHES)
def test_a_conflict_is_only_resolved_where_policy_and_direction_allow(
    verdict: Verdict, policy: ConflictPolicy
) -> None:
    assert tuple(only(verdict, way, policy) for way in DIRECTIONS) == CLASH[policy]


def test_asking_is_the_default() -> None:
    plan = make_plan([change("a", V.BOTH_MODIFIED)], direction="sync")
    assert [item.path for item in plan.conflicts] == ["a"]
    assert not plan.moves


def test_deletions_come_first_then_the_paths_in_order() -> None:
    changes = [
        change("d", V.LOCAL_ADDED),
        change("c", V.REMOTE_DELETED),
        change("b", V.REMOTE_ADDED),
        change("a", V.BOTH_ADDED),
        change("e", V.LOCAL_DELETED),
    ]
    plan = make_plan(changes, direction="sync")
    assert [item.path for item in plan.items] == ["c", "e", "a", "b", "d"]


def test_a_selection_takes_in_what_lies_below_it() -> None:
    changes = [change(path, V.LOCAL_ADDED) for path in ("a", "a/b", "ab", "c/d/e")]
    plan = make_plan(changes, direction="push", selection=["a", "c/d"])
    assert [item.path for item in plan.items] == ["a", "a/b", "c/d/e"]


def test_a_row_says_why_and_how_much() -> None:
    base = Base("b", 7, "b")
    sides = [
        Change("l", V.LOCAL_MODIFIED, base, Local(1, "l"), Remote(2, "b", "b")),
        Change("r", V.REMOTE_MODIFIED, base, None, Remote(2, "r", "r")),
        Change("x", V.BOTH_DELETED, base, None, None),
    ]
    plan = make_plan(sides, direction="sync")
    assert [(item.path, item.reason, item.size) for item in plan.items] == [
        ("l", "changed here", 1),
        ("r", "changed in the bucket", 2),
        ("x", "deleted on both sides", 7),
    ]
    assert Change("n", V.IN_SYNC, None, None, None).size == 0


def test_a_plan_counts_its_bytes_by_direction() -> None:
    changes = [
        change("u", V.LOCAL_ADDED, up=3),
        change("d", V.REMOTE_ADDED, up=0, down=5),
        change("k", V.BOTH_ADDED, up=100, down=7),
        change("x", V.REMOTE_DELETED),
    ]
    plan = make_plan(changes, direction="sync", policy="keep-both")
    assert (plan.bytes_up, plan.bytes_down) == (3, 12)


def test_what_a_plan_was_told_it_tells() -> None:
    plan = make_plan([], direction="pull", blocked={"x": "why"}, unchanged=4, known=9)
    assert (plan.blocked, plan.unchanged, plan.known) == ({"x": "why"}, 4, 9)
    assert not plan.moves


@pytest.mark.parametrize(
    ("verdict", "moves", "destructive"),
    [
        (V.CONVERGED, False, False),
        (V.BOTH_DELETED, False, False),
        (V.BOTH_ADDED, False, False),
        (V.REMOTE_ADDED, True, False),
        (V.REMOTE_DELETED, True, False),
        (V.LOCAL_DELETED, True, True),
        (V.LOCAL_MODIFIED, True, True),
    ],
)
def test_a_plan_knows_whether_it_moves_and_destroys(
    verdict: Verdict, moves: bool, destructive: bool
) -> None:
    plan = make_plan([change("a", verdict)], direction="sync")
    assert (plan.moves, plan.destructive) == (moves, destructive)


def test_a_new_file_destroys_nothing() -> None:
    new = Change("a", V.LOCAL_ADDED, None, Local(1, "l"), None)
    assert not make_plan([new], direction="push").destructive


def test_a_path_can_be_left_out() -> None:
    plan = make_plan([change(p, V.LOCAL_ADDED) for p in "abc"], direction="push")
    assert [item.path for item in plan.without({"b"}).items] == ["a", "c"]
    assert len(plan.items) == 3


def deleting(count: int, *, total: int, verdict: Verdict = V.LOCAL_DELETED) -> Plan:
    changes = [change(f"{n}", verdict) for n in range(count)]
    return make_plan(changes, direction="sync", known=total)


@pytest.mark.parametrize(("count", "total"), [(0, 0), (5, 10), (1000, 2000), (1000, 0), (0, 5)])
def test_few_deletions_pass_the_guard(count: int, total: int) -> None:
    check_guard(deleting(count, total=total))


@pytest.mark.parametrize("verdict", [V.LOCAL_DELETED, V.REMOTE_DELETED])
@pytest.mark.parametrize(("count", "total"), [(6, 10), (1001, 1_000_000), (1, 1), (1001, 0)])
def test_many_deletions_on_either_side_trip_it(count: int, total: int, verdict: Verdict) -> None:
    with pytest.raises(GuardTripped, match=f"would delete {count} of {total} files") as caught:
        check_guard(deleting(count, total=total, verdict=verdict))
    assert caught.value.hint.endswith(f"--max-delete {count}")
    assert caught.value.exit_code == 3


def test_the_user_may_set_another_number() -> None:
    check_guard(deleting(10, total=10), max_delete=10)
    for most in (9, 0):
        with pytest.raises(GuardTripped):
            check_guard(deleting(10, total=1000), max_delete=most)


def test_only_deletions_count() -> None:
    changes = [change(f"{n}", V.LOCAL_MODIFIED) for n in range(2000)]
    check_guard(make_plan(changes, direction="push", known=2000), max_delete=0)


def gone(path: str, verdict: Verdict, sha: str) -> Change:
    return Change(path, verdict, Base(sha, 10, sha), None, Remote(10, sha, sha))


def new(path: str, verdict: Verdict, sha: str) -> Change:
    side = Local(10, sha) if verdict is V.LOCAL_ADDED else None
    return Change(path, verdict, None, side, None if side else Remote(10, sha, sha))


def test_an_upload_of_what_is_deleted_elsewhere_is_a_rename_each_source_once() -> None:
    changes = [gone("old", V.LOCAL_DELETED, "x"), gone("other", V.LOCAL_DELETED, "y")]
    added = [new("n1", V.LOCAL_ADDED, "x"), new("n2", V.LOCAL_ADDED, "x")]
    plan = make_plan([*changes, *added], direction="push")
    uploads = plan.by(A.UPLOAD)
    assert [item.source for item in uploads] == ["old", None]
    assert uploads[0].reason == "renamed from old"
    assert plan.bytes_up == 10


@pytest.mark.parametrize(
    ("direction", "delete", "add"),
    [("push", V.LOCAL_DELETED, V.LOCAL_ADDED), ("pull", V.REMOTE_DELETED, V.REMOTE_ADDED)],
)
def test_renames_do_not_count_for_the_guard(
    direction: Direction, delete: Verdict, add: Verdict
) -> None:
    names = range(8)
    moved = [gone(f"old/{n}", delete, str(n)) for n in names]
    moved += [new(f"new/{n}", add, str(n)) for n in names]
    check_guard(make_plan(moved, direction=direction, known=8), max_delete=0)
    lost = [*moved, gone("gone", delete, "gone")]
    with pytest.raises(GuardTripped, match="delete 1 of 9"):
        check_guard(make_plan(lost, direction=direction, known=9), max_delete=0)


def slow_count(plan: Plan) -> int:
    """The guard's number by the definition: every deletion that is not half of a rename."""
    here = [i.change.base.sha256 for i in plan.by(A.DELETE_LOCAL) if i.change.base]
    renames = 0
    for item in plan.by(A.DOWNLOAD):
        remote = item.change.remote
        if item.change.verdict is V.REMOTE_ADDED and remote and remote.sha256 in here:
            here.remove(remote.sha256)
            renames += 1
    deleted = {item.path for item in plan.by(A.DELETE_REMOTE)}
    renames += sum(item.source in deleted for item in plan.items)
    return len(plan.by(A.DELETE_LOCAL, A.DELETE_REMOTE)) - renames


@given(
    st.lists(st.tuples(st.sampled_from("xyz"), st.integers(0, 3)), max_size=12),
    st.lists(st.integers(0, 11), max_size=24),
)
def test_counted_item_by_item_it_is_the_same_number(
    files: list[tuple[str, int]], toggled: list[int]
) -> None:
    verdicts = (V.LOCAL_DELETED, V.LOCAL_ADDED, V.REMOTE_DELETED, V.REMOTE_ADDED)
    made = [
        (gone if verdicts[kind] in (V.LOCAL_DELETED, V.REMOTE_DELETED) else new)(
            f"f{n}", verdicts[kind], content
        )
        for n, (content, kind) in enumerate(files)
    ]
    plan = make_plan(made, direction="sync")
    deletions, left_out = Deletions(), set[str]()
    for item in plan.items:
        deletions.add(item)
    for number in toggled:
        if number >= len(plan.items):
            continue
        item = plan.items[number]
        (deletions.add if item.path in left_out else deletions.remove)(item)
        left_out ^= {item.path}
        assert deletions.asked == slow_count(plan.without(left_out))
