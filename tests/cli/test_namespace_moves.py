"""`s3dash namespaces migrate` and `repair`: what they ask for, what they say, what they refuse."""

import json
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.moves import Kept
from s3dash.errors import LockHeld, NamespaceTaken, UsageError
from tests.cli.fakes import FakeEngine, cli
from tests.cli.test_real import Desk
from tests.fake_moves import FakeForeign, FakeMigration
from tests.servers import Server


def engine() -> tuple[FakeEngine, list[tuple[Any, ...]]]:
    calls: list[tuple[Any, ...]] = []

    def told(*call: Any) -> None:
        calls.append(call)

    return FakeEngine(migration=FakeMigration(told), foreign=FakeForeign(told)), calls


# --- migrate ------------------------------------------------------------------------------


def test_migrate_moves_and_says_what_to_do_next() -> None:
    fake, calls = engine()
    done = cli("namespaces", "migrate", "web", "--repo-id", "r", engine=fake)
    assert done.code == 0
    assert calls == [("migration.run", "web", False, "r")]
    assert "copied 2 (2.01 KiB), deleted 3 originals, renamed 3 files of this cache" in done.out
    assert 'namespace = "web"' in done.out


def test_migrate_json() -> None:
    fake, _ = engine()
    document = cli("namespaces", "migrate", "web", "--json", engine=fake).document
    assert document["action"] == "migrate"
    assert (document["namespace"], document["to_solo"], document["dry_run"]) == (
        "web",
        False,
        False,
    )
    assert (document["copied"], document["deleted"], document["kept"]) == (2, 3, [])
    assert "plan" not in document


def test_a_dry_run_shows_the_plan_and_moves_nothing() -> None:
    fake, calls = engine()
    done = cli("namespaces", "migrate", "web", "--dry-run", engine=fake)
    assert (done.code, calls) == (0, [("migration.plan", "web", False, "")])
    assert "to namespace web: 3 objects, 2.01 KiB to copy" in done.out
    assert "data/t/id/1/raw" in done.out
    document = cli("namespaces", "migrate", "web", "--dry-run", "--json", engine=fake).document
    assert [row["action"] for row in document["plan"]] == ["copy", "copy", "delete"]
    assert document["dry_run"] is True


@pytest.mark.parametrize(
    "words", [("--to-solo", "web"), ("web", "--to-solo")], ids=["before", "after"]
)
def test_back_to_the_solo_layout(words: tuple[str, str]) -> None:
    fake, calls = engine()
    done = cli("namespaces", "migrate", *words, engine=fake)
    assert (done.code, calls) == (0, [("migration.run", "web", True, "")])
    assert "in the solo layout" in done.out


def test_what_stays_behind_is_told_and_is_exit_code_3() -> None:
    fake, _ = engine()
    fake.migration.kept = (Kept(path="files/odd", reason="it changed"),)
    done = cli("namespaces", "migrate", "web", engine=fake)
    assert done.code == 3
    assert "files/odd" in done.out
    assert "it changed" in done.out


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("3 local changes of this cache", hint="push or pull first"), 2),
        (NamespaceTaken("namespace web belongs to repository other"), 1),
        (LockHeld("the lock .datastore.lock is held by ann"), 4),
    ],
)
def test_migrate_refuses(error: Exception, code: int) -> None:
    fake, _ = engine()
    fake.migration.error = error
    done = cli("namespaces", "migrate", "web", "--json", engine=fake)
    assert done.code == code
    assert done.document["error"]["message"] == str(error)


def test_migrate_needs_a_name() -> None:
    assert cli("namespaces", "migrate").code == 2


# --- repair -------------------------------------------------------------------------------


@pytest.mark.parametrize("words", [(), ("--dry-run",)])
def test_repair_only_shows_without_apply(words: tuple[str, ...]) -> None:
    fake, calls = engine()
    done = cli("namespaces", "repair", "web", *words, engine=fake)
    assert (done.code, calls) == (0, [("foreign.look", "web")])
    assert "web/api/data/x/1/raw" in done.out
    assert "identical at its home" in done.out
    assert "`--apply` does it" in done.out


def test_repair_applies_and_says_what_it_kept() -> None:
    fake, calls = engine()
    done = cli("namespaces", "repair", "web", "--apply", "--json", engine=fake)
    assert (done.code, calls) == (3, [("foreign.repair", "web")])
    assert done.document["applied"] is True
    assert done.document["namespace"] == "web"
    assert done.document["foreign"][0] == {
        "path": "web/api/data/x/1/raw",
        "home": "api/data/x/1/raw",
        "action": "drop",
        "reason": "identical at its home",
        "size": 7,
    }


def test_repair_of_a_clean_namespace() -> None:
    fake, _ = engine()
    fake.foreign.rows = ()
    done = cli("namespaces", "repair", "web", "--apply", engine=fake)
    assert (done.code, done.out) == (0, "no foreign objects below web\n")


def test_repair_refuses() -> None:
    fake, _ = engine()
    assert cli("namespaces", "repair", "web", "--apply", "--dry-run", engine=fake).code == 2
    fake.foreign.error = UsageError("there is no namespace nowhere")
    done = cli("namespaces", "repair", "nowhere", "--json", engine=fake)
    assert (done.code, done.document["error"]["type"]) == (2, "UsageError")


# --- for real -----------------------------------------------------------------------------


def test_there_and_back_on_a_real_endpoint(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    desk = Desk(tmp_path / "ada", weed, bucket=bucket, prefix="team")
    desk.write("files/a.txt", "one\n")
    desk.write("data/t/id/1/raw", "two\n")
    assert desk("push", "--json").document["pushed"] == 2
    refused = desk("namespaces", "migrate", "web", "--json")
    assert (refused.code, refused.document["error"]["type"]) == (2, "UsageError")
    dry = desk("namespaces", "migrate", "web", "--repo-id", "r-1", "--dry-run", "--json").document
    assert {row["path"] for row in dry["plan"]} == {"files/a.txt", "data/t/id/1/raw"}
    done = desk("namespaces", "migrate", "web", "--repo-id", "r-1", "--json").document
    assert (done["copied"], done["deleted"], done["cache_files"]) == (2, 2, 2)
    assert desk("namespaces", "--json").document["namespaces"] == ["web"]
    assert (desk.cache / "web/files/a.txt").read_text() == "one\n"
    assert desk("push", "--json").code == 0
    there = desk("--namespace", "web", "status", "--json").document
    assert (there["local"]["dirty"], there["remote"]["changed"]) == ([], [])
    weed.client().put_object(Bucket=bucket, Key="team/web/web/files/a.txt", Body=b"one\n")
    found = desk("namespaces", "repair", "web", "--json").document
    assert [row["action"] for row in found["foreign"]] == ["drop"]
    assert desk("namespaces", "repair", "web", "--apply", "--json").code == 0
    back = desk("namespaces", "migrate", "--to-solo", "web", "--json").document
    assert (back["copied"], back["kept"]) == (2, [])
    assert json.loads(desk("status", "--json").out)["local"]["dirty"] == []
    assert (desk.cache / "files/a.txt").read_text() == "one\n"
