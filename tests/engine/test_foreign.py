"""Foreign objects below a namespace: seen, told apart, put right, and nothing lost by it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.core.foreign import Facts, ForeignReport, decide, segments
from s3dash.errors import Cancelled, LockHeld, UsageError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from tests.engine.conftest import Join
from tests.engine.ends import is_clean
from tests.engine.moves import FILES, at, below, filled, index_of
from tests.engine.world import Machine, contents, digest

Store = Callable[[], ObjectStore]
PAGE = b"the page"


def registered(machine: Machine, *names: str) -> None:
    engine = machine.engine()
    for name in names:
        engine.registry.register(name, repo_id=f"repo-{name}")
    engine.stop()


def look(machine: Machine, namespace: str) -> ForeignReport:
    engine = machine.engine()
    try:
        return engine.foreign.look(namespace)
    finally:
        engine.stop()


def repair(machine: Machine, namespace: str) -> ForeignReport:
    engine = machine.engine()
    try:
        return engine.foreign.repair(namespace)
    finally:
        engine.stop()


@pytest.fixture
def two(join: Join) -> tuple[Machine, Machine]:
    """`infra` and `web`, both with content; each machine works in one."""
    ada, bob = at(join("ada"), "infra"), at(join("bob"), "web")
    registered(ada, "infra", "web")
    return filled(ada), filled(bob, {"data/page/id/1/raw": PAGE, "files/b": b"of web"})


def rows(report: ForeignReport) -> dict[str, str]:
    return {row.path: row.action for row in report.foreign}


def test_a_clean_namespace_has_none(store: Store, two: tuple[Machine, Machine]) -> None:
    assert look(two[0], "infra") == ForeignReport(namespace="infra", applied=False)
    before = contents(store())
    assert repair(two[0], "infra").foreign == ()
    assert contents(store()) == before


def test_what_lies_at_home_as_well_is_dropped(store: Store, two: tuple[Machine, Machine]) -> None:
    store().put("infra/web/data/page/id/1/raw", PAGE)
    before = contents(store())
    (row,) = look(two[0], "infra").foreign
    assert (row.path, row.home) == ("infra/web/data/page/id/1/raw", "web/data/page/id/1/raw")
    assert (row.action, row.reason, row.size) == ("drop", "identical at its home", len(PAGE))
    assert contents(store()) == before
    assert rows(repair(two[0], "infra")) == {row.path: "drop"}
    assert row.path not in contents(store())
    assert below(store, "web")["data/page/id/1/raw"] == PAGE


def test_what_is_nowhere_else_moves_home(store: Store, two: tuple[Machine, Machine]) -> None:
    ada, bob = two
    ada.write("web/data/new/id/1/raw", "pushed with a wrong cache root")
    ada.write("infra/logs/mine.log", "its own name twice")
    ada.push()
    report = repair(ada, "infra")
    assert {row.action for row in report.foreign} == {"move"}
    assert report.exit_code == 0
    assert not [k for k in contents(store()) if k.startswith(("infra/web/", "infra/infra/"))]
    assert index_of(store, "web")["data/new/id/1/raw"]["sha256"] == digest(
        b"pushed with a wrong cache root"
    )
    assert index_of(store, "infra").keys() == FILES.keys() | {"logs/mine.log"}
    bob.pull()
    assert bob.files()["data/new/id/1/raw"] == b"pushed with a wrong cache root"
    ada.sync()
    assert ada.files() == {**FILES, "logs/mine.log": b"its own name twice"}
    assert is_clean(ada)
    assert look(ada, "infra").foreign == ()


def test_what_differs_or_may_be_a_directory_is_kept(
    store: Store, two: tuple[Machine, Machine]
) -> None:
    store().put("infra/web/data/page/id/1/raw", b"another page")
    store().put("infra/web/drawings/plan.svg", b"a user's own directory")
    store().put("infra/web/_index/files.json", b"{}")
    before = contents(store())
    report = repair(two[0], "infra")
    assert {row.action for row in report.foreign} == {"keep"}
    assert report.exit_code == 3
    assert contents(store()) == before


def test_what_was_deleted_at_home_on_purpose_stays_deleted(
    store: Store, two: tuple[Machine, Machine]
) -> None:
    ada, bob = two
    store().put("infra/web/data/page/id/1/raw", PAGE)
    (bob.base / "data/page/id/1/raw").unlink()
    bob.push()
    (row,) = repair(ada, "infra").foreign
    assert (row.action, row.reason) == ("keep", "it was deleted at its home on purpose")
    assert contents(store())[row.path] == PAGE


def test_what_its_home_uploads_meanwhile_is_not_overwritten(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """Clients upload before they take the lock."""
    rel = "web/data/new/id/1/raw"

    def late(op: str, key: str) -> None:
        if (op, key) == ("download", f"infra/{rel}"):
            MemoryStore(memory).put(rel, b"its home's own")

    def make() -> MemoryStore:
        return MemoryStore(memory, before=late)

    ada, bob = (at(Machine(tmp_path / name, make), place)
                for name, place in (("ada", "infra"), ("bob", "web")))  # fmt: skip
    registered(ada, "infra", "web")
    filled(ada)
    filled(bob)
    MemoryStore(memory).put(f"infra/{rel}", b"pushed with a wrong cache root")
    (row,) = repair(ada, "infra").foreign
    assert (row.action, row.reason) == ("keep", "it changed while it was looked at")
    found = contents(MemoryStore(memory))
    assert found[rel] == b"its home's own"
    assert found[f"infra/{rel}"] == b"pushed with a wrong cache root"


def test_a_large_object_that_is_compared_is_not_read_to_its_end_after_a_stop(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    token, read = CancelToken(), list[str]()

    def stop(op: str, _: str) -> None:
        if op == "download":
            token.cancel()

    def end(op: str, key: str) -> None:
        if op == "download":
            read.append(key)

    ada = at(
        Machine(tmp_path / "ada", lambda: MemoryStore(memory, before=stop, after=end)), "infra"
    )
    registered(ada, "infra", "web")
    for root, body in (("infra/web", b"one"), ("web", b"two")):
        MemoryStore(memory).put(f"{root}/data/page/id/1/raw", body)
    engine = ada.engine()
    try:
        with pytest.raises(Cancelled):
            engine.foreign.look("infra", cancel=token)
    finally:
        engine.stop()
    assert read == []


def test_an_entry_without_an_object_is_scrubbed(store: Store, two: tuple[Machine, Machine]) -> None:
    ada, _ = two
    ada.write("web/data/new/id/1/raw", "to vanish")
    ada.push()
    store().delete("infra/web/data/new/id/1/raw")
    (row,) = repair(ada, "infra").foreign
    assert (row.action, row.size) == ("drop", None)
    assert index_of(store, "infra").keys() == FILES.keys()


def test_a_lock_is_set_aside_only_when_it_ran_out(
    store: Store, two: tuple[Machine, Machine]
) -> None:
    alive = b'{"holder":"eve@there","ttlMs":60000,"nonce":"n"}'
    store().put("infra/.locks/web.lock", alive)
    store().put("infra/.datastore.lock", alive)
    assert set(rows(look(two[0], "infra")).values()) == {"keep"}
    report = repair(two[0], "infra")
    assert report.exit_code == 3
    assert contents(store())["infra/.locks/web.lock"] == alive


def test_the_homes_lock_is_waited_for(store: Store, two: tuple[Machine, Machine]) -> None:
    store().put("infra/web/data/page/id/1/raw", PAGE)
    store().put(".locks/web.lock", b'{"holder":"eve@there","ttlMs":60000,"nonce":"n"}')
    with pytest.raises(LockHeld, match="eve@there"):
        repair(two[0], "infra")
    assert contents(store())["infra/web/data/page/id/1/raw"] == PAGE


def test_from_the_solo_layout(store: Store, join: Join, two: tuple[Machine, Machine]) -> None:
    store().put("infra/web/data/page/id/1/raw", PAGE)
    assert rows(repair(join("eve"), "infra")) == {"infra/web/data/page/id/1/raw": "drop"}


@pytest.mark.parametrize("name", ["data", "a/b", "nowhere"])
def test_no_namespace(join: Join, name: str) -> None:
    with pytest.raises(UsageError, match="namespace"):
        look(join("ada"), name)


# --- deciding -----------------------------------------------------------------------------


def test_only_what_looks_like_a_datastore_moves() -> None:
    free = Facts(indexed=True)
    assert decide("web/data/t/id/raw", free)[0] == "move"
    assert decide("web/drawings/x", free)[0] == "keep"
    assert decide("web/files/x", Facts(indexed=False))[0] == "keep"
    assert decide("web/files/x", Facts(indexed=True, entry_there=True))[0] == "keep"
    assert decide("web/files/x", Facts(there=True, same=False))[0] == "keep"
    assert decide(".locks/web.lock", Facts(alive=False))[0] == "set-aside"


def test_the_segments_that_are_not_ones_own() -> None:
    names = ["data", "infra", "web", "own", ".locks"]
    assert segments("infra", names, ["web"]) == [".locks", "infra", "web"]
