import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

import s3dash.tui.panes.all  # noqa: F401 - loads all views
from s3dash.core.cancel import CancelToken
from s3dash.core.progress import Rate
from s3dash.core.snapshot import HistoryRow
from s3dash.errors import Cancelled, LocalError
from s3dash.tui import filters
from s3dash.tui.export_file import Exists, target_of, whole, write_file
from s3dash.tui.exporting import Format, Table, defused, file_name, lines, self_contained
from s3dash.tui.look import Look
from s3dash.tui.views.base import View
from s3dash.tui.views.dirty import DirtyView
from s3dash.tui.views.locks import LocksView
from s3dash.tui.views.overview import OverviewView
from s3dash.tui.views.transfers import TransfersView
from tests.tui.fake_engine import HOSTILE, NOW, busy, dirty, idle, lock, moving, transfer
from tests.tui.test_views import look, transfers


def table(view: View[Any], at: Look, text: str = "") -> Table[Any]:
    test = filters.test_of(filters.parse(text, view.fields), view.text, view.fields)
    return Table(view=view, rows=view.rows(at), test=test, look=at)


def written(view: View[Any], at: Look, kind: Format, text: str = "") -> str:
    return "".join(lines(table(view, at, text), kind, lambda _: None))


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


FORMULAS = ("=cmd|' /C calc'!A0", "+1", "-1+2", "@SUM(1)", "  =1", "\t=1", "＝1")


# --- what is written ----------------------------------------------------------------------


def test_csv_carries_every_field_of_every_row() -> None:
    found = read_csv(written(DirtyView(), look(busy()), "csv"))
    assert len(found) == 3
    assert found[0] == {
        "path": "data/@acme/server/0f/raw.json",
        "change": "modified",
        "size": "2048",
        "since": found[0]["since"],
        "why": "content differs",
    }


@pytest.mark.parametrize("text", FORMULAS)
def test_no_cell_of_a_csv_is_a_formula(text: str) -> None:
    assert defused(text).startswith(("'", "\\t"))
    [row] = read_csv(written(DirtyView(), look(idle(dirty=(dirty(text),))), "csv"))
    assert not row["path"].lstrip().startswith(("=", "+", "-", "@", "＝"))


def test_numbers_stay_numbers() -> None:
    at = look(replace(busy()))
    stale = read_csv(written(LocksView(), at, "csv"))[1]
    assert stale["expires_in_s"] == "-170.0"
    assert stale["stale"] == "true"
    assert stale["model"] == ""


def test_a_csv_obeys_nobody() -> None:
    text = written(DirtyView(), look(idle(dirty=(dirty(HOSTILE),))), "csv")
    text.encode()
    assert len(text.splitlines()) == 2
    assert not any(sign in text for sign in ("\x1b", "\u202e", "\u200b", "\udc80"))


def test_json_lines_give_back_the_very_values() -> None:
    [line] = written(DirtyView(), look(idle(dirty=(dirty(HOSTILE),))), "jsonl").splitlines()
    assert line.isascii()
    assert json.loads(line)["path"] == HOSTILE


def test_text_has_all_columns_in_line() -> None:
    rows = (dirty("a"), dirty("日本/" + "x" * 90, "added"))
    head, first, second = written(DirtyView(), look(idle(dirty=rows)), "txt").splitlines()
    assert head.split() == ["CHANGE", "PATH", "SIZE", "AGE", "WHY"]
    assert first.index("content differs") == head.index("WHY")
    assert "日本/" + "x" * 90 in second


def test_only_what_the_filter_shows_in_the_order_of_the_list() -> None:
    at = transfers(transfer(1, "done"), transfer(2, "failed"), transfer(3, "active"))
    order = [json.loads(s)["id"] for s in written(TransfersView(), at, "jsonl").splitlines()]
    assert order == [3, 2, 1]
    [left] = written(TransfersView(), at, "jsonl", "state:failed").splitlines()
    assert json.loads(left)["id"] == 2


VIEWS = sorted(View.__subclasses__(), key=lambda kind: kind.number)


@pytest.mark.parametrize("kind", ["csv", "jsonl", "txt"])
@pytest.mark.parametrize("view", VIEWS, ids=lambda kind: kind.name)
def test_every_view_can_be_written_as_anything(view: type[View[Any]], kind: Format) -> None:
    log = [HistoryRow("2026-03-14T14:02:09.000Z", "push", "info", HOSTILE)]
    moves = moving([transfer(1, "active"), transfer(2, "failed")], Rate())
    at = look(busy(progress=moves), log=log)
    rows, text = view().rows(at), written(view(), at, kind)
    text.encode()
    assert len(text.splitlines()) == len(rows) + (kind != "jsonl" and (bool(rows) or kind == "txt"))
    if kind == "csv":
        assert {len(row) for row in csv.reader(io.StringIO(text))} <= {
            len(text.split("\n")[0].split(","))
        }


def test_a_lock_without_a_client_has_the_same_columns_as_one_with_it() -> None:
    at = look(idle(locks=(lock(), lock("bob", client="s3dash"))))
    assert [row["client"] for row in read_csv(written(LocksView(), at, "csv"))] == ["", "s3dash"]


def test_the_overview_has_figures_for_machines() -> None:
    [row] = written(OverviewView(), look(busy()), "jsonl").splitlines()
    told = json.loads(row)
    assert (told["dirty"], told["conflicts"], told["entries"]) == (3, 1, 320)
    assert told["locks"] == [".locks/infra.lock", ".locks/web.lock"]


def test_nothing_is_held_back_while_a_million_rows_are_written() -> None:
    """Rows are asked for one by one: what was written is not kept."""
    seen: list[int] = []
    row = dirty("a/b")
    at = look(idle(dirty=(row,) * 1000))
    pieces = lines(table(DirtyView(), at), "csv", seen.append)
    for number, _ in enumerate(pieces):
        assert len(seen) <= number + 1


def test_counting_can_stop_it() -> None:
    token = CancelToken()

    def counted(number: int) -> None:
        if number == 5:
            token.cancel()
        token.check()

    with pytest.raises(Cancelled):
        list(lines(table(DirtyView(), look(idle(dirty=(dirty("a"),) * 9))), "csv", counted))


def test_a_picture_asks_no_server() -> None:
    font = '@font-face {\n  src: url("https://x.example/a.woff");\n}\n.a { fill: red }'
    assert self_contained(f"<svg>\n{font}\n</svg>") == "<svg>\n.a { fill: red }\n</svg>\n"


def test_the_name_that_is_offered() -> None:
    assert file_name("dirty", "csv", NOW) == "s3dash-dirty-20260314T140209Z.csv"


# --- the file -----------------------------------------------------------------------------


def test_a_file_is_private_whole_and_leaves_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    assert write_file(path, ["é\n", "b\n"], overwrite=False) == 5
    assert path.read_text() == "é\nb\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_overwritten_unless_told(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mine")
    with pytest.raises(Exists):
        write_file(path, ["other"], overwrite=False)
    assert path.read_text() == "mine"
    write_file(path, ["other"], overwrite=True)
    assert path.read_text() == "other"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("leads", [True, False])
def test_a_link_is_not_followed(tmp_path: Path, leads: bool) -> None:
    path, target = tmp_path / "a.csv", tmp_path / "target"
    if leads:
        target.write_text("mine")
    path.symlink_to(target)
    with pytest.raises(Exists):
        write_file(path, ["other"], overwrite=False)
    assert path.is_symlink()
    write_file(path, ["other"], overwrite=True)
    assert not path.is_symlink()
    assert target.exists() is leads
    assert not leads or target.read_text() == "mine"


def test_what_stops_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("mine")

    def pieces() -> Any:
        yield "x" * 100
        raise Cancelled("cancelled")

    with pytest.raises(Cancelled):
        write_file(path, pieces(), overwrite=True)
    assert path.read_text() == "mine"
    assert list(tmp_path.iterdir()) == [path]


def test_names_that_are_no_file(tmp_path: Path) -> None:
    long = "x" * 300
    for name in (
        "",
        "  ",
        "a\nb",
        "a\x1b[31m",
        str(tmp_path),
        str(tmp_path / "no" / "a.csv"),
        long,
    ):
        with pytest.raises(LocalError):
            target_of(name)
    assert target_of(f" {tmp_path}/a.csv ") == tmp_path / "a.csv"
    assert target_of("~/a.csv").parent == Path.home()


def test_a_disk_that_refuses_is_told_in_words(tmp_path: Path) -> None:
    with pytest.raises(LocalError, match="cannot be written"):
        write_file(tmp_path / "missing" / "a.csv", ["x"], overwrite=False)


def test_a_working_directory_that_has_gone_is_no_bug(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    assert whole(Path("a.csv")) == "a.csv"
    with pytest.raises(LocalError):
        write_file(Path("a.csv"), ["x"], overwrite=False)
    monkeypatch.chdir(tmp_path)
    assert whole(Path("a.csv")) == str(tmp_path / "a.csv")


def test_a_name_as_long_as_the_disk_takes(tmp_path: Path) -> None:
    path = tmp_path / ("é" * 127)
    assert write_file(path, ["x"], overwrite=False) == 1
    assert path.exists()
