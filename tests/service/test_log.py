"""The service's log: lines of logfmt and of JSON, whatever foreign strings hold."""

import json

from s3dash.service.facts import Fact
from s3dash.service.log import LONGEST, Log

AT = "2026-03-04T05:06:07.000Z"
HOSTILE = 'a\x1b[31m\u202eb\n"c" =d'


def push(**fields: object) -> Fact:
    return Fact(at=AT, level="info", event="push", fields=fields)  # type: ignore[arg-type] # any


def lines(*facts: Fact, **how: object) -> list[str]:
    written: list[str] = []
    log = Log(written.append, **how)  # type: ignore[arg-type] # any
    for fact in facts:
        log.tell(fact)
    return written


def test_a_line_of_text_is_logfmt() -> None:
    fact = push(pushed=3, seconds=0.25, text="two words", why="", commit_seq=None, ok=True)
    assert lines(fact) == [f'{AT} info    push pushed=3 seconds=0.25 text="two words" ok=true']


def test_a_journal_has_times_of_its_own() -> None:
    assert lines(push(pushed=3), times=False) == ["info    push pushed=3"]


def test_lists_and_paths_of_ours_stay_readable() -> None:
    fact = push(paths=["files/a", "data/m@1/raw"], key=".locks/infra.lock")
    assert lines(fact, times=False) == [
        'info    push paths="files/a, data/m@1/raw" key=.locks/infra.lock'
    ]


def test_a_foreign_name_cannot_break_out_of_its_line_or_its_value() -> None:
    (line,) = lines(push(path=HOSTILE), times=False)
    assert line.isascii()
    assert line.isprintable()
    assert json.loads(line.partition("path=")[2]) == HOSTILE


def test_a_line_of_json_is_one_document_with_the_place() -> None:
    about = {"datastore": "team", "namespace": None}
    (line,) = lines(push(path=HOSTILE, n=1), style="json", about=about)
    assert "\n" not in line
    assert line.isascii()
    assert json.loads(line) == {
        "time": AT,
        "level": "info",
        "event": "push",
        "datastore": "team",
        "namespace": None,
        "path": HOSTILE,
        "n": 1,
    }


def test_what_is_very_long_is_cut() -> None:
    (line,) = lines(push(text="x" * 100_000), style="json")
    assert json.loads(line)["text"] == "x" * LONGEST + "… (100000 characters)"


def test_details_are_only_for_those_who_ask() -> None:
    detail = Fact(at=AT, level="debug", event="look")
    assert lines(detail) == []
    assert len(lines(detail, verbose=True)) == 1


def test_a_reader_that_has_gone_stops_nothing() -> None:
    def gone(line: str) -> None:
        raise BrokenPipeError

    Log(gone).tell(push())
