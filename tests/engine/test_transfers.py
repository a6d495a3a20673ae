"""Transfers that obey: paused, resumed, cancelled, reordered, retried one by one."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from s3dash.engine.pull import SMALL
from s3dash.errors import Cancelled
from s3dash.objectstore.memory import MemoryStore
from tests.engine.ends import all_have, data, journal
from tests.engine.moving import BIG, BODY, LONG, Holding, Site, moving
from tests.engine.world import Machine


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.hold.release()


# --- pause and resume ---------------------------------------------------------------------


def test_a_queued_transfer_that_is_paused_waits_until_it_is_resumed(site: Site) -> None:
    ada = site.machine("ada", push_concurrency=1)
    for name in "abc":
        ada.write(f"files/{name}", name)
    with site.going(ada, held=("files/a",)) as push:
        assert push.engine.transfers.pause(push.ids("files/b")) == 1
        assert push.engine.transfers.pause(push.ids("files/b")) == 0
        site.hold.release()
        push.until_state("files/c", "done")
        assert push.states()["files/b"] == "paused"
        assert push.engine.snapshot().progress.counts.paused == 1
        assert site.hold.begun == ["files/a", "files/c"]
        assert push.engine.transfers.resume(push.ids("files/b")) == 1
        assert push.engine.transfers.resume(push.ids("files/b")) == 0
        assert push.end().pushed == 3
    all_have(site.store, {f"files/{n}": n for n in "abc"}, ada)


def test_a_paused_upload_in_parts_goes_on_from_the_parts_that_arrived(site: Site) -> None:
    ada = site.machine("ada", push_concurrency=1)
    ada.write(BIG, BODY)
    ada.write("files/small", "s")
    reached = threading.Event()
    seen = list[str]()

    def before(op: str, key: str) -> None:
        site.hold(op, key)
        if op == "send_part":
            seen.append(key)
            if len(seen) == 5:
                reached.set()
                assert paused.wait(30)

    paused = threading.Event()
    ada = site.machine("ada", before=before, push_concurrency=1)
    with moving(ada.engine()) as push:
        assert reached.wait(30)
        assert push.row(BIG).parts == 9
        push.engine.transfers.pause(push.ids(BIG))
        assert push.row(BIG).wish == "pause"
        paused.set()
        push.until_state(BIG, "paused")
        push.until_state("files/small", "done")  # its place went to another
        assert push.row(BIG).wish == ""
        assert site.left_open == [BIG]
        sent = len(seen)
        push.engine.transfers.resume(push.ids(BIG))
        assert push.end().pushed == 2
    assert len(seen) - sent <= 9 - 2, "what had arrived was sent again"
    all_have(site.store, {BIG: BODY, "files/small": b"s"}, ada)
    assert site.left_open == []


def test_a_paused_download_goes_on_behind_the_bytes_that_are_there(site: Site) -> None:
    ada, bob = site.machine("ada"), site.machine("bob")
    ada.write(BIG, LONG)
    ada.push()
    site.hold = hold = Holding()
    bob = site.machine("bob", before=hold)
    with site.going(bob, "pull", held=(BIG,)) as pull:
        pull.engine.transfers.pause(pull.ids(BIG))
        hold.release()
        pull.until_state(BIG, "paused")
        assert len(site.staged(bob)) == 1
        assert BIG not in bob.files()
        pull.engine.transfers.resume(pull.ids(BIG))
        assert pull.end().pulled == 1
    assert hold.at == [("download", BIG), ("get_range", BIG), ("get_range", BIG)]
    assert bob.read(BIG) == LONG
    assert site.staged(bob) == []


def test_an_object_that_was_replaced_while_its_download_was_paused_is_no_mixture(
    site: Site,
) -> None:
    ada, bob = site.machine("ada"), site.machine("bob")
    ada.write(BIG, LONG)
    ada.push()
    with site.going(bob, "pull", held=(BIG,)) as pull:
        pull.engine.transfers.pause(pull.ids(BIG))
        site.hold.release()
        pull.until_state(BIG, "paused")
        ada.write(BIG, LONG[::-1])
        ada.push()
        pull.engine.transfers.resume(pull.ids(BIG))
        assert [b.path for b in pull.end().blocked] == [BIG]
    assert BIG not in bob.files()
    bob.pull()
    assert bob.read(BIG) == LONG[::-1]


def test_a_download_never_goes_on_from_a_longer_object_that_begins_alike(site: Site) -> None:
    """A log that somebody appended to: its ETag is not that of the version that the index names."""
    ada, bob = site.machine("ada"), site.machine("bob")
    ada.write(BIG, LONG)
    ada.push()
    with site.going(bob, "pull", held=(BIG,)) as pull:
        pull.engine.transfers.pause(pull.ids(BIG))
        site.hold.release()
        pull.until_state(BIG, "paused")
        site.store().put(BIG, LONG + b"one more line")  # sent, and not committed yet
        pull.engine.transfers.resume(pull.ids(BIG))
        assert [b.path for b in pull.end().blocked] == [BIG]
    assert BIG not in bob.files()
    assert site.staged(bob) == []


def test_pause_all_takes_in_what_is_queued_later_and_resume_all_lets_it_go(site: Site) -> None:
    """A sync pulls first, and queues its uploads after that."""
    ada, bob = site.machine("ada"), site.machine("bob")
    ada.write("files/down", "d")
    ada.push()
    bob.write("files/up", "u")
    with site.going(bob, "sync", held=("files/down",)) as sync:
        assert sync.engine.transfers.pause() == 1
        site.hold.release()  # it was sent for in full: it is carried through
        sync.until_state("files/up", "paused")
        sync.until(lambda: "paused" in sync.engine.snapshot().detail)
        assert sync.engine.snapshot().lock_held_s is None
        assert ".datastore.lock" not in [info.key for info in site.store().list()]
        assert sync.engine.transfers.resume() == 1
        result = sync.end()
        assert (result.pulled, result.pushed) == (1, 1)
        assert sync.engine.snapshot().detail == ""
    all_have(site.store, {"files/down": "d", "files/up": "u"}, bob)


def test_what_left_in_full_is_carried_through(site: Site) -> None:
    """A pause or a cancel that comes too late would leave us unsure of what was applied."""
    ada = site.machine("ada")
    ada.write("files/small", "s")
    done = threading.Event()

    def after(op: str, key: str) -> None:
        if op == "upload":
            assert done.wait(30)

    ada = Machine(ada.home, lambda: MemoryStore(site.bucket, before=site.hold, after=after))
    with moving(ada.engine()) as push:
        site.hold.wait_for("files/small")
        push.until(lambda: push.row("files/small").done == 1)
        assert push.engine.transfers.cancel(push.ids("files/small")) == 1
        done.set()
        result = push.end()
    assert (result.pushed, result.cancelled) == (1, [])
    all_have(site.store, {"files/small": "s"}, ada)


def test_the_whole_operation_is_cancelled_while_all_of_it_is_paused(site: Site) -> None:
    ada = site.machine("ada", push_concurrency=1)
    for name in "abc":
        ada.write(f"files/{name}", name)
    with site.going(ada, held=("files/a",)) as push:
        push.engine.transfers.pause(push.ids("files/b", "files/c"))
        site.hold.release()
        push.until(lambda: "paused" in push.engine.snapshot().detail)
        push.cancel.cancel()
        with pytest.raises(Cancelled):
            push.end()
        assert set(push.states().values()) == {"done", "cancelled"}
    assert ada.push().pushed == 3


# --- cancel -------------------------------------------------------------------------------


def test_a_cancelled_upload_leaves_nothing_and_stays_dirty(site: Site) -> None:
    ada = site.machine("ada")
    ada.write(BIG, BODY)
    ada.write("files/small", "s")
    with site.going(ada, held=(BIG,)) as push:
        push.until_state("files/small", "done")
        assert site.left_open == [BIG]
        assert push.engine.transfers.cancel(push.ids(BIG)) == 1
        assert push.engine.transfers.cancel(push.ids(BIG)) == 0
        site.hold.release()
        result = push.end()
        assert (result.pushed, result.cancelled, result.failed) == (1, [BIG], [])
        assert result.exit_code == 5
        assert result.document()["cancelled"] == [BIG]
        assert [row.path for row in push.engine.snapshot().dirty] == [BIG]
    assert site.left_open == []
    assert data(site.store) == {"files/small": b"s"}
    ada.push()
    all_have(site.store, {BIG: BODY, "files/small": b"s"}, ada)


def test_a_cancelled_upload_that_was_paused_is_aborted_as_well(site: Site) -> None:
    ada = site.machine("ada")
    ada.write(BIG, BODY)
    ada.write("files/other", "o")
    with site.going(ada, held=(BIG, "files/other")) as push:
        push.engine.transfers.pause(push.ids(BIG))
        site.hold.release(BIG)
        push.until_state(BIG, "paused")
        assert site.left_open == [BIG]
        push.engine.transfers.cancel(push.ids(BIG))
        push.until(lambda: site.left_open == [])
        site.hold.release()
        assert push.end().cancelled == [BIG]
    assert ada.push().pushed == 1


def test_a_cancelled_download_leaves_no_staged_file_and_stays_behind(site: Site) -> None:
    ada, bob = site.machine("ada"), site.machine("bob")
    ada.write(BIG, LONG)
    ada.write("files/other", "s" * (SMALL + 1))
    ada.push()
    with site.going(bob, "pull", held=(BIG, "files/other")) as pull:
        pull.engine.transfers.pause(pull.ids(BIG))
        site.hold.release(BIG)
        pull.until_state(BIG, "paused")
        pull.engine.transfers.cancel(pull.ids(BIG))
        pull.until(lambda: len(site.staged(bob)) == 1)  # that of the other one
        site.hold.release()
        result = pull.end()
        assert (result.pulled, result.cancelled) == (1, [BIG])
        assert [change.path for change in pull.engine.snapshot().behind] == [BIG]
    assert site.staged(bob) == []
    bob.pull()
    assert bob.read(BIG) == LONG


def test_a_queued_transfer_that_is_cancelled_never_starts_and_leaves_no_journal(
    site: Site,
) -> None:
    ada = site.machine("ada", push_concurrency=1)
    for name in "abc":
        ada.write(f"files/{name}", name)
    with site.going(ada, held=("files/a",)) as push:
        assert push.engine.transfers.cancel(push.ids("files/b")) == 1
        site.hold.release()
        assert push.end().cancelled == ["files/b"]
    assert "files/b" not in site.hold.begun
    assert journal(ada) == []


@pytest.mark.parametrize("direction", ["push", "pull"])
def test_after_a_cancel_no_deletion_follows_in_the_same_run(site: Site, direction: str) -> None:
    ada, bob = site.machine("ada"), site.machine("bob")
    ada.write("files/gone", "g")
    ada.write("files/stay", "s")
    ada.push()
    bob.pull()
    (ada.cache / "files/gone").unlink()
    ada.write("files/new", LONG)
    if direction == "pull":
        ada.push()
    who = ada if direction == "push" else bob
    with site.going(who, direction, held=("files/new",)) as going:
        going.engine.transfers.cancel(going.ids("files/new"))
        site.hold.release()
        result = going.end()
        assert result.cancelled == ["files/new"]
        assert (result.deleted_remote, result.deleted_local) == (0, 0)
    assert "files/gone" in (data(site.store) if direction == "push" else who.files())
    again = getattr(who, direction)()
    assert again.deleted_remote + again.deleted_local == 1


def test_cancel_of_all_ends_the_operation(site: Site) -> None:
    ada = site.machine("ada", push_concurrency=2)
    for n in range(6):
        ada.write(f"files/{n}", BODY)
    with site.going(ada, held=("files/0", "files/1")) as push:
        assert push.engine.transfers.cancel() == 6
        site.hold.release()
        assert len(push.end().cancelled) == 6
    assert site.left_open == []
    assert data(site.store) == {}
