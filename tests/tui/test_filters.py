import pytest

from s3dash.tui import filters

ROWS = [
    ("data/a.json", "added"),
    ("data/b.log", "modified"),
    ("logs/c.log", "deleted"),
]
FIELDS = {"state": lambda row: row[1]}


def passing(text: str) -> list[str]:
    test = filters.test_of(filters.parse(text, FIELDS), lambda row: row[0], FIELDS)
    return [row[0] for row in ROWS if test is None or test(row)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["data/a.json", "data/b.log", "logs/c.log"]),
        ("   !  ", ["data/a.json", "data/b.log", "logs/c.log"]),
        ("LOG", ["data/b.log", "logs/c.log"]),
        ("!log", ["data/a.json"]),
        ("data !json", ["data/b.log"]),
        ("state:del", ["logs/c.log"]),
        ("!state:added data", ["data/b.log"]),
        ("State:MOD", ["data/b.log"]),
        ("nofield:x", []),
        ("[/x]", []),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert passing(text) == expected


def test_a_filter_without_terms_tests_nothing() -> None:
    assert filters.test_of(filters.parse(" state: ", FIELDS), lambda row: row[0], FIELDS) is None
