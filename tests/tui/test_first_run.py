"""The first run: each step, what it asks and refuses; nothing is written before the end."""

import threading
from pathlib import Path

import pytest
import tomli
from textual.widgets import Input

from s3dash.config.draft import Draft
from s3dash.config.write import Change
from s3dash.errors import AccessDenied, BucketNotFound, ConfigError, Unreachable
from s3dash.tui.setup.known import Answer
from tests.tui.fake_engine import HOSTILE
from tests.tui.fake_scout import SHARED, SOLO, FakeScout, Guide, guide

SIZES = [(120, 40), (80, 24), (60, 20), (40, 10)]


@pytest.fixture
def scout(tmp_path: Path) -> FakeScout:
    return FakeScout(tmp_path)


async def to_address(hands: Guide, kind: str = "MinIO") -> None:
    await hands.choose("Set up")
    await hands.on("Endpoint")
    await hands.choose(kind)
    await hands.on("Address")


async def to_who(hands: Guide) -> None:
    await to_address(hands)
    await hands.fill(endpoint="http://127.0.0.1:9000")
    await hands.press("enter", "enter", "enter")
    await hands.on("Credentials")


async def to_bucket(hands: Guide) -> None:
    await to_who(hands)
    await hands.choose("ann")
    await hands.on("Bucket")


async def to_place(hands: Guide) -> None:
    await to_bucket(hands)
    await hands.choose("team-data")
    await hands.on("Prefix")


async def to_here(hands: Guide) -> None:
    await to_place(hands)
    await hands.choose("no prefix")
    await hands.on("On this machine")


async def to_write(hands: Guide) -> None:
    await to_here(hands)
    await hands.fill(name="team", cache="~/team")
    await hands.press("enter")
    await hands.on("Locks")
    await hands.choose("Prove")
    await hands.on("The file")


@pytest.mark.parametrize("size", SIZES)
def test_from_nothing_to_a_file(scout: FakeScout, size: tuple[int, int]) -> None:
    scout.found[""] = SOLO

    async def script(hands: Guide) -> None:
        await to_write(hands)
        assert list(scout.home.iterdir()) == [], "nothing is written before the end"
        assert "[datastores.team]" in hands.about
        await hands.choose("Write")
        await hands.until(lambda: hands.app.answer)

    assert guide(script, scout, size=size) == Answer("dashboard", scout.home / "config.toml")
    table = tomli.loads((scout.home / "config.toml").read_text())["datastores"]["team"]
    assert table == {
        "bucket": "team-data",
        "region": "us-east-1",
        "endpoint": "http://127.0.0.1:9000",
        "force_path_style": True,
        "profile": "ann",
        "cache": "~/team",
    }
    assert (scout.home / "config.toml").stat().st_mode & 0o777 == 0o600
    assert [p.name for p in scout.home.iterdir()] == ["config.toml"]


@pytest.mark.parametrize("size", SIZES)
def test_every_step_can_be_read_at_every_size(scout: FakeScout, size: tuple[int, int]) -> None:
    """The title, something to answer with, and what escape does are always on the screen."""

    async def script(hands: Guide) -> None:
        await to_write(hands)
        for screen in reversed(hands.app.screen_stack[2:]):
            assert hands.app.screen is screen
            shown = hands.text()
            assert hands.title in shown
            assert "esc back" in shown
            focused = hands.app.focused
            assert focused is not None
            assert focused.region.height >= 1
            assert focused.region.bottom <= size[1]
            await hands.press("escape")
        assert hands.title == "Welcome"

    guide(script, scout, size=size)


def test_escape_goes_back_step_by_step_and_what_was_typed_is_still_there(scout: FakeScout) -> None:
    async def script(hands: Guide) -> None:
        await to_bucket(hands)
        await hands.press("escape")
        assert hands.title == "Credentials"
        await hands.press("escape")
        assert hands.title == "Address"
        assert hands.screen.query_one("#field-endpoint", Input).value == "http://127.0.0.1:9000"
        await hands.press("escape", "escape")
        assert hands.title == "Welcome"
        await hands.press("escape")

    assert guide(script, scout) is None
    assert list(scout.home.iterdir()) == []


@pytest.mark.parametrize("key", ["q", "ctrl+q", "ctrl+c"])
def test_quitting_at_any_step_writes_nothing(scout: FakeScout, key: str) -> None:
    async def script(hands: Guide) -> None:
        await to_write(hands)
        await hands.press(key)
        assert not hands.app.is_running or hands.app._exit

    assert guide(script, scout) is None
    assert list(scout.home.iterdir()) == []


def test_the_demo_is_offered(scout: FakeScout) -> None:
    async def script(hands: Guide) -> None:
        await hands.choose("Look around in a demo")
        await hands.until(lambda: hands.app.answer)

    assert guide(script, scout) == Answer("demo")


def test_an_endpoint_that_does_not_answer_is_told_and_can_be_mended(scout: FakeScout) -> None:
    scout.error["knock"] = Unreachable(f"no answer from {HOSTILE}", hint="check the network [/x]")

    async def script(hands: Guide) -> None:
        await to_address(hands)
        await hands.fill(endpoint="http://127.0.0.1:1")
        await hands.press("enter", "enter", "enter")
        await hands.until(lambda: "no answer" in hands.note)
        assert "check the network [/x]" in hands.note
        assert "\x1b" not in hands.text()
        assert hands.title == "Address"
        scout.error.clear()
        await hands.press("enter")
        await hands.on("Credentials")
        assert "http://127.0.0.1:1 answers" in hands.about

    guide(script, scout)


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"endpoint": ""}, "the URL is missing"),
        ({"endpoint": "http://x", "style": "neither"}, "`path`"),
    ],
)
def test_an_address_must_be_complete(scout: FakeScout, fields: dict[str, str], told: str) -> None:
    async def script(hands: Guide) -> None:
        await to_address(hands)
        await hands.fill(**fields)
        hands.screen.query_one("#field-style", Input).focus()
        await hands.press("enter")
        assert told in hands.note
        assert "knock" not in scout.calls

    guide(script, scout)


def test_r2_needs_only_the_account(scout: FakeScout) -> None:
    async def script(hands: Guide) -> None:
        await to_address(hands, "Cloudflare")
        await hands.fill(account="abc123")
        await hands.press("enter")
        await hands.on("Credentials")

    guide(script, scout)
    [draft] = [draft for name, draft in scout.asked if name == "knock"]
    assert draft.endpoint == "https://abc123.r2.cloudflarestorage.com"
    assert draft.region == "auto"


def test_aws_needs_only_the_region(scout: FakeScout) -> None:
    async def script(hands: Guide) -> None:
        await to_address(hands, "AWS")
        await hands.fill(region="eu-central-1")
        await hands.press("enter")
        await hands.on("Credentials")

    guide(script, scout)
    assert [d for n, d in scout.asked if n == "knock"] == [Draft(region="eu-central-1")]


def test_wrong_credentials_are_told_with_what_helps(scout: FakeScout) -> None:
    scout.error["who"] = AccessDenied("it does not take these credentials", hint="check them")

    async def script(hands: Guide) -> None:
        await to_who(hands)
        await hands.choose("work")
        await hands.until(lambda: "does not take these credentials" in hands.note)
        assert "check them" in hands.note
        assert hands.title == "Credentials"

    guide(script, scout)
    assert scout.asked[-1][1].profile == "work"


@pytest.mark.parametrize("size", SIZES)
def test_a_typed_key_is_refused_hidden_and_taken_away(
    scout: FakeScout, size: tuple[int, int]
) -> None:
    secret = "wJalrXUtnFEMIhunter2"

    async def script(hands: Guide) -> None:
        await to_who(hands)
        await hands.choose("Keys kept")
        await hands.on("Keys")
        await hands.fill(access_key_id="env:MY_ID", secret_access_key=secret)
        assert secret not in hands.text()
        assert "env:MY_ID" in hands.text()
        hands.screen.query_one("#field-session_token", Input).focus()
        await hands.press("enter")
        assert "A secret is never typed here" in hands.note
        assert "env:NAME" in hands.note
        assert hands.screen.query_one("#field-secret_access_key", Input).value == ""
        assert hands.screen.query_one("#field-access_key_id", Input).value == "env:MY_ID"
        await hands.fill(secret_access_key="keychain:s3dash/minio", session_token="")
        await hands.press("enter")
        await hands.on("Bucket")

    guide(script, scout, size=size)
    assert scout.asked[-1][1].secret_access_key == "keychain:s3dash/minio"
    assert all(secret not in repr(draft) for _, draft in scout.asked)


def test_a_bucket_that_may_not_be_listed_is_typed(scout: FakeScout) -> None:
    scout.buckets = None

    async def script(hands: Guide) -> None:
        await to_bucket(hands)
        assert "may not list buckets" in hands.about
        await hands.fill(bucket="hidden")
        await hands.press("enter")
        await hands.on("Prefix")

    guide(script, scout)
    assert scout.asked[-1][1].bucket == "hidden"


def test_a_bucket_that_is_not_there_is_told(scout: FakeScout) -> None:
    scout.error["place"] = BucketNotFound("there is no bucket team-data", hint="check `bucket`")

    async def script(hands: Guide) -> None:
        await to_bucket(hands)
        await hands.choose("team-data")
        await hands.until(lambda: "there is no bucket" in hands.note)
        assert hands.title == "Bucket"

    guide(script, scout)


def test_datastores_below_the_root_are_offered_as_prefixes(scout: FakeScout) -> None:
    scout.prefixes = ("prod",)
    scout.found["prod"] = SOLO

    async def script(hands: Guide) -> None:
        await to_place(hands)
        assert "empty: the first push begins a datastore here" in hands.text()
        await hands.choose("prod/")
        await hands.on("On this machine")
        assert hands.screen.query_one("#field-name", Input).value == "prod"
        assert hands.screen.query_one("#field-cache", Input).value == "~/datastores/prod"
        await hands.press("enter", "enter")
        await hands.on("Locks")
        assert "index v2 with 320 entries" in hands.about

    guide(script, scout)


def test_namespaces_are_offered_where_there_are_any(scout: FakeScout) -> None:
    scout.found[""] = SHARED

    async def script(hands: Guide) -> None:
        await to_place(hands)
        await hands.choose("no prefix")
        await hands.on("Namespace")
        await hands.choose("web")
        await hands.on("On this machine")

    guide(script, scout)
    assert scout.asked[-1][1].namespace == "web"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"name": "", "cache": "~/x"}, "both are needed"),
        ({"name": "x", "cache": "relative/dir"}, "a full path"),
        ({"name": "a b", "cache": "~/x"}, "the name must be"),
    ],
)
def test_a_name_and_a_directory_that_cannot_be_are_refused(
    scout: FakeScout, fields: dict[str, str], told: str
) -> None:
    async def script(hands: Guide) -> None:
        await to_here(hands)
        await hands.fill(**fields)
        await hands.press("enter")
        await hands.until(lambda: told in hands.note)
        assert hands.title == "On this machine"

    guide(script, scout)


def test_locks_may_be_proved_later_and_nothing_is_sent_for_them(scout: FakeScout) -> None:
    async def script(hands: Guide) -> None:
        await to_here(hands)
        await hands.press("enter", "enter")
        await hands.on("Locks")
        assert "_control/s3dash/probe/" in hands.about
        await hands.choose("Later")
        await hands.on("The file")
        assert "to be proved by the first push" in hands.about

    guide(script, scout)
    assert "locks" not in scout.calls


def test_unsafe_locks_are_told_and_do_not_stand_in_the_way(scout: FakeScout) -> None:
    scout.safe = False

    async def script(hands: Guide) -> None:
        await to_write(hands)
        assert "⚠ locks: UNSAFE" in hands.about
        await hands.choose("Write it for this directory")
        await hands.until(lambda: hands.app.answer)

    assert guide(script, scout) == Answer("dashboard", scout.home / "s3dash.toml")


def test_a_file_that_appears_meanwhile_is_not_overwritten(scout: FakeScout) -> None:
    async def script(hands: Guide) -> None:
        await to_write(hands)
        (scout.home / "config.toml").write_text("# theirs\n")
        await hands.choose("Write")
        await hands.until(lambda: "changed meanwhile" in hands.note)

    assert guide(script, scout) is None
    assert (scout.home / "config.toml").read_text() == "# theirs\n"


def test_an_enter_that_is_held_down_does_not_run_through_the_steps(scout: FakeScout) -> None:
    async def script(hands: Guide) -> None:
        await to_write(hands)
        for _ in range(30):
            hands.clock.seconds += 1 / 30 - 1.0  # `press` adds a second
            await hands.press("enter")
        assert hands.title == "The file"

    assert guide(script, scout) is None
    assert list(scout.home.iterdir()) == []


def test_broken_profiles_do_not_end_it(scout: FakeScout) -> None:
    scout.error["profiles"] = ConfigError("~/.aws/config makes no sense")

    async def script(hands: Guide) -> None:
        await to_who(hands)
        assert "⚠ profiles: ~/.aws/config makes no sense" in hands.about
        await hands.choose("What boto3 finds")
        await hands.on("Bucket")

    guide(script, scout)


def test_hostile_names_show_as_text(scout: FakeScout) -> None:
    scout.names, scout.buckets = (HOSTILE,), (HOSTILE,)

    async def script(hands: Guide) -> None:
        await to_who(hands)
        assert "a[/x]\\x1b[31m" in hands.text()
        await hands.choose("a[/x]")
        await hands.on("Bucket")
        assert "a[/x]\\x1b[31m" in hands.text()
        assert "\x1b" not in hands.text()

    guide(script, scout)


def test_without_colours_none_is_sent(scout: FakeScout) -> None:
    async def script(hands: Guide) -> None:
        await to_who(hands)
        strips = hands.app.screen._compositor.render_strips(hands.app.size)
        assert any(s.style and s.style.reverse for strip in strips for s in strip)

    guide(script, scout, no_color=True)


def test_a_bug_is_told_without_its_values(scout: FakeScout) -> None:
    scout.error["knock"] = ValueError("hunter2")

    async def script(hands: Guide) -> None:
        await to_address(hands, "AWS")
        await hands.press("enter")
        await hands.until(lambda: "unexpected ValueError" in hands.note)
        assert "hunter2" not in hands.text()

    guide(script, scout)


def test_escape_stops_no_file_half_way(tmp_path: Path) -> None:
    gate, begun = threading.Event(), threading.Event()

    class Slowly(Change, frozen=True):
        def write(self) -> None:
            begun.set()
            gate.wait()
            super().write()

    class Scout(FakeScout):
        def changes(self, draft: Draft) -> tuple[Change, ...]:
            given = super().changes(draft)
            return tuple(Slowly(path=c.path, before=c.before, after=c.after) for c in given)

    scout = Scout(tmp_path)
    scout.found[""] = SOLO

    async def script(hands: Guide) -> None:
        await to_write(hands)
        await hands.choose("Write")
        await hands.until(begun.is_set)
        await hands.press("escape")
        assert "stopped" not in hands.text()
        gate.set()
        await hands.until(lambda: hands.app.answer)

    try:
        assert guide(script, scout) == Answer("dashboard", tmp_path / "config.toml")
    finally:
        gate.set()
