"""Comparing lines: whatever is told as changed rebuilds the other side, within a bound."""

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3dash.core.lines import LineDiff, Row, as_text, beside, compare, split, unified
from s3dash.errors import Cancelled

LINES = st.lists(st.sampled_from(["a\n", "b\n", "c\n", "\n", "a", "}\n"]), max_size=30)


def found(left: list[str], right: list[str], *, budget: int = 1_000_000) -> LineDiff:
    return compare(left, right, check=lambda: None, budget=budget)


def rebuilt(left: list[str], right: list[str], diff: LineDiff) -> list[str]:
    out, at = [], 0
    for block in diff.blocks:
        out += left[at : block.left] + right[block.right : block.right_end]
        at = block.left_end
    return out + left[at:]


@given(LINES, LINES, st.sampled_from([0, 20, 1_000_000]))
def test_the_blocks_make_the_one_from_the_other(
    left: list[str], right: list[str], budget: int
) -> None:
    diff = found(left, right, budget=budget)
    assert rebuilt(left, right, diff) == right
    assert bool(diff.blocks) == (left != right)
    ends = [(b.left_end, b.right_end) for b in diff.blocks]
    starts = [(b.left, b.right) for b in diff.blocks]
    assert all(a < b for a, b in zip(ends, starts[1:], strict=False))  # apart and in order


@given(LINES, LINES, st.sampled_from([0, 1, 3, None]))
def test_every_line_stands_in_the_rows_once(
    left: list[str], right: list[str], context: int | None
) -> None:
    diff = found(left, right)
    for make in (beside, unified):
        rows = make(diff, len(left), context=context)
        lefts = [n for row in rows for n in shown(row, "left")]
        rights = [n for row in rows for n in shown(row, "right")]
        assert lefts == list(range(len(left)))
        assert rights == list(range(len(right)))
        assert context is not None or all(row.kind != "fold" for row in rows)


def shown(row: Row, side: str) -> list[int]:
    """The lines of a side that a row stands for."""
    at = row.left if side == "left" else row.right
    if row.kind == "fold":
        return list(range(at, at + row.hidden))
    return [] if row.kind == ("added" if side == "left" else "removed") else [at]


def test_a_moved_line_is_one_removed_and_one_added() -> None:
    left = [f"{n}\n" for n in range(20)]
    right = [*left[:3], *left[4:], left[3]]
    diff = found(left, right)
    assert [(b.left_end - b.left, b.right_end - b.right) for b in diff.blocks] == [(1, 0), (0, 1)]
    assert not diff.bounded


def test_equal_lines_are_folded_but_for_those_around_a_change() -> None:
    left = [f"{n}\n" for n in range(30)]
    right = [*left[:15], "new\n", *left[16:]]
    rows = unified(found(left, right), 30, context=2)
    assert [(r.kind, r.hidden) for r in rows] == [
        ("fold", 13),
        *[("same", 0)] * 2,
        ("removed", 0),
        ("added", 0),
        *[("same", 0)] * 2,
        ("fold", 12),
    ]
    assert [r.kind for r in beside(found(left, right), 30, context=None)].count("changed") == 1


def test_one_line_is_not_worth_a_fold() -> None:
    left = ["x\n", *[f"{n}\n" for n in range(5)], "y\n"]
    right = ["X\n", *left[1:6], "Y\n"]
    assert all(r.kind != "fold" for r in beside(found(left, right), 7, context=2))


def test_what_is_beyond_the_budget_is_replaced_as_a_whole_and_told() -> None:
    left, right = ["a\n", "b\n"] * 50, ["b\n", "c\n"] * 50
    assert not found(left, right).bounded
    diff = found(left, right, budget=100)
    assert diff.bounded
    assert len(diff.blocks) == 1


def test_it_can_be_stopped() -> None:
    def stop() -> None:
        raise Cancelled("no more")

    with pytest.raises(Cancelled):
        compare(["a"], ["b"], check=stop)


@pytest.mark.parametrize("kind", ["edits", "shuffled", "few values", "nothing alike"])
def test_large_texts_take_a_bounded_time(kind: str) -> None:
    """100,000 lines; the bound is many times what it takes on an idle machine."""
    rng = random.Random(7)
    left = [f"line {n} {rng.random()}\n" for n in range(100_000)]
    right = list(left)
    if kind == "edits":
        for n in rng.sample(range(100_000), 2000):
            right[n] = f"edited {n}\n"
    elif kind == "shuffled":
        rng.shuffle(right)
    elif kind == "few values":
        left = [f"{rng.randrange(20)}\n" for _ in left]
        right = [f"{rng.randrange(20)}\n" for _ in left]
    else:
        right = [f"other {line}" for line in left]
    began = time.process_time()
    diff = found(left, right, budget=3_000_000)
    assert time.process_time() - began < 15
    assert rebuilt(left, right, diff) == right
    assert diff.bounded == (kind != "edits")


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"", ""),
        ("gr\u00fc\u00df\n".encode(), "gr\u00fc\u00df\n"),
        (b"a\0b", None),
        (b"\xff\xfe", None),
        (b"x" * 9000 + b"\0", "x" * 9000 + "\0"),
        (b"\xef\xbb\xbfx", "\ufeffx"),
    ],
)
def test_text_is_what_is_utf_8_without_a_nul_in_front(body: bytes, text: str | None) -> None:
    assert as_text(body) == text


def test_only_a_line_feed_ends_a_line() -> None:
    text = "a\r\nb\rc\u2028d\x0ce\n\nf"
    assert split(text) == ["a\r\n", "b\rc\u2028d\x0ce\n", "\n", "f"]
    assert "".join(split(text)) == text
    assert split("") == []
