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


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("state:added,deleted", ["data/a.json", "logs/c.log"]),
        ("!state:added,deleted", ["data/b.log"]),
        ("state:!added", ["data/b.log", "logs/c.log"]),
        ("!state:!added", ["data/a.json"]),
        ('"a.json"', ["data/a.json"]),
        ('"state:added"', []),
        ('"!log"', []),
        ('!"b.log" log', ["logs/c.log"]),
        ('"unclosed', []),
        ("!!log", ["data/b.log", "logs/c.log"]),
        ("a,b", []),
        ("state:,", ["data/a.json", "data/b.log", "logs/c.log"]),
        (":", []),
        ('state:"mod', ["data/b.log"]),
    ],
)
def test_finer_terms(text: str, expected: list[str]) -> None:
    assert passing(text) == expected


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("nofield:x", ("nofield",)),
        ("!Size:3 size:4 b:1", ("size", "b")),
        ("state:x", ()),
        ("10:42 s3://bucket", ()),
        ('"a:b"', ()),
    ],
)
def test_names_that_are_no_field_are_noticed(text: str, unknown: tuple[str, ...]) -> None:
    assert filters.parse(text, FIELDS).unknown == unknown


def test_what_is_told_of_an_unknown_field() -> None:
    given = filters.parse("size:3", FIELDS)
    assert filters.told(given, FIELDS) == (
        "size: is no field here, but looked for as text",
        "fields: state:",
    )
    assert filters.told(filters.parse("state:x", FIELDS), FIELDS) == ()


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("fi", "fil", True),
        ("fi", "profile", True),
        ("fil", "fi", False),
        ("a", "a b", True),
        ("a b", "a", False),
        ("", "a", False),
        ("!a", "!ab", False),
        ("!a", "!a b", True),
        ("state:mod", "state:modified", True),
        ("state:mod", "state:added", False),
        ("state:mod,add", "state:add", True),
        ("state:add", "state:mod,add", False),
        ("a", "state:a", False),
    ],
)
def test_a_filter_narrows_another_when_nothing_new_can_pass(
    before: str, after: str, expected: bool
) -> None:
    given = [filters.parse(text, ("state",)) for text in (after, before)]
    assert filters.narrows(*given) is expected
