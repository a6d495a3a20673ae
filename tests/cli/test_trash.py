"""`trash` and `conflicts resolve`: what they ask of the engine, what they print, how they end."""

from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from s3dash.core.report import Blocked, ConflictInfo, Failed, Result, TrashItem, Version
from s3dash.errors import CommitConflict, LocalError, UsageError
from tests.cli.fakes import SETTINGS, STATUS, Done, FakeEngine, FakeServices, cli

CONFLICT = ConflictInfo("files/a", Version(3, "a" * 64), Version(4, None, "tag"))
OLD = TrashItem(
    "20260301T100000000-aaaaaaaaaaaa", "files/a", "a" * 64, 3, "2026-03-01T10:00:00.000Z",
    "replaced by a pull", expires=True,
)  # fmt: skip
NEW = TrashItem(
    "20260302T100000000-bbbbbbbbbbbb", "files/a", "b" * 64, 4, "2026-03-02T10:00:00.000Z",
    "lost to the bucket's version", expires=False,
)  # fmt: skip
LOST = TrashItem("20260303T100000000-cccccccccccc", "", "", 5, "", "its record was lost", False)


def with_trash() -> FakeEngine:
    return FakeEngine(trashed=[OLD, NEW, LOST])


# --- conflicts -------------------------------------------------------------------------------


def test_conflicts_are_listed_with_both_sides() -> None:
    engine = FakeEngine(answer=msgspec.structs.replace(STATUS, conflicts=[CONFLICT]))
    done = cli("conflicts", "--json", engine=engine)
    assert done.code == 3
    assert done.document == {
        "conflicts": [
            {
                "path": "files/a",
                "local": {"size": 3, "sha256": "a" * 64},
                "remote": {"size": 4, "sha256": None, "tag": "tag"},
            }
        ]
    }
    human = cli("conflicts", engine=engine)
    assert (human.code, "resolve PATH --take" in human.out) == (3, True)
    assert cli("conflicts").code == 0


@pytest.mark.parametrize("take", ["local", "remote", "both"])
def test_a_conflict_is_settled_and_told_as_any_operation(take: str) -> None:
    engine = FakeEngine(result=Result(action="push", pushed=1))
    done = cli("conflicts", "resolve", "files/a", "--take", take, "--json", engine=engine)
    assert (done.code, done.document["pushed"]) == (0, 1)
    assert engine.calls == [("resolve", ("files/a", take, None))]


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (Result(action="pull", conflicts=[CONFLICT]), 3),
        (Result(action="pull", blocked=[Blocked("files/a", "a write in flight")]), 3),
        (Result(action="pull", failed=[Failed("files/a", "disk full")]), 5),
    ],
)
def test_a_conflict_that_remains_is_an_exit_code(result: Result, code: int) -> None:
    done = cli(
        "conflicts", "resolve", "files/a", "--take", "remote", engine=FakeEngine(result=result)
    )
    assert done.code == code


@pytest.mark.parametrize(
    ("error", "code"),
    [(UsageError("files/a is not in conflict"), 2), (CommitConflict("it has changed"), 3)],
)
def test_what_is_no_conflict_or_another_one_is_told(error: Exception, code: int) -> None:
    done = cli("conflicts", "resolve", "files/a", "--take", "both", engine=FakeEngine(error=error))
    assert (done.code, str(error) in done.err) == (code, True)


@pytest.mark.parametrize(
    "arguments",
    [("files/a",), ("files/a", "--take", "mine"), ("--take", "local"), (".", "--take", "local")],
)
def test_a_side_and_one_path_must_be_named(arguments: tuple[str, ...], tmp_path: Path) -> None:
    engine = FakeEngine(settings=replace(SETTINGS, cache=tmp_path))
    done = cli("conflicts", "resolve", *arguments, engine=engine, cwd=tmp_path)
    assert (done.code, engine.calls) == (2, [])


def test_a_path_counts_from_where_the_user_stands(tmp_path: Path) -> None:
    engine = FakeEngine(settings=replace(SETTINGS, cache=tmp_path, namespace="infra"))
    cwd = tmp_path / "infra/files"
    cwd.mkdir(parents=True)
    cli("conflicts", "resolve", "a", "--take", "local", engine=engine, cwd=cwd)
    assert engine.calls == [("resolve", ("files/a", "local", None))]


# --- trash -----------------------------------------------------------------------------------


def test_the_trash_is_listed() -> None:
    done = cli("trash", "--json", engine=with_trash())
    assert done.code == 0
    assert done.document["trash"][0] == {
        "id": OLD.id,
        "path": "files/a",
        "sha256": "a" * 64,
        "size": 3,
        "at": OLD.at,
        "reason": "replaced by a pull",
        "expires": True,
    }
    human = cli("trash", engine=with_trash()).out
    for part in (OLD.id, "aaaaaaaa", "2026-03-01T10:00:00", "lost to", "(not known)", "3 files"):
        assert part in human
    assert "the trash is empty" in cli("trash").out


@pytest.mark.parametrize(
    ("which", "id"),
    [(OLD.id, OLD.id), ("20260301", OLD.id), ("files/a", NEW.id), (LOST.id[:9], LOST.id)],
)
def test_an_item_is_meant_by_its_id_its_beginning_or_its_path(which: str, id: str) -> None:
    engine = with_trash()
    done = cli("trash", "restore", which, "--to", "files/back", "--json", engine=engine)
    assert (done.code, done.document["restored"], done.document["path"]) == (0, id, "files/back")
    assert engine.calls == [("restore", (id, "files/back"))]


def test_a_file_goes_back_where_it_was() -> None:
    engine = with_trash()
    done = cli("trash", "restore", NEW.id, engine=engine)
    assert (done.code, done.out) == (0, "restored files/a\n")
    assert engine.calls == [("restore", (NEW.id, None))]


def test_a_path_counts_from_the_cache_where_the_user_stands_in_it(tmp_path: Path) -> None:
    engine = with_trash()
    engine.settings = replace(SETTINGS, cache=tmp_path)
    (tmp_path / "files").mkdir()
    cli("trash", "restore", "a", "--to", "b", engine=engine, cwd=tmp_path / "files")
    assert engine.calls == [("restore", (NEW.id, "files/b"))]


def _refused(engine: FakeEngine, *arguments: str, **options: Any) -> Done:
    done = cli("trash", *arguments, "--json", engine=engine, **options)
    assert engine.calls == []
    return done


def test_what_names_none_or_several_is_refused(tmp_path: Path) -> None:
    for which, told in (
        ("2026", "beginning of 3 ids"),
        ("files/b", "not in the trash"),
        ("", "selects nothing"),
        ("/etc/passwd", "not in the cache"),
    ):
        done = _refused(with_trash(), "restore", which)
        assert (done.code, told in done.document["error"]["message"]) == (2, True), which
    engine = with_trash()
    engine.settings = replace(SETTINGS, cache=tmp_path)
    done = _refused(engine, "restore", NEW.id, "--to", ".", cwd=tmp_path)
    assert (done.code, "whole cache" in done.document["error"]["message"]) == (2, True)


def test_an_item_is_dropped_only_by_name() -> None:
    engine = with_trash()
    done = cli("trash", "drop", LOST.id, "--json", engine=engine)
    assert (done.code, done.document) == (
        0,
        {"dropped": LOST.id, "path": "", "sha256": "", "size": 5},
    )
    assert engine.calls == [("drop", LOST.id)]
    assert cli("trash", "drop", engine=with_trash()).code == 2
    assert cli("trash", "drop", OLD.id, engine=with_trash()).out == "dropped files/a\n"


def test_what_the_engine_refuses_is_told() -> None:
    done = cli("trash", engine=FakeEngine(error=LocalError("the disk is full")))
    assert (done.code, "the disk is full" in done.err) == (1, True)


def test_the_namespace_is_passed_on() -> None:
    services = FakeServices(with_trash())
    cli("trash", "--namespace", "web", services=services)
    cli("conflicts", "--namespace=web", "resolve", "files/a", "--take", "local", services=services)
    assert [options.namespace for options in services.seen] == ["web", "web"]
