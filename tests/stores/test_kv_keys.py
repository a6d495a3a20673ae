"""Keys: cleaning, parts, kinship and order."""

import pytest

from s3dash.stores.kv.keys import Key


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("", "/"),
        ("abcde", "/abcde"),
        ("/a//b///c/", "/a/b/c"),
        ("a/../b", "/b"),
        ("/../a", "/a"),
        ("..", "/"),
        ("//a", "/a"),
        ("/./a/.", "/a"),
        ("/a/b/../../..", "/"),
        ("/a/...", "/a/..."),
    ],
)
def test_key_01_a_key_is_cleaned(text: str, clean: str) -> None:
    assert str(Key(text)) == clean
    assert Key.of(text) == Key.of(Key(text)) == Key.raw(clean)


@pytest.mark.parametrize("text", ["a", "a/b", "/a/", "//a", "/a//b", "/a/../b", "/a/.", "//"])
def test_key_02_a_raw_key_must_be_clean(text: str) -> None:
    with pytest.raises(ValueError, match="no clean key"):
        Key.raw(text)


def test_key_02_an_empty_raw_key_is_the_root() -> None:
    assert Key.raw("") == Key.raw("/") == Key()
    assert Key().is_root


def test_key_03_parts() -> None:
    key = Key("/A/B/C")
    assert key.list() == ("A", "B", "C")
    assert key.parent == Key("/A/B")
    assert Key("/A").parent == Key("/").parent == Key("/")
    assert key.child("D/E") == Key("/A/B/C/D/E")
    assert key.child("../../D") == Key("/A/B/C/D")
    assert Key("/").child(key) == key.child("/") == key
    assert key.reverse == Key("/C/B/A")
    assert (key.base_namespace, key.root_namespace) == ("C", "A")
    assert (Key("/").list(), Key("/").base_namespace, Key("/").reverse) == ((), "", Key("/"))


def test_key_04_type_name_path_and_instance() -> None:
    key = Key("/A/B:c")
    assert (key.type, key.name, key.path) == ("B", "c", Key("/A/B"))
    assert Key("/A").instance("x") == Key("/A:x")
    assert (Key("/A/B").type, Key("/A/B").name) == ("", "B")
    assert (Key("/A/B:c:d").type, Key("/A/B:c:d").name) == ("B:c", "d")


def test_key_05_kinship() -> None:
    assert Key("/A").is_ancestor_of("/A/B")
    assert Key("/A/B/C").is_descendant_of("/A")
    assert not Key("/A").is_ancestor_of("/AB")
    assert not Key("/A").is_ancestor_of("/A")
    assert not Key("/A/B").is_ancestor_of("/A")
    assert Key("/").is_ancestor_of("/A")
    assert not Key("/").is_ancestor_of("/")


def test_key_06_keys_compare_name_by_name() -> None:
    texts = ["/a-b", "/a/b", "/a", "/", "/b"]
    assert [str(key) for key in sorted(map(Key, texts))] == ["/", "/a", "/a/b", "/a-b", "/b"]
    assert Key("/a/b") < Key("/a-b")
    assert Key("/a-b") >= Key("/a/b")
    assert sorted(texts) == ["/", "/a", "/a-b", "/a/b", "/b"]


def test_a_key_is_a_value() -> None:
    assert len({Key("/a"), Key("a/"), Key("/a/b/..")}) == 1
    assert Key("/a/b").relative_to(Key("/a")) == Key("/b")
    assert Key("/a").relative_to(Key("/")) == Key("/a")
