"""View 7: what is shown of endpoints, and the doctor's check; the place of view 8."""

import threading

import pytest
from msgspec.structs import replace

from s3dash.core.endpoint import (
    Checking,
    EndpointFacts,
    Finding,
    Mishap,
    OpenUploads,
    Proof,
)
from s3dash.errors import AccessDenied
from s3dash.tui.cells import plain
from s3dash.tui.views.endpoints import EndpointsView
from s3dash.tui.widgets import chrome
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.endpoints import FOREIGN, OURS, SAFE, UNSAFE, detail, known, look, view
from tests.tui.fake_engine import HOSTILE, ago

# --- what is shown ------------------------------------------------------------------------


def test_opening_the_view_asks_who_we_are_and_what_lies_open() -> None:
    engine = known(EndpointFacts(latencies=tuple(float(n) for n in range(1, 101))))
    engine.endpoint.open = OpenUploads(rows=(OURS, FOREIGN), at=ago(0))

    async def script(stage: Stage) -> None:
        assert not engine.asked("endpoint.look")
        await view(stage)
        (row,) = stage.rows()
        assert all(part in row for part in ("● online", "50 ms", "95 ms", "? unproved", " 2"))
        shown = stage.line("#detail")
        assert "key AKIA…WXYZ" in shown
        assert "2 uploads open" in shown.replace("\n", " ")
        assert "nobody has examined it" in shown
        await stage.press("1", "7")
        assert engine.asked("endpoint.look") == [()]

    play(script, engine)


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20), TINY])
def test_state_and_locks_are_readable_at_every_size(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        await view(stage)
        assert "✔ safe" in stage.rows()[0]

    play(script, known(EndpointFacts(finding=SAFE)), size=size)


def test_datastores_of_one_bucket_are_one_row() -> None:
    one, two = known(EndpointFacts(latencies=(10.0,))), known(EndpointFacts(finding=SAFE), "second")
    other = known(EndpointFacts(), "third", bucket="other")
    rows = EndpointsView().rows(look(one, two, other))
    assert [[site.name for site in row.sites] for row in rows] == [
        ["prod-minio", "second"],
        ["third"],
    ]
    assert rows[0].facts.finding is SAFE
    rows = EndpointsView().rows(look(one, two, other, current=1))
    assert rows[0].sites[0].name == "second"


def test_rows_are_the_same_object_while_nothing_changes() -> None:
    at, view_ = look(known(EndpointFacts())), EndpointsView()
    assert view_.rows(at) is view_.rows(at)


@pytest.mark.parametrize(
    ("facts", "locking", "word"),
    [
        (EndpointFacts(), "safe", "unproved"),
        (EndpointFacts(proved_at=ago(60)), "safe", "safe"),
        (EndpointFacts(finding=SAFE), "safe", "safe"),
        (EndpointFacts(finding=UNSAFE), "safe", "UNSAFE"),
        (EndpointFacts(finding=SAFE), "unsafe", "UNSAFE"),
    ],
)
def test_locks_are_safe_only_by_proof_and_by_configuration(
    facts: EndpointFacts, locking: str, word: str
) -> None:
    at = look(known(facts, locking=locking))
    cells = EndpointsView().columns[4].cell(EndpointsView().rows(at)[0], at)
    assert plain(cells).endswith(word)
    assert (cells[0][1] == "alarm") is (word == "UNSAFE")


@pytest.mark.parametrize(
    ("facts", "locking", "told"),
    [
        (EndpointFacts(finding=UNSAFE), "safe", True),
        (EndpointFacts(finding=SAFE), "unsafe", True),
        (EndpointFacts(finding=SAFE), "safe", False),
        (EndpointFacts(), "safe", False),
    ],
)
def test_the_header_says_that_locks_are_unsafe(
    facts: EndpointFacts, locking: str, told: bool
) -> None:
    at = look(known(facts, locking=locking))
    for room in (120, 80, 60, 40):
        line = chrome.header(at, room)
        assert ("LOCKS UNSAFE" in plain(line)) is told
        assert not told or ("alarm" in {style for _, style in line})


def test_an_unsafe_endpoint_stands_out_in_tab_and_summary() -> None:
    async def script(stage: Stage) -> None:
        await view(stage)
        assert "7 Endpoints 1!" in stage.line("#tabs")
        assert "1 with UNSAFE locks" in stage.line("#endpoints-summary")

    play(script, known(EndpointFacts(finding=UNSAFE)))


def test_the_detail_tells_all_that_the_doctor_proved_failures_first() -> None:
    shown = detail(known(EndpointFacts(finding=SAFE)))
    assert "1 of 2 checks hold" in shown
    assert shown.index("✖ keys: not so: //") < shown.index("✔ create: one winner")
    assert "s3:ListBucket: granted" in shown


def test_errors_skew_and_configuration_are_told() -> None:
    facts = EndpointFacts(
        skew_s=-90,
        mishaps=(Mishap(ago(30), "503 SlowDown", 7), Mishap(ago(90), "reset by peer", 1)),
        uploads=OpenUploads(problem="access denied: list uploads", at=ago(0)),
        problem="no such bucket",
    )
    shown = detail(known(facts, locking="unsafe", profile="prod"))
    assert "1 min 30 s behind ours" in shown
    assert "×7 503 SlowDown" in shown
    assert shown.index("503 SlowDown") < shown.index("reset by peer")
    assert "access denied: list uploads" in shown
    assert 'locking = "unsafe"' in shown
    assert "the check came to nothing: no such bucket" in shown
    assert "profile prod" in shown
    assert "7 min ahead of" in detail(known(EndpointFacts(skew_s=420)))
    assert "in step" in detail(known(EndpointFacts(skew_s=1)))


def test_hostile_words_are_made_safe() -> None:
    facts = EndpointFacts(
        identity=HOSTILE,
        mishaps=(Mishap(ago(1), HOSTILE),),
        finding=Finding(at=HOSTILE, locking="safe", checks=(Proof(HOSTILE, False, HOSTILE),)),
        checking=Checking(1, 2, HOSTILE, (Proof(HOSTILE, False, HOSTILE),)),
    )
    for given in (facts, replace(facts, checking=None)):
        shown = detail(known(given))
        assert "\x1b" not in shown
        assert "\u202e" not in shown


def test_an_endpoint_that_is_away_is_told_by_glyph_and_word() -> None:
    engine = known(EndpointFacts())
    engine.snap = replace(engine.snap, healthy=False, message="no answer")

    async def script(stage: Stage) -> None:
        await view(stage)
        assert "○ offline" in stage.rows()[0]
        assert "1 offline" in stage.line("#endpoints-summary")

    play(script, engine)


# --- the doctor ---------------------------------------------------------------------------


def test_c_examines_with_live_progress_and_tells_what_came_out() -> None:
    engine = known(EndpointFacts())
    gate = engine.endpoint.gate = threading.Event()
    engine.endpoint.finding = SAFE

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("c")
        await stage.until(lambda: stage.app.look.snapshot.endpoint.checking)
        await stage.settle()
        assert "▶ 1/19" in stage.rows()[0]
        assert "1 of 19 create" in stage.line("#detail")
        assert "✔ create: one winner" in stage.line("#detail")
        await stage.press("c")  # not twice
        gate.set()
        await stage.until(lambda: "locks on it are safe, 1 of 2 checks hold" in stage.event)
        await stage.settle()
        assert "✔ safe" in stage.rows()[0]
        assert len(engine.asked("endpoint.examine")) == 1

    play(script, engine)


def test_x_stops_the_check() -> None:
    engine = known(EndpointFacts())
    engine.endpoint.gate = threading.Event()

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("x")
        assert "no check is under way" in stage.event
        await stage.press("c")
        await stage.until(lambda: stage.app.look.snapshot.endpoint.checking)
        await stage.press("x")
        await stage.until(lambda: "was stopped; nothing of it counts" in stage.event)
        await stage.settle()
        assert "? unproved" in stage.rows()[0]

    play(script, engine)


def test_what_came_out_unsafe_or_not_at_all_is_an_error() -> None:
    engine = known(EndpointFacts())
    engine.endpoint.finding = UNSAFE

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("c")
        await stage.until(lambda: "UNSAFE: no lock on it holds" in stage.event)
        engine.error["endpoint.examine"] = AccessDenied("access denied: list", hint="ask ann")
        await stage.press("c")
        await stage.until(lambda: "came to nothing: access denied: list  ask ann" in stage.event)

    play(script, engine)


def test_a_read_only_cache_is_not_examined() -> None:
    engine = known(EndpointFacts())
    engine.snap = replace(engine.snap, read_only="pid 12 on vm")

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("c")
        assert "read-only" in stage.event
        assert not engine.asked("endpoint.examine")

    play(script, engine)


# --- the place of the explorer ------------------------------------------------------------


def test_the_explorer_says_that_there_is_nothing_to_explore() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("8")
        assert stage.main.pane.view.name == "explorer"
        assert "No datastore can be explored here." in stage.text()
        await stage.press("enter", "space", "j", "G")
        assert stage.at_home

    play(script)


def test_the_numbers_lead_to_all_nine_views() -> None:
    async def script(stage: Stage) -> None:
        names = []
        for number in "123456789":
            await stage.press(number)
            assert stage.main.pane.view.number == number
            names.append(stage.main.pane.view.name)
        assert len(set(names)) == 9

    play(script)
