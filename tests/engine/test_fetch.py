"""One file of a namespace that we do not work in: whole and verified, or not at all."""

from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.errors import (
    AccessDenied,
    Cancelled,
    Integrity,
    LocalError,
    NotFound,
    PathBlocked,
    ReadOnly,
    UsageError,
)
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.catalog_world import Factory, entry, opened, put_catalog, register
from tests.engine.conftest import Join
from tests.engine.faults import Once, machine
from tests.engine.world import Machine, digest, fill, golden_bucket


@pytest.fixture
def bob(join: Join, store: Factory) -> Machine:
    """Who works in `web`, and pushed two files."""
    register(store(), "web", "infra")
    bob = join("bob", namespace="web")
    bob.write("files/deep/note.txt", "what bob wrote")
    bob.write("data/m/i/1/raw", b"\x00\x01")
    bob.push()
    return bob


@pytest.fixture
def ada(join: Join, bob: Machine) -> Machine:
    return join("ada", namespace="infra")


def test_a_file_arrives_verified_and_nothing_else_changes(
    ada: Machine, store: Factory, tmp_path: Path
) -> None:
    before = {info.key: info.etag for info in store().list()}
    with opened(ada) as engine:
        done = engine.catalogs.fetch("web", "files/deep/note.txt", to=str(tmp_path / "mine.txt"))
    assert (tmp_path / "mine.txt").read_text() == "what bob wrote"
    assert (done.namespace, done.path, done.size) == ("web", "files/deep/note.txt", 14)
    assert done.to == str(tmp_path / "mine.txt")
    assert (done.sha256, done.verified, done.written) == (digest(b"what bob wrote"), True, True)
    assert {info.key: info.etag for info in store().list()} == before
    assert [p.name for p in tmp_path.iterdir() if p.name.startswith(".")] == []


def test_into_a_directory_it_keeps_its_name(ada: Machine, tmp_path: Path) -> None:
    (tmp_path / "there").mkdir()
    with opened(ada) as engine:
        done = engine.catalogs.fetch("web", "data/m/i/1/raw", to=str(tmp_path / "there"))
    assert done.to == str(tmp_path / "there/raw")
    assert (tmp_path / "there/raw").read_bytes() == b"\x00\x01"


def test_solo_engine_fetches_too(join: Join, bob: Machine, tmp_path: Path) -> None:
    with opened(join("eve")) as engine:
        assert engine.catalogs.fetch("web", "data/m/i/1/raw", to=str(tmp_path / "r")).verified


def test_who_only_looks_may_fetch(join: Join, bob: Machine, tmp_path: Path) -> None:
    eve = join("eve", namespace="infra", readonly=True)
    with opened(eve) as engine:
        assert engine.catalogs.fetch("web", "data/m/i/1/raw", to=str(tmp_path / "r")).written
        with pytest.raises(ReadOnly):
            engine.catalogs.fetch("web", "data/m/i/1/raw", to=str(_base(eve) / "r"), force=True)


def _base(owner: Machine) -> Path:
    owner.base.mkdir(parents=True, exist_ok=True)
    return owner.base


# --- what should it be? ------------------------------------------------------------------


def test_v1_is_verified_by_the_monolith(tmp_path: Path, memory: MemoryBucket) -> None:
    fill(MemoryStore(memory), golden_bucket("gold-ns"))
    ada = Machine(tmp_path / "ada", lambda: MemoryStore(memory, "team"))
    with opened(ada) as engine:
        for slug in ("infra", "web"):
            done = engine.catalogs.fetch(slug, "logs/app.log", to=str(tmp_path / slug))
            assert done.verified
            assert (tmp_path / slug).stat().st_size == done.size


def test_only_its_shard_is_read(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = machine(tmp_path / "bob", memory, namespace="web")
    for name in ("files/a", "logs/b", "audit/c", "data/m/i/1/raw"):
        bob.write(name, name)
    bob.push()
    seen: list[str] = []
    ada = machine(tmp_path / "ada", memory, before=lambda op, key: seen.append(f"{op} {key}"))
    with opened(ada) as engine:
        engine.catalogs.fetch("web", "logs/b", to=str(tmp_path / "b"))
    assert seen == [
        "get web/_index/_meta.json",
        "get web/_index/logs.json",
        "head web/logs/b",
        "download web/logs/b",
    ]


def test_what_only_the_catalog_names_is_verified_by_it(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """A plain client drops from its index what has no partition; its catalog knows it."""
    store = MemoryStore(memory)
    register(store, "web")
    store.put("web/odd/place", b"bytes")
    put_catalog(store, "web", [entry("odd/place", b"bytes")])
    with opened(machine(tmp_path / "ada", memory)) as engine:
        assert engine.catalogs.fetch("web", "odd/place", to=str(tmp_path / "p")).verified
        put_catalog(store, "web", [entry("odd/place", b"other")])
        with pytest.raises(Integrity):
            engine.catalogs.fetch("web", "odd/place", to=str(tmp_path / "q"))
        assert not (tmp_path / "q").exists()


@pytest.mark.parametrize("sha256", [None, "absent"])
def test_what_nobody_vouches_for_is_told_as_unverified(
    tmp_path: Path, memory: MemoryBucket, sha256: str | None
) -> None:
    store = MemoryStore(memory)
    register(store, "web")
    store.put("web/odd/place", b"bytes")
    if sha256 is None:
        put_catalog(store, "web", [entry("odd/place", b"bytes", sha256=None)])
    with opened(machine(tmp_path / "ada", memory)) as engine:
        done = engine.catalogs.fetch("web", "odd/place", to=str(tmp_path / "p"))
        assert (done.verified, done.sha256) == (False, digest(b"bytes"))


def test_what_is_not_what_its_index_says_is_not_written(
    ada: Machine, store: Factory, tmp_path: Path
) -> None:
    store().put("web/files/deep/note.txt", b"what eve wrote")
    with opened(ada) as engine, pytest.raises(Integrity, match="nothing was written"):
        engine.catalogs.fetch("web", "files/deep/note.txt", to=str(tmp_path / "n"))
    assert [p.name for p in tmp_path.iterdir() if p.name == "n" or p.name.startswith(".")] == []


def test_one_that_is_just_being_pushed_is_looked_at_again(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    bob = machine(tmp_path / "bob", memory, namespace="web")
    bob.write("files/b", "one")
    bob.push()

    def push() -> None:
        bob.write("files/b", "another")
        bob.push()

    ada = machine(tmp_path / "ada", memory, before=Once("head", "web/files/b", push))
    with opened(ada) as engine:
        done = engine.catalogs.fetch("web", "files/b", to=str(tmp_path / "b"))
    assert (done.size, (tmp_path / "b").read_text()) == (7, "another")


def test_not_there_with_near_matches(ada: Machine, store: Factory, tmp_path: Path) -> None:
    with opened(ada) as engine:
        with pytest.raises(NotFound, match=r"web has no file note\.txt") as caught:
            engine.catalogs.fetch("web", "note.txt", to=str(tmp_path / "n"))
        assert caught.value.hint == "there is files/deep/note.txt"
        with pytest.raises(NotFound) as caught:
            engine.catalogs.fetch("web", "files/zzz", to=str(tmp_path / "n"))
        assert caught.value.hint == "s3dash namespaces search zzz"
        with pytest.raises(NotFound, match="there is no namespace wen") as caught:
            engine.catalogs.fetch("wen", "files/deep/note.txt", to=str(tmp_path / "n"))
        assert caught.value.hint == "there is web"
        store().delete("web/files/deep/note.txt")
        with pytest.raises(NotFound, match="its object is gone"):
            engine.catalogs.fetch("web", "files/deep/note.txt", to=str(tmp_path / "n"))


@pytest.mark.parametrize(
    "path", ["../x", "/etc/passwd", "a\x1b", "", "_index/_meta.json", ".locks/web.lock", "a/.lock"]
)
def test_what_can_be_no_file_is_blocked(ada: Machine, tmp_path: Path, path: str) -> None:
    with opened(ada) as engine, pytest.raises(PathBlocked):
        engine.catalogs.fetch("web", path, to=str(tmp_path / "n"))


def test_a_namespace_that_can_be_none(ada: Machine, tmp_path: Path) -> None:
    with opened(ada) as engine, pytest.raises(UsageError):
        engine.catalogs.fetch("../web", "a", to=str(tmp_path / "n"))


# --- where to ----------------------------------------------------------------------------


def test_never_over_another_file_unless_forced(ada: Machine, tmp_path: Path) -> None:
    target = tmp_path / "n"
    target.write_text("mine")
    target.chmod(0o600)
    with opened(ada) as engine:
        with pytest.raises(UsageError, match="another file"):
            engine.catalogs.fetch("web", "files/deep/note.txt", to=str(target))
        assert target.read_text() == "mine"
        assert engine.catalogs.fetch(
            "web", "files/deep/note.txt", to=str(target), force=True
        ).written
        assert target.read_text() == "what bob wrote"
        assert target.stat().st_mode & 0o777 == 0o600
        stamp = target.stat().st_mtime_ns
        again = engine.catalogs.fetch("web", "files/deep/note.txt", to=str(target))
        assert not again.written
        assert target.stat().st_mtime_ns == stamp


def test_an_unvouched_file_goes_over_no_other_either(tmp_path: Path, memory: MemoryBucket) -> None:
    store = MemoryStore(memory)
    register(store, "web")
    store.put("web/odd/place", b"bytes")
    target = tmp_path / "p"
    target.write_bytes(b"mine")
    with opened(machine(tmp_path / "ada", memory)) as engine:
        with pytest.raises(UsageError, match="another file"):
            engine.catalogs.fetch("web", "odd/place", to=str(target))
        target.write_bytes(b"bytes")
        assert not engine.catalogs.fetch("web", "odd/place", to=str(target)).written


def test_what_is_no_file_is_not_replaced(ada: Machine, tmp_path: Path) -> None:
    (tmp_path / "real").write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with opened(ada) as engine:
        with pytest.raises(LocalError, match="no regular file"):
            engine.catalogs.fetch(
                "web", "files/deep/note.txt", to=str(tmp_path / "link"), force=True
            )
        with pytest.raises(LocalError, match="is no directory"):
            engine.catalogs.fetch("web", "files/deep/note.txt", to=str(tmp_path / "none/n"))
        with pytest.raises(LocalError, match="the name is too long"):
            engine.catalogs.fetch("web", "files/deep/note.txt", to=str(tmp_path / ("n" * 300)))
    assert (tmp_path / "real").read_text() == "mine"


def test_a_file_that_appears_meanwhile_is_kept(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = machine(tmp_path / "bob", memory, namespace="web")
    bob.write("files/b", "theirs")
    bob.push()
    target = tmp_path / "b"
    race = Once("download", "web/files/b", lambda: target.write_text("mine"))
    with (
        opened(machine(tmp_path / "ada", memory, before=race)) as engine,
        pytest.raises(LocalError, match="created meanwhile"),
    ):
        engine.catalogs.fetch("web", "files/b", to=str(target))
    assert target.read_text() == "mine"


def test_into_the_cache_only_when_forced(ada: Machine, tmp_path: Path) -> None:
    """The old file goes to the trash, and the new one is dirty."""
    ada.write("files/n", "mine")
    inside = str(ada.base / "files/n")
    with opened(ada) as engine:
        with pytest.raises(UsageError, match="the next push would send it"):
            engine.catalogs.fetch("web", "files/deep/note.txt", to=inside)
        with pytest.raises(UsageError, match="the next push would send it"):
            engine.catalogs.fetch("web", "files/deep/note.txt", to=str(ada.base / "files"))
        assert ada.read("files/n") == b"mine"
        engine.catalogs.fetch("web", "files/deep/note.txt", to=inside, force=True)
        assert ada.read("files/n") == b"what bob wrote"
        (kept,) = engine.trash()
        assert (kept.path, kept.size, kept.expires) == ("files/n", 4, False)
        assert [row.path for row in engine.snapshot().dirty] == ["files/n"]
    assert ada.sidecar()["dirtyPaths"] == ["infra/files/n"]


@pytest.mark.parametrize("where", ["web/files", "_control", "infra/_index"])
def test_never_into_what_belongs_to_others(ada: Machine, where: str) -> None:
    (ada.cache / where).mkdir(parents=True)
    with opened(ada) as engine, pytest.raises(UsageError, match="belongs to others"):
        engine.catalogs.fetch(
            "web", "files/deep/note.txt", to=str(ada.cache / where / "n"), force=True
        )


def test_a_link_into_the_cache_is_the_cache(ada: Machine, tmp_path: Path) -> None:
    _base(ada)
    (tmp_path / "door").symlink_to(ada.base)
    with opened(ada) as engine, pytest.raises(UsageError, match="the next push would send it"):
        engine.catalogs.fetch("web", "files/deep/note.txt", to=str(tmp_path / "door/n"))


# --- on its way --------------------------------------------------------------------------


def test_a_cancel_leaves_nothing(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = machine(tmp_path / "bob", memory, namespace="web")
    bob.write("files/b", b"b" * (3 << 20))
    bob.push()
    token = CancelToken()
    ada = machine(tmp_path / "ada", memory, before=Once("download", "web/files/b", token.cancel))
    (tmp_path / "out").mkdir()
    with opened(ada) as engine:
        with pytest.raises(Cancelled):
            engine.catalogs.fetch("web", "files/b", to=str(tmp_path / "out"), cancel=token)
        (row,) = engine.snapshot().progress.transfers
        assert (row.path, row.state) == ("web/files/b", "cancelled")
    assert list((tmp_path / "out").iterdir()) == []


def test_how_it_goes_shows_among_the_transfers(ada: Machine, tmp_path: Path) -> None:
    with opened(ada) as engine:
        engine.catalogs.fetch("web", "files/deep/note.txt", to=str(tmp_path / "n"))
        (row,) = engine.snapshot().progress.transfers
        assert (row.direction, row.path, row.state) == ("down", "web/files/deep/note.txt", "done")
        assert (row.done, row.size) == (14, 14)


def test_a_refusal_is_told_as_it_is(tmp_path: Path, memory: MemoryBucket) -> None:
    bob = machine(tmp_path / "bob", memory, namespace="web")
    bob.write("files/b", "b")
    bob.push()

    def refuse(op: str, _key: str) -> None:
        if op == "download":
            raise AccessDenied("no rights")

    with (
        opened(machine(tmp_path / "ada", memory, before=refuse)) as engine,
        pytest.raises(AccessDenied, match="no rights"),
    ):
        engine.catalogs.fetch("web", "files/b", to=str(tmp_path / "b"))
