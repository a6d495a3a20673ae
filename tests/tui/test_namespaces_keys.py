"""The keys of view 5: enter, p and u."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace

from s3dash.core.diff import Verdict
from s3dash.core.snapshot import BY_CHOICE
from s3dash.errors import NamespaceTaken
from s3dash.tui.screens.plan import PlanScreen
from s3dash.tui.screens.register import RegisterScreen
from tests.tui.driver import Stage, play
from tests.tui.fake_engine import FakeEngine, ago, change, idle, refusing
from tests.tui.tenants import INFRA, OLD, WEB, Opener, surveyed, tenant, view


def test_enter_works_in_the_namespace() -> None:
    engine, opener = surveyed(INFRA, WEB), Opener()

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("enter")
        assert "you work in namespace infra already" in stage.event
        await stage.press("j", "enter")
        await stage.until(lambda: "working in namespace web" in stage.event)
        await stage.settle()
        assert "ns:web" in stage.line("#header")
        assert engine.asked("stop") == [()]
        await stage.until(lambda: opener.opened[0].asked("census.look"))

    play(script, engine, open_namespace=opener)


def test_leftovers_cannot_be_worked_in_pulled_or_counted() -> None:
    engine, opener = surveyed(OLD), Opener()

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("enter")
        assert "old is not in the bucket" in stage.event
        for key in ("p", "P", "u"):
            await stage.press(key)
            assert "there is no namespace of the bucket" in stage.event
        assert stage.at_home
        assert not engine.asked("stop")

    play(script, engine, open_namespace=opener)


def test_u_reads_the_index_of_the_marked_ones_and_nothing_else() -> None:
    engine = surveyed(INFRA, WEB)

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("j", "u")
        await stage.until(lambda: "read the index of namespace web" in stage.event)
        assert engine.asked("census.count") == [(("web",),)]
        await stage.settle()
        assert "4.00 KiB" in stage.text()
        assert "25%" in stage.rows()[1]
        await stage.press("a", "u")
        await stage.until(lambda: "read the index of 2 namespaces" in stage.event)
        assert engine.asked("census.count")[1] == (("infra", "web"),)
        assert not engine.asked("plan")

    play(script, engine)


def test_u_tells_what_could_not_be_read() -> None:
    engine = surveyed(replace(WEB, problem="access denied"))

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("u")
        await stage.until(lambda: "web: access denied" in stage.event)
        engine.error["census.count"] = refusing("no answer")
        await stage.press("u")
        await stage.until(lambda: "the index could not be read: no answer" in stage.event)

    play(script, engine)


async def planned(stage: Stage, *keys: str) -> None:
    """Press, wait for the plan, and let its guard run out."""
    await stage.press(*keys)
    await shown(stage)


async def shown(stage: Stage) -> None:
    await stage.opened(PlanScreen)
    await stage.until(lambda: "Comparing" not in stage.text())
    stage.clock.advance(1.0)


def test_p_pulls_a_foreign_namespace_and_stays_where_it_was() -> None:
    engine, opener = surveyed(INFRA, WEB), Opener()

    async def script(stage: Stage) -> None:
        await view(stage)
        await planned(stage, "j", "p")
        assert "prod-minio / web" in stage.text()
        assert opener.names == ["web"]
        assert not opener.opened[0].asked("start")  # it joins nothing: no watching, no auto-sync
        await stage.press("enter")
        await stage.until(lambda: "still working in infra" in stage.event)
        assert "3 down" in stage.event
        web, infra = opener.opened
        assert len(web.asked("run")) == 1
        assert web.asked("stop") == [()]
        assert infra.asked("start") == [()]
        await stage.settle()
        assert "ns:infra" in stage.line("#header")
        assert not web.asked("census.look")  # what was known came along
        await stage.until(lambda: infra.asked("census.look"))

    app = play(script, engine, open_namespace=opener)
    assert all(one in app.opened or one.asked("stop") for one in opener.opened)


def test_several_are_pulled_each_after_its_own_plan() -> None:
    engine, opener = surveyed(tenant("api"), INFRA, WEB), Opener()

    async def script(stage: Stage) -> None:
        await view(stage)
        await planned(stage, "a", "p")
        for name in ("api", "infra", "web"):
            assert f"prod-minio / {name}" in stage.text()
            await stage.press("enter")
            if name != "web":
                await stage.until(lambda name=name: f"prod-minio / {name}" not in stage.text())  # type: ignore[misc] # bound now
                await shown(stage)
        await stage.until(lambda: "still working in infra" in stage.event)
        assert opener.names == ["api", "infra", "web", "infra"]
        assert [len(e.asked("run")) for e in opener.opened] == [1, 1, 1, 0]
        assert [bool(e.asked("start")) for e in opener.opened] == [False, True, False, True]

    play(script, engine, open_namespace=opener)


def test_escape_at_a_plan_ends_the_row_and_pulls_nothing() -> None:
    engine, opener = surveyed(tenant("api"), INFRA, WEB), Opener()

    async def script(stage: Stage) -> None:
        await view(stage)
        await planned(stage, "a", "p")
        await stage.press("escape")
        await stage.until(lambda: "still working in infra" in stage.event)
        assert opener.names == ["api", "infra"]
        assert not opener.opened[0].asked("run")

    play(script, engine, open_namespace=opener)


def test_p_on_our_own_is_a_plain_pull() -> None:
    engine, opener = surveyed(INFRA), Opener()
    engine.changes = [change("a", Verdict.REMOTE_ADDED)]

    async def script(stage: Stage) -> None:
        await view(stage)
        await planned(stage, "p")
        await stage.press("enter")
        await stage.until(lambda: engine.asked("run"))
        assert opener.opened == []
        assert not engine.asked("stop")

    play(script, engine, open_namespace=opener)


def test_one_that_is_on_the_screen_already_is_pulled_there() -> None:
    engine, opener = surveyed(INFRA, WEB), Opener()
    other = FakeEngine(idle("prod-web", "web"))
    other.changes = [change("a", Verdict.REMOTE_ADDED)]

    async def script(stage: Stage) -> None:
        await view(stage)
        await planned(stage, "j", "p")
        assert "prod-web / web" in stage.text()
        await stage.press("enter")
        await stage.until(lambda: "still working in infra" in stage.event)
        assert stage.app.look.site.name == "prod-minio"
        assert len(other.asked("run")) == 1
        assert opener.opened == []

    play(script, engine, other, open_namespace=opener)


def test_one_that_cannot_be_opened_brings_the_old_one_back() -> None:
    engine, opener = surveyed(INFRA, WEB), Opener()
    opener.refuse = {"web"}

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("j", "p")
        await stage.until(lambda: "namespace web cannot be opened" in stage.event)
        await stage.settle()
        assert opener.names == ["infra"]
        assert opener.opened[0].asked("start")
        assert stage.at_home

    play(script, engine, open_namespace=opener)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: idle(read_only="pid 12 on vm"), "read-only"),
        (lambda: idle(), "namespaces cannot be changed here"),
    ],
)
def test_a_pull_that_cannot_be_says_why(make: Callable[[], object], reason: str) -> None:
    engine = surveyed(INFRA, WEB)
    engine.snap = make()  # type: ignore[assignment] # a snapshot

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("j", "p")
        await stage.until(lambda: reason in stage.event)
        assert stage.at_home

    play(script, engine)


# --- push ---------------------------------------------------------------------------------


def test_shift_p_pushes_the_marked_ones_each_after_its_plan() -> None:
    engine, opener = surveyed(tenant("api"), INFRA, WEB), Opener(verdict=Verdict.LOCAL_ADDED)

    async def script(stage: Stage) -> None:
        await view(stage)
        await planned(stage, "a", "P")
        for name in ("api", "infra", "web"):
            assert f"prod-minio / {name}" in stage.text()
            await stage.press("enter")
            if name != "web":
                await stage.until(lambda name=name: f"prod-minio / {name}" not in stage.text())  # type: ignore[misc] # bound now
                await shown(stage)
        await stage.until(lambda: "still working in infra" in stage.event)
        assert opener.names == ["api", "infra", "web", "infra"]
        for opened in opener.opened[:3]:
            assert opened.asked("plan") == [("push", ())]
            assert len(opened.asked("run")) == 1

    play(script, engine, open_namespace=opener)


# --- status of all ------------------------------------------------------------------------


def test_shift_s_tells_where_the_cache_stands_with_all_of_them() -> None:
    engine = surveyed(tenant("api"), INFRA, WEB)

    def stood() -> None:
        rows = (
            tenant("api", here=False, stood_at=ago(0), commit_seq=3),
            INFRA,
            replace(
                WEB, here=True, dirty=2, behind=1, conflicts=1, commit_seq=41, committed_at=ago(60),
                committed_by="ann@ci", holder="carl@vm", stood_at=ago(0),
            ),
        )  # fmt: skip
        engine.census.survey = replace(engine.census.survey, rows=rows)
        engine.snap = replace(engine.snap, tenants=engine.census.survey)

    engine.registry.on_standings = stood

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("m", "S")
        await stage.until(lambda: "looked at 4 namespaces, 3 of them here" in stage.event)
        assert "odd: odd is no index" in stage.event
        await stage.settle()
        api, infra, web = stage.rows()
        assert "not here" in api
        assert "in sync" in infra
        assert "1 clash 2 up" in web
        await stage.press("m", "j", "j")
        told = stage.text()
        for words in ("41, ", "by ann@ci", "carl@vm", "dirty", "behind", "conflicts"):
            assert words in told

    play(script, engine)


def test_a_status_of_all_that_fails_says_why() -> None:
    engine = surveyed(INFRA)
    engine.registry.error = refusing("no answer")

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("S")
        await stage.until(lambda: "could not be looked at: no answer" in stage.event)

    play(script, engine)


# --- register -----------------------------------------------------------------------------

BARE = replace(INFRA, registered=False, repo_id="")


async def typed(stage: Stage, text: str) -> None:
    await stage.press(*(("minus" if c == "-" else c) for c in text))


def test_shift_r_registers_the_one_under_the_cursor() -> None:
    engine = surveyed(BARE, WEB)
    engine.settings_ = replace(engine.settings_, repo_id="repo-a")

    async def script(stage: Stage) -> None:
        await view(stage)
        assert "infra is not registered: R" in stage.line("#namespaces-summary")
        await stage.press("R")
        await stage.opened(RegisterScreen)
        assert "written only if nobody was first" in stage.text()
        await stage.press("enter")
        await stage.until(lambda: "namespace infra registered" in stage.event)
        assert engine.asked("registry.register") == [("infra", "repo-a")]
        assert "for repository repo-a" in stage.event
        await stage.until(lambda: len(engine.asked("census.look")) == 2)

    play(script, engine)


def test_a_new_one_is_named_in_the_dialog_and_the_repository_too() -> None:
    engine = surveyed(INFRA)

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("R")
        await stage.opened(RegisterScreen)
        assert "a namespace needs a name" in stage.text()
        await typed(stage, "data")
        assert "a directory of every datastore" in stage.text()
        await stage.press("enter")
        await typed(stage, "r-1")
        await stage.press("enter")
        assert engine.asked("registry.register") == []
        await stage.press("shift+tab")
        await typed(stage, "new-one")  # over what stood there: it is selected
        await stage.press("tab", "enter")
        await stage.until(lambda: "namespace new-one registered" in stage.event)
        assert engine.asked("registry.register") == [("new-one", "r-1")]

    play(script, engine)


def test_a_refusal_names_the_other_repository_and_escape_writes_nothing() -> None:
    engine = surveyed(BARE)
    engine.settings_ = replace(engine.settings_, repo_id="repo-a")
    engine.registry.error = NamespaceTaken("namespace infra belongs to repository repo-b")

    async def script(stage: Stage) -> None:
        await view(stage)
        await stage.press("R")
        await stage.opened(RegisterScreen)
        await stage.press("escape")
        assert stage.at_home
        assert engine.asked("registry.register") == []
        await stage.press("R")
        await stage.opened(RegisterScreen)
        await stage.press("enter")
        await stage.until(lambda: "belongs to repository repo-b" in stage.event)
        assert "not registered" in stage.event

    play(script, engine)


def test_where_one_may_only_look_nothing_is_registered_or_pushed() -> None:
    engine = surveyed(BARE, WEB)
    engine.snap = replace(engine.snap, read_only=BY_CHOICE)

    async def script(stage: Stage) -> None:
        await view(stage)
        for key in ("R", "P"):
            await stage.press(key)
            await stage.until(lambda: "read-only" in stage.event)
            assert stage.at_home
        await stage.press("S")
        await stage.until(lambda: engine.asked("registry.standings"))

    play(script, engine)
