"""The metrics: readable by the library's own parsers, true, and served to those who may ask."""

import http.client
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from s3dash.core.events import Ended
from s3dash.core.progress import Progress
from s3dash.core.report import Blocked, IndexInfo, PathChange
from s3dash.core.service import Address
from s3dash.core.snapshot import AutoSync, DirtyRow, Snapshot
from s3dash.core.tenants import Survey, Tenant
from s3dash.errors import LocalError
from s3dash.service.metrics import Metrics, hydrated
from s3dash.service.tally import Tally
from s3dash.service.web import AT_ONCE, Web
from tests.cli.fakes import LOCK
from tests.service.scrape import OPEN, ask, samples

AT = "2026-03-04T05:06:07.000Z"
QUIET = Snapshot(datastore="team", namespace=None, state="idle", checked_at=AT)
NONE: frozenset[str] = frozenset()


def page(now: Snapshot, tally: Tally | None = None, *, accept: str = OPEN) -> Any:
    metrics = Metrics(lambda: now, tally or Tally(), is_well=lambda: now.healthy)
    return samples(metrics.page(accept)[1].decode(), accept=accept)


def dirty(number: int) -> tuple[DirtyRow, ...]:
    return tuple(DirtyRow(f"files/{n}", "added", 1, AT, "new") for n in range(number))


BUSY = replace(
    QUIET,
    healthy=False,
    namespace='in"fra\n',
    dirty=dirty(3),
    behind=(PathChange("files/x", "added", 4),),
    blocked=(Blocked("a", "why"),) * 2,
    files=9,
    index=IndexInfo(2, 17, 10),
    locks=(LOCK, msgspec.structs.replace(LOCK, nonce="n-2", age_s=90.0, stale=True)),
    lock_held_s=1.5,
    auto=AutoSync(True, 30.0, suspended="2 deletions wait for you", failures=4, deletions=2),
    last_push=AT,
    progress=Progress(bytes_up=1000, bytes_down=20, requests=77),
    events_dropped=5,
)


@pytest.mark.parametrize("accept", [OPEN, "", "text/plain"])
def test_the_librarys_own_parsers_read_it(accept: str) -> None:
    for now in (QUIET, BUSY):
        assert ("s3dash_dirty", NONE) in page(replace(now, namespace=None), accept=accept)


def test_every_number_is_the_one_of_the_snapshot() -> None:
    tally = Tally()
    done = {"pushed": 3, "failed": 1}
    for error in ("", "", "LockHeld", "Unreachable"):
        tally.ended(
            Ended(
                at=AT,
                datastore="team",
                operation="sync",
                seconds=1.0,
                requests=2,
                counts={} if error else done,
                error=error,
            )
        )
    tally.failed("offline")
    tally.hooked("conflict", "ok")
    found = page(replace(BUSY, namespace=None), tally)
    expected = {
        ("s3dash_healthy", NONE): 0,
        ("s3dash_dirty", NONE): 3,
        ("s3dash_behind", NONE): 1,
        ("s3dash_conflicts", NONE): 0,
        ("s3dash_blocked", NONE): 2,
        ("s3dash_local_files", NONE): 9,
        ("s3dash_remote_entries", NONE): 10,
        ("s3dash_commit_seq", NONE): 17,
        ("s3dash_hydrated_ratio", NONE): 0.9,
        ("s3dash_lock_age_seconds", frozenset({"namespace", "infra"})): 90,
        ("s3dash_lock_age_seconds", frozenset({"global"})): 0,
        ("s3dash_stale_locks", NONE): 1,
        ("s3dash_lock_held", NONE): 1,
        ("s3dash_lock_held_seconds", NONE): 1.5,
        ("s3dash_auto_enabled", NONE): 1,
        ("s3dash_auto_suspended", NONE): 1,
        ("s3dash_deletions_waiting", NONE): 2,
        ("s3dash_failed_rounds", NONE): 4,
        ("s3dash_last_success_timestamp_seconds", frozenset({"push"})): 1772600767,
        ("s3dash_last_success_timestamp_seconds", frozenset({"look"})): 1772600767,
        ("s3dash_bytes_total", frozenset({"up"})): 1000,
        ("s3dash_bytes_total", frozenset({"down"})): 20,
        ("s3dash_requests_total", NONE): 77,
        ("s3dash_events_dropped_total", NONE): 5,
        ("s3dash_syncs_total", frozenset({"sync", "partly"})): 2,
        ("s3dash_syncs_total", frozenset({"sync", "waiting"})): 1,
        ("s3dash_syncs_total", frozenset({"sync", "failed"})): 1,
        ("s3dash_files_total", frozenset({"pushed"})): 6,
        ("s3dash_errors_total", frozenset({"Unreachable"})): 1,
        ("s3dash_errors_total", frozenset({"offline"})): 1,
        ("s3dash_hooks_total", frozenset({"conflict", "ok"})): 1,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert ("s3dash_last_success_timestamp_seconds", frozenset({"pull"})) not in found


def test_hostile_names_cannot_break_the_page() -> None:
    assert ("s3dash_dirty", frozenset({'in"fra\n'})) in page(BUSY)


@pytest.mark.parametrize(
    ("now", "share"),
    [
        (QUIET, 1.0),
        (replace(QUIET, lazy=True, files=5, index=IndexInfo(2, 1, 10)), 0.5),
        (replace(QUIET, tenants=Survey(rows=(Tenant(slug="a", mine=True, size=8, held=2),))), 0.25),
    ],
)
def test_the_hydrated_share(now: Snapshot, share: float) -> None:
    assert hydrated(now) == share


@contextmanager
def served(now: Snapshot, complaints: list[str] | None = None) -> Iterator[Web]:
    metrics = Metrics(lambda: now, Tally(), is_well=lambda: True)
    web = Web(Address(), page=metrics.page, complaints=lambda: complaints or [])
    web.start()
    try:
        yield web
    finally:
        web.stop()


def test_the_form_is_that_which_was_asked_for() -> None:
    with served(QUIET) as web:
        assert web.address.startswith("127.0.0.1:")
        found = ask(web.address, "/metrics", accept=OPEN)
        assert found.content_type.startswith("application/openmetrics-text; version=1.0.0")
        assert found.body.endswith("# EOF\n")
        plain = ask(web.address, "/metrics?x=y")
        assert plain.content_type.startswith("text/plain; version=")
        assert samples(plain.body, accept="")[("s3dash_dirty", NONE)] == 0
        assert ask(web.address, "/metrics", method="HEAD").body == ""


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/", 404), ("GET", "/metrics/x", 404), ("POST", "/metrics", 501), ("PUT", "/x", 501)],
)
def test_there_is_nothing_else(method: str, path: str, status: int) -> None:
    with served(QUIET) as web:
        assert ask(web.address, path, method=method).status == status


def test_health_is_told_by_status_and_reason() -> None:
    with served(QUIET) as web:
        good = ask(web.address, "/healthz")
    with served(QUIET, ["nobody\x1b answers"]) as web:
        bad = ask(web.address, "/healthz")
    assert (good.status, msgspec.json.decode(good.body)) == (200, {"status": "ok", "reasons": []})
    assert bad.status == 503
    assert msgspec.json.decode(bad.body) == {"status": "failing", "reasons": ["nobody\x1b answers"]}


def test_clients_that_say_nothing_take_no_more_than_their_places() -> None:
    with served(QUIET) as web:
        host, _, port = web.address.rpartition(":")
        silent = [socket.create_connection((host, int(port)), timeout=30) for _ in range(AT_ONCE)]
        turned_away = socket.create_connection((host, int(port)), timeout=30)
        assert turned_away.recv(1) == b""
        for link in (*silent, turned_away):
            link.close()


def test_an_address_that_is_taken_is_told() -> None:
    with served(QUIET) as web:
        port = int(web.address.rpartition(":")[2])
        with pytest.raises(LocalError, match=f"127.0.0.1:{port} cannot be served: "):
            Web(Address(port=port), page=lambda _: ("", b""), complaints=list)


def test_a_bug_in_a_page_does_not_stay_unseen() -> None:
    def broken(accept: str) -> tuple[str, bytes]:
        raise ZeroDivisionError

    seen = threading.Event()
    before, threading.excepthook = threading.excepthook, lambda thrown: seen.set()
    web = Web(Address(), page=broken, complaints=list)
    web.start()
    try:
        with pytest.raises(http.client.RemoteDisconnected):
            ask(web.address, "/metrics")
        assert seen.wait(30)
    finally:
        web.stop()
        threading.excepthook = before


@pytest.mark.parametrize(
    "accept",
    [
        "application/openmetrics-text; version=x",
        "application/openmetrics-text;;version=1..0; q=x",
        "application/openmetrics-text; version=1.0.0; escaping=nothing-known",
        "text/plain; version=\xe9",
        ";=,;",
    ],
)
def test_whatever_a_client_would_accept_is_answered(accept: str) -> None:
    """A header is foreign input: it never ends a thread, and with that the service."""
    with served(QUIET) as web:
        found = ask(web.address, "/metrics", accept=accept)
    assert found.status == 200
    assert "s3dash_dirty" in found.body
