"""`index verify|migrate|repair`: what they ask, what they print, how they end; and for real."""

import io
import json
from pathlib import Path

import pytest
from msgspec.structs import replace

from s3dash.cli.diagnostics import Diagnostics
from s3dash.core.index_care import Dropped, Repaired
from s3dash.core.snapshot import Snapshot, State
from s3dash.errors import IndexCorrupt, LockHeld, UsageError
from tests.cli.fakes import FakeEngine, cli
from tests.cli.test_real import Desk
from tests.engine.world import fill, golden_bucket
from tests.fake_index_care import AMISS, CLEAN, MIGRATED, REPAIRED, FakeIndexCare
from tests.servers import Server


def engine(**fields: object) -> FakeEngine:
    return FakeEngine(index_care=FakeIndexCare(**fields))  # type: ignore[arg-type] # its own fields


# --- verify -------------------------------------------------------------------------------


def test_a_clean_index_ends_with_0_and_has_all_fields() -> None:
    done = cli("index", "verify", "--json", engine=engine())
    assert done.code == 0
    assert done.document["action"] == "verify"
    assert {k: done.document[k] for k in ("checked", "ok", "missing", "wrong", "orphans")} == {
        "checked": 318, "ok": 318, "missing": [], "wrong": [], "orphans": [],
    }  # fmt: skip
    for name in ("dropped_shards", "missing_shards", "corrupt_shards", "zombies"):
        assert done.document[name] == []
    assert done.document["meta"]["commit_seq"] == 17
    assert done.document["monolith"]["present"] is True
    assert (done.document["seconds"], done.document["requests"]) == (0.4, 12)


def test_what_is_wrong_ends_with_3_and_is_told_whole() -> None:
    done = cli("index", "verify", "--json", engine=engine(verified=AMISS))
    assert done.code == 3
    assert done.document["missing"] == [{"path": "files/gone", "reason": "its object is not there"}]
    assert done.document["wrong"] == [
        {
            "path": "files/short",
            "reason": "its object has another size",
            "expected": 9,
            "found": 4,
        }
    ]
    assert done.document["orphans"] == [{"path": "files/stray[/x]\x1b[31m", "size": 15}]
    assert done.document["dropped_shards"] == ["logs"]


def test_people_read_what_is_wrong_and_what_to_do() -> None:
    done = cli("index", "verify", engine=engine(verified=AMISS))
    assert done.code == 3
    assert "1 missing object, 1 wrong object" in done.out
    assert "9 B in the index, 4 B in the bucket" in done.out
    assert "files/stray[/x]\\x1b[31m" in done.out
    assert "s3dash index repair" in done.out
    clean = cli("index", "verify", engine=engine(verified=CLEAN))
    assert "all is as it should be" in clean.out
    assert "repair" not in clean.out


def test_how_deep_is_handed_on() -> None:
    fake = engine()
    cli("index", "verify", "--full", engine=fake)
    cli("index", "verify", "--sample", "5%", "--seed", "7", engine=fake)
    assert fake.index_care.calls == [
        ("verify", {"full": True, "sample": "", "seed": None}),
        ("verify", {"full": False, "sample": "5%", "seed": 7}),
    ]


def test_a_sample_that_is_none_is_a_usage_error() -> None:
    done = cli("index", "verify", "--json", engine=engine(error=UsageError("x is no sample")))
    assert (done.code, done.document["error"]["type"]) == (2, "UsageError")


# --- migrate ------------------------------------------------------------------------------


def test_a_migration_says_what_it_did() -> None:
    fake = engine()
    done = cli("index", "migrate", "--json", engine=fake)
    assert done.code == 0
    assert {k: done.document[k] for k in ("action", "dry_run", "from_version", "to_version")} == {
        "action": "migrate", "dry_run": False, "from_version": 1, "to_version": 2,
    }  # fmt: skip
    assert (done.document["entries"], done.document["commit_seq"]) == (318, 1)
    assert "318 entries in 9 shards rule now" in cli("index", "migrate", engine=fake).out
    dry = cli("index", "migrate", "--dry-run", "--json", engine=fake)
    assert (dry.code, dry.document["dry_run"]) == (0, True)
    assert fake.index_care.calls[-1] == ("migrate", {"dry_run": True})


def test_an_index_that_is_there_already_ends_with_0() -> None:
    fake = engine(migrated=replace(MIGRATED, already=True, from_version=2))
    done = cli("index", "migrate", engine=fake)
    assert (done.code, "of version 2 already" in done.out) == (0, True)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (LockHeld("writers are in the middle of 1 model: t/id held by ada@vm"), 4),
        (UsageError("there is no index to migrate"), 2),
        (IndexCorrupt("the index cannot be migrated as it is"), 1),
    ],
)
@pytest.mark.parametrize("command", ["migrate", "repair"])
def test_refusals_have_their_codes(command: str, error: Exception, code: int) -> None:
    done = cli("index", command, "--json", engine=engine(error=error))
    assert (done.code, done.document["error"]["type"]) == (code, type(error).__name__)
    told = cli("index", command, engine=engine(error=error))
    assert (told.code, str(error) in told.err) == (code, True)


# --- repair -------------------------------------------------------------------------------


def test_a_repair_says_what_it_did_and_where_the_rest_is() -> None:
    done = cli("index", "repair", "--json", engine=engine())
    assert done.code == 0
    assert (done.document["action"], done.document["dry_run"]) == ("repair", False)
    assert done.document["done"][0] == {
        "what": "dropped-shard", "name": "logs", "reason": "meta did not name it",
    }  # fmt: skip
    told = cli("index", "repair", engine=engine())
    assert "2 things repaired" in told.out
    assert "kept below _control/s3dash/repairs/x/" in told.out


def test_a_dry_run_changes_nothing_and_says_so() -> None:
    fake = engine()
    done = cli("index", "repair", "--dry-run", engine=fake)
    assert (done.code, "nothing was changed" in done.out) == (0, True)
    assert fake.index_care.calls == [("repair", {"dry_run": True})]


def test_nothing_to_repair_is_fine_and_what_is_left_is_not() -> None:
    assert cli("index", "repair", engine=engine(repaired=Repaired(dry_run=False))).code == 0
    left = replace(REPAIRED, left=(Dropped(path="files/odd", reason="malformed"),))
    done = cli("index", "repair", "--json", engine=engine(repaired=left))
    assert (done.code, done.document["left"]) == (3, [{"path": "files/odd", "reason": "malformed"}])


def test_a_log_says_once_whom_a_migration_waits_for() -> None:
    stream = io.StringIO()
    model = "1 model lock: t/id held by ada@vm (pid 7) for {}"
    seen: list[tuple[State, str]] = [
        ("waiting for lock", model.format("4.0 s")),
        ("waiting for lock", model.format("5.0 s")),
        ("committing", "migrating the index"),
        ("waiting for lock", "held by bob@pc"),
        ("waiting for lock", "held by bob@pc"),
    ]
    with Diagnostics(stream).progress() as show:
        for state, detail in seen:
            show(Snapshot(datastore="team", namespace=None, state=state, detail=detail))
    assert stream.getvalue().splitlines() == [
        f"waiting for lock: {model.format('4.0 s')}",
        "waiting for lock: held by bob@pc",
    ]


# --- for real -----------------------------------------------------------------------------


def test_a_golden_datastore_through_all_three(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    store = weed.store(bucket, tmp_path / "look")
    fill(store, golden_bucket("gold-solo-v1"))
    desk = Desk(tmp_path / "ada", weed, bucket=bucket)
    assert desk("index", "verify", "--full", "--json").document["ok"] == 15
    dry = desk("index", "migrate", "--dry-run", "--json")
    assert (dry.code, dry.document["shards"]) == (0, 12)
    done = desk("index", "migrate", "--json")
    assert (done.code, done.document["commit_seq"]) == (0, 1)
    assert desk("index", "migrate", "--json").document["already"] is True
    store.delete("_index/_meta.json")
    store.delete("files/empty")
    found = desk("index", "verify", "--json")
    assert found.code == 3
    assert found.document["meta"]["problem"]
    assert [m["path"] for m in found.document["missing"]] == ["files/empty"]
    mended = desk("index", "repair", "--json")
    assert [step["what"] for step in mended.document["done"]] == ["meta"]
    fetched = store.get("_index/_meta.json")
    assert fetched is not None
    assert json.loads(fetched.body)["commitSeq"] == 2
    assert desk("status", "--json").document["index"]["entries"] == 15
    store.close()
