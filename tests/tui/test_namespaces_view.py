"""View 5: rows as they come in, and what is told of them."""

import pytest
from msgspec.structs import replace

from s3dash.core.tenants import Survey, Tenant
from s3dash.tui.views.namespaces import sign
from tests.tui.driver import NARROW, TINY, WIDE, Stage, play
from tests.tui.fake_engine import HOSTILE, ago
from tests.tui.tenants import INFRA, OLD, WEB, detail, surveyed, tenant, view

# --- what is shown ------------------------------------------------------------------------


def test_opening_the_view_asks_once_and_shows_what_is_found() -> None:
    engine = surveyed(INFRA, WEB, OLD)

    async def script(stage: Stage) -> None:
        assert not engine.asked("census.look")
        await view(stage)
        own, web, old = stage.rows()
        assert all(part in own for part in ("● own", "infra", "10 min", "320", "75%"))
        assert "○ foreign" in web
        assert "⊘ leftover" in old
        assert "5 Namespaces 3" in stage.line("#tabs")
        assert "1 with leftovers here" in stage.line("#namespaces-summary")
        await stage.press("1", "5", "1", "5")
        assert engine.asked("census.look") == [()]
        stage.clock.advance(61)
        await stage.press("1", "5")
        await stage.until(lambda: len(engine.asked("census.look")) == 2)

    play(script, engine)


def test_bytes_come_with_a_wider_list_and_what_waits_with_every_middling_one() -> None:
    async def script(stage: Stage) -> None:
        await view(stage)
        assert "in sync" in stage.rows()[0]
        assert "4.00 MiB" not in stage.rows()[0]
        await stage.press("m")
        assert "4.00 MiB" in stage.rows()[0]

    play(script, surveyed(INFRA, WEB))


def test_leftovers_of_the_layout_without_namespaces_are_a_row() -> None:
    left = tenant(
        "", in_bucket=False, registered=False, repo_id="", index_at="", left_files=3, left_size=2048
    )
    told = detail(left)
    assert "(solo)" in told
    assert "3 files, 2.00 KiB" in told
    assert "nothing touches them" in told
    assert "counts them" not in told

    async def script(stage: Stage) -> None:
        await view(stage)
        assert "⊘ leftover" in stage.rows()[0]
        assert "(solo)" in stage.rows()[0]
        assert "1 namespace " in stage.line("#namespaces-summary")
        await stage.press("enter")
        assert "without namespaces is not in the bucket" in stage.event

    play(script, surveyed(left, INFRA))


def test_what_a_look_at_all_of_them_told_is_in_the_detail() -> None:
    stood = replace(
        WEB, stood_at=ago(0), here=True, dirty=2, behind=0, conflicts=1, commit_seq=1041,
        committed_at=ago(60), committed_by="ann@ci", holder="carl@vm",
    )  # fmt: skip
    told = detail(stood)
    for words in ("1,041, ", "by ann@ci", "carl@vm", "dirty     2", "behind    0", "conflicts 1"):
        assert words in told
    away = detail(replace(WEB, stood_at=ago(0), here=False))
    assert "not here: nothing of it was pulled" in away
    assert "free" in away
    assert "dirty" not in detail(WEB)


@pytest.mark.parametrize("size", [WIDE, NARROW, (60, 20), TINY])
def test_the_name_is_readable_at_every_size(size: tuple[int, int]) -> None:
    async def script(stage: Stage) -> None:
        await view(stage)
        assert "infra" in stage.rows()[0]
        assert "web" in stage.rows()[1]

    play(script, surveyed(INFRA, WEB), size=size)


def test_rows_are_there_while_they_are_still_read() -> None:
    engine = surveyed(INFRA, Tenant(slug="web"))
    engine.census.survey = replace(engine.census.survey, state="asking", read=1, total=2)

    async def script(stage: Stage) -> None:
        await view(stage)
        assert "… not read" in stage.rows()[1]
        assert "reading 1 of 2" in stage.line("#namespaces-summary")

    play(script, engine)


def test_a_solo_datastore_is_told_kindly() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("5")
        await stage.until(lambda: "has no namespaces" in stage.text())
        assert "that is fine" in stage.text()
        await stage.press("p", "u", "enter")
        assert "there is no namespace of the bucket" in stage.event

    play(script, surveyed(namespace=None))


def test_a_listing_that_is_refused_names_action_and_hint() -> None:
    engine = surveyed()
    message = "access denied: list bucket team-data at http://127.0.0.1:9000"
    engine.census.survey = Survey(state="failed", message=message, hint="ask for s3:ListBucket")

    async def script(stage: Stage) -> None:
        await stage.press("5")
        await stage.until(lambda: "access denied: list bucket" in stage.text())
        assert "ask for s3:ListBucket" in stage.text()
        engine.census.survey = Survey(state="asked", rows=(INFRA,))
        await stage.press("r")
        await stage.until(lambda: len(stage.main.pane.model))
        assert engine.asked("refresh")

    play(script, engine)


def test_what_was_known_stays_when_a_later_look_fails() -> None:
    engine = surveyed(INFRA)
    engine.census.survey = replace(engine.census.survey, state="failed", message="no answer")

    async def script(stage: Stage) -> None:
        await view(stage)
        assert "as known before: no answer" in stage.line("#namespaces-summary")
        assert "infra" in stage.rows()[0]

    play(script, engine)


def test_hostile_words_of_a_manifest_are_made_safe() -> None:
    row = tenant("web", repo_id=HOSTILE, says=HOSTILE, problem=HOSTILE)

    async def script(stage: Stage) -> None:
        await view(stage)
        assert "\x1b" not in stage.text()
        assert "\u202e" not in stage.text()
        assert "a[/x]\\x1b[31m" in stage.line("#detail")

    play(script, surveyed(row))


@pytest.mark.parametrize(
    ("row", "word"),
    [
        (INFRA, "own"),
        (WEB, "foreign"),
        (OLD, "leftover"),
        (Tenant(slug="x"), "not read"),
        (Tenant(slug="x", read=True, index_at=ago(5)), "no manifest"),
        (Tenant(slug="x", read=True, problem="denied"), "problem"),
        (tenant("x", problem="no index"), "problem"),
    ],
)
def test_every_state_is_a_glyph_and_a_word(row: Tenant, word: str) -> None:
    assert sign(row).word == word
    assert sign(row).glyph.strip()


def test_the_detail_says_what_is_known_and_what_would_tell_more() -> None:
    assert "u counts them" in detail(WEB)
    assert "75%, 3.00 MiB are here" in detail(INFRA)
    assert "index changed since" not in detail(INFRA)
    assert "the index changed since: u counts again" in detail(replace(INFRA, index_at=ago(10)))
    assert "not in the bucket" in detail(OLD)
    assert "4 files, 2.00 KiB" in detail(OLD)
    assert "its manifest calls it «other»" in detail(replace(WEB, says="other"))


def test_state_repo_and_name_can_be_filtered() -> None:
    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("slash", *"state:foreign", "enter")
        assert len(stage.rows()) == 1
        assert "web" in stage.rows()[0]
        await stage.press("escape", "slash", *"repo:repo-in", "enter")
        assert "infra" in stage.rows()[0]

    play(script, surveyed(INFRA, WEB, OLD))


def test_five_hundred_rows_are_listed() -> None:
    rows = tuple(tenant(f"ns-{n:03}") for n in range(500))

    async def script(stage: Stage) -> None:
        await view(stage)
        assert "500 namespaces" in stage.line("#namespaces-summary")
        await stage.press("G")
        assert "ns-499" in stage.rows()[-1]

    play(script, surveyed(*rows))
