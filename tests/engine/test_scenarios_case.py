"""Reliability scenario 35: keys that differ by case, on a disk that takes them for one name.

The disk of the tests tells case apart: the engine is told that its own does not.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine
from s3dash.engine.twins import colliding
from s3dash.local.atomic import CacheDir
from s3dash.objectstore.port import ObjectStore
from tests.engine.conftest import Join
from tests.engine.ends import base, data, entries, journal, trash
from tests.engine.world import Machine, contents, digest

Store = Callable[[], ObjectStore]


class Folding(Machine):
    """A machine whose disk takes `A` and `a` for one name."""

    def engine(self) -> Engine:
        return open_engine(self.settings, store=self.store(), clock=self.clock, ignores_case=True)


@pytest.mark.parametrize(
    ("here", "there", "blocked"),
    [
        ([], ["a", "b"], {}),
        (["a"], ["a"], {}),
        ([], ["A", "a"], {"a": "A"}),
        (["a"], ["A", "a"], {"A": "a"}),
        (["d/x"], ["D/y", "d/x", "d/z"], {"D/y": "d"}),
        ([], ["e\u0301", "\u00e9"], {"\u00e9": "e\u0301"}),
        ([], ["STRASSE", "stra\u00dfe"], {"stra\u00dfe": "STRASSE"}),
        (["a"], ["A/x"], {"A/x": "a"}),
    ],
)
def test_the_second_of_two_twins_collides(
    here: list[str], there: list[str], blocked: dict[str, str]
) -> None:
    assert colliding(here, there) == blocked


def test_a_disk_that_tells_case_apart_is_seen_as_one(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    cache = CacheDir(tmp_path / "cache", namespace=None)
    assert not cache.ignores_case()
    (tmp_path / "cache/.datastore-sync-state.json").write_text("{}")
    assert not cache.ignores_case()
    (tmp_path / "cache/.DATASTORE-SYNC-STATE.JSON").hardlink_to(
        tmp_path / "cache/.datastore-sync-state.json"
    )
    assert cache.ignores_case()  # as a disk answers that does not tell
    assert not CacheDir(tmp_path / "missing", namespace=None).ignores_case()


def test_35_of_two_keys_that_differ_by_case_the_second_is_blocked(
    join: Join, store: Store, tmp_path: Path
) -> None:
    ada, mac = join("ada"), Folding(tmp_path / "mac", store)
    files = {"files/A": "upper", "files/a": "lower", "Logs/x": "one", "logs/y": "two"}
    for rel, text in files.items():
        ada.write(rel, text)
    ada.push()
    before = contents(store())
    result = mac.sync()
    assert [b.path for b in result.blocked] == ["files/a", "logs/y"]
    assert "takes it for files/A" in result.blocked[0].reason
    assert (result.pulled, result.deleted_remote, result.conflicts) == (2, 0, [])
    assert mac.files() == {"files/A": b"upper", "Logs/x": b"one"}
    assert mac.sync(max_delete=0).pushed == 0
    assert contents(store()) == before
    assert base(mac) == {"files/A": digest(b"upper"), "Logs/x": digest(b"one")}
    assert (trash(mac), journal(mac)) == ([], [])


def test_35_a_deletion_of_the_first_makes_room_for_the_second(
    join: Join, store: Store, tmp_path: Path
) -> None:
    ada, mac = join("ada"), Folding(tmp_path / "mac", store)
    ada.write("files/A", "upper")
    ada.write("files/a", "lower")
    ada.write("files/stay", "stay")
    ada.push()
    mac.sync()
    (mac.cache / "files/A").unlink()
    assert mac.sync().deleted_remote == 1
    assert mac.sync().blocked == []
    want = {"files/a": b"lower", "files/stay": b"stay"}
    assert mac.files() == data(store) == want
    assert entries(store) == base(mac) == {rel: digest(body) for rel, body in want.items()}
