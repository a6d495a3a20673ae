from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.core.content import Writer, Writers
from s3dash.core.progress import Rate, Transfer
from s3dash.core.report import Blocked, ConflictInfo, Version
from s3dash.core.snapshot import AutoSync, HistoryRow, Snapshot
from s3dash.core.trouble import LastCommit
from s3dash.tui.cells import Cell, plain
from s3dash.tui.look import Look, Site
from s3dash.tui.views.base import View
from s3dash.tui.views.conflicts import ConflictsView
from s3dash.tui.views.dirty import DirtyView
from s3dash.tui.views.locks import LocksView
from s3dash.tui.views.log import LogView
from s3dash.tui.views.overview import OverviewView
from s3dash.tui.views.transfers import TransfersView
from tests.tui.fake_engine import (
    HOSTILE,
    NOW,
    ago,
    busy,
    conflict,
    dirty,
    idle,
    lock,
    moving,
    settings,
    transfer,
)

OBEYED = ("\x1b", "\u202e", "\u200b", "\udc80")


def look(snapshot: Snapshot, *, mono: float = 1000.0, log: Sequence[HistoryRow] = ()) -> Look:
    site = Site(
        settings=settings(),
        snapshot=snapshot,
        seen_at=1000.0,
        dirty_bytes=sum(row.size for row in snapshot.dirty),
        log=log,
    )
    return Look(sites=(site,), current=0, now=NOW, mono=mono)


def cells(view: View[Any], at: Look, line: int = 0) -> dict[str, str]:
    row = view.rows(at)[line]
    return {column.title: plain(column.cell(row, at)) for column in view.columns}


def text(lines: Sequence[Cell]) -> str:
    return "\n".join(plain(line) for line in lines)


def detail(view: View[Any], at: Look, line: int = 0) -> str:
    return text(view.detail(view.rows(at)[line], at))


def everything(view: View[Any], at: Look) -> str:
    """All that a view shows of its first row."""
    return "\n".join([*cells(view, at).values(), detail(view, at), plain(view.summary(at))])


# --- dirty --------------------------------------------------------------------------------


def test_a_dirty_row_tells_change_path_size_age_and_why() -> None:
    at = look(idle(dirty=(dirty("data/a.json", "added", 2048, 300),)))
    assert cells(DirtyView(), at) == {
        "CHANGE": "✚ added",
        "PATH": "data/a.json",
        "SIZE": "2.00 KiB",
        "AGE": "5 min",
        "WHY": "content differs",
    }


def test_the_dirty_summary_counts_by_kind() -> None:
    view, at = DirtyView(), look(busy())
    line = plain(view.summary(at))
    assert line == "3 dirty paths, 6.00 KiB  ✚ 1 added  ± 1 modified  ✖ 1 deleted"
    assert view.badge(at).number == 3


def test_a_dirty_path_in_conflict_says_so() -> None:
    at = look(idle(dirty=(dirty("x"),), conflicts=(conflict("x"),)))
    assert "see 6 Conflicts" in detail(DirtyView(), at)
    assert "/srv/cache/prod-minio/infra/x" in detail(DirtyView(), at)


def test_nothing_dirty_names_the_last_push() -> None:
    empty = text(DirtyView().empty(look(idle())))
    assert "Nothing dirty." in empty
    assert "Last push" in empty
    assert "Nothing was pushed" in text(DirtyView().empty(look(idle(last_push=""))))
    assert "Looking at the cache" in text(DirtyView().empty(look(idle(state="starting"))))


# --- transfers ----------------------------------------------------------------------------


def transfers(*rows: Transfer, rate: float = 1 << 20) -> Look:
    return look(idle(progress=moving(list(rows), Rate(rate, 0.0))))


def test_a_running_transfer_tells_share_rate_and_time_to_go() -> None:
    shown = cells(TransfersView(), transfers(transfer(1, "active", 512 << 10)))
    assert shown["PROGRESS"] == " 50% ━━━━━─────"
    assert shown["RATE"] == "51.2 KiB/s"
    assert shown["ETA"] == "00:10"
    assert shown["STATE"] == "▶ active"
    assert shown[""] == "▲"


def test_a_waiting_transfer_has_no_rate() -> None:
    shown = cells(TransfersView(), transfers(transfer(1, "queued")))
    assert (shown["RATE"], shown["ETA"], shown["STATE"]) == ("", "", "· queued")


def test_a_failed_transfer_tells_its_reason() -> None:
    at = transfers(transfer(1, "failed", 10))
    assert "503 SlowDown" in detail(TransfersView(), at)
    assert TransfersView().badge(at) == (1, True)


def test_transfers_are_ordered_by_state() -> None:
    view = TransfersView()
    assert view.order is not None
    rows = [
        transfer(1, "done"),
        transfer(2, "failed"),
        transfer(3, "queued"),
        transfer(4, "active"),
    ]
    assert [row.id for row in sorted(rows, key=view.order)] == [4, 3, 2, 1]


def test_the_order_is_made_anew_only_when_a_state_changed() -> None:
    view, row = TransfersView(), transfer(1, "active", 5)
    before = view.version(transfers(row))
    assert view.version(transfers(replace(row, done=900))) == before
    assert view.version(transfers(replace(row, state="done"))) != before


def test_the_transfer_summary_adds_up() -> None:
    at = transfers(transfer(1, "active", 512 << 10), transfer(2, "done", 1 << 20), rate=1 << 19)
    line = plain(TransfersView().summary(at))
    for part in ("1 of 2 files", "1.50 MiB of 2.00 MiB", "75%", "1 active", "ETA 00:01"):
        assert part in line


def test_nothing_moves() -> None:
    assert "Nothing moves." in text(TransfersView().empty(look(idle())))
    assert plain(TransfersView().summary(look(idle()))) == "no transfers"


# --- locks --------------------------------------------------------------------------------


def test_a_lock_tells_who_holds_it_and_for_how_long() -> None:
    shown = cells(LocksView(), look(idle(locks=(lock(),)), mono=1010.0))
    assert shown["STATE"] == "● LIVE"
    assert shown["LOCK"] == "namespace infra"
    assert shown["HOLDER"] == "ann@ci"
    assert shown["TTL LEFT"] == "00:15"


def test_a_lock_goes_stale_while_it_is_looked_at() -> None:
    at = look(idle(locks=(lock(),)), mono=1026.0)
    assert cells(LocksView(), at)["STATE"] == "◌ STALE"
    assert LocksView().badge(at) == (1, True)


def test_each_scope_of_lock_has_its_name() -> None:
    scopes = [
        lock(scope="global", namespace=None),
        lock(scope="model", namespace="web", model="@acme/server/1"),
    ]
    at = look(idle(locks=tuple(scopes)))
    assert cells(LocksView(), at, 0)["LOCK"] == "whole datastore"
    assert cells(LocksView(), at, 1)["LOCK"] == "model web/@acme/server/1"


def test_the_detail_of_a_lock_shows_what_a_release_needs() -> None:
    shown = detail(LocksView(), look(idle(locks=(lock(stale=True),))))
    for part in ("ann@ci", "ci-7", "4711", "nonce-1", ".locks/infra.lock", "force release"):
        assert part in shown


# --- conflicts ----------------------------------------------------------------------------


def test_a_conflict_shows_all_three_versions() -> None:
    at = look(idle(conflicts=(conflict("files/both.txt"),)))
    shown = detail(ConflictsView(), at)
    for part in ("1.00 KiB", "2.00 KiB", "4.00 KiB", "a" * 64, "b" * 64, "c" * 64):
        assert part in shown


def test_a_wide_list_tells_times_and_writer_of_each_side() -> None:
    there = Version(4096, "b" * 64, time="2026-03-13T09:05:00.000Z")
    told = ConflictInfo("x", Version(2048, "a" * 64, time=ago(60)), there)
    view, at = ConflictsView(), look(idle(conflicts=(told,)))
    assert view.rows(at)
    assert cells(view, at)["WRITER"] == "unknown"
    view.learn(Writers(here="me@desk", remote={"x": Writer("ann@ci", ago(90))}))
    shown = cells(view, at)
    assert shown["LOCAL (this host)"] == "2.00 KiB aaaaaaaa"
    assert shown["REMOTE (bucket)"] == "4.00 KiB bbbbbbbb"
    assert shown["REMOTE TIME"].startswith("13 Mar ")
    assert shown["LOCAL TIME"] != "?"
    assert shown["WRITER"].startswith("ann@ci, committed ")
    assert (shown["BASE (before)"], shown["BASE TIME"]) == ("", "")
    assert "LOCAL   this host, me@desk" in detail(view, at)


def test_a_side_without_the_file_is_told() -> None:
    gone = ConflictInfo("x", None, Version(5, None))
    shown = detail(ConflictsView(), look(idle(conflicts=(gone,))))
    assert "none known" in shown
    assert "deleted" in shown
    assert "not hashed" in shown


def test_blocked_paths_stand_below_conflicts_with_their_reason() -> None:
    view, at = ConflictsView(), look(busy())
    assert [row.path for row in view.rows(at)] == ["files/both.txt", "a/../b"]
    assert cells(view, at, 1)["LOCAL (this host)"] == "leads out of the cache"
    assert "leads out of the cache" in detail(view, at, 1)
    assert view.badge(at) == (2, True)


def test_rows_stay_the_same_object_until_something_changes() -> None:
    view, at = ConflictsView(), look(busy())
    assert view.rows(at) is view.rows(at)
    more = look(idle(blocked=(Blocked("z", "why"),)))
    assert [row.path for row in view.rows(more)] == ["z"]


# --- log ----------------------------------------------------------------------------------


def test_the_log_counts_what_went_wrong() -> None:
    rows = (
        HistoryRow(ago(60), "push", "info", "2 pushed"),
        HistoryRow(ago(9), "push", "warning", "slow"),
        HistoryRow(ago(1), "pull", "error", "it broke"),
    )
    assert plain(LogView().summary(look(idle(), log=rows))) == "3 lines  ✖ 1 error  ⚠ 1 warning"
    assert plain(LogView().summary(look(idle(), log=rows[:1]))) == "1 line"


def test_a_lock_says_who_holds_it_with_what_and_what_it_blocks() -> None:
    held = lock(client="s3dash 0.4", nonce="n-1")
    told = detail(LocksView(), look(idle(locks=(held,))))
    for word in ("ann@ci", "ci-7", "4711", "s3dash 0.4", "n-1", "00:25", "of 00:30", "1 min ago"):
        assert word in told
    assert "pushes, syncs and repairs of this namespace; pulls go on" in told


def test_a_model_lock_blocks_its_model_alone() -> None:
    model = lock(scope="model", model="@acme/server/0f", key="infra/data/@acme/server/0f/.lock")
    told = detail(LocksView(), look(idle(locks=(model,))))
    assert "model infra/@acme/server/0f" in told
    assert "other writers of this model" in told


# --- overview -----------------------------------------------------------------------------


def test_the_overview_names_who_pushed_last() -> None:
    told = detail(OverviewView(), look(idle(last_commit=LastCommit(ago(60), "ann@ci"))))
    assert "by ann@ci" in told
    assert " by " not in detail(OverviewView(), look(idle(last_commit=LastCommit(ago(60)))))


def test_the_overview_tells_the_state_of_a_datastore() -> None:
    at = look(busy(auto=AutoSync(True, 30.0, 12.0)))
    shown = cells(OverviewView(), at)
    assert shown["STATE"] == "● idle"
    assert shown["DIRTY"] == "3 · 6.00 KiB"
    assert shown["AUTO"] == "in <1 min"
    assert shown["⚠"] == "1"
    assert shown["LOCK"] == "● held ann@ci"


def test_auto_sync_says_why_it_is_suspended() -> None:
    at = look(idle(auto=AutoSync(True, 30.0, None, "3 deletions wait for you")))
    assert cells(OverviewView(), at)["AUTO"] == "‖ suspended"
    assert "3 deletions wait for you" in detail(OverviewView(), at)


def test_an_offline_datastore_is_counted_and_explained() -> None:
    at = look(idle(healthy=False, message="connection refused"))
    assert cells(OverviewView(), at)["STATE"] == "○ offline"
    assert "○ 1 offline" in plain(OverviewView().summary(at))
    assert "connection refused" in detail(OverviewView(), at)


# --- foreign text -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("view", "at"),
    [
        (DirtyView(), look(idle(dirty=(dirty(HOSTILE),)))),
        (TransfersView(), transfers(replace(transfer(1, "failed"), path=HOSTILE, error=HOSTILE))),
        (LocksView(), look(idle(locks=(lock(HOSTILE, hostname=HOSTILE, nonce=HOSTILE),)))),
        (ConflictsView(), look(idle(conflicts=(conflict(HOSTILE),)))),
        (ConflictsView(), look(idle(blocked=(Blocked(HOSTILE, HOSTILE),)))),
        (LogView(), look(idle(), log=(HistoryRow(HOSTILE, HOSTILE, "error", HOSTILE),))),
        (OverviewView(), look(idle(message=HOSTILE, namespace=HOSTILE, detail=HOSTILE))),
    ],
    ids=lambda value: getattr(value, "name", ""),
)
def test_no_view_lets_foreign_text_through(view: View[Any], at: Look) -> None:
    shown = everything(view, at)
    assert "[/x]" in shown
    assert not [char for char in OBEYED if char in shown]
