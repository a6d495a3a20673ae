"""What the Explorer writes, deletes and brings here: nothing that was not shown."""

from pathlib import Path

import pytest

from s3dash.core.settings import Kind
from s3dash.errors import FileThere, NotEmpty, PathBlocked, ReadOnly, TargetTaken
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from s3dash.stores.blobs import keys as blob_keys
from s3dash.stores.blobs import sri
from s3dash.stores.explore.entry import Shape
from s3dash.stores.explore.job import Job
from tests.stores.explore.explored import explorer, fill, level


def keys(store: ObjectStore) -> list[str]:
    return sorted(info.key for info in store.list())


def test_an_object_becomes_a_file(store: ObjectStore, tmp_path: Path) -> None:
    fill(store, {"d/a": b"hello"})
    found, job = explorer(store), Job("downloading")
    done = found.download(level(found, "d/")["a"], tmp_path / "here", job)
    assert (tmp_path / "here").read_bytes() == b"hello"
    assert (done.files, done.bytes, job.done, job.bytes) == (1, 5, 1, 5)
    with pytest.raises(TargetTaken):
        found.download(level(found, "d/")["a"], tmp_path / "here", job)
    assert [path.name for path in tmp_path.iterdir()] == ["here"]


def test_a_directory_becomes_a_new_one_and_names_that_lead_out_stay(tmp_path: Path) -> None:
    store = MemoryStore(MemoryBucket())
    fill(store, {"d/a": b"1", "d/e/b": b"22", "d/": b"", "d/../../out": b"x", "d/e": b"file"})
    found = explorer(store)
    done = found.download(level(found)["d/"], tmp_path / "new", Job("downloading"))
    assert done.files == 2
    assert (tmp_path / "new/a").read_bytes() == b"1"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["new"]
    assert len(done.failed) == 2
    assert any("path segment '..'" in line for line in done.failed)
    with pytest.raises(TargetTaken):
        found.download(level(found)["d/"], tmp_path / "new", Job("downloading"))


def test_a_file_is_sent_and_replaces_only_what_was_shown(
    store: ObjectStore, tmp_path: Path
) -> None:
    source = tmp_path / "f"
    source.write_bytes(b"one")
    found = explorer(store)
    found.upload(source, "d/", "files", Job("uploading"), over=None)
    seen = found.found("d/f")
    assert seen is not None
    with pytest.raises(TargetTaken):
        found.upload(source, "d/", "files", Job("uploading"), over=None)
    source.write_bytes(b"two")
    found.upload(source, "d/", "files", Job("uploading"), over=seen)
    with pytest.raises(TargetTaken):
        found.upload(source, "d/", "files", Job("uploading"), over=seen)
    fetched = store.get("d/f")
    assert fetched is not None
    assert fetched.body == b"two"


def test_a_blob_is_sent_under_its_digest(store: ObjectStore, tmp_path: Path) -> None:
    source = tmp_path / "whatever"
    source.write_bytes(b"left-pad")
    key = explorer(store, "blobs").upload(source, "", "blobs", Job("uploading"), over=None)
    assert key == blob_keys.encode(sri.of(b"left-pad"))
    assert keys(store) == [key]


def test_a_directory_is_made_once(store: ObjectStore) -> None:
    found = explorer(store)
    found.mkdir("d/new/")
    assert "d/new/" in keys(store)
    with pytest.raises(FileThere):
        found.mkdir("d/new/")


def test_a_name_is_changed_and_never_over_another(store: ObjectStore) -> None:
    fill(store, {"a": b"1", "b": b"2"})
    found = explorer(store)
    found.copy(level(found)["a"], "d/c", "files")
    with pytest.raises(TargetTaken):
        found.rename(level(found)["a"], "b", "files", Job("renaming"))
    found.rename(level(found)["a"], "e", "files", Job("renaming"))
    assert keys(store) == ["b", "d/c", "e"]
    fetched = store.get("b")
    assert fetched is not None
    assert fetched.body == b"2"


def test_a_directory_gets_another_name_where_nothing_is(store: ObjectStore, tmp_path: Path) -> None:
    fill(store, {"d/a": b"1", "d/e/b": b"22", "there/x": b"x"})
    found, job = explorer(store, state_dir=tmp_path), Job("renaming")
    with pytest.raises(NotEmpty):
        found.rename(level(found)["d/"], "there", "files", job)
    found.rename(level(found)["d/"], "moved/here", "files", job)
    assert {"moved/here/a", "moved/here/e/b", "there/x"} <= set(keys(store))
    assert not any(key.startswith("d/") for key in keys(store))
    assert job.done >= 2


@pytest.mark.parametrize(
    ("typed", "key"), [("x", "d/x"), ("/x", "x"), (" e/f ", "d/e/f"), ("new/", "d/new/")]
)
def test_a_typed_name_counts_from_here(typed: str, key: str) -> None:
    assert explorer(MemoryStore(MemoryBucket())).key_for(typed, "d/") == key


@pytest.mark.parametrize("typed", ["../x", "a//b", "", "a\x1bb", "//x", "x" * 2000])
def test_a_name_that_no_key_should_have_is_refused(typed: str) -> None:
    with pytest.raises(PathBlocked):
        explorer(MemoryStore(MemoryBucket())).key_for(typed, "d/")


def test_a_deletion_takes_what_was_listed_and_nothing_else(store: ObjectStore) -> None:
    fill(store, {"d/a": b"1", "d/e/b": b"22", "d/": b"", "other": b"x"})
    found, job = explorer(store), Job("deleting")
    doomed = found.doomed([level(found)["d/"]], "files")
    assert sorted(info.key for info in doomed.objects) == ["d/", "d/a", "d/e/b"]
    assert (doomed.bytes, doomed.more) == (3, False)
    store.put("d/a", b"replaced")
    store.put("d/later", b"came later")
    store.delete("d/e/b")
    done = found.remove(doomed, "files", job)
    assert keys(store) == ["d/a", "d/later", "other"]
    assert (done.done, job.of) == (2, 3)
    assert done.failed == ("d/a: it was replaced since it was listed, and stays",)


def test_more_than_a_dialog_can_show_is_not_listed_to_its_end() -> None:
    from s3dash.stores.explore import changing

    store = MemoryStore(MemoryBucket())
    fill(store, {f"d/{n}": b"" for n in range(30)})
    found = explorer(store)
    doomed = changing.doomed(found.opened, [level(found)["d/"]], most=20)
    assert (len(doomed.objects), doomed.more) == (20, True)


@pytest.mark.parametrize(
    ("kind", "readonly", "shape", "told"),
    [
        ("cache", False, "files", "push alone"),
        ("files", True, "files", "look only"),
        ("files", False, "keys", "holds files"),
    ],
)
def test_what_may_only_be_looked_at_is_not_changed(
    kind: Kind, readonly: bool, shape: Shape, told: str, tmp_path: Path
) -> None:
    store = MemoryStore(MemoryBucket())
    fill(store, {"a": b"1"})
    found = explorer(store, kind, readonly=readonly)
    entry, source = level(found)["a"], tmp_path / "f"
    source.write_bytes(b"x")
    for change in (
        lambda: found.upload(source, "", shape, Job(""), over=None),
        lambda: found.copy(entry, "b", shape),
        lambda: found.rename(entry, "b", shape, Job("")),
        lambda: found.doomed([entry], shape),
    ):
        with pytest.raises(ReadOnly, match=told):
            change()
    assert keys(store) == ["a"]
