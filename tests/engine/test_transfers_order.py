"""Transfers that obey: in another order, more or fewer at once, and once more when they failed."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from s3dash.engine.auto import CANCELLED
from s3dash.engine.engine import Engine
from s3dash.errors import Throttled
from s3dash.objectstore.patience import Patience
from tests.engine.ends import all_have, data
from tests.engine.moving import BIG, BODY, Holding, Site, moving
from tests.engine.test_live import until
from tests.engine.world import Machine


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    made = Site(tmp_path)
    yield made
    made.hold.release()


# --- order and number ---------------------------------------------------------------------


def test_a_higher_priority_starts_first_and_a_lower_one_last(site: Site) -> None:
    ada = site.machine("ada", push_concurrency=1)
    names = [f"files/{n:02}" for n in range(40)]  # more than are announced at a time
    for name in names:
        ada.write(name, name)
    with site.going(ada, held=("files/00",)) as push:
        transfers = push.engine.transfers
        assert transfers.raise_priority(push.ids("files/39", "files/20")) == 2
        assert transfers.raise_priority(push.ids("files/39")) == 1
        assert transfers.lower_priority(push.ids("files/01")) == 1
        assert push.row("files/39").priority == 2
        site.hold.release()
        assert push.end().pushed == 40
    rest = [name for name in names if name[-2:] not in ("00", "39", "20", "01")]
    assert site.hold.begun == ["files/00", "files/39", "files/20", *rest, "files/01"]


def test_a_priority_has_its_bounds(site: Site) -> None:
    ada = site.machine("ada", push_concurrency=1)
    ada.write("files/a", "a")
    ada.write("files/b", "b")
    with site.going(ada, held=("files/a",)) as push:
        for _ in range(12):
            push.engine.transfers.raise_priority(push.ids("files/b"))
        assert push.engine.transfers.raise_priority(push.ids("files/b")) == 0
        assert push.row("files/b").priority == 9


def test_more_at_once_takes_effect_and_less_as_they_end(site: Site) -> None:
    ada = site.machine("ada", push_concurrency=1)
    names = [f"files/{n:02}" for n in range(12)]
    for name in names:
        ada.write(name, name)
    with site.going(ada, held=("files/00",)) as push:
        site.hold.hold(*names)
        assert len(site.hold.begun) == 1
        assert push.engine.transfers.allow(up=8).up == 8
        site.hold.wait_for(*names[:8])
        push.until(lambda: push.engine.snapshot().progress.counts.active == 8)
        assert push.engine.transfers.allow(up=1).up == 1
        site.hold.release(*names[:7])
        push.until(lambda: push.engine.snapshot().progress.counts.done == 7)
        assert len(site.hold.begun) == 8
        site.hold.release()
        assert push.end().pushed == 12
        assert push.engine.snapshot().progress.limits.up == 1


def test_numbers_have_their_bounds(site: Site) -> None:
    engine = site.machine("ada").engine()
    limits = engine.transfers.allow(up=0, down=9999)
    assert (limits.up, limits.down) == (1, 128)
    assert engine.transfers.throttle(-5).bandwidth == 0
    engine.stop()


def test_the_bandwidth_changes_while_transfers_wait_for_it(site: Site) -> None:
    ada = site.machine("ada", bandwidth_limit=1)  # hours for what is sent here
    ada.write("files/a", BODY)
    ada.write("files/b", "b" * 500)
    with moving(ada.engine()) as push:
        push.until(lambda: push.row("files/b").done == 500)
        assert not push.is_over
        assert push.engine.transfers.throttle(0).bandwidth == 0
        assert push.end().pushed == 2


def test_a_pause_ends_the_wait_for_bandwidth(site: Site) -> None:
    ada = site.machine("ada", bandwidth_limit=1)
    ada.write(BIG, BODY)
    with moving(ada.engine()) as push:
        push.until(lambda: push.row(BIG).done > 0)
        push.engine.transfers.pause(push.ids(BIG))
        push.until_state(BIG, "paused")
        push.engine.transfers.throttle(0)
        push.engine.transfers.resume()
        assert push.end().pushed == 1
    all_have(site.store, {BIG: BODY}, ada)


# --- failures -----------------------------------------------------------------------------


class Failing:
    """Refuses these keys, as long as it is told to."""

    def __init__(self, hold: Holding, *keys: str) -> None:
        self.keys, self._hold = set(keys), hold

    def __call__(self, op: str, key: str) -> None:
        if op in ("upload", "download", "send_part") and key in self.keys:
            raise Throttled("slow down", brief="503 SlowDown from the endpoint")
        self._hold(op, key)


def impatient(machine: Machine, *, retries: int = 0) -> Engine:
    from s3dash.engine.open import open_engine

    return open_engine(machine.settings, store=machine.store(), patience=Patience(retries=retries))


def test_retry_of_one_that_failed_leaves_the_others_alone(site: Site) -> None:
    failing = Failing(site.hold, "files/a", "files/b")
    ada = site.machine("ada", before=failing)
    for name in "abc":
        ada.write(f"files/{name}", name)
    engine = impatient(ada)
    result = engine.push()
    assert sorted(f.path for f in result.failed) == ["files/a", "files/b"]
    rows = {r.path: r for r in engine.snapshot().progress.transfers}
    assert (rows["files/a"].state, rows["files/a"].error) == ("failed", "slow down")
    failing.keys.clear()
    site.hold.at.clear()
    again = engine.transfers.retry([rows["files/a"].id])
    assert (again.action, again.pushed, again.failed) == ("push", 1, [])
    assert [key for _, key in site.hold.at] == ["files/a"]
    states = {r.path: r.state for r in engine.snapshot().progress.transfers}
    assert states == {"files/a": "done", "files/b": "failed"}
    assert engine.transfers.retry([rows["files/a"].id]).pushed == 0
    engine.stop()


def test_retry_never_deletes(site: Site) -> None:
    """The file that failed to go up is gone since; so would its object be, by a plain push."""
    ada = site.machine("ada")
    ada.write("files/a", "1")
    ada.push()
    failing = Failing(site.hold, "files/a")
    ada = site.machine("ada", before=failing)
    ada.write("files/a", "22")
    engine = impatient(ada)
    assert engine.push().failed
    (row,) = engine.snapshot().progress.transfers
    failing.keys.clear()
    (ada.cache / "files/a").unlink()
    result = engine.transfers.retry([row.id])
    assert [b.path for b in result.blocked] == ["files/a"]
    assert data(site.store) == {"files/a": b"1"}
    assert engine.snapshot().progress.transfers == []
    engine.stop()


def test_a_transfer_that_backs_off_says_when_and_why_and_can_be_stopped(site: Site) -> None:
    failing = Failing(site.hold, BIG)
    ada = site.machine("ada", before=failing)
    ada.write(BIG, BODY)
    ada.write("files/b", "b")
    with moving(impatient(ada, retries=50)) as push:
        push.until(lambda: push.row(BIG).waits_for.endswith("×2"))
        row = push.row(BIG)
        assert row.waits_for == "503 SlowDown ×2"
        assert row.retry_at > 0
        push.engine.transfers.pause(push.ids(BIG))
        push.until_state(BIG, "paused")
        assert (row.waits_for, row.retry_at) == ("", 0.0)
        failing.keys.clear()
        push.engine.transfers.resume(push.ids(BIG))
        assert push.end().pushed == 2


def test_auto_sync_does_not_start_again_what_was_cancelled(site: Site) -> None:
    ada = site.machine("ada", push_concurrency=1, poll_interval_s=3600)
    ada.write("files/a", "a")
    ada.write("files/b", "b")
    site.hold.hold("files/a")
    engine = ada.engine()
    try:
        engine.set_auto(True)
        engine.start()
        site.hold.wait_for("files/a")
        ids = [r.id for r in engine.snapshot().progress.transfers if r.path == "files/b"]
        assert engine.transfers.cancel(ids) == 1
        site.hold.release()
        seen = until(engine, lambda s: s.auto.suspended == CANCELLED and s.state == "idle")
        assert [row.path for row in seen.dirty] == ["files/b"]
        engine.refresh()
        until(engine, lambda s: not s.dirty)
    finally:
        site.hold.release()
        engine.stop()
