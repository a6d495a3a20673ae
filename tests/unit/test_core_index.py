"""The index documents: golden bytes, unknown fields, hostile JSON."""

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from s3dash.core import paths
from s3dash.core.index import (
    EMPTY_SHARD,
    Document,
    Entry,
    decode_entries,
    decode_meta,
    encode_meta,
    entry_problem,
    sound,
)
from s3dash.core.keys import Keys
from s3dash.core.partitions import partition
from s3dash.errors import IndexCorrupt

GOLDEN = Path(__file__).parents[1] / "golden"
BUCKETS: dict[str, dict[str, dict[str, str]]] = json.loads((GOLDEN / "buckets.json").read_text())
DOCUMENTS = [
    (bucket, key)
    for bucket, objects in BUCKETS.items()
    for key in objects
    if key.endswith(".json") and ("_index/" in key or key.endswith(".datastore-index.json"))
]
SHARDS = [(b, k) for b, k in DOCUMENTS if not k.endswith("_meta.json")]
METAS = [(b, k) for b, k in DOCUMENTS if k.endswith("_meta.json")]
SHA = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def raw_of(bucket: str, key: str) -> bytes:
    return BUCKETS[bucket][key]["text"].encode()


def value_of(document: Document, rel: str) -> object:
    return json.loads(document.encode())["entries"][rel]


def test_there_are_golden_documents_of_each_kind() -> None:
    assert len(SHARDS) > 40
    assert len(METAS) == 4


@pytest.mark.parametrize(("bucket", "key"), SHARDS)
def test_an_untouched_document_is_written_as_it_came(bucket: str, key: str) -> None:
    raw = raw_of(bucket, key)
    assert Document.decode(raw, name=key).encode() == raw


@pytest.mark.parametrize(("bucket", "key"), SHARDS)
def test_the_entries_are_those_of_the_document_and_all_sound(bucket: str, key: str) -> None:
    raw = raw_of(bucket, key)
    entries, bad = decode_entries(raw, name=key)
    want = json.loads(raw)["entries"]
    assert bad == {}
    assert {rel: msgspec.to_builtins(entry) for rel, entry in entries.items()} == want
    assert [entry_problem(rel, entry) for rel, entry in entries.items()] == [None] * len(want)


@pytest.mark.parametrize(("bucket", "key"), SHARDS)
def test_a_golden_shard_holds_the_paths_that_we_would_put_there(bucket: str, key: str) -> None:
    root, _, name = key.rpartition("_index/")
    if root or name != key:
        document = Document.decode(raw_of(bucket, key), name=key)
        assert {partition(rel) for rel in document.rels()} == {name.removesuffix(".json")}


@pytest.mark.parametrize(("bucket", "key"), METAS)
def test_a_golden_meta_is_read_and_survives_a_commit(bucket: str, key: str) -> None:
    raw = raw_of(bucket, key)
    meta, want = decode_meta(raw, name=key), json.loads(raw)
    assert (meta.version, list(meta.partitions)) == (want["version"], want["partitions"])
    assert meta.commitSeq == want.get("commitSeq", 0)
    changed = json.loads(encode_meta(raw, {"commitSeq": meta.commitSeq + 1, "writer": "us"}))
    assert changed == {**want, "commitSeq": meta.commitSeq + 1, "writer": "us"}


def test_one_change_leaves_every_other_entry_byte_for_byte() -> None:
    raw = raw_of("gold-solo-v2", "_index/files.json")
    document = Document.decode(raw, name="files")
    document.put("files/new.bin", Entry(key="files/new.bin", size=3, sha256=SHA))
    document.remove("files/empty")
    before, after = json.loads(raw)["entries"], json.loads(document.encode())["entries"]
    unicode = "files/pictures/ünïcode name.txt"
    piece = json.dumps(before[unicode], ensure_ascii=False, separators=(",", ":")).encode()
    assert piece in raw
    assert piece in document.encode()
    assert set(after) == {"files/new.bin", unicode}
    assert after["files/new.bin"] == {"key": "files/new.bin", "size": 3, "sha256": SHA}


def test_unknown_fields_survive_a_put_in_their_own_bytes() -> None:
    odd = b'"mode":6.440e2'
    big = b'"inode":123456789012345678901234567890,"tags":{"b":[1,2.50]}'
    raw = (
        b'{"version":1,"generation":"x","entries":{"a":{"key":"a","size":1,"localMtime":"old",'
        + odd + b"," + big + b"}}}"
    )  # fmt: skip
    document = Document.decode(raw, name="n")
    document.put("a", Entry(key="a", size=2, lastModified="t"))
    out = document.encode()
    assert odd in out
    assert big in out
    assert json.loads(out)["generation"] == "x"
    entry = json.loads(out)["entries"]["a"]
    assert (entry["size"], entry["lastModified"]) == (2, "t")
    assert "localMtime" not in entry


def test_a_put_over_a_malformed_entry_makes_a_sound_one() -> None:
    document = Document.decode(b'{"entries":{"a":[1],"b":{"size":"x","keep":1}}}', name="n")
    assert document.get("a") is None
    for rel in ("a", "b"):
        document.put(rel, Entry(key=rel, size=1))
    assert value_of(document, "a") == {"key": "a", "size": 1}
    assert value_of(document, "b") == {"key": "b", "size": 1, "keep": 1}


def test_a_document_is_read_and_changed_entry_by_entry() -> None:
    document = Document.empty()
    assert document.encode() == EMPTY_SHARD
    document.put("a", Entry(key="a", size=1, sha256=SHA))
    assert (len(document), list(document.rels())) == (1, ["a"])
    assert document.get("a") == Entry(key="a", size=1, sha256=SHA)
    assert document.get("b") is None
    document.set("lastPulled", "now")
    assert json.loads(document.encode())["lastPulled"] == "now"
    assert document.remove("a")
    assert not document.remove("a")
    assert json.loads(document.encode())["entries"] == {}


KEYS = st.text(max_size=8)
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=6,
)
EXTRAS = st.dictionaries(KEYS.filter(lambda k: k not in Entry.__struct_fields__), JSON_VALUES)


@settings(deadline=None, max_examples=100)
@given(entries=st.dictionaries(KEYS, EXTRAS, max_size=5), fields=EXTRAS)
def test_a_round_trip_and_an_edit_lose_nothing(
    entries: dict[str, dict[str, object]], fields: dict[str, object]
) -> None:
    given_ = {**fields, "entries": {k: {"key": k, "size": 1, **v} for k, v in entries.items()}}
    document = Document.decode(json.dumps(given_).encode(), name="n")
    assert json.loads(document.encode()) == given_
    for rel in entries:
        document.put(rel, Entry(key=rel, size=2, sha256=SHA))
    edited = {k: {"key": k, "size": 2, "sha256": SHA, **v} for k, v in entries.items()}
    assert json.loads(document.encode()) == {**given_, "entries": edited}


HOSTILE = [
    b"", b"<html>busy</html>", b"null", b"[]", b"3", b'"x"', b"{}", b'{"entries":[]}',
    b'{"entries":null}', b'{"entries":{}', b'{"entries":{}} {}', b"\xff\xfe{}", b"[" * 200_000,
    b'{"entries":{"a":' + b"[" * 200_000, b'{"entries":{"\\ud800":{}}}', b'{"entries":{"a":}}',
]  # fmt: skip


@pytest.mark.parametrize("raw", HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_index_is_corrupt_and_never_empty(raw: bytes) -> None:
    with pytest.raises(IndexCorrupt, match=r"^_index/x\.json is no index: ") as caught:
        decode_entries(raw, name="_index/x.json")
    assert len(caught.value.message) < 200
    with pytest.raises(IndexCorrupt):
        Document.decode(raw, name="_index/x.json")


def test_a_malformed_entry_is_told_and_the_others_are_read() -> None:
    sound = {"key": "ok", "size": 1}
    broken: dict[str, object] = {
        "a": 3, "b": None, "c": [], "d": {}, "e": {"key": "e"}, "f": {"key": "f", "size": "1"},
        "g": {"key": 7, "size": 1}, "h": {"key": "h", "size": 1, "sha256": 5},
        "i": {"key": "i", "size": 1.5},
    }  # fmt: skip
    good, bad = decode_entries(json.dumps({"entries": {**broken, "ok": sound}}).encode(), name="n")
    assert good == {"ok": Entry(key="ok", size=1)}
    assert bad == dict.fromkeys(broken, "malformed entry in the index")


@pytest.mark.parametrize(
    ("rel", "fields", "reason"),
    [
        ("../out", {}, "path segment '..'"),
        ("a", {"size": -1}, "impossible size in the index"),
        ("a", {"size": 2**53}, "impossible size in the index"),
        ("a", {"sha256": "x" * 64}, "malformed SHA-256 in the index"),
        ("a", {"sha256": SHA.upper()}, "malformed SHA-256 in the index"),
        ("a", {"sha256": SHA[1:]}, "malformed SHA-256 in the index"),
        ("a", {"sha256": ""}, "malformed SHA-256 in the index"),
    ],
)
def test_an_entry_that_must_not_be_acted_on_says_why(
    rel: str, fields: dict[str, object], reason: str
) -> None:
    entry = msgspec.convert({"key": rel, "size": 1, **fields}, Entry)
    assert entry_problem(rel, entry) == reason


def test_the_key_prefix_counts_in_an_entry_too() -> None:
    rel = "/".join(["abcdefg"] * 128)
    entry = Entry(key=rel, size=0)
    assert entry_problem(rel, entry) is None
    assert entry_problem(rel, entry, key_prefix_bytes=9) == "key longer than 1024 bytes"


def test_the_tag_tells_versions_apart() -> None:
    assert Entry(key="a", size=1, sha256=SHA).tag == SHA
    plain = Entry(key="a", size=1, lastModified="t1")
    assert plain.tag != Entry(key="a", size=2, lastModified="t1").tag
    assert plain.tag != Entry(key="a", size=1, lastModified="t2").tag
    assert plain.tag == Entry(key="b", size=1, lastModified="t1").tag


@pytest.mark.parametrize(
    "raw",
    [
        b"", b"<html>", b"[]", b"{}", b'{"version":"2"}', b'{"version":3,"partitions":[]}',
        b'{"version":0}', b'{"version":2,"partitions":{}}', b'{"version":2,"partitions":[1]}',
        b'{"version":2,"commitSeq":-1}', b'{"version":2,"commitSeq":1.5}', b"[" * 200_000,
    ],
)  # fmt: skip
def test_what_is_no_meta_is_corrupt(raw: bytes) -> None:
    with pytest.raises(IndexCorrupt, match=r"^_index/_meta\.json "):
        decode_meta(raw, name="_index/_meta.json")


def test_meta_keeps_what_we_do_not_know_and_can_be_new() -> None:
    old = b'{"version":2,"partitions":["a"],"commitSeq":4,"future":{"x":1.50}}'
    assert encode_meta(old, {"commitSeq": 5}) == old.replace(b":4", b":5")
    assert encode_meta(None, {"version": 2, "commitSeq": 1}) == b'{"version":2,"commitSeq":1}'


def test_keys_lie_below_the_namespace() -> None:
    solo, named = Keys(), Keys("web")
    assert (solo.data("a/b"), named.data("a/b")) == ("a/b", "web/a/b")
    assert (solo.monolith, named.monolith) == (".datastore-index.json", "web/.datastore-index.json")
    assert (solo.meta, named.meta) == ("_index/_meta.json", "web/_index/_meta.json")
    assert (solo.shard("logs"), named.shard("logs")) == ("_index/logs.json", "web/_index/logs.json")
    assert (solo.lock, named.lock) == (".datastore.lock", ".locks/web.lock")
    assert named.manifest == "web/.namespace.json"
    assert (solo.control, named.commits) == ("_control/s3dash/", "web/_control/s3dash/commits/")


def test_a_shards_key_names_its_partition() -> None:
    keys = Keys("web")
    assert keys.partition_of(keys.shard("data--a--b")) == "data--a--b"
    foreign_keys = (
        keys.meta, "_index/logs.json", "other/names/logs.json", "web/_index/longer.txt",
        "web/_index/.json", "web/a",
    )  # fmt: skip
    for foreign in foreign_keys:
        assert keys.partition_of(foreign) is None


SEGMENTS = st.sampled_from(
    [
        "a",
        "data",
        "_x",
        ".lock",
        ".",
        "..",
        "",
        "_index",
        "_catalog.db-1",
        "\u00e9",
        "\x7f",
        "x" * 256,
    ]
)
RELS = st.lists(SEGMENTS, min_size=1, max_size=4).map("/".join)
ENTRIES = st.builds(
    Entry,
    key=RELS,
    size=st.sampled_from([0, 1, -1, 2**53 - 1, 2**53]),
    sha256=st.sampled_from([None, SHA, SHA.upper(), SHA[:-1], SHA[:-1] + "\u00e9", "g" * 64, ""]),
)


@settings(max_examples=300)
@given(st.dictionaries(RELS, ENTRIES, max_size=4), st.sampled_from([0, 9, 900]))
def test_looking_at_a_document_as_a_whole_judges_as_looking_at_each_entry(
    entries: dict[str, Entry], lead: int
) -> None:
    data = {rel: entry for rel, entry in entries.items() if paths.is_data(rel)}
    why = {rel: entry_problem(rel, e, key_prefix_bytes=lead) for rel, e in data.items()}
    good, bad = sound(entries, key_prefix_bytes=lead)
    assert good == {rel: entry for rel, entry in data.items() if why[rel] is None}
    assert bad == {rel: reason for rel, reason in why.items() if reason is not None}


def test_a_plain_document_is_judged_as_a_whole() -> None:
    """And any one entry that is not so is found among the plain ones."""
    plain = {f"a/{n}": Entry(key=f"a/{n}", size=n, sha256=SHA) for n in range(50)}
    assert sound(plain) == (plain, {})
    for rel, entry in (
        ("a//b", Entry(key="a//b", size=1)),
        ("b", Entry(key="b", size=-1)),
        ("c", Entry(key="c", size=1, sha256=SHA[:-1] + "x")),
        ("d", Entry(key="d", size=1, sha256=SHA + SHA)),
    ):
        good, bad = sound({**plain, rel: entry})
        assert (good, list(bad)) == (plain, [rel])
