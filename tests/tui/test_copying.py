import base64
from pathlib import Path

import pytest

from s3dash.tui import copying, sequences
from s3dash.tui.outside import Outside, feed
from s3dash.tui.screens.shown import ShownScreen
from tests.tui.driver import TINY, Stage, play
from tests.tui.fake_engine import FakeEngine, busy, dirty, idle, lock, settings
from tests.tui.outside import FakeOutside

PLAIN = {"TERM": "xterm-256color"}


def rows(number: int = 3) -> FakeEngine:
    return FakeEngine(idle(dirty=tuple(dirty(f"p/{n}") for n in range(number))))


# --- what is copied -----------------------------------------------------------------------


def test_a_uri_names_bucket_prefix_namespace_and_path() -> None:
    assert copying.uri(settings(), "a b/c") == "s3://team-data/swamp/infra/a b/c"
    assert copying.uri(settings(namespace=None), "c") == "s3://team-data/swamp/c"
    key = ".locks/infra.lock"
    assert copying.uri_of_key(settings(), key) == "s3://team-data/swamp/.locks/infra.lock"


@pytest.mark.parametrize("name", ["a\nrm -rf ~", "a\x1b]0;x\x07", "a\x9b", "\udc80", "a\u2028b"])
def test_nothing_that_a_shell_obeys_is_copied(name: str) -> None:
    told = copying.together([name])
    assert told.escaped == 1
    assert told.text.isprintable()
    told.text.encode()


def test_other_names_are_copied_as_they_are() -> None:
    names = ["données/été.txt", "日本/語", "a b", "e\u0301", "zero\u200bwidth"]
    assert copying.together(names) == copying.Copied("\n".join(names), 5)


# --- sequences ----------------------------------------------------------------------------


def decoded(sequence: str) -> str:
    assert sequence.startswith("\x1b]52;c;")
    assert sequence.endswith("\x07")
    return base64.b64decode(sequence[7:-1]).decode()


def test_osc_52_carries_the_text() -> None:
    assert decoded(sequences.clipboard("é\n日", PLAIN)) == "é\n日"


def test_the_bound_is_what_fits_into_100_000_bytes() -> None:
    assert len(sequences.clipboard("x" * sequences.MAX_COPY, PLAIN)) <= 100_000
    assert len(sequences.clipboard("x" * (sequences.MAX_COPY + 3), PLAIN)) > 100_000


def test_tmux_gets_it_plain_and_wrapped_with_doubled_escapes() -> None:
    both = sequences.clipboard("a", {"TERM": "screen-256color", "TMUX": "/tmp/x,1,0"})
    plain = sequences.clipboard("a", PLAIN)
    assert both == plain + "\x1bPtmux;\x1b" + plain + "\x1b\\"


def test_screen_gets_it_in_pieces_that_it_passes_on() -> None:
    environ = {"TERM": "screen", "STY": "1.pts"}
    sequence = sequences.clipboard("x" * 999, environ)
    pieces = sequence.removeprefix("\x1bP").removesuffix("\x1b\\").split("\x1b\\\x1bP")
    assert max(len(piece) for piece in pieces) <= sequences.SCREEN_PIECE
    assert decoded("".join(pieces)) == "x" * 999


@pytest.mark.parametrize(
    ("environ", "deaf"),
    [
        (PLAIN, False),
        ({}, True),
        ({"TERM": "linux"}, True),
        ({"TERM": "dumb"}, True),
        ({"TERM": "linux", "TMUX": "x"}, False),
        ({"TERM": "xterm-256color", "TERM_PROGRAM": "Apple_Terminal"}, True),
    ],
)
def test_terminals_that_are_known_to_take_none(environ: dict[str, str], deaf: bool) -> None:
    assert sequences.is_deaf(environ) is deaf


def test_native_tools_only_where_they_reach_something() -> None:
    def tools(**environ: str) -> list[str]:
        there = ("wl-copy", "xclip", "tmux")
        return [argv[0] for argv in FakeOutside(there=there, **environ).tools()]

    assert tools() == []
    assert tools(WAYLAND_DISPLAY="wayland-0", DISPLAY=":0") == ["wl-copy", "xclip"]
    assert tools(TMUX="/tmp/x,1,0") == ["tmux"]
    mac = Outside(environ={}, which=lambda name: name, feed=lambda *_: True, platform="darwin")
    assert mac.hand_over("x") == "pbcopy"


def test_a_program_that_fails_is_followed_by_the_next(tmp_path: Path) -> None:
    outside = FakeOutside(there=("xclip", "xsel"), refusing=("xclip",), DISPLAY=":0")
    assert outside.hand_over("x") == "xsel"
    assert [argv[0] for argv, _ in outside.fed] == ["xclip", "xsel"]


def test_a_real_program_takes_the_text(tmp_path: Path) -> None:
    into = tmp_path / "into"
    assert feed(("dd", f"of={into}"), "zwölf")
    assert into.read_text() == "zwölf"
    assert not feed(("false",), "x")
    assert not feed((str(tmp_path / "missing"),), "x")


# --- keys ---------------------------------------------------------------------------------


def test_y_sends_the_path_and_big_y_its_uri() -> None:
    outside = FakeOutside()

    async def script(stage: Stage) -> None:
        await stage.press("2", "j", "y")
        await stage.until(lambda: "sent p/1 by OSC 52" in stage.event)
        await stage.press("Y")
        await stage.until(lambda: "s3://team-data/swamp/infra/p/1" in stage.event)
        assert "copied" not in stage.event

    play(script, rows(), outside=outside)
    assert outside.clipboards == ["p/1", "s3://team-data/swamp/infra/p/1"]


def test_all_marked_rows_are_sent_one_a_line() -> None:
    outside = FakeOutside()

    async def script(stage: Stage) -> None:
        await stage.press("2", "space", "space", "y")
        await stage.until(lambda: "sent 2 paths, 7 B, by OSC 52" in stage.event)

    play(script, rows(), outside=outside)
    assert outside.clipboards == ["p/0\np/1"]


def test_in_locks_it_is_the_holder() -> None:
    outside = FakeOutside()

    async def script(stage: Stage) -> None:
        await stage.press("4", "y")
        await stage.until(lambda: "sent ann@ci by OSC 52" in stage.event)
        await stage.press("Y")
        await stage.until(lambda: ".locks/infra.lock" in stage.event)
        assert "copy holder" in stage.line("#keys")

    play(script, FakeEngine(idle(locks=(lock(),))), outside=outside)
    assert outside.clipboards == ["ann@ci", "s3://team-data/swamp/.locks/infra.lock"]


def test_in_the_log_it_is_the_line_and_there_is_no_uri() -> None:
    outside, engine = FakeOutside(), FakeEngine()

    async def script(stage: Stage) -> None:
        engine.note("3 pushed")
        await stage.settle()
        await stage.press("9", "y")
        await stage.until(lambda: outside.clipboards)
        await stage.press("Y")
        await stage.until(lambda: "no URI to copy" in stage.event)

    play(script, engine, outside=outside)
    assert outside.clipboards[0].endswith("info push: 3 pushed")


def test_the_overview_gives_the_cache_and_the_bucket() -> None:
    outside = FakeOutside()

    async def script(stage: Stage) -> None:
        await stage.press("y")
        await stage.until(lambda: len(outside.clipboards) == 1)
        await stage.press("Y")
        await stage.until(lambda: len(outside.clipboards) == 2)

    play(script, rows(), outside=outside)
    assert outside.clipboards == ["/srv/cache/prod-minio/infra", "s3://team-data/swamp/infra/"]


def test_an_empty_list_has_nothing_to_copy() -> None:
    outside = FakeOutside()

    async def script(stage: Stage) -> None:
        await stage.press("2", "y")
        await stage.until(lambda: "there is no path to copy here" in stage.event)

    play(script, rows(0), outside=outside)
    assert outside.written == []


def test_a_native_tool_is_used_as_well_and_named() -> None:
    outside = FakeOutside(there=("xclip",), DISPLAY=":0")

    async def script(stage: Stage) -> None:
        await stage.press("2", "y")
        await stage.until(lambda: "by OSC 52 and xclip" in stage.event)

    play(script, rows(), outside=outside)
    assert outside.fed == [(("xclip", "-selection", "clipboard"), "p/0")]


@pytest.mark.parametrize("size", [(120, 40), TINY])
def test_where_nothing_takes_it_the_text_is_shown(size: tuple[int, int]) -> None:
    outside = FakeOutside(TERM="linux")

    async def script(stage: Stage) -> None:
        await stage.press("2", "y")
        await stage.opened(ShownScreen)
        assert "p/0" in stage.text().splitlines()[1]
        await stage.press("escape")
        assert stage.at_home

    play(script, rows(), size=size, outside=outside)
    assert outside.written == []


def test_the_same_key_again_shows_what_was_sent() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("2", "y")
        await stage.until(lambda: "sent p/0" in stage.event)
        await stage.press("y")
        await stage.opened(ShownScreen)
        await stage.press("escape")
        stage.clock.advance(60)
        await stage.press("y")
        await stage.until(lambda: stage.at_home and "sent p/0" in stage.event)

    play(script, rows(), outside=FakeOutside())


def test_what_is_too_much_for_osc_52_is_not_cut_but_told() -> None:
    outside = FakeOutside()
    engine = FakeEngine(idle(dirty=tuple(dirty(f"{n:04}/{'x' * 96}") for n in range(800))))

    async def script(stage: Stage) -> None:
        await stage.press("2", "a", "y")
        await stage.opened(ShownScreen)
        assert "too much for OSC 52" in stage.text()
        assert "0003/" in stage.text()

    play(script, engine, outside=outside)
    assert outside.written == []


def test_too_much_for_osc_52_still_goes_to_a_tool() -> None:
    outside = FakeOutside(there=("wl-copy",), WAYLAND_DISPLAY="w")
    engine = FakeEngine(idle(dirty=tuple(dirty(f"{n:04}/{'x' * 96}") for n in range(800))))

    async def script(stage: Stage) -> None:
        await stage.press("2", "a", "y")
        await stage.until(lambda: "by wl-copy, 79.7 KiB are too much for OSC 52" in stage.event)

    play(script, engine, outside=outside)
    assert len(outside.fed[0][1].split("\n")) == 800


def test_it_is_in_the_palette() -> None:
    async def script(stage: Stage) -> None:
        await stage.press("4")
        found = {c.title: c for c in stage.app.get_system_commands(stage.main)}
        await found["copy holder  (y)"].callback()
        await stage.until(lambda: "sent ann@ci" in stage.event)

    play(script, FakeEngine(busy()), outside=FakeOutside())
