"""What reaches standard output: harmless text, one document, colours only where wanted."""

import io
import json
from collections.abc import Iterator

import pytest

from s3dash.cli.output import Cell, Output
from tests.cli.fakes import Terminal, cli

HOSTILE = "a\x1b]0;x\x07b\u202ec\u200bd\n[/red]e\udc80"


def test_foreign_text_reaches_no_terminal_as_it_is() -> None:
    stream = Terminal()
    out = Output(stream, color=True)
    out.line(HOSTILE)
    out.table([[Cell(HOSTILE, "bad")]])
    out.heading(HOSTILE)
    written = (
        stream.getvalue().replace("\x1b[0m", "").replace("\x1b[1;31m", "").replace("\x1b[1m", "")
    )
    assert "\x1b" not in written
    assert "\x07" not in written
    assert "\u202e" not in written
    assert "\udc80" not in written
    assert written.count("\\x1b]0;x\\x07b\\u202ec\\u200bd\\n[/red]e\\udc80") == 3


def test_a_document_is_ascii_and_says_the_same() -> None:
    stream = io.StringIO()
    Output(stream, as_json=True).document({"path": HOSTILE, "name": "ö"})
    assert stream.getvalue().isascii()
    assert json.loads(stream.getvalue()) == {"path": HOSTILE, "name": "ö"}


def test_a_second_document_is_refused() -> None:
    out = Output(io.StringIO(), as_json=True)
    out.document({})
    with pytest.raises(AssertionError, match="holds a JSON document"):
        out.document({})


@pytest.mark.parametrize("count", [0, 1, 2, 1000])
def test_a_long_list_is_written_as_it_comes(count: int) -> None:
    stream = io.StringIO()
    rows = ({"key": f"{HOSTILE}{n}"} for n in range(count))
    Output(stream, as_json=True).stream({"query": "ö"}, "entries", rows)
    assert stream.getvalue().isascii()
    assert json.loads(stream.getvalue()) == {
        "query": "ö",
        "entries": [{"key": f"{HOSTILE}{n}"} for n in range(count)],
    }


@pytest.mark.parametrize("count", [0, 300])
def test_a_list_that_fails_has_no_end(count: int) -> None:
    def rows() -> Iterator[int]:
        yield from range(count)
        raise OSError("the line is cut")

    stream = io.StringIO()
    out = Output(stream, as_json=True)
    with pytest.raises(OSError, match="cut"):
        out.stream({}, "entries", rows())
    assert out.written == (count > 0)
    with pytest.raises(ValueError, match="Expecting"):
        json.loads(stream.getvalue())


def test_columns_are_aligned_and_lines_end_without_blanks() -> None:
    stream = io.StringIO()
    Output(stream).table([["a", Cell("1", right=True), "x"], ["bbb", Cell("22", right=True)]])
    assert stream.getvalue() == "  a     1  x\n  bbb  22\n"


def test_long_paths_are_never_folded_in_a_pipe() -> None:
    stream = io.StringIO()
    Output(stream).table([["x" * 3000, "y"]])
    assert stream.getvalue() == f"  {'x' * 3000}  y\n"


def test_text_that_the_encoding_lacks_is_escaped() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii")
    Output(stream).line("snowman \u2603")
    assert raw.getvalue() == b"snowman \\u2603\n"


@pytest.mark.parametrize(
    ("arguments", "environ"),
    [
        (["config", "check", "--no-color"], {"TERM": "xterm"}),
        (["config", "check"], {"TERM": "xterm", "NO_COLOR": "1"}),
        (["config", "check"], {"TERM": "dumb"}),
    ],
)
def test_no_color_means_no_escape_at_all(arguments: list[str], environ: dict[str, str]) -> None:
    done = cli(*arguments, terminal=True, environ=environ)
    assert "\x1b" not in done.out
    assert "fine" in done.out


def test_a_terminal_gets_colours_unless_no_color_is_empty() -> None:
    done = cli("config", "check", terminal=True, environ={"TERM": "xterm", "NO_COLOR": ""})
    assert "\x1b[" in done.out


def test_a_pipe_gets_no_colours() -> None:
    assert "\x1b" not in cli("config", "check").out
