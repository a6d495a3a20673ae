"""Large files: continued after a crash, given up when nobody wants them, never another's."""

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.engine.open import state_file
from s3dash.engine.uploads import LARGE
from s3dash.errors import Cancelled, Integrity, Unreachable
from s3dash.local.state import State
from s3dash.objectstore.memory import Hook, MemoryBucket, MemoryStore
from s3dash.objectstore.port import ObjectStore
from tests.engine.clocks import TestClock
from tests.engine.conftest import Join
from tests.engine.ends import all_have, data, journal
from tests.engine.faults import Once, Plug
from tests.engine.world import Machine

PART = 1000
BIG = "files/big"
BODY = random.Random(39).randbytes(8 * PART + 7)


class Site:
    """A bucket in memory whose stores send in parts above 1000 bytes."""

    def __init__(self, tmp_path: Path, *, clock: TestClock | None = None) -> None:
        self.bucket = MemoryBucket(clock=clock)
        self.home = tmp_path
        self.clock = clock
        self.stores: list[MemoryStore] = []

    def machine(
        self, name: str, *, before: Hook | None = None, after: Hook | None = None, **settings: Any
    ) -> Machine:
        def make() -> ObjectStore:
            store = MemoryStore(
                self.bucket,
                before=before,
                after=after,
                multipart_above=PART,
                part_size=PART,
                copy_in_parts_above=PART,
            )
            self.stores.append(store)
            return store

        return Machine(self.home / name, make, clock=self.clock, **settings)

    @property
    def sent(self) -> int:
        """Bytes that the latest store has sent, without the index and locks."""
        return self.stores[-1].usage.bytes_up

    def left_open(self) -> list[str]:
        return sorted(upload.key for upload in self.bucket.uploads().values())

    def store(self) -> ObjectStore:
        return MemoryStore(self.bucket)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


class AtPart:
    """Counts the parts; calls `act` before the n-th is sent."""

    def __init__(self, at: int = 0, act: Callable[[], object] = lambda: None) -> None:
        self.at, self.act = at, act
        self.seen = 0
        self.ops: list[str] = []
        self._lock = threading.Lock()

    def __call__(self, op: str, key: str) -> None:
        with self._lock:
            self.ops.append(op)
            if op != "send_part":
                return
            self.seen += 1
            due = self.seen == self.at
        if due:
            self.act()


class Crash(Plug):
    """From the n-th part on every call fails, as after a crash."""

    def __call__(self, op: str, key: str) -> None:
        if op == "send_part" or self.left <= 0:
            super().__call__(op, key)


def crashed(site: Site, *, at: int = 5) -> Machine:
    """Ada's push was cut off before the given part; her machine, well again."""
    broken = site.machine("ada", before=Crash(at))
    broken.write(BIG, BODY)
    assert broken.push().failed
    assert site.left_open() == [BIG]
    return site.machine("ada")


def test_after_a_crash_only_the_missing_parts_are_sent(site: Site) -> None:
    ada = crashed(site)
    count = AtPart()
    ada = site.machine("ada", before=count)
    assert ada.push().pushed == 1
    assert 0 < count.seen <= 9 - 2  # of nine parts; two more may have been on their way
    all_have(site.store, {BIG: BODY}, ada)
    assert site.left_open() == []


def test_a_file_that_changed_since_is_sent_anew_and_the_old_upload_aborted(site: Site) -> None:
    crashed(site)
    count = AtPart()
    ada = site.machine("ada", before=count)
    ada.write(BIG, BODY[::-1])
    ada.push()
    assert count.seen == 9
    assert count.ops.count("abort_upload") == 1
    all_have(site.store, {BIG: BODY[::-1]}, ada)
    assert site.left_open() == []


def test_an_upload_that_nobody_wants_any_more_is_aborted_at_once(site: Site) -> None:
    ada = crashed(site)
    (ada.cache / BIG).unlink()
    ada.push()
    assert site.left_open() == []
    assert data(site.store) == {}
    assert journal(ada) == []


def test_a_push_of_other_paths_leaves_it_to_be_continued(site: Site) -> None:
    crashed(site)
    ada = site.machine("ada")
    ada.write("files/small", "s")
    ada.push(["files/small"])
    assert site.left_open() == [BIG]
    count = AtPart()
    ada = site.machine("ada", before=count)
    ada.push()
    assert count.seen <= 7
    all_have(site.store, {BIG: BODY, "files/small": b"s"}, ada)


def test_when_the_other_side_has_it_already_the_upload_goes(site: Site) -> None:
    ada, bob = crashed(site), site.machine("bob")
    bob.write(BIG, BODY)
    bob.push()
    assert site.left_open() == [BIG]  # not his
    ada.sync()
    assert site.left_open() == []
    all_have(site.store, {BIG: BODY}, ada, bob)


def test_another_machines_upload_is_never_aborted(site: Site) -> None:
    crashed(site)
    bob = site.machine("bob")
    bob.write("files/other", "o")
    bob.push()
    bob.sync()
    assert site.left_open() == [BIG]


def test_an_upload_that_the_endpoint_lost_is_begun_anew(site: Site) -> None:
    ada = crashed(site)
    for upload_id, upload in site.bucket.uploads().items():
        site.bucket.abort(upload.key, upload_id)
    ada.push()
    all_have(site.store, {BIG: BODY}, ada)
    assert site.left_open() == []


def test_a_crash_right_after_the_completion_sends_nothing_twice(site: Site) -> None:
    """Scenario 46 for a large file: it was joined, and we never learned it."""

    class Dead(Plug):
        def __call__(self, op: str, key: str) -> None:
            if op == "complete_upload" or self.left < 0:
                super().__call__(op, key)

    first = site.machine("ada")
    first.write("files/first", "f")
    first.push()
    broken = site.machine("ada", after=Dead(0))
    broken.write(BIG, BODY)
    assert broken.push().failed
    count = AtPart()
    ada = site.machine("ada", before=count)
    ada.push()
    assert count.seen == 0
    all_have(site.store, {BIG: BODY, "files/first": b"f"}, ada)
    assert site.left_open() == []


def test_a_cancelled_upload_is_continued_by_the_next_push(site: Site) -> None:
    token = CancelToken()
    ada = site.machine("ada", before=AtPart(5, token.cancel))
    ada.write(BIG, BODY)
    with pytest.raises(Cancelled):
        ada.push(cancel=token)
    assert data(site.store) == {}
    assert site.left_open() == [BIG]
    count = AtPart()
    ada = site.machine("ada", before=count)
    ada.push()
    assert count.seen < 9
    all_have(site.store, {BIG: BODY}, ada)
    assert site.left_open() == []


def test_the_row_of_a_continued_upload_ends_full(site: Site) -> None:
    crashed(site)
    engine = site.machine("ada").engine()
    engine.push()
    (row,) = engine.snapshot().progress.transfers
    engine.stop()
    assert (row.state, row.done) == ("done", len(BODY))
    assert site.sent < len(BODY)


def test_scenario_29_a_large_file_that_changes_is_not_committed(site: Site) -> None:
    ada = site.machine("ada")
    ada.write(BIG, BODY)
    change = AtPart(4, lambda: ada.write(BIG, BODY[:-1]))
    site.machine("ada", before=change).push()
    assert site.left_open() == []
    ada.push()
    all_have(site.store, {BIG: BODY[:-1]}, ada)


def test_scenario_1_a_newer_large_version_in_the_bucket_is_not_overwritten(site: Site) -> None:
    ada = site.machine("ada")
    ada.write(BIG, BODY)
    ada.push()
    ada.write(BIG, BODY + b"ada")
    bob = site.machine("bob")
    bob.pull()

    def meanwhile() -> None:
        bob.write(BIG, BODY + b"bob")
        bob.push()

    late = site.machine("ada", before=Once("complete_upload", BIG, meanwhile))
    result = late.push()
    assert [c.path for c in result.conflicts] or result.failed
    assert data(site.store)[BIG] == BODY + b"bob"
    assert ada.read(BIG) == BODY + b"ada"
    assert site.left_open() == []


@pytest.mark.parametrize("retried", [False, True])
def test_an_upload_whose_name_was_never_learned_is_found_and_aborted(
    site: Site, retried: bool
) -> None:
    """Cut off between the endpoint's answer and our note of it; or its answer was lost."""
    site.bucket.begin("files/other", content_type="x", nonce="n")
    busy = site.bucket.begin(BIG, content_type="x", nonce="n")
    site.bucket.add_part(BIG, busy, 1, b"somebody is at work")
    failed: list[str] = []

    def cut(op: str, key: str) -> None:
        if op == "create_upload" and not failed:
            failed.append(op)
            raise Unreachable("lost") if retried else Integrity("the plug was pulled")

    broken = site.machine("ada", after=cut)
    broken.write(BIG, BODY)
    assert bool(broken.push().failed) is not retried
    assert len(site.left_open()) == (2 if retried else 3)
    site.machine("ada").push()
    assert site.left_open() == [BIG, "files/other"]
    assert busy in site.bucket.uploads()
    all_have(site.store, {BIG: BODY}, site.machine("ada"))


# --- scenario 39 ------------------------------------------------------------------------


def test_scenario_39_of_no_bytes_of_many_and_markers_of_directories(
    join: Join, store: Callable[[], ObjectStore]
) -> None:
    ada, bob = join("ada"), join("bob")
    large = random.Random(1).randbytes((16 << 20) + 1)
    ada.write("files/empty", b"")
    ada.write("files/large", large)
    ada.push()
    store().put("files/dir/", b"")
    assert bob.pull().pulled == 2
    assert bob.files() == {"files/empty": b"", "files/large": large}
    assert not (bob.cache / "files/dir").is_file()
    assert ada.sync().deleted_remote == 0
    ada.write("files/large", large[::-1])
    ada.push()
    bob.pull()
    assert bob.read("files/large") == large[::-1]
    assert list(store().list_uploads()) == []


def test_scenario_39_a_renamed_large_object_is_copied_in_parts(site: Site) -> None:
    ada = site.machine("ada")
    ada.write(BIG, BODY)
    ada.push()
    count = AtPart()
    ada = site.machine("ada", before=count)
    (ada.cache / BIG).rename(ada.cache / "files/moved")
    result = ada.push()
    assert (result.copied, count.ops.count("copy_part"), count.seen) == (1, 9, 0)
    all_have(site.store, {"files/moved": BODY}, ada)
    assert site.left_open() == []


def test_scenario_39_a_crash_in_the_middle_of_such_a_copy_leaves_nothing(site: Site) -> None:
    ada = site.machine("ada")
    ada.write(BIG, BODY)
    ada.push()
    (ada.cache / BIG).rename(ada.cache / "files/moved")

    class Dead(Plug):
        def __call__(self, op: str, key: str) -> None:
            if op == "copy_part" or self.left <= 0:
                super().__call__(op, key)

    assert site.machine("ada", before=Dead(3)).push().failed
    assert site.left_open() == ["files/moved"]
    site.machine("ada").push()
    all_have(site.store, {"files/moved": BODY}, site.machine("ada"))
    assert site.left_open() == []


# --- what others left -------------------------------------------------------------------


def test_what_others_left_behind_is_told_once_a_day_and_stays(tmp_path: Path) -> None:
    clock = TestClock()
    site = Site(tmp_path, clock=clock)
    site.bucket.begin("files/old", content_type="x", nonce="n")
    clock.advance(timedelta(days=8).total_seconds())
    site.bucket.begin("files/young", content_type="x", nonce="n")
    ada = site.machine("ada")
    for number in range(2):
        with (_made(ada, f"files/{number}")).open("wb") as file:
            file.truncate(LARGE + 1)
        ada.store = lambda: MemoryStore(site.bucket)
        ada.push()
    told = [row.text for row in ada.history() if "unfinished uploads" in row.text]
    assert len(told) == 1
    assert "files/old" in told[0]
    assert "files/young" not in told[0]
    assert site.left_open() == ["files/old", "files/young"]


def test_a_damaged_note_of_the_last_look_for_them_is_no_error(tmp_path: Path) -> None:
    site = Site(tmp_path)
    ada = site.machine("ada")
    with _made(ada, "files/large").open("wb") as file:
        file.truncate(LARGE + 1)
    ada.store = lambda: MemoryStore(site.bucket)
    state = State(state_file(ada.settings))
    state.set("uploads-looked-at", "17x")
    state.close()
    assert ada.push().pushed == 1


def _made(machine: Machine, rel: str) -> Path:
    path = machine.base / rel
    path.parent.mkdir(parents=True, exist_ok=True)
    return path
