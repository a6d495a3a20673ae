"""`directories`: only these are synced; what lies elsewhere is left alone, on both sides."""

from collections.abc import Callable

import pytest

from s3dash.objectstore.port import ObjectStore
from tests.engine.conftest import Join
from tests.engine.world import Machine, contents

OURS = {"data/t/id/name/1/raw": "raw", "logs/app.log": "log"}
OTHERS = {"files/a": "a", "outputs/t/id/run.yaml": "run", "top.txt": "top"}


@pytest.fixture(params=[None, "infra"])
def pair(request: pytest.FixtureRequest, join: Join) -> tuple[Machine, Machine]:
    """Ada syncs everything, Bob two directories."""
    ada = join("ada", namespace=request.param)
    for rel, text in (OURS | OTHERS).items():
        ada.write(rel, text)
    ada.push()
    return ada, join("bob", namespace=request.param, directories=("data", "logs"))


def texts(machine: Machine) -> dict[str, str]:
    return {rel: data.decode() for rel, data in machine.files().items()}


def test_only_what_lies_in_them_is_pulled(pair: tuple[Machine, Machine]) -> None:
    _, bob = pair
    assert bob.status().remote.changed != []
    assert bob.pull().pulled == len(OURS)
    assert texts(bob) == OURS
    status = bob.status()
    assert (status.remote.changed, status.local.dirty) == ([], [])
    assert (status.local.hydrated.files, status.local.hydrated.of) == (2, 2)


def test_what_lies_elsewhere_is_neither_pushed_nor_deleted(
    pair: tuple[Machine, Machine], store: Callable[[], ObjectStore]
) -> None:
    _, bob = pair
    bob.pull()
    bob.write("files/a", "of this machine alone")
    bob.write("secrets/key", "never leaves it")
    bob.write("data/t/id/name/2/raw", "new")
    before = contents(store())
    result = bob.sync()
    assert (result.pushed, result.pulled, result.conflicts, result.deleted_remote) == (1, 0, [], 0)
    after = contents(store())
    assert {k for k in after if "secrets" in k} == set()
    made = ("/_index/", "/.catalog-export.json")  # by every push
    unchanged = {k: v for k, v in before.items() if not any(m in f"/{k}" for m in made)}
    assert unchanged.items() <= after.items()
    assert texts(bob)["files/a"] == "of this machine alone"


def test_a_directory_that_is_left_out_later_takes_nothing_with_it(
    pair: tuple[Machine, Machine], store: Callable[[], ObjectStore], join: Join
) -> None:
    """It was synced, its files were changed and removed here: the others keep what there is."""
    ada, _ = pair
    before = contents(store())
    less = join("ada", namespace=ada.settings.namespace, directories=("data",))
    (ada.base / "logs/app.log").unlink()
    ada.write("files/a", "changed")
    assert less.status().local.dirty == []
    assert less.push().deleted_remote == 0
    assert contents(store()) == before
    assert [row.path for row in ada.status().local.dirty] == ["files/a", "logs/app.log"]


def test_patterns_still_exclude_within_them(pair: tuple[Machine, Machine], join: Join) -> None:
    _, bob = pair
    less = join(
        "bob", namespace=bob.settings.namespace, directories=("data", "logs"), exclude=("*.log",)
    )
    assert less.pull().pulled == 1
    engine = less.engine()
    try:
        engine.excludes.change([])
        assert engine.settings.directories == ("data", "logs")
        assert engine.pull().pulled == 1
        assert texts(bob) == OURS
    finally:
        engine.stop()
