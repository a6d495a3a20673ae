"""Two caches on one datastore: what one pushes the other pulls, and nothing is lost between."""

import json
from collections.abc import Callable

from s3dash.objectstore.port import ObjectStore
from tests.engine.conftest import Join
from tests.engine.world import contents, digest

Store = Callable[[], ObjectStore]


def test_a_first_push_starts_a_version_2_index(join: Join, store: Store) -> None:
    ada = join("ada")
    ada.write("files/a.txt", "one")
    ada.write("data/t/id/name/1/raw", "two")
    ada.write("odd/place.txt", "three")
    ada.write("top", "four")
    result = ada.push()
    assert (result.pushed, result.commit_seq, result.failed) == (4, 1, [])
    bucket = contents(store())
    assert bucket["files/a.txt"] == b"one"
    meta = json.loads(bucket["_index/_meta.json"])
    assert meta["version"] == 2
    assert meta["partitions"] == ["_root", "data--t--id", "files", "odd"]
    entry = json.loads(bucket["_index/odd.json"])["entries"]["odd/place.txt"]
    assert (entry["key"], entry["size"], entry["sha256"]) == ("odd/place.txt", 5, digest(b"three"))
    assert ".datastore.lock" not in bucket


def test_what_one_pushes_the_other_pulls(join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    ada.write("files/a.txt", "one")
    ada.write("files/b.txt", "two")
    ada.push()
    assert bob.pull().pulled == 2
    assert bob.files() == ada.files()
    assert (bob.pull().pulled, bob.push().pushed, ada.sync().pulled) == (0, 0, 0)


def test_a_same_size_edit_and_a_deletion_arrive(join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    for rel in ("files/a.txt", "files/b.txt", "files/c.txt"):
        ada.write(rel, "old")
    ada.push()
    bob.pull()
    ada.write("files/a.txt", "new")
    (ada.cache / "files/b.txt").unlink()
    pushed = ada.push()
    assert (pushed.pushed, pushed.deleted_remote) == (1, 1)
    pulled = bob.pull()
    assert (pulled.pulled, pulled.deleted_local) == (1, 1)
    assert bob.files() == {"files/a.txt": b"new", "files/c.txt": b"old"}


def test_a_path_that_both_edited_is_a_conflict_and_both_stay_readable(
    join: Join, store: Store
) -> None:
    ada, bob = join("ada"), join("bob")
    ada.write("logs/app.log", "base")
    ada.write("logs/other.log", "base")
    ada.push()
    bob.pull()
    ada.write("logs/app.log", "AAAA")
    bob.write("logs/app.log", "BBBB")
    bob.write("logs/other.log", "fine")
    ada.push()
    result = bob.sync()
    assert [c.path for c in result.conflicts] == ["logs/app.log"]
    assert result.exit_code == 3
    assert result.pushed == 1
    assert bob.read("logs/app.log") == b"BBBB"
    bucket = contents(store())
    assert bucket["logs/app.log"] == b"AAAA"
    assert bucket["logs/other.log"] == b"fine"
    assert [c.path for c in bob.status().conflicts] == ["logs/app.log"]


def test_the_policy_decides_a_conflict_and_keeps_what_loses(join: Join, store: Store) -> None:
    ada, bob = join("ada"), join("bob")
    for policy, here, there in (("remote", b"AAAA", b"AAAA"), ("local", b"BBBB", b"BBBB")):
        rel = f"files/{policy}"
        ada.write(rel, "base")
        ada.push()
        bob.pull()
        ada.write(rel, "AAAA")
        bob.write(rel, "BBBB")
        ada.push()
        result = bob.sync(policy=policy)
        assert result.conflicts == []
        assert bob.read(rel) == here
        assert contents(store())[rel] == there
        kept = [path.read_bytes() for path in (bob.home / "state/trash").glob("*.blob")]
        assert (b"BBBB" if policy == "remote" else b"AAAA") in kept
        ada.pull()


def test_keep_both_moves_the_local_version_aside(join: Join, store: Store) -> None:
    ada, bob = join("ada"), join("bob")
    ada.write("files/x.txt", "base")
    ada.push()
    bob.pull()
    ada.write("files/x.txt", "AAAA")
    bob.write("files/x.txt", "BBBB")
    ada.push()
    bob.sync(policy="keep-both")
    aside = [rel for rel in bob.files() if ".conflict-" in rel]
    assert bob.read("files/x.txt") == b"AAAA"
    assert [bob.read(rel) for rel in aside] == [b"BBBB"]
    bob.push()
    assert contents(store())[aside[0]] == b"BBBB"


def test_an_edit_wins_over_a_deletion_either_way(join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    for rel in ("files/1", "files/2", "files/3", "files/4", "files/5"):
        ada.write(rel, "base")
    ada.push()
    bob.pull()
    (ada.cache / "files/1").unlink()
    ada.write("files/2", "edit")
    ada.push()
    bob.write("files/1", "edit")
    (bob.cache / "files/2").unlink()
    result = bob.sync()
    assert (result.pushed, result.pulled, result.conflicts) == (1, 1, [])
    ada.sync()
    assert ada.files() == bob.files()
    assert (ada.read("files/1"), ada.read("files/2")) == (b"edit", b"edit")


def test_a_touched_file_moves_nothing(join: Join) -> None:
    ada = join("ada")
    ada.write("files/a", "same")
    ada.push()
    ada.write("files/a", "same")
    result = ada.push()
    assert (result.pushed, result.commit_seq) == (0, 1)


def test_a_first_sync_of_two_full_sides_is_a_union(join: Join) -> None:
    ada, bob = join("ada"), join("bob")
    ada.write("files/both", "same")
    ada.write("files/ada", "a")
    ada.write("files/clash", "AA")
    ada.push()
    bob.write("files/both", "same")
    bob.write("files/bob", "b")
    bob.write("files/clash", "BB")
    result = bob.sync()
    assert (result.pulled, result.pushed, result.deleted_local, result.deleted_remote) == (
        1,
        1,
        0,
        0,
    )
    assert [c.path for c in result.conflicts] == ["files/clash"]
    assert set(bob.files()) == {"files/both", "files/ada", "files/bob", "files/clash"}


def test_only_the_selected_paths_move(join: Join, store: Store) -> None:
    ada = join("ada")
    ada.write("files/a", "a")
    ada.write("files/sub/b", "b")
    ada.write("logs/c", "c")
    assert ada.push(["files/sub", "logs/c"]).pushed == 2
    assert "files/a" not in contents(store())
    assert [row.path for row in ada.status().local.dirty] == ["files/a"]


def test_a_dry_run_says_what_it_would_do_and_does_nothing(join: Join, store: Store) -> None:
    ada = join("ada")
    ada.write("files/a", "a")
    result = ada.push(dry_run=True)
    assert [(r.path, r.action) for r in result.plan] == [("files/a", "upload")]
    assert result.pushed == 0
    assert contents(store()) == {}


def test_namespaces_do_not_touch_each_other(join: Join, store: Store) -> None:
    infra, web = join("ada", namespace="infra"), join("bob", namespace="web")
    infra.write("files/a", "infra")
    web.write("files/a", "web")
    infra.push()
    web.push()
    bucket = contents(store())
    assert (bucket["infra/files/a"], bucket["web/files/a"]) == (b"infra", b"web")
    (web.base / "files/a").unlink()
    web.write("files/b", "web")
    web.push(max_delete=1)
    assert contents(store())["infra/files/a"] == b"infra"
    assert infra.sync().deleted_local == 0
