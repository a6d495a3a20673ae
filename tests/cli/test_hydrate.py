"""`hydrate`, and `--lazy` and `--full`: what they ask for, what they refuse, and how it ends."""

import json
from pathlib import Path

import pytest

from s3dash.core.hydration import Hydrated
from s3dash.core.report import LocalInfo, Result
from s3dash.core.settings import Datastore
from s3dash.errors import UsageError
from tests.cli.fakes import SETTINGS, STATUS, FakeEngine, cli
from tests.cli.test_real import Desk
from tests.servers import Server

RAW, META = "data/t/id/name/1/raw", "data/t/id/name/1/metadata.yaml"


def test_hydrate_brings_what_is_named_and_reports_like_a_pull() -> None:
    engine = FakeEngine(result=Result(action="hydrate", pulled=2, bytes_down=2048))
    done = cli("hydrate", "data/t/", "./data/u", "--json", engine=engine)
    assert (done.code, done.document["action"], done.document["pulled"]) == (0, "hydrate", 2)
    told = {"selection": ("data/t", "data/u"), "dry_run": False}
    assert engine.calls == [("hydrate", told)]
    assert cli("hydrate", "data", engine=engine).out.splitlines()[0] == (
        "hydrate: 2 pulled, 0 unchanged"
    )


def test_everything_is_hydrated_by_a_dot() -> None:
    engine = FakeEngine(result=Result(action="hydrate", plan=[]))
    done = cli("hydrate", ".", "--dry-run", engine=engine)
    assert engine.calls == [("hydrate", {"selection": (), "dry_run": True})]
    assert done.out == "hydrate: nothing to do; a dry run, nothing was changed\n"


def test_hydrate_refuses_what_is_not_there_and_what_is_outside() -> None:
    nowhere = UsageError("data/x is neither in the index nor here", hint="look")
    done = cli("hydrate", "data/x", "--json", engine=FakeEngine(error=nowhere))
    assert done.code == 2
    assert done.document == {
        "error": {"type": "UsageError", "message": nowhere.message, "hint": "look"}
    }
    assert cli("hydrate", "../x").code == 2
    assert cli("hydrate").code == 2


@pytest.mark.parametrize(
    ("arguments", "kept", "asked"),
    [
        (["pull"], "full", "full"),
        (["pull"], "lazy", None),
        (["pull", "--lazy"], "full", "lazy"),
        (["pull", "--full"], "lazy", "full"),
        (["sync"], "full", None),
        (["sync", "--lazy"], "full", "lazy"),
        (["sync", "--full"], "lazy", "full"),
        (["push"], "full", None),
        (["push", "--lazy"], "full", "lazy"),
    ],
)
def test_what_is_brought(arguments: list[str], kept: str, asked: str | None) -> None:
    """A plain pull brings what the configuration wants here; all else leaves it as it is."""
    fields = {name: getattr(SETTINGS, name) for name in SETTINGS.__struct_fields__}
    engine = FakeEngine(settings=Datastore(**{**fields, "hydration": kept}))
    cli(*arguments, engine=engine)
    assert engine.calls[0][1]["hydration"] == asked


def test_both_at_once_are_refused() -> None:
    engine = FakeEngine()
    done = cli("pull", "--lazy", "--full", engine=engine)
    assert (done.code, engine.calls) == (2, [])


def test_the_status_says_how_much_is_here() -> None:
    def told(hydrated: Hydrated) -> str:
        local = LocalInfo(12, [], bulk_dirty=False, lazy=True, hydrated=hydrated)
        fields = {f: getattr(STATUS, f) for f in STATUS.__struct_fields__}
        engine = FakeEngine(answer=type(STATUS)(**{**fields, "local": local}))
        document = cli("status", "--json", engine=engine).document["local"]
        assert document["hydrated"] == {
            "files": hydrated.files, "of": hydrated.of,
            "bytes": hydrated.bytes, "of_bytes": hydrated.of_bytes,
        }  # fmt: skip
        return next(row for row in cli("status", engine=engine).out.splitlines() if "here" in row)

    assert told(Hydrated(12, 20, 1024, 4096)).endswith(
        "lazy: 25 % is here, 8 files, 3.00 KiB, left in the bucket: `s3dash hydrate PATH` brings it"
    )
    assert told(Hydrated(12, 12, 4096, 4096)).endswith("lazy, and all of it is here")


def test_on_a_real_bucket(weed: Server, tmp_path: Path) -> None:
    """Pulled without the content, hydrated by path, then whole: all by the command line."""
    bucket = weed.make_bucket()
    ada, ben = (Desk(tmp_path / name, weed, bucket=bucket) for name in ("ada", "ben"))
    ada.write(RAW, "raw content\n")
    ada.write(META, "name: name\n")
    ada.write("data/t/id/other/1/raw", "another\n")
    assert ada("push", "--json").document["pushed"] == 3
    assert ben("pull", "--lazy", "--json").document["pulled"] == 1
    sidecar = ben.cache / ".datastore-sync-state.json"
    assert json.loads(sidecar.read_text())["lazyPullActive"] is True
    local = ben("status", "--json").document["local"]
    assert (local["lazy"], local["dirty"]) == (True, [])
    assert local["hydrated"] == {"files": 1, "of": 3, "bytes": 11, "of_bytes": 31}
    assert ben("push", "--json").document["deleted_remote"] == 0
    nowhere = ben("hydrate", "data/nowhere", "--json")
    assert (nowhere.code, nowhere.document["error"]["type"]) == (2, "UsageError")
    done = ben("hydrate", RAW, "--json").document
    assert (done["action"], done["pulled"], done["bytes_down"]) == ("hydrate", 1, 12)
    assert (ben.cache / RAW).read_text() == "raw content\n"
    assert ben("hydrate", RAW, "--json").document["pulled"] == 0
    assert ben("pull", "--json").document["pulled"] == 1
    assert json.loads(sidecar.read_text())["lazyPullActive"] is False
    assert ben("status", "--json").document["local"]["lazy"] is False
