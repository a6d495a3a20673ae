"""Path rules and partitions, against the answers of a real client and for hostile names."""

import json
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3dash.core import paths
from s3dash.core.partitions import partition, peer_partition

GOLDEN = Path(__file__).parents[1] / "golden"
SHARED = Path(__file__).parents[3] / "shared/protocol"


class Vector(TypedDict):
    rel: str
    partition: str | None
    internal: bool
    lazy_skippable: bool


VECTORS: list[Vector] = json.loads((GOLDEN / "path_vectors.json").read_text())
NAMES = [
    "data", "outputs", "definitions-evaluated", "workflow-runs", "workflows-evaluated", "logs",
    "files", "audit", "_root", "_meta", "data--a--b", "data--x", "workflow-runs--a", "x--data",
    "outputs--a--b", "a", "b", "raw", "ü", "-", "--",
]  # fmt: skip
RELS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=8).map("/".join)
QUICK = settings(deadline=None, max_examples=200)


def test_our_copy_of_the_golden_files_is_the_shared_one() -> None:
    names = {"path_vectors.json": "", "buckets.json": "golden", "caches.json": "golden"}
    assert all((GOLDEN / name).is_file() for name in names)
    for name, folder in names.items():
        original = SHARED / folder / name
        if original.is_file():
            assert (GOLDEN / name).read_bytes() == original.read_bytes(), name


def test_there_are_all_the_vectors() -> None:
    assert len(VECTORS) >= 55


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["rel"] or "(empty)")
def test_the_rules_answer_as_a_real_client(vector: Vector) -> None:
    rel = vector["rel"]
    assert peer_partition(rel) == vector["partition"]
    assert paths.is_internal(rel) == vector["internal"]
    assert paths.is_lazy_skippable(rel) == vector["lazy_skippable"]
    if vector["partition"] is not None:
        assert partition(rel) == vector["partition"]


@pytest.mark.parametrize(
    ("rel", "shard"),
    [
        ("unknown-dir/x", "unknown-dir"),
        ("data/x", "data"),
        ("outputs/t/x", "outputs"),
        ("workflow-runs/run.yaml", "workflow-runs"),
        ("_root/x", "x--_root"),
        ("_meta/x", "x--_meta"),
        ("data--a--b/x", "x--data--a--b"),
        ("workflow-runs--deploy/x", "x--workflow-runs--deploy"),
        ("_indexes/a", "_indexes"),
    ],
)
def test_a_path_that_peers_forget_has_a_shard_of_its_own(rel: str, shard: str) -> None:
    assert partition(rel) == shard


@QUICK
@given(RELS, RELS)
def test_our_own_shards_are_never_those_of_a_peer(ours: str, theirs: str) -> None:
    derived = peer_partition(theirs)
    if peer_partition(ours) is None and derived is not None:
        assert partition(ours) != derived


@QUICK
@given(RELS)
def test_every_path_has_a_shard_that_is_one_key_segment(rel: str) -> None:
    shard = partition(rel)
    assert shard
    assert "/" not in shard
    assert shard != "_meta"


@pytest.mark.parametrize(
    "rel",
    [
        ".datastore-index.json", ".push-queue.json", ".datastore.lock",
        ".datastore-sync-state.json", "_index", "_index/x", "_control/k", "a/.lock", ".lock",
        "x/.namespace.json", "a/_catalog.db", "_catalog.db-wal", ".locks", ".locks/infra.lock",
        ".catalog-export.json",
    ],
)  # fmt: skip
def test_internal_files_are_no_data(rel: str) -> None:
    assert not paths.is_data(rel)


@pytest.mark.parametrize(
    "rel", ["a", "_indexes/a", "x/_index/a", "a/.locks/b", "sub/.datastore.lock", "_catalog.dbx"]
)
def test_files_that_only_look_internal_are_data(rel: str) -> None:
    assert paths.is_data(rel)


@pytest.mark.parametrize(
    ("rel", "reason"),
    [
        ("", "empty path"),
        ("/etc/passwd", "absolute path"),
        ("..", "path segment '..'"),
        ("a/../b", "path segment '..'"),
        ("a/..", "path segment '..'"),
        ("./a", "path segment '.'"),
        ("a//b", "path segment ''"),
        ("a/", "path segment ''"),
        ("a\x00b", "control character in the name"),
        ("a/\x1b]0;x\x07", "control character in the name"),
        ("a\x7f", "control character in the name"),
        ("a\x9bb", "control character in the name"),
        ("a\nb", "control character in the name"),
        ("a\ud800", "name is not valid Unicode"),
        ("a" * 256, "name longer than 255 bytes"),
        ("ü" * 128, "name longer than 255 bytes"),
        ("/".join(["abcdefg"] * 129), "key longer than 1024 bytes"),
    ],
)
def test_a_path_that_cannot_be_a_file_is_blocked(rel: str, reason: str) -> None:
    assert paths.blocked_reason(rel) == reason


@pytest.mark.parametrize(
    "rel",
    ["a", "...", "a/...b", "[/red].txt", "a b/+c", "ü/☃", "a\\b", "-rf", "a" * 255, "ü" * 127],
)
def test_a_strange_but_possible_path_is_not_blocked(rel: str) -> None:
    assert paths.blocked_reason(rel) is None


def test_the_prefix_counts_for_the_length_of_the_key() -> None:
    rel = "/".join(["abcdefg"] * 128)
    assert len(rel) == 1023
    assert paths.blocked_reason(rel, key_prefix_bytes=1) is None
    assert paths.blocked_reason(rel, key_prefix_bytes=2) == "key longer than 1024 bytes"


@pytest.mark.parametrize("name", ["infra", "a", "A.b_c-1", "0", "x" * 128])
def test_a_namespace_is_one_plain_segment(name: str) -> None:
    assert paths.is_namespace(name)


@pytest.mark.parametrize(
    "name", ["", ".", "..", "a/b", "-a", "_index", "a\n", "ü", "x" * 129, "a b"]
)
def test_anything_else_is_no_namespace(name: str) -> None:
    assert not paths.is_namespace(name)


@QUICK
@given(st.sets(RELS, max_size=6), RELS)
def test_covers_is_the_naive_prefix_rule(selection: set[str], rel: str) -> None:
    naive = not selection or any(rel == one or rel.startswith(one + "/") for one in selection)
    assert paths.covers(selection, rel) == naive


def test_covers_does_not_take_a_longer_name_for_a_child() -> None:
    assert not paths.covers({"a"}, "ab")
    assert not paths.covers({"a/b"}, "a")
    assert paths.covers({"a/b"}, "a/b/c/d")


@QUICK
@given(st.sets(RELS, max_size=6), st.sets(RELS, max_size=6), st.sets(RELS, max_size=6))
def test_what_is_unmatched_covers_nothing(
    selection: set[str], here: set[str], there: set[str]
) -> None:
    naive = {one for one in selection if not any(paths.covers({one}, rel) for rel in here | there)}
    assert paths.unmatched(selection, here, there) == sorted(naive)
