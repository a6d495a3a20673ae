from typing import Any

import pytest
from msgspec.structs import replace

from s3dash.core.progress import Progress, Rate
from s3dash.core.snapshot import AutoSync, Snapshot, WatchState
from s3dash.tui.cells import plain, width
from s3dash.tui.format import clock_time
from s3dash.tui.look import Look, Site
from s3dash.tui.views.base import Badge
from s3dash.tui.widgets import banner, chrome
from tests.tui.fake_engine import HOSTILE, NOW, busy, idle, lock, settings

ROOMS = [1, 10, 40, 60, 80, 100, 120, 200]


def look(snapshot: Snapshot, name: str = "prod-minio") -> Look:
    site = Site(settings=settings(name), snapshot=snapshot, seen_at=1000.0)
    return Look(sites=(site,), current=0, now=NOW, mono=1000.0)


def head(snapshot: Snapshot, room: int = 120) -> str:
    return plain(chrome.header(look(snapshot), room))


@pytest.mark.parametrize("room", ROOMS)
def test_the_header_fills_its_line_and_no_more(room: int) -> None:
    moving = busy(progress=Progress(rate=Rate(13e6, 4e6)), lock_held_s=8.2, state="pushing")
    assert width(chrome.header(look(moving), room)) == room


def test_the_header_says_what_the_frame_shows() -> None:
    line = head(
        idle(
            auto=AutoSync(True, 30.0),
            read_only="pid 12 on vm",
            lock_held_s=8.2,
            progress=Progress(rate=Rate(13_002_342.4, 0.0)),
        )
    )
    for part in (
        "s3dash", "prod-minio", "● online 41 ms", "ns:infra", "AUTO on 30s", " RO ",
        "↑12.4 MiB/s ↓0", "lock: me 00:08",
    ):  # fmt: skip
        assert part in line


def test_a_narrow_header_keeps_health_and_namespace_before_rates() -> None:
    line = head(busy(state="pushing", progress=Progress(rate=Rate(13e6, 4e6))), 50)
    assert "● online" in line
    assert "ns:infra" in line
    assert "MiB/s" not in line


def test_an_offline_endpoint_is_told_by_glyph_and_word() -> None:
    assert "○ offline" in head(idle(healthy=False))


def test_suspended_auto_sync_is_not_shown_as_on() -> None:
    line = head(idle(auto=AutoSync(True, 30.0, None, "2 deletions wait")))
    assert "AUTO suspended" in line
    assert "AUTO on" not in line


def test_somebody_elses_lock_is_named_with_its_state() -> None:
    assert "● held ann@ci" in head(idle(locks=(lock("ann@ci"),)))
    assert "◌ stale ann@ci" in head(idle(locks=(lock("ann@ci", stale=True),)))
    assert "lock: free" in head(idle(locks=(lock(namespace="web"),)))


def tabs(active: str, room: int) -> tuple[str, list[chrome.Tab]]:
    given = [
        chrome.Tab("overview", "1", "Overview", Badge()),
        chrome.Tab("dirty", "2", "Dirty", Badge(37)),
        chrome.Tab("conflicts", "6", "Conflicts", Badge(2, urgent=True)),
    ]
    cell, placed = chrome.tabs(given, active, room)
    assert width(cell) <= room
    return plain(cell), placed


def test_tabs_draw_the_upper_edge_of_the_frame() -> None:
    line, _ = tabs("dirty", 60)
    assert line == "┌ 1 Overview ┬ 2 Dirty 37 ┬ 6 Conflicts 2! " + "─" * 16 + "┐"


@pytest.mark.parametrize("room", [12, 24, 30, 40, 60])
def test_tabs_know_where_they_stand(room: int) -> None:
    line, placed = tabs("dirty", room)
    for tab in placed:
        if tab.x + tab.width < room:
            assert tab.number in line[tab.x : tab.x + tab.width]


def test_short_of_room_the_active_tab_keeps_its_title() -> None:
    line, _ = tabs("conflicts", 32)
    assert "6 Conflicts 2!" in line
    assert "Overview" not in line


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"healthy": False, "message": "refused"}, "○ OFFLINE  refused"),
        (
            {"healthy": False, "message": "refused", "offline_since": "2026-11-21T12:03:10.000Z"},
            f"○ OFFLINE  since {clock_time('2026-11-21T12:03:10.000Z')}: refused",
        ),
        ({"read_only": "pid 12 on vm"}, "READ-ONLY  this cache belongs to pid 12 on vm"),
        ({"watch": WatchState("polling", "inotify is full")}, "POLLING  inotify is full"),
        ({"watch": WatchState("off", "no permission")}, "NOT WATCHING  no permission"),
        ({"message": "shards were dropped"}, "⚠ NOTE  shards were dropped"),
        ({"state": "backing off", "detail": "12 s (SlowDown ×3)"}, "◷ BACKING OFF  12 s (Slow"),
        ({"state": "waiting for lock", "detail": "ann@ci"}, "◷ WAITING FOR LOCK  ann@ci"),
    ],
)
def test_the_banner_names_the_trouble(fields: dict[str, Any], expected: str) -> None:
    assert expected in plain(banner.banner(look(idle(**fields))))


def test_without_trouble_there_is_no_banner() -> None:
    assert banner.banner(look(busy())) == ()


def test_offline_outweighs_the_rest_and_says_when_it_looks_again() -> None:
    away = idle(healthy=False, read_only="x", next_look_s=12.0)
    assert "OFFLINE" in plain(banner.banner(look(away)))
    assert "next look in 00:12" in plain(banner.banner(look(away)))


def test_foreign_text_in_header_and_banner_is_made_safe() -> None:
    hostile = replace(idle(healthy=False), message=HOSTILE, namespace=HOSTILE)
    shown = head(hostile, 200) + plain(banner.banner(look(hostile)))
    assert "\x1b" not in shown
    assert "\u202e" not in shown


def hints(*names: str) -> list[chrome.KeyHint]:
    return [chrome.KeyHint(name[0], name, enabled=True) for name in names]


def test_the_key_bar_gives_up_from_the_end_but_keeps_the_last_key() -> None:
    line = plain(chrome.key_bar(hints("help", "filter", "push", "quit"), 28))
    assert line.split() == ["h", "help", "f", "filter", "q", "quit"]
    assert chrome.key_bar([], 80) == ()


@pytest.mark.parametrize("room", [0, 1, 2, 10, 80])
def test_the_lower_edge_joins_list_and_detail(room: int) -> None:
    line = plain(chrome.bottom_edge(room, 5))
    assert len(line) == (room if room > 1 else 0)
    assert room < 7 or line[5] == "┴"
    assert "┴" not in plain(chrome.bottom_edge(room, None))
