import pytest

from benchmarks.figures import Figure, as_json, number, quantile, table


def test_a_quantile_is_a_value_that_was_measured() -> None:
    values = [float(n) for n in range(100, 0, -1)]
    assert [quantile(values, share) for share in (0.5, 0.9, 0.99, 1.0)] == [50, 90, 99, 100]
    assert quantile([7.0], 0.9) == 7.0
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)


@pytest.mark.parametrize(
    ("value", "at_most", "verdict"),
    [(15.0, 15.0, "held"), (15.1, 15.0, "MISSED"), (0.0, 0.0, "held"), (99.0, None, "")],
)
def test_a_figure_is_held_or_missed_or_only_shown(
    value: float, at_most: float | None, verdict: str
) -> None:
    figure = Figure(what="keys", value=value, unit="ms", at_most=at_most)
    assert figure.verdict == verdict
    assert as_json([figure])[0]["verdict"] == verdict


def test_numbers_have_three_figures() -> None:
    assert [number(n) for n in (0, 0.12345, 1.2345, 98.76, 1234.5)] == [
        "0", "0.123", "1.23", "98.8", "1,234",
    ]  # fmt: skip


def test_the_table_stands_in_columns() -> None:
    figures = [
        Figure(what="short", value=1.0, unit="ms", at_most=2.0, load=0.5),
        Figure(what="a longer one", value=1234.0, unit="KiB/s", note="why"),
    ]
    head, rule, first, second = table(figures).splitlines()
    assert {len(line) for line in (head, rule, first, second)} == {len(head)}
    assert "≤ 2 ms" in first
    assert "held" in first
    assert "1,234 KiB/s" in second
