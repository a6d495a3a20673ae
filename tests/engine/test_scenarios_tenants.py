"""Reliability scenario 53: namespace A can never touch B, nor a datastore without one either."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from s3dash.errors import IndexCorrupt
from s3dash.objectstore.port import ObjectStore
from tests.engine.conftest import Join
from tests.engine.ends import all_have, base, entries, is_clean, journal, trash
from tests.engine.world import Machine, contents, digest, fill

Store = Callable[[], ObjectStore]

WHY = "belongs to the namespace web"


def tell(store: Store, key: str, change: Callable[[dict[str, Any]], object]) -> None:
    """Change a JSON object behind everybody's back."""
    document = json.loads(contents(store(), key)[key])
    change(document)
    store().put(key, json.dumps(document).encode())


def below(store: Store, lead: str) -> dict[str, bytes]:
    return contents(store(), lead)


@pytest.fixture
def tenants(join: Join, store: Store) -> tuple[Machine, Machine, Machine]:
    """`infra` and `web`, each with a file, and a datastore without a namespace beside them."""
    infra, web, solo = join("infra", namespace="infra"), join("web", namespace="web"), join("solo")
    for user in (infra, web):
        user.write("files/a", user.home.name)
        user.push()
        store().put(f"{user.home.name}/.namespace.json", b"{}")
    solo.write("files/own", "own")
    solo.push()
    return infra, web, solo


def test_53_what_one_namespace_does_the_others_never_see(
    tenants: tuple[Machine, Machine, Machine], store: Store
) -> None:
    infra, web, solo = tenants
    before = {k: v for k, v in contents(store()).items() if not k.startswith(("web/", ".locks/"))}
    (web.base / "files/a").unlink()
    web.write("files/b", "web")
    assert web.push(max_delete=1).deleted_remote == 1
    after = contents(store())
    assert {k: v for k, v in after.items() if not k.startswith(("web/", ".locks/"))} == before
    assert entries(store, "web") == base(web) == {"files/b": digest(b"web")}
    for user, files in ((infra, {"files/a": b"infra"}), (solo, {"files/own": b"own"})):
        assert (user.sync().deleted_local, user.files(), trash(user)) == (0, files, [])
        assert is_clean(user)


def test_53_an_index_without_namespace_that_names_a_namespaces_file_leads_nowhere(
    tenants: tuple[Machine, Machine, Machine], store: Store
) -> None:
    _, _, solo = tenants
    before = below(store, "web/")
    entry = {"key": "web/files/a", "size": 3, "sha256": digest(b"web")}
    tell(store, "_index/files.json", lambda d: d["entries"].update({"web/files/a": entry}))
    result = solo.sync()
    assert [(b.path, b.reason) for b in result.blocked] == [("web/files/a", WHY)]
    assert (result.pulled, solo.files()) == (0, {"files/own": b"own"})
    solo.write("web/files/a", "over it")
    solo.write("web/files/new", "beside it")
    result = solo.sync()
    assert sorted(b.path for b in result.blocked) == ["web/files/a", "web/files/new"]
    assert (result.pushed, result.deleted_remote) == (0, 0)
    (solo.cache / "web/files/a").unlink()
    solo.sync()
    assert below(store, "web/") == before
    assert base(solo) == {"files/own": digest(b"own")}
    assert journal(solo) == []


def test_53_many_directories_of_ones_own_are_told_from_a_namespaces(
    tenants: tuple[Machine, Machine, Machine], store: Store
) -> None:
    _, _, solo = tenants
    before = below(store, "web/")
    for number in range(10):
        solo.write(f"own-{number}/x", "x")
    solo.write("web/x", "x")
    result = solo.push()
    assert (result.pushed, [b.path for b in result.blocked]) == (10, ["web/x"])
    assert below(store, "web/") == before


def test_53_a_meta_cannot_name_shards_outside_of_its_own_index(
    tenants: tuple[Machine, Machine, Machine], store: Store
) -> None:
    infra, web, _ = tenants
    odd = ["../../web/_index/files", "../x", "", "_meta", "a/b", "\x00", "files"]
    tell(store, "infra/_index/_meta.json", lambda d: d.update(partitions=odd))
    before = below(store, "web/")
    infra.write("files/b", "b")
    assert infra.push().pushed == 1
    meta = json.loads(contents(store())["infra/_index/_meta.json"])
    assert meta["partitions"] == ["files"]
    assert below(store, "web/") == before
    assert is_clean(infra)
    assert is_clean(web)


def test_a_meta_that_names_shards_without_end_is_corrupt_and_nothing_is_made(
    join: Join, store: Store
) -> None:
    ada = join("ada")
    ada.write("files/a", "a")
    ada.push()
    good = contents(store())
    many = [f"files-{number}" for number in range(2000)]
    tell(store, "_index/_meta.json", lambda d: d.update(partitions=many))
    poisoned = contents(store())
    ada.write("files/b", "b")
    with pytest.raises(IndexCorrupt, match="names 2,000 shards"):
        ada.push()
    assert contents(store()) == poisoned
    fill(store(), good)
    assert ada.push().pushed == 1
    all_have(store, {"files/a": "a", "files/b": "b"}, ada)
