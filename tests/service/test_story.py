"""What the service tells: each thing once, with its beginning and its end."""

from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from s3dash.core.events import (
    DirtyChanged,
    Ended,
    Event,
    LocksChanged,
    Noted,
    RemoteChanged,
    StateChanged,
)
from s3dash.core.report import Blocked, ConflictInfo
from s3dash.core.snapshot import AutoSync, DirtyRow, Snapshot
from s3dash.core.trouble import Trouble
from s3dash.service.facts import Fact
from s3dash.service.story import Story
from s3dash.service.verdict import STALLED_S, Pulse, complaints
from tests.cli.fakes import LOCK

AT = "2026-03-04T05:06:07.000Z"
QUIET = Snapshot(datastore="team", namespace=None, state="idle", checked_at=AT, next_look_s=9.0)
HEAD: dict[str, Any] = {"at": AT, "datastore": "team"}


def ended(error: str = "", *, text: str = "", **counts: int) -> Ended:
    return Ended(
        **HEAD,
        operation="sync",
        seconds=1.25,
        requests=12,
        counts=counts,
        commit_seq=None if error else 4,
        error=error,
        text=text,
    )


class Teller:
    """A story that has seen a quiet snapshot."""

    def __init__(self, limit: int = 3) -> None:
        self._story = Story(limit=limit)
        self._story.tell([], QUIET, at=AT)

    def __call__(self, *events: Event, now: Snapshot = QUIET) -> list[Fact]:
        return self._story.tell(events, now, at=AT)

    def names(self, *events: Event, now: Snapshot = QUIET) -> list[str]:
        return [fact.event for fact in self(*events, now=now) if fact.level != "debug"]


def conflicts(*paths: str) -> tuple[ConflictInfo, ...]:
    return tuple(ConflictInfo(path, None, None) for path in paths)


def test_the_first_look_is_told_once_and_the_others_as_details() -> None:
    story = Story(limit=3)
    assert story.tell([], replace(QUIET, checked_at=""), at=AT) == []
    (fact,) = story.tell([], replace(QUIET, files=7), at=AT)
    assert (fact.level, fact.event, fact.fields["files"]) == ("info", "looked", 7)
    (fact,) = story.tell([], replace(QUIET, checked_at="later"), at=AT)
    assert (fact.level, fact.event) == ("debug", "look")


def test_an_operation_is_told_with_its_numbers() -> None:
    (fact,) = Teller()(ended(pushed=3, deleted_remote=1))
    assert (fact.level, fact.event) == ("info", "sync")
    assert fact.fields == {
        "outcome": "ok",
        "pushed": 3,
        "deleted_remote": 1,
        "seconds": 1.25,
        "requests": 12,
        "commit_seq": 4,
    }


@pytest.mark.parametrize(
    ("event", "level", "outcome"),
    [
        (ended(failed=2), "warning", "partly"),
        (ended("LockHeld", text="held by ada"), "warning", "waiting"),
        (ended("Cancelled"), "info", "cancelled"),
        (ended("Unreachable", text="no answer"), "error", "failed"),
    ],
)
def test_an_operation_that_did_not_go_through(event: Ended, level: str, outcome: str) -> None:
    (fact,) = Teller()(event)
    assert (fact.level, fact.fields["outcome"]) == (level, outcome)
    assert fact.fields.get("error", "") == event.error
    assert fact.fields.get("text", "") == event.text


def test_nothing_is_told_twice() -> None:
    notes = [
        Noted(**HEAD, level="info", operation="sync", text="3 pushed"),
        Noted(**HEAD, level="error", operation="endpoint", text="no answer"),
        Noted(**HEAD, level="error", operation="sync", text="no answer"),
    ]
    facts = Teller()(*notes, ended("Unreachable", text="no answer"))
    assert [(f.event, f.fields.get("text")) for f in facts] == [
        ("note", "no answer"),
        ("sync", None),
    ]


def test_what_else_an_engine_announces() -> None:
    facts = Teller()(
        Noted(**HEAD, level="warning", operation="push", text="its object stays"),
        Noted(**HEAD, level="info", operation="locks", text="released"),
        DirtyChanged(**HEAD, count=3),
        RemoteChanged(**HEAD, commit_seq=5, behind=2),
        StateChanged(**HEAD, state="waiting for lock", detail="held by ada"),
        StateChanged(**HEAD, state="idle"),
        LocksChanged(**HEAD, count=1),
    )
    told = [(f.level, f.event) for f in facts]
    assert told == [
        ("warning", "note"),
        ("info", "note"),
        ("info", "dirty"),
        ("info", "bucket"),
        ("info", "state"),
        ("debug", "locks"),
    ]


def test_a_conflict_is_told_when_it_appears_and_when_it_is_settled() -> None:
    tell = Teller()
    (fact,) = tell(now=replace(QUIET, conflicts=conflicts("a", "b")))
    assert (fact.event, fact.occasion, fact.fields["paths"]) == ("conflict", "conflict", ["a", "b"])
    same = replace(QUIET, conflicts=conflicts("a", "b"))
    assert tell.names(now=same) == []
    (fact, gone) = tell(now=replace(QUIET, conflicts=conflicts("b", "c")))
    assert (fact.fields["paths"], fact.fields["all"]) == (["c"], 2)
    assert (gone.event, gone.occasion, gone.fields["paths"]) == ("settled", None, ["a"])


def test_many_conflicts_are_counted_and_some_named() -> None:
    many = conflicts(*(f"files/{n:03}" for n in range(250)))
    (fact,) = Teller()(now=replace(QUIET, conflicts=many))
    assert fact.fields["new"] == 250
    assert fact.fields["paths"] == [f"files/{n:03}" for n in range(10)]


def test_conflicts_of_the_first_look_count_too() -> None:
    facts = Story(limit=3).tell([], replace(QUIET, conflicts=conflicts("a")), at=AT)
    assert [fact.event for fact in facts] == ["looked", "conflict"]


def test_deletions_that_wait_are_told_when_they_become_more() -> None:
    tell = Teller()
    some = [replace(QUIET, auto=AutoSync(True, 30.0, deletions=n)) for n in (2, 2, 1, 3)]
    assert [tell.names(now=now) for now in some] == [["deletions"], [], [], ["deletions"]]


def test_a_stale_lock_is_told_once() -> None:
    tell, stale = Teller(), msgspec.structs.replace(LOCK, stale=True)
    assert tell.names(now=replace(QUIET, locks=(LOCK,))) == []
    (fact,) = tell(now=replace(QUIET, locks=(stale,)))
    assert (fact.occasion, fact.fields["holder"]) == ("stale-lock", LOCK.holder)
    assert tell.names(now=replace(QUIET, locks=(msgspec.structs.replace(stale, age_s=9.0),))) == []
    other = msgspec.structs.replace(stale, nonce="n-2")
    assert tell.names(now=replace(QUIET, locks=(other,))) == ["stale-lock"]


def test_offline_online_suspended_resumed_blocked() -> None:
    tell = Teller()
    why = Trouble("denied", "no s3:PutObject")
    away = replace(QUIET, healthy=False, trouble=why, message=why.text, offline_since=AT)
    (fact,) = tell(now=away)
    assert (fact.level, fact.event, fact.fields["kind"]) == ("error", "offline", "denied")
    assert tell.names(now=replace(away, message="other")) == []
    assert tell.names() == ["online"]
    held = replace(QUIET, auto=AutoSync(True, 30.0, suspended="1 conflict waits for you"))
    assert [tell.names(now=held), tell.names(now=held), tell.names()] == [
        ["suspended"],
        [],
        ["resumed"],
    ]
    assert tell.names(now=replace(QUIET, blocked=(Blocked("a/b", "a is a file"),))) == ["blocked"]


def rounds(failures: int) -> Snapshot:
    return replace(QUIET, auto=AutoSync(True, 30.0, failures=failures))


def test_failed_rounds_are_a_failure_from_the_third_on_once() -> None:
    tell = Teller(limit=3)
    named = [tell.names(now=rounds(n)) for n in (1, 2, 3, 4, 0, 1, 0)]
    assert named == [[], [], ["failing"], [], ["recovered"], [], []]


def test_syncs_that_fail_in_part_are_a_failure_too() -> None:
    tell = Teller(limit=2)
    left = replace(QUIET, dirty=(DirtyRow("a", "added", 1, AT, "new"),))
    assert tell.names(ended(failed=1), now=left) == ["sync"]
    assert tell.names(ended(failed=1), now=left) == ["sync", "failing"]
    assert tell.names(now=left) == []
    assert tell.names() == ["recovered"]  # the file that could not be sent is gone


def test_a_held_lock_is_no_failure() -> None:
    tell = Teller(limit=1)
    assert tell.names(ended("LockHeld")) == ["sync"]


# --- the verdict --------------------------------------------------------------------------


def test_all_is_well() -> None:
    assert complaints(QUIET, stalled_s=0, limit=3) == []


@pytest.mark.parametrize(
    ("now", "stalled_s", "word"),
    [
        (replace(QUIET, healthy=False, message="nobody answers"), 0, "nobody answers"),
        (replace(QUIET, checked_at=""), 0, "not looked at yet"),
        (rounds(3), 0, "3 rounds in a row failed"),
        (QUIET, 240.0, "nothing was looked at for 4 min"),
    ],
)
def test_what_is_wrong_is_told(now: Snapshot, stalled_s: float, word: str) -> None:
    (told,) = complaints(now, stalled_s=stalled_s, limit=3)
    assert word in told


def test_an_engine_that_looks_no_more_is_noticed() -> None:
    pulse, overdue = Pulse(), replace(QUIET, next_look_s=0.0)
    pulse.felt(overdue, 1000.0)
    assert pulse.stalled_s(1000.0 + STALLED_S - 1) == 0
    assert pulse.stalled_s(1000.0 + STALLED_S) == STALLED_S
    pulse.felt(replace(overdue, state="pushing"), 1001.0)
    assert pulse.stalled_s(2000.0) == 0
    pulse.felt(QUIET, 2000.0)
    assert pulse.stalled_s(9000.0) == 0
