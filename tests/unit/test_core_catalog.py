"""Catalogs as bytes: written as plain clients write them, read whatever somebody wrote."""

import json
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3dash.core import catalog
from s3dash.core.catalog import Catalog, CatalogEntry
from s3dash.core.catalog_wire import MAX_ELEMENT, MAX_ODD, TOLD, Reading, elements, encoded, read
from s3dash.core.index import Entry
from s3dash.errors import IndexCorrupt
from tests.engine.world import golden_bucket

GOLDEN = golden_bucket("gold-ns")["team/infra/.catalog-export.json"]
SHA = "ab" * 32


def pieces(raw: bytes, size: int) -> Iterator[bytes]:
    return (raw[at : at + size] for at in range(0, len(raw), size))


def taken(
    value: object, *, raw: bytes | None = None, here: dict[str, int] | None = None
) -> Reading:
    reading = Reading(here or {})
    read([raw if raw is not None else json.dumps(value).encode()], reading, name="the catalog")
    return reading


def test_the_golden_catalog_round_trips_byte_for_byte() -> None:
    reading = Reading({"data/short/model-a/file.json": 2})
    read([GOLDEN], reading, name="k")
    (found,) = reading.sorted()
    assert (found.path, found.size, found.here) == ("data/short/model-a/file.json", 2, True)
    assert found.last_modified == "2026-01-02T03:04:05.000Z"
    entry = Entry(
        key=found.path, size=found.size, lastModified=found.last_modified, sha256=found.sha256
    )
    assert b"".join(encoded({found.path: entry})) == GOLDEN


def test_it_is_compact_sorted_and_leaves_out_a_hash_that_nobody_knows() -> None:
    entries = {
        "b/ü": Entry(key="b/ü", size=1, lastModified="2026-01-02T03:04:05.000Z", localMtime="x"),
        "a": Entry(key="a", size=2, lastModified="", sha256=SHA),
    }
    assert b"".join(encoded(entries)).decode() == (
        f'[{{"relPath":"a","size":2,"lastModified":"","sha256":"{SHA}"}},'
        '{"relPath":"b/ü","size":1,"lastModified":"2026-01-02T03:04:05.000Z"}]'
    )
    assert b"".join(encoded({})) == b"[]"


def test_many_entries_come_in_pieces_that_make_one_array() -> None:
    entries = {f"f/{n:05d}": Entry(key="x", size=n) for n in range(10_000)}
    parts = list(encoded(entries))
    assert len(parts) == 4
    assert [row["size"] for row in json.loads(b"".join(parts))] == list(range(10_000))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text() | st.floats(allow_nan=False),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


@given(st.lists(VALUES, max_size=8), st.integers(1, 40), st.sampled_from([None, 0, 2]))
def test_elements_are_those_of_the_array_however_it_is_cut(
    values: list[object], size: int, indent: int | None
) -> None:
    raw = json.dumps(values, indent=indent, ensure_ascii=False).encode("utf-8", "surrogatepass")
    try:
        raw.decode()
    except UnicodeDecodeError:
        return  # lone surrogates are no UTF-8, and told as that below
    assert list(elements(pieces(raw, size), name="k")) == values


@pytest.mark.parametrize(
    "raw",
    [
        b"", b" ", b"{}", b"null", b'"x"', b"[", b"[1", b"[1,", b"[1,]", b"[,1]", b"[1 2]", b"[1]x",
        b"[1][2]", b"[nope]", b'["\xff"]', b"<html>", b'[{"relPath":"a"', b"[" * 5_000,
        b"[" + b"9" * 5_000 + b"]", b"\x00", b"[\x00]", "[1]".encode("utf-16"),
    ],
    ids=lambda raw: repr(raw[:12]),
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 7, 1 << 16])
def test_what_is_no_array_is_told(raw: bytes, size: int) -> None:
    with pytest.raises(IndexCorrupt, match=r"^the catalog is no catalog: "):
        list(elements(pieces(raw, size), name="the catalog"))


def test_an_element_without_end_is_not_kept_in_memory() -> None:
    """It is given up long before the document ends."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        yield b'["'
        while True:
            sent += 4096
            assert sent < 3 * MAX_ELEMENT
            yield b"x" * 4096

    with pytest.raises(IndexCorrupt):
        list(elements(endless(), name="k"))
    long = b'["' + b"x" * (MAX_ELEMENT + 1) + b'"]'
    with pytest.raises(IndexCorrupt, match="too long"):
        list(elements([long], name="k"))


def test_deep_nesting_is_told_and_no_crash() -> None:
    deep = b"[" + b"[" * 30_000 + b"]" * 30_000 + b"]"
    with pytest.raises(IndexCorrupt):
        list(elements([deep], name="k"))


def test_too_many_entries_are_refused() -> None:
    rows = [{"relPath": f"f/{n}", "size": 1} for n in range(21)]
    reading = Reading({})
    with pytest.raises(IndexCorrupt, match="more than 20 entries"):
        read([json.dumps(rows).encode()], reading, name="k", most=20)
    assert len(reading.entries) == 20


def test_what_is_hardly_a_catalog_is_given_up() -> None:
    """Odd entries are left out, however many, while there are as many good ones."""
    good = [{"relPath": f"f/{n}", "size": 1} for n in range(MAX_ODD + 1)]
    odd = [0] * (MAX_ODD + 1)
    assert taken([*good, *odd]).left_out == MAX_ODD + 1
    reading = Reading({})
    with pytest.raises(IndexCorrupt, match="hardly anything"):
        read([json.dumps([*odd, *good]).encode()], reading, name="k")
    assert len(reading.blocked) == TOLD


@pytest.mark.parametrize(
    ("row", "why"),
    [
        ({"relPath": "../x", "size": 1}, "path segment '..'"),
        ({"relPath": "/etc/passwd", "size": 1}, "absolute path"),
        ({"relPath": "a\x1b[31m", "size": 1}, "control character in the name"),
        ({"relPath": "", "size": 1}, "empty path"),
        ({"relPath": "a/" + "n" * 256, "size": 1}, "name longer than 255 bytes"),
        ({"relPath": "a", "size": -1}, "impossible size in the index"),
        ({"relPath": "a", "size": 2**60}, "impossible size in the index"),
        ({"relPath": "a", "size": 1.5}, "impossible size in the catalog"),
        ({"relPath": "a", "size": True}, "impossible size in the catalog"),
        ({"relPath": "a", "size": "1"}, "impossible size in the catalog"),
        ({"relPath": "a"}, "impossible size in the catalog"),
        ({"relPath": "a", "size": 1, "sha256": "xyz"}, "malformed SHA-256 in the index"),
        ({"relPath": "a", "size": 1, "sha256": 7}, "malformed SHA-256 in the catalog"),
    ],
)
def test_hostile_entries_are_left_out_and_told(row: dict[str, object], why: str) -> None:
    reading = taken([row, {"relPath": "good", "size": 1}])
    assert [e.path for e in reading.sorted()] == ["good"]
    assert [b.reason for b in reading.blocked] == [why]


@pytest.mark.parametrize("row", [None, 1, "x", [], {}, {"relPath": 7, "size": 1}], ids=repr)
def test_what_is_no_entry_is_told_by_its_place(row: object) -> None:
    reading = taken([{"relPath": "good", "size": 1}, row])
    assert len(reading.entries) == 1
    assert [(b.path, b.reason) for b in reading.blocked] == [
        ("(entry 2)", "no entry of a catalog"),
    ]


def test_internal_paths_are_nobodys_and_a_path_counts_once() -> None:
    rows = [
        {"relPath": name, "size": 1}
        for name in ("_index/_meta.json", ".datastore-index.json", "a/.lock", ".locks/x")
    ]
    twice = [{"relPath": "a", "size": 1}, {"relPath": "a", "size": 2}]
    reading = taken([*rows, *twice])
    assert [(e.path, e.size) for e in reading.sorted()] == [("a", 1)]
    assert [b.reason for b in reading.blocked] == ["named twice"]


@pytest.mark.parametrize("time", ["", "yesterday", "x" * 1000, 7, None, "2026-13-01"])
def test_a_time_that_is_none_is_empty(time: object) -> None:
    (found,) = taken([{"relPath": "a", "size": 1, "lastModified": time}]).sorted()
    assert found.last_modified == ""


def test_a_surrogate_in_a_path_is_told() -> None:
    reading = taken(None, raw=b'[{"relPath":"a\\ud800","size":1}]')
    assert [b.reason for b in reading.blocked] == ["name is not valid Unicode"]


def test_here_means_a_file_of_this_size() -> None:
    rows = [{"relPath": "a", "size": 1}, {"relPath": "b", "size": 1}, {"relPath": "c", "size": 1}]
    reading = taken(rows, here={"a": 1, "b": 2})
    assert [e.here for e in reading.sorted()] == [True, False, False]


def some(namespace: str, *paths: str) -> Catalog:
    entries = tuple(CatalogEntry(path, 1) for path in paths)
    return Catalog(namespace=namespace, source="catalog", entries=entries)


def test_a_search_wants_every_word_somewhere_in_namespace_and_path() -> None:
    catalogs = [some("infra", "files/Notes.txt", "logs/a"), some("web", "files/notes.md", "x")]

    def found(text: str) -> list[str]:
        return [f"{f.namespace}/{f.path}" for f in catalog.search(catalogs, text)]

    assert found("NOTES") == ["infra/files/Notes.txt", "web/files/notes.md"]
    assert found("web notes") == ["web/files/notes.md"]
    assert found("txt infra/") == ["infra/files/Notes.txt"]
    assert found("nowhere") == []
    assert len(found("")) == 4


def test_near_is_the_same_name_then_what_begins_so_then_a_part() -> None:
    rels = ["a/raw.txt", "b/x-raw.txt", "c/RAW.txt", "raw.txt.old", "nothing"]
    assert catalog.near(rels, "raw.txt") == ["a/raw.txt", "c/RAW.txt", "raw.txt.old", "b/x-raw.txt"]
    assert catalog.near(rels, "absent") == []
    assert catalog.near([f"{n}/same" for n in range(9)], "same") == [f"{n}/same" for n in range(5)]


@pytest.mark.parametrize("size", range(1, 12))
def test_a_number_is_not_cut_where_a_piece_ends(size: int) -> None:
    raw = b"[1.5,1e3 ,-2.25e-2,10,-0, 120 ]"
    assert list(elements(pieces(raw, size), name="k")) == json.loads(raw)
