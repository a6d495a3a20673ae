"""Lazy hydration: what a metadata-only pull leaves out, brings later, and never deletes."""

import json
from collections.abc import Callable
from pathlib import Path
from shutil import rmtree

import pytest

from s3dash.core.hydration import Hydrated
from s3dash.core.plan import Action
from s3dash.core.report import Result
from s3dash.engine import operations
from s3dash.engine.lane import HANDED_OUT
from s3dash.errors import Integrity, UsageError
from s3dash.objectstore.memory import MemoryBucket
from s3dash.objectstore.port import ObjectStore
from tests.engine.conftest import Join
from tests.engine.desks import until
from tests.engine.faults import machine
from tests.engine.world import Machine, contents, fill, golden_bucket, golden_cache

Store = Callable[[], ObjectStore]

MODEL = "data/@acme/server/7b0e3a52/config"
RAW, META = f"{MODEL}/1/raw", f"{MODEL}/1/metadata.yaml"
OTHER = "data/plain/11111111/state/3/raw"
FIRST = {RAW: "raw one", META: "meta", OTHER: "raw two", "logs/app.log": "log"}


@pytest.fixture(params=[None, "infra"])
def pair(request: pytest.FixtureRequest, join: Join) -> tuple[Machine, Machine]:
    """Ada, who has pushed everything, and Bob, who pulled without the content."""
    ada = join("ada", namespace=request.param)
    for rel, text in FIRST.items():
        ada.write(rel, text)
    ada.push()
    bob = join("bob", namespace=request.param)
    bob.pull(hydration="lazy")
    return ada, bob


def nothing_is_wanted(machine: Machine) -> None:
    """In step: nothing dirty, nothing behind, and a sync moves nothing either way."""
    status = machine.status()
    assert (status.local.dirty, status.remote.changed, status.conflicts) == ([], [], [])
    result = machine.sync()
    moved = (result.pushed, result.pulled, result.deleted_remote, result.deleted_local)
    assert moved == (0, 0, 0, 0)


def in_bucket(machine: Machine) -> dict[str, bytes]:
    root = f"{machine.settings.namespace}/" if machine.settings.namespace else ""
    found = contents(machine.store(), root)
    return {k.removeprefix(root): v for k, v in found.items() if k.removeprefix(root) in FIRST}


# --- a lazy pull --------------------------------------------------------------------------


def test_a_lazy_pull_leaves_content_in_the_bucket_and_says_so(
    pair: tuple[Machine, Machine],
) -> None:
    _, bob = pair
    assert set(bob.files()) == {META, "logs/app.log"}
    assert bob.sidecar()["lazyPullActive"] is True
    local = bob.status().local
    assert (local.lazy, local.hydrated) == (True, Hydrated(2, 4, 7, 21))
    nothing_is_wanted(bob)
    index = json.loads((bob.cache / ".datastore-index.json").read_text())
    assert set(index["entries"]) == set(FIRST), "the peers look there for what there is"


def test_the_configuration_can_want_it(join: Join) -> None:
    ada, bob = join("ada"), join("bob", hydration="lazy")
    ada.write(RAW, "raw")
    ada.write(META, "meta")
    ada.push()
    bob.sync()
    assert set(bob.files()) == {META}
    assert bob.sidecar()["lazyPullActive"] is True
    bob.pull(hydration="full")
    assert set(bob.files()) == {META, RAW}
    assert bob.sidecar()["lazyPullActive"] is True, "what comes next is left out again"


def test_a_dry_run_leaves_the_cache_as_full_as_it_was(pair: tuple[Machine, Machine]) -> None:
    ada, _ = pair
    result = ada.pull(hydration="lazy", dry_run=True)
    assert result.plan == []
    assert ada.sidecar()["lazyPullActive"] is False
    assert not ada.status().local.lazy


def test_a_full_pull_brings_the_rest_and_ends_it(pair: tuple[Machine, Machine]) -> None:
    _, bob = pair
    result = bob.pull(hydration="full")
    assert result.pulled == 2
    assert {rel: data.decode() for rel, data in bob.files().items()} == FIRST
    assert bob.sidecar()["lazyPullActive"] is False
    local = bob.status().local
    assert (local.lazy, local.hydrated) == (False, Hydrated(4, 4, 21, 21))


def test_a_full_pull_of_some_paths_leaves_it_lazy(pair: tuple[Machine, Machine]) -> None:
    _, bob = pair
    assert bob.pull(["data/plain"], hydration="full").pulled == 1
    assert (OTHER in bob.files(), RAW in bob.files()) == (True, False)
    assert bob.sidecar()["lazyPullActive"] is True


def test_the_golden_lazy_cache_becomes_whole(join: Join, store: Store) -> None:
    fill(store(), golden_bucket("gold-solo-v1"))
    ada = join("ada")
    for rel, content in golden_cache("sidecar-lazy").items():
        ada.write(rel, content)
    local = ada.status().local
    assert (local.lazy, local.dirty) == (True, [])
    assert local.hydrated.of - local.hydrated.files == 2
    assert ada.push().deleted_remote == 0
    assert ada.pull(hydration="full").pulled == 2
    clean = golden_cache("sidecar-clean-v1")
    assert {rel: ada.read(rel) for rel in ada.files()} == {
        rel: body for rel, body in clean.items() if not rel.startswith(".datastore")
    }
    assert ada.sidecar()["lazyPullActive"] is False


# --- hydrate ------------------------------------------------------------------------------


def test_hydrate_brings_what_was_left_out_and_nothing_else(pair: tuple[Machine, Machine]) -> None:
    ada, bob = pair
    ada.write("logs/app.log", "a later log")
    ada.push()
    result = call(bob, [MODEL])
    assert (result.action, result.pulled, result.bytes_down) == ("hydrate", 1, len(FIRST[RAW]))
    assert bob.read(RAW).decode() == FIRST[RAW]
    assert bob.read("logs/app.log").decode() == "log", "that is for a pull"
    assert bob.sidecar()["lazyPullActive"] is True
    assert call(bob, [MODEL]).pulled == 0
    assert bob.history()[-1].operation == "hydrate"


def call(machine: Machine, paths: list[str], *, dry_run: bool = False) -> Result:
    engine = machine.engine()
    try:
        return engine.hydration.hydrate(paths, dry_run=dry_run)
    finally:
        engine.stop()


def test_hydrating_everything_leaves_it_lazy(pair: tuple[Machine, Machine]) -> None:
    """Who makes room again has deleted nothing."""
    _, bob = pair
    assert call(bob, []).pulled == 2
    assert bob.sidecar()["lazyPullActive"] is True
    bob.pull(["logs"], hydration="full")
    (bob.base / RAW).unlink()
    nothing_is_wanted(bob)
    assert bob.pull(hydration="full").pulled == 1
    assert bob.sidecar()["lazyPullActive"] is False


def test_hydrate_knows_what_there_is(pair: tuple[Machine, Machine]) -> None:
    _, bob = pair
    with pytest.raises(UsageError, match="data/nowhere is neither in the index nor here"):
        call(bob, ["logs", "data/nowhere"])
    assert call(bob, ["logs/app.log"]).pulled == 0
    plan = call(bob, ["data"], dry_run=True).plan or []
    assert [(row.path, row.action) for row in plan] == [(RAW, "download"), (OTHER, "download")]
    assert set(bob.files()) == {META, "logs/app.log"}


def test_a_plan_to_hydrate_is_carried_out_as_it_was_shown(pair: tuple[Machine, Machine]) -> None:
    ada, bob = pair
    engine = bob.engine()
    try:
        plan = engine.plan("pull", hydration="only")
        assert [item.action for item in plan.items] == [Action.DOWNLOAD] * 2
        ada.write(OTHER, "another raw")
        ada.push()
        result = engine.run(plan)
        assert (result.action, result.pulled) == ("hydrate", 1)
        assert [b.path for b in result.blocked] == [OTHER], "it is not what was shown"
        below = engine.hydration.below("data/")
        assert (below.files, below.bytes, below.names) == (1, len("another raw"), ("data/plain/",))
    finally:
        engine.stop()


# --- what is not here ---------------------------------------------------------------------


def test_content_that_is_taken_away_is_not_deleted(pair: tuple[Machine, Machine]) -> None:
    _, bob = pair
    call(bob, [RAW])
    (bob.base / RAW).unlink()
    nothing_is_wanted(bob)
    assert set(in_bucket(bob)) == set(FIRST)
    assert call(bob, [RAW]).pulled == 1


def test_content_goes_with_its_directory_once_it_was_here(pair: tuple[Machine, Machine]) -> None:
    """The way to delete a version for good: what never was here stays in the bucket."""
    ada, bob = pair
    call(bob, [RAW])
    rmtree((bob.base / RAW).parent)
    rmtree(bob.base / "data/plain", ignore_errors=True)
    assert {row.path for row in bob.status().local.dirty} == {RAW, META}
    assert bob.push(max_delete=2).deleted_remote == 2
    assert set(in_bucket(bob)) == {OTHER, "logs/app.log"}
    ada.sync(max_delete=2)
    assert set(ada.files()) == {OTHER, "logs/app.log"}


def test_content_that_was_seen_to_be_away_outlives_its_directory(
    pair: tuple[Machine, Machine],
) -> None:
    _, bob = pair
    call(bob, [RAW])
    (bob.base / RAW).unlink()
    nothing_is_wanted(bob)
    rmtree((bob.base / RAW).parent)
    assert bob.push(max_delete=5).deleted_remote == 1
    assert set(in_bucket(bob)) == {RAW, OTHER, "logs/app.log"}
    assert call(bob, [RAW]).pulled == 1


def test_a_quick_look_remembers_too_that_content_was_away(pair: tuple[Machine, Machine]) -> None:
    """What the watcher saw go by itself is no deletion when its directory follows: neither on the
    screen nor in the marks that plain clients go by."""
    _, bob = pair
    bob.pull([RAW], hydration="below")
    engine = bob.engine()
    try:
        engine.status()
        (bob.base / RAW).unlink()
        operations.look_here(engine._ctx, engine._view, rels={RAW})
        rmtree((bob.base / RAW).parent)
        operations.look_here(engine._ctx, engine._view, rels={RAW, META})
        assert [row.path for row in engine.snapshot().dirty] == [META]
    finally:
        engine.stop()


def test_what_never_was_here_outlives_its_directory(pair: tuple[Machine, Machine]) -> None:
    _, bob = pair
    rmtree((bob.base / RAW).parent)
    assert [row.path for row in bob.status().local.dirty] == [META]
    bob.push(max_delete=5)
    assert set(in_bucket(bob)) == {RAW, OTHER, "logs/app.log"}


def test_hydrated_content_is_like_any_other(pair: tuple[Machine, Machine]) -> None:
    """Edited here: pushed. Changed there: behind, then brought. Deleted there: gone here too."""
    ada, bob = pair
    call(bob, [])
    bob.pull(hydration="lazy")
    assert bob.sidecar()["lazyPullActive"] is True
    bob.write(RAW, "edited by bob")
    assert [row.path for row in bob.status().local.dirty] == [RAW]
    assert bob.push().pushed == 1
    ada.pull()
    assert ada.read(RAW) == b"edited by bob"
    ada.write(RAW, "and by ada")
    (ada.base / OTHER).unlink()
    ada.push()
    behind = {(c.path, c.change) for c in bob.status().remote.changed}
    assert behind == {(RAW, "modified"), (OTHER, "deleted")}
    result = bob.sync()
    assert (result.pulled, result.deleted_local) == (1, 1)
    assert bob.read(RAW) == b"and by ada"
    assert OTHER not in bob.files()
    nothing_is_wanted(bob)


def test_new_content_of_others_is_left_out(pair: tuple[Machine, Machine]) -> None:
    ada, bob = pair
    ada.write(f"{MODEL}/2/raw", "later")
    ada.write(f"{MODEL}/2/metadata.yaml", "later")
    ada.push()
    assert [c.path for c in bob.status().remote.changed] == [f"{MODEL}/2/metadata.yaml"]
    assert bob.sync().pulled == 1
    assert f"{MODEL}/2/raw" not in bob.files()


def test_a_file_in_the_place_of_content_that_is_not_here_is_a_conflict(
    pair: tuple[Machine, Machine],
) -> None:
    _, bob = pair
    bob.write(RAW, "mine")
    result = bob.sync()
    assert [c.path for c in result.conflicts] == [RAW]
    assert in_bucket(bob)[RAW].decode() == FIRST[RAW]


# --- who else says it ---------------------------------------------------------------------


def test_a_broken_sidecar_does_not_turn_it_into_deletions(pair: tuple[Machine, Machine]) -> None:
    _, bob = pair
    call(bob, [RAW])
    (bob.base / RAW).unlink()
    (bob.cache / ".datastore-sync-state.json").write_text("{")
    assert bob.status().local.dirty == []
    assert bob.sync().deleted_remote == 0
    assert bob.sidecar()["lazyPullActive"] is True


def test_a_peer_that_pulled_everything_ends_it(pair: tuple[Machine, Machine]) -> None:
    ada, bob = pair
    call(bob, [RAW])
    bob.write(OTHER, FIRST[OTHER])
    path = bob.cache / ".datastore-sync-state.json"
    path.write_text(json.dumps(bob.sidecar() | {"lazyPullActive": False}))
    bob.sync()
    (bob.base / RAW).unlink()
    assert [row.path for row in bob.status().local.dirty] == [RAW]
    assert bob.push().deleted_remote == 1
    assert RAW not in in_bucket(ada)


def test_from_lazy_to_full_in_the_configuration_deletes_nothing(join: Join) -> None:
    ada = join("ada")
    ada.write(RAW, "raw")
    ada.write(META, "meta")
    ada.push()
    join("ada", hydration="lazy").status()
    (ada.base / RAW).unlink()
    join("ada", hydration="lazy").status()
    assert ada.push().deleted_remote == 0
    assert ada.pull(hydration="full").pulled == 1


def test_an_entry_that_a_peer_lost_is_put_back_without_the_content(
    pair: tuple[Machine, Machine], store: Store
) -> None:
    """Ada pushed it and has it no longer: her base tells what the object is."""
    ada, bob = pair
    ada.pull(hydration="lazy")
    (ada.base / RAW).unlink()
    forget_entry(ada, RAW)
    assert bob.status().index.entries == 3
    ada.sync()
    assert bob.status().index.entries == 4
    assert call(bob, [RAW]).pulled == 1


def forget_entry(machine: Machine, rel: str) -> None:
    """As a plain client's blind write does."""
    root = f"{machine.settings.namespace}/" if machine.settings.namespace else ""
    store = machine.store()
    for key, body in contents(store, root).items():
        if key.startswith((f"{root}_index/", f"{root}.datastore-index")):
            document = json.loads(body)
            if document.get("entries", {}).pop(rel, None):
                store.put(key, json.dumps(document).encode())


def test_an_upload_that_was_cut_off_is_named_when_its_file_went(
    tmp_path: Path, memory: MemoryBucket
) -> None:
    """The push dies between upload and commit, and the content is taken away: the bucket has the
    only copy. The next push names it."""
    ada = machine(tmp_path / "ada", memory, hydration="lazy")
    ada.write(RAW, "first")
    ada.write(META, "meta")
    ada.push()
    ada.write(RAW, "and then")
    with pytest.raises(Integrity):
        machine(tmp_path / "ada", memory, hydration="lazy", before=Cut("put", ".lock")).push()
    assert in_bucket(ada)[RAW] == b"and then"
    (ada.base / RAW).unlink()
    result = ada.push()
    assert (result.deleted_remote, result.conflicts) == (0, [])
    bob = machine(tmp_path / "bob", memory)
    bob.pull()
    assert bob.read(RAW) == b"and then"
    assert call(ada, [RAW]).pulled == 1
    assert ada.read(RAW) == b"and then"
    nothing_is_wanted(ada)


class Cut:
    """The process dies at a request for such a key."""

    def __init__(self, op: str, ending: str) -> None:
        self.op, self.ending, self.dead = op, ending, False

    def __call__(self, op: str, key: str) -> None:
        self.dead = self.dead or (op == self.op and key.endswith(self.ending))
        if self.dead:
            raise Integrity("the plug was pulled")


# --- how it looks while it goes on --------------------------------------------------------


def test_the_share_grows_while_content_comes_in(tmp_path: Path, memory: MemoryBucket) -> None:
    ada = machine(tmp_path / "ada", memory)
    raws = [f"data/t/id/name/{n}/raw" for n in range(2 * HANDED_OUT)]
    for rel in raws:
        ada.write(rel, "12345678")
    ada.write("logs/a", "12345678")
    ada.push()
    machine(tmp_path / "bob", memory).pull(hydration="lazy")
    seen: list[Hydrated] = []
    count = len(raws) + 1

    def look(op: str, key: str) -> None:
        if op == "download":
            if len(seen) == count - 1:
                until(engine, lambda shot: shot.hydrated.files > HANDED_OUT)
            seen.append(engine.snapshot().hydrated)

    engine = machine(tmp_path / "bob", memory, before=look, pull_concurrency=1).engine()
    try:
        engine.hydration.hydrate()
        assert engine.snapshot().hydrated == Hydrated(count, count, 8 * count, 8 * count)
    finally:
        engine.stop()
    assert [h.files for h in seen] == sorted(h.files for h in seen)
    assert (seen[0].files, seen[-1].of) == (1, count)
    assert all(h.bytes == 8 * h.files for h in seen)
