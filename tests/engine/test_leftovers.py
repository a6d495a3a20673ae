"""What lies beside our namespace in the cache is shown and left alone, and a guest is one."""

import shutil
from collections.abc import Callable

import msgspec

from s3dash.objectstore.port import ObjectStore
from tests.engine.conftest import Join
from tests.engine.test_standings import within
from tests.engine.world import Machine, contents, fill, golden_bucket, golden_cache

Store = Callable[[], ObjectStore]


# --- leftovers ----------------------------------------------------------------------------


def put_cache(machine: Machine, *names: str) -> dict[str, bytes]:
    """The golden caches, one over the other: what a machine has that changed its layout."""
    files = {rel: body for name in names for rel, body in golden_cache(name).items()}
    for rel, body in files.items():
        path = machine.cache / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
    return files


def data_files(machine: Machine) -> dict[str, bytes]:
    tops = {".datastore-index.json", ".datastore-sync-state.json"}
    found = {p.relative_to(machine.cache).as_posix(): p for p in machine.cache.rglob("*")}
    return {
        rel: path.read_bytes()
        for rel, path in found.items()
        if path.is_file() and rel not in tops and not rel.startswith(".s3dash")
    }


def test_leftovers_of_the_solo_layout_and_foreign_namespaces_are_shown_and_left_alone(
    join: Join, store: Store
) -> None:
    """A golden cache that was solo, then bound to `web`, and now is bound to `infra`."""
    bucket = {k.removeprefix("team/"): v for k, v in golden_bucket("gold-ns").items()}
    fill(store(), bucket)
    ada = join("ada", namespace="infra")
    put_cache(ada, "gold-solo-v2", "gold-ns-web", "gold-ns-infra")
    before = data_files(ada)
    engine = ada.engine()
    try:
        left = {row.name: row for row in engine.registry.leftovers()}
        survey = {row.slug: row for row in engine.census.look().rows}
    finally:
        engine.stop()
    assert {(row.name, row.kind) for row in left.values()} == {
        ("solo", "solo"),
        ("web", "namespace"),
    }
    web = {rel for rel in before if rel.startswith("web/")}
    assert left["web"].files == len(web)
    assert list(survey) == ["infra", "web", ""]
    assert left["solo"].files > 10
    assert (survey["web"].left_files, survey[""].left_files) == (len(web), left["solo"].files)
    ada.write("files/new", "new")
    result = ada.sync()
    assert (result.pushed, result.pulled, result.deleted_local, result.deleted_remote) == (
        1,
        0,
        0,
        0,
    )
    assert data_files(ada) == {**before, "infra/files/new": b"new"}
    after = contents(store())
    assert {k: v for k, v in after.items() if k.startswith("web/")} == {
        k: v for k, v in bucket.items() if k.startswith("web/")
    }
    assert not [k for k in after if k.split("/")[0] not in ("infra", "web")]


def test_a_namespace_that_was_pulled_here_is_no_leftover(join: Join, store: Store) -> None:
    fill(store(), {k.removeprefix("team/"): v for k, v in golden_bucket("gold-ns").items()})
    ada = join("ada", namespace="infra")
    put_cache(ada, "gold-ns-web")

    def left() -> list[str]:
        return [row.name for row in ada.status().leftovers]

    assert left() == ["web"]
    within(ada, "web").pull()
    assert left() == []


def test_without_a_namespace_those_with_a_manifest_are_left_over(join: Join) -> None:
    solo = join("solo")
    solo.write("web/.namespace.json", "{}")
    solo.write("web/files/a", "123")
    solo.write("own/files/a", "123")
    engine = solo.engine()
    try:
        (left,) = engine.registry.leftovers()
    finally:
        engine.stop()
    assert (left.name, left.kind, left.files, left.size) == ("web", "namespace", 1, 3)


# --- guests: what the cache's own clients keep there stays true --------------------------------


def test_a_guest_leaves_the_marks_and_the_index_copy_of_the_caches_own_clients(
    join: Join, store: Store
) -> None:
    """`--namespace web` in a cache that a peer bound to `infra`: its sidecar speaks of `infra`."""
    fill(store(), {k.removeprefix("team/"): v for k, v in golden_bucket("gold-ns").items()})
    ada = join("ada", namespace="infra")
    put_cache(ada, "gold-ns-infra")
    ada.write("files/edited-by-a-peer", "x")
    ada.status()
    sidecar, copy = ada.sidecar(), (ada.cache / ".datastore-index.json").read_bytes()
    assert sidecar["dirtyPaths"] == ["infra/files/edited-by-a-peer"]
    web = within(ada, "web")
    assert web.pull().pulled == 15
    web.write("files/mine", "mine")
    web.status()
    assert web.push().pushed == 1
    assert ada.sidecar() == sidecar
    assert (ada.cache / ".datastore-index.json").read_bytes() == copy
    own = msgspec.json.decode((ada.cache / "web/.datastore-sync-state.json").read_bytes())
    assert (own["dirtyPaths"], own["localDirty"]) == ([], False)
    (web.base / "files/mine").unlink()
    assert web.push(max_delete=1).deleted_remote == 1
    assert not [k for k in contents(store()) if "sync-state" in k]
    assert ada.push().pushed == 1


def test_a_guest_whose_directory_was_emptied_deletes_nothing(join: Join) -> None:
    ada = join("ada", namespace="infra")
    web = within(ada, "web")
    web.write("files/a", "a")
    web.push()
    shutil.rmtree(web.base)
    result = web.sync()
    assert (result.deleted_remote, result.pulled) == (0, 1)
    assert web.read("files/a") == b"a"


def test_marks_of_another_namespace_stay_where_no_home_is_known(join: Join) -> None:
    """One cache, two namespaces, and nothing says which is the cache's own."""
    infra, web = join("ada", namespace="infra"), join("ada", namespace="web")
    for user in (infra, web):
        user.write("files/a", "a")
        user.push()
    infra.write("files/b", "b")
    infra.status()
    web.write("files/b", "b")
    assert web.push().pushed == 1
    assert infra.sidecar()["dirtyPaths"] == ["infra/files/b"]
    assert infra.sidecar()["localDirty"] is True


def test_in_a_solo_cache_a_namespace_is_a_guest(join: Join, store: Store) -> None:
    """`--namespace web` where nothing is bound: plain clients of the solo datastore look there."""
    fill(store(), golden_bucket("gold-solo-v2"))
    ada = join("ada")
    ada.pull()
    bulk = {**ada.sidecar(), "bulkInvalidated": True, "localDirty": True}
    (ada.cache / ".datastore-sync-state.json").write_bytes(msgspec.json.encode(bulk))
    copy = (ada.cache / ".datastore-index.json").read_bytes()
    web = within(ada, "web")
    web.write("files/mine", "mine")
    assert web.push().pushed == 1
    assert ada.sidecar() == bulk, "a plain client is told to walk everything, still"
    assert (ada.cache / ".datastore-index.json").read_bytes() == copy
    assert (ada.cache / "web/.namespace.json").exists(), "by which plain clients leave it alone"
    status = ada.status()
    assert (status.local.dirty, status.blocked) == ([], [])


def test_in_a_plain_clients_cache_another_namespace_is_a_guest(join: Join, store: Store) -> None:
    """Nothing says whose the cache is, but it is not that of a namespace that it has nothing of."""
    fill(store(), {k.removeprefix("team/"): v for k, v in golden_bucket("gold-ns").items()})
    ada = join("ada")
    put_cache(ada, "gold-ns-infra")
    sidecar = ada.sidecar()
    assert within(ada, "web").pull().pulled == 15
    assert ada.sidecar() == sidecar
    infra = within(ada, "infra")
    infra.write("files/new", "new")
    infra.status()
    assert infra.sidecar()["dirtyPaths"] == ["infra/files/new"], "at home, where its client looks"


def test_two_namespaces_of_one_cache_are_lazy_each_by_itself(join: Join, store: Store) -> None:
    """A whole pull of one does not make a deletion of what the other lacks."""
    raw = "data/plain/11111111/state/3/raw"
    away = join("bob", namespace="web")
    away.write(raw, "content")
    away.write("data/plain/11111111/state/3/metadata.yaml", "meta")
    away.push()
    infra, web = join("ada", namespace="infra"), join("ada", namespace="web")
    infra.write("files/a", "a")
    infra.push()
    web.pull(hydration="lazy")
    web.pull([raw], hydration="below")
    (web.base / raw).unlink()
    web.status()
    infra.pull(hydration="full")
    assert web.status().local.lazy
    assert (web.push().deleted_remote, web.status().local.dirty) == (0, [])
    assert f"web/{raw}" in contents(store())


def test_a_guest_in_a_cache_that_was_emptied_deletes_nothing_of_its_hosts(join: Join) -> None:
    """Its sidecar at the top would say that the host's files are known, and gone."""
    ada = join("ada")
    ada.write("files/a", "a")
    ada.push()
    shutil.rmtree(ada.cache)
    ada.cache.mkdir()
    web = within(ada, "web")
    web.write("files/b", "b")
    web.push()
    assert ada.status().local.dirty == []
    assert (ada.sync().deleted_remote, ada.read("files/a")) == (0, b"a")
