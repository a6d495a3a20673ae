"""Every command against a fake engine: JSON shapes, human text, exit codes, arguments."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from s3dash.core.diff import Verdict
from s3dash.core.report import (
    Blocked,
    ConflictInfo,
    Failed,
    LocalInfo,
    PathChange,
    PlanRow,
    RemoteInfo,
    Result,
    Version,
)
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import HistoryRow
from tests.cli.fakes import LOCK, STATUS, FakeEngine, FakeServices, changes, cli

CONFLICT = ConflictInfo("logs/b.log", Version(12, "3f" * 32), None)


def test_status_has_the_promised_fields() -> None:
    document = cli("status", "--json").document
    assert set(document) == {
        "datastore", "bucket", "prefix", "namespace", "endpoint", "healthy", "latency_ms",
        "index", "local", "remote", "conflicts", "blocked", "locks", "message", "registered",
        "leftovers",
    }  # fmt: skip
    assert document["index"] == {"version": 2, "commit_seq": 17, "entries": 318}
    assert set(document["local"]) == {"files", "dirty", "bulk_dirty", "lazy", "hydrated"}


def test_status_for_people_lists_what_is_not_as_it_should_be() -> None:
    answer = msgspec.structs.replace(
        STATUS,
        local=LocalInfo(316, [PathChange("logs/a", "modified", 2048)], bulk_dirty=True, lazy=True),
        remote=RemoteInfo([PathChange(f"logs/{n}", "added", 1) for n in range(30)]),
        conflicts=[CONFLICT],
        blocked=[Blocked("../x", "path segment '..'")],
        locks=[LOCK],
    )
    done = cli("status", engine=FakeEngine(answer=answer))
    assert done.code == 0
    for words in (
        "healthy, 41 ms", "version 2, commit 17", "318 entries", "1 not pushed", "30 not pulled",
        "modified  2.00 KiB  logs/a", "Not pulled (30)", "and 10 more", "../x",
        "LIVE  ada@vm, pid 12", "27 s left  namespace infra",
    ):  # fmt: skip
        assert words in done.out
    assert "logs/29" not in done.out


def test_status_of_a_silent_endpoint_is_a_failure_with_its_reason() -> None:
    answer = msgspec.structs.replace(STATUS, healthy=False, latency_ms=None, message="refused")
    engine = FakeEngine(answer=answer)
    assert cli("status", "--json", engine=engine).code == 1
    assert cli("status", "--json", engine=engine).document["message"] == "refused"
    assert "unusable now" in cli("status", engine=engine).out
    assert "nothing new" not in cli("status", engine=engine).out
    assert "refused" in cli("status", engine=engine).out


SIDES = {
    Verdict.LOCAL_ADDED: ("added", "local"),
    Verdict.LOCAL_MODIFIED: ("modified", "local"),
    Verdict.LOCAL_DELETED: ("deleted", "local"),
    Verdict.LOCAL_REVIVED: ("modified", "both"),
    Verdict.REMOTE_ADDED: ("added", "remote"),
    Verdict.REMOTE_MODIFIED: ("modified", "remote"),
    Verdict.REMOTE_DELETED: ("deleted", "remote"),
    Verdict.REMOTE_REVIVED: ("modified", "both"),
    Verdict.CLOBBERED: ("deleted", "remote"),
    Verdict.BOTH_MODIFIED: ("modified", "both"),
    Verdict.BOTH_ADDED: ("added", "both"),
}


def test_diff_tells_change_side_size_and_reason_of_every_verdict() -> None:
    engine = FakeEngine(changes=changes(*Verdict))
    found = cli("diff", "--json", engine=engine).document["changes"]
    assert [row["path"] for row in found] == sorted(f"files/{v.name.lower()}" for v in SIDES)
    for verdict, (change, side) in SIDES.items():
        row = next(r for r in found if r["path"] == f"files/{verdict.name.lower()}")
        want = {"change": change, "side": side, "size": 3, "reason": verdict.value}
        assert row == {"path": row["path"], **want}


def test_diff_for_people_is_one_line_per_path() -> None:
    engine = FakeEngine(changes=changes(Verdict.LOCAL_ADDED, Verdict.BOTH_MODIFIED))
    assert cli("diff", engine=engine).out.splitlines() == [
        "modified  both  3 B  files/both_modified  changed on both sides",
        "added     here  3 B  files/local_added    new here",
    ]
    assert cli("diff").out == "no differences\n"


RESULT_FIELDS = {
    "action", "pushed", "pulled", "deleted_remote", "deleted_local", "copied", "unchanged",
    "conflicts", "blocked", "failed", "bytes_up", "bytes_down", "requests", "seconds",
    "commit_seq",
}  # fmt: skip


@pytest.mark.parametrize("name", ["push", "pull", "sync"])
def test_an_operation_passes_its_options_on_and_reports(name: str) -> None:
    engine = FakeEngine(result=Result(action=name, pushed=2, commit_seq=3))
    done = cli(
        name, "logs/", "./files/a", "--conflict", "keep-both", "--max-delete", "0", "--json",
        engine=engine,
    )  # fmt: skip
    assert done.code == 0
    assert set(done.document) == RESULT_FIELDS
    assert (done.document["pushed"], done.document["commit_seq"]) == (2, 3)
    assert engine.calls == [
        (
            name,
            {
                "selection": ("logs", "files/a"),
                "policy": "keep-both",
                "max_delete": 0,
                "dry_run": False,
                "models": (),
                "hydration": "full" if name == "pull" else None,
            },
        )
    ]
    assert engine.stops == 1


def test_without_options_the_configuration_decides() -> None:
    engine = FakeEngine()
    cli("push", engine=engine)
    ((_, options),) = engine.calls
    told = {"policy": None, "max_delete": None, "dry_run": False}
    assert options == {"selection": (), **told, "models": (), "hydration": None}


@pytest.mark.parametrize(
    ("result", "code"),
    [
        (Result(action="sync"), 0),
        (Result(action="sync", conflicts=[CONFLICT]), 3),
        (Result(action="sync", conflicts=[CONFLICT], failed=[Failed("a", "no")]), 5),
    ],
)
def test_the_exit_code_says_how_it_went(result: Result, code: int) -> None:
    assert cli("sync", engine=FakeEngine(result=result)).code == code


def test_a_dry_run_shows_the_plan() -> None:
    plan = [
        PlanRow("logs/old", "delete-remote", "deleted here", 5),
        PlanRow("logs/a", "upload", "changed here", 2048),
        PlanRow("logs/b", "adopt", "same on both sides", 1),
    ]
    engine = FakeEngine(result=Result(action="push", plan=plan))
    done = cli("push", "--dry-run", "--json", engine=engine)
    assert set(done.document) == RESULT_FIELDS | {"plan"}
    assert done.document["plan"][0] == {
        "path": "logs/old", "action": "delete-remote", "reason": "deleted here", "size": 5,
    }  # fmt: skip
    assert engine.calls[0][1]["dry_run"] is True
    assert cli("push", "--dry-run", engine=engine).out.splitlines() == [
        "delete in the bucket       5 B  logs/old  deleted here",
        "upload                2.00 KiB  logs/a    changed here",
        "push: 2 steps, 1 path the same on both sides already; a dry run, nothing was changed",
    ]


def test_a_result_for_people_says_what_was_done_and_what_was_not() -> None:
    result = Result(
        action="sync", pushed=2, pulled=1, deleted_remote=1, unchanged=14, bytes_up=1536,
        requests=12, seconds=0.3, commit_seq=3, conflicts=[CONFLICT],
        blocked=[Blocked("a\x1b", "control character")], failed=[Failed("f", "no answer")],
    )  # fmt: skip
    lines = cli("sync", engine=FakeEngine(result=result)).out.splitlines()
    assert lines[0] == "sync: 2 pushed, 1 pulled, 1 deleted in the bucket, 14 unchanged"
    assert lines[1] == "1.50 KiB up, 12 requests, 300 ms, commit 3"
    assert "  a\\x1b  control character" in lines
    assert "  f  no answer" in lines


def test_nothing_to_do_is_said() -> None:
    engine = FakeEngine(result=Result(action="pull", unchanged=9))
    assert cli("pull", engine=engine).out.startswith("pull: nothing to do, 9 unchanged\n")


def test_locks_are_listed_with_all_that_a_release_needs() -> None:
    stale = msgspec.structs.replace(
        LOCK, key=".datastore.lock", scope="global", stale=True, age_s=90.0, expires_in_s=-60.0
    )
    engine = FakeEngine(found_locks=[LOCK, stale])
    (first, _) = cli("locks", "--json", engine=engine).document["locks"]
    assert first == {
        "key": ".locks/infra.lock", "scope": "namespace", "namespace": "infra", "model": None,
        "holder": "ada@vm", "hostname": "vm", "pid": 12,
        "acquired_at": "2026-01-01T00:00:00.000Z", "age_s": 3.0, "ttl_ms": 30000,
        "expires_in_s": 27.0, "stale": False, "nonce": "n-1",
    }  # fmt: skip
    human = cli("locks", engine=engine).out
    assert "STALE  the whole datastore" in human
    assert "ran out 1 min ago" in human
    assert "key     .locks/infra.lock" in human
    assert "nonce   n-1" in human
    assert cli("locks").out == "no locks\n"


def test_a_lock_is_released_by_key_and_nonce() -> None:
    engine = FakeEngine()
    done = cli("locks", "release", ".datastore.lock", "--nonce", "n", "--json", engine=engine)
    assert done.code == 0
    assert done.document == {"released": ".datastore.lock"}
    assert engine.calls == [("release", (".datastore.lock", "n"))]


def test_namespaces_name_the_one_in_use() -> None:
    engine = FakeEngine(settings=_settings(namespace="web"))
    assert cli("namespaces", "--json", engine=engine).document == {
        "namespaces": ["infra", "web"],
        "current": "web",
    }
    assert "web    in use" in cli("namespaces", engine=engine).out


def test_conflicts_are_exit_3_while_there_are_any() -> None:
    engine = FakeEngine(answer=msgspec.structs.replace(STATUS, conflicts=[CONFLICT]))
    done = cli("conflicts", "--json", engine=engine)
    assert done.code == 3
    assert done.document["conflicts"] == [
        {"path": "logs/b.log", "local": {"size": 12, "sha256": "3f" * 32}, "remote": None}
    ]
    assert "logs/b.log" in cli("conflicts", engine=engine).out
    assert cli("conflicts").code == 0


def test_history_shows_the_latest_entries() -> None:
    rows = [HistoryRow(f"2026-01-0{n}", "push", "info", f"line {n}") for n in (1, 2, 3)]
    engine = FakeEngine(rows=rows)
    found = cli("history", "--limit", "2", "--json", engine=engine).document["history"]
    assert [row["text"] for row in found] == ["line 2", "line 3"]
    assert set(found[0]) == {"at", "operation", "level", "text"}
    assert "line 3" in cli("history", engine=engine).out


@pytest.mark.parametrize(("locking", "code"), [("safe", 0), ("unsafe", 4)])
def test_doctor_says_whether_locks_can_be_trusted(locking: str, code: int) -> None:
    services = FakeServices(locking=locking)
    done = cli("doctor", "--json", services=services)
    assert done.code == code
    assert done.document["locking"] == locking
    assert done.document["endpoint"]
    (check,) = done.document["checks"]
    assert set(check) == {"name", "ok", "detail"}
    assert ("UNSAFE" in cli("doctor", services=services).out) == (locking == "unsafe")


def test_config_is_shown_and_checked() -> None:
    assert cli("config", "show", "--json").document["datastores"]["team"]["bucket"] == "shared"
    assert "bucket" in cli("config", "show").out
    checked = cli("config", "check", "--json").document
    assert checked["ok"] is True
    assert checked["datastores"] == ["team"]
    assert "s3dash.toml: fine, 1 datastore (team)" in cli("config", "check").out
    assert "look \\x1b[31m" in cli("config", "check").out


def test_without_a_terminal_the_status_is_shown_once_with_a_hint() -> None:
    done = cli()
    assert done.code == 2
    assert "healthy" in done.out
    assert "needs a terminal" in done.err
    assert cli("--json").document["datastore"] == "team"


def _settings(**over: Any) -> Datastore:
    fields: dict[str, Any] = {"name": "team", "bucket": "b", "state_dir": Path("/s")}
    return Datastore(**{**fields, "cache": Path("/cache"), **over})


@pytest.mark.parametrize(
    ("namespace", "cwd", "given", "want"),
    [
        (None, "/elsewhere", "logs/a", ("logs/a",)),
        (None, "/cache/logs", "a", ("logs/a",)),
        (None, "/cache/logs", "../files", ("files",)),
        (None, "/elsewhere", "/cache/files/b", ("files/b",)),
        (None, "/elsewhere", "/cache", ()),
        ("infra", "/cache/infra/logs", "a", ("logs/a",)),
        ("infra", "/elsewhere", "/cache/infra/x", ("x",)),
    ],
)
def test_paths_count_from_the_datastore_or_from_where_the_user_stands(
    namespace: str | None, cwd: str, given: str, want: tuple[str, ...]
) -> None:
    engine = FakeEngine(settings=_settings(namespace=namespace))
    assert cli("push", given, engine=engine, cwd=Path(cwd)).code == 0
    assert engine.calls[0][1]["selection"] == want


@pytest.mark.parametrize("given", ["/etc/passwd", "../up", ""])
def test_a_path_outside_the_cache_is_refused(given: str) -> None:
    engine = FakeEngine()
    assert cli("push", given, engine=engine).code == 2
    assert engine.calls == []
    assert engine.stops == 1
