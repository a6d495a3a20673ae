"""`--model TYPE/ID`: what is asked of the engine, what is refused, and a real bucket."""

import json
from pathlib import Path

import pytest

from tests.cli.fakes import FakeEngine, cli
from tests.cli.test_real import Desk
from tests.servers import Server


@pytest.mark.parametrize("command", ["push", "pull", "sync"])
def test_models_are_passed_on_beside_paths(command: str) -> None:
    engine = FakeEngine()
    done = cli(command, "--model", "a/b/c/", "--model=t/id", "files", engine=engine)
    assert done.code == 0
    ((_, options),) = engine.calls
    assert (options["models"], options["selection"]) == (("a/b/c", "t/id"), ("files",))


@pytest.mark.parametrize("name", ["server", "../x/y", "", "a//b"])
def test_what_names_no_model_is_a_usage_error_before_anything_is_asked(name: str) -> None:
    engine = FakeEngine()
    done = cli("push", "--model", name, "--json", engine=engine)
    assert done.code == 2
    error = done.document["error"]
    assert (error["type"], error["hint"]) == ("UsageError", "a model is TYPE/ID")
    assert engine.calls == []


def test_one_model_of_a_real_bucket_goes_and_comes_alone(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    ada, ben = (Desk(tmp_path / name, weed, bucket=bucket) for name in ("ada", "ben"))
    for model in ("one", "two"):
        ada.write(f"data/acme/vm/{model}/config/1/raw", model)
        ada.write(f"outputs/acme/vm/{model}/run.yaml", model)
    dry = ada("push", "--model", "acme/vm/one", "--dry-run", "--json").document
    assert {row["path"] for row in dry["plan"]} == {
        "data/acme/vm/one/config/1/raw",
        "outputs/acme/vm/one/run.yaml",
    }
    done = ada("push", "--model", "acme/vm/one", "--json")
    assert (done.code, done.document.get("pushed")) == (0, 2), done.document
    assert {c["path"] for c in ada("status", "--json").document["local"]["dirty"]} == {
        "data/acme/vm/two/config/1/raw",
        "outputs/acme/vm/two/run.yaml",
    }
    assert ada("push", "--json").document["pushed"] == 2
    assert ben("pull", "--model", "acme/vm/two", "--json").document["pulled"] == 2
    assert not (ben.cache / "data/acme/vm/one").exists()
    assert ada("locks", "--json").document["locks"] == [], "nothing stays locked"


def test_a_model_that_somebody_writes_is_left_alone(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    desk = Desk(tmp_path / "desk", weed, bucket=bucket, lock_timeout_ms=1000)
    body = {"holder": "bob@pc", "hostname": "pc", "pid": 9, "ttlMs": 300000, "nonce": "bobs"}
    key = "data/t/id/.lock"
    weed.client().put_object(Bucket=bucket, Key=key, Body=json.dumps(body).encode())
    desk.write("data/t/id/x/1/raw", "mine")
    done = desk("push", "--model", "t/id", "--json")
    assert (done.code, done.document["error"]["type"]) == (4, "LockHeld")
    assert "bob@pc" in done.document["error"]["message"]
    (lock,) = desk("locks", "--json").document["locks"]
    assert (lock["scope"], lock["model"], lock["nonce"]) == ("model", "t/id", "bobs")
