"""Several namespaces of a real bucket from the command line, a golden one among them."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.real import plain_run
from tests.cli.test_real import Desk
from tests.engine.world import golden_bucket
from tests.servers import Server


def filled(weed: Server) -> str:
    """A fresh bucket with what a real client left: `infra` on version 1, `web` on version 2."""
    bucket = weed.make_bucket()
    put = weed.client().put_object
    for key, body in golden_bucket("gold-ns").items():
        put(Bucket=bucket, Key=key, Body=body)
    return bucket


def everything(weed: Server, bucket: str) -> dict[str, bytes]:
    client = weed.client()
    pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket)
    keys = [found["Key"] for page in pages for found in page.get("Contents", ())]
    return {key: client.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


def rows(document: Any) -> dict[str, Any]:
    return {row["namespace"]: row for row in document["namespaces"]}


def test_namespaces_pulled_pushed_and_looked_at_together(weed: Server, tmp_path: Path) -> None:
    bucket = filled(weed)
    desk = Desk(tmp_path / "desk", weed, bucket=bucket, prefix="team", namespace="infra")
    before = everything(weed, bucket)
    assert desk("namespaces", "--json").document == {
        "namespaces": ["infra", "web"],
        "current": "infra",
    }
    infra, web = desk("namespaces", "-l", "--json").document["details"]
    assert (infra["index_version"], web["index_version"]) == (1, 2)
    looked = desk("namespaces", "status", "--json")
    assert looked.code == 0
    assert [row["here"] for row in looked.document["namespaces"]] == [True, False]
    assert len(rows(looked.document)["infra"]["remote"]["changed"]) == 15

    pulled = desk("namespaces", "pull", "infra", "web", "--json")
    assert (pulled.code, pulled.err) == (0, "")
    assert [row["pulled"] for row in pulled.document["results"]] == [15, 15]
    assert everything(weed, bucket) == before
    assert desk("pull", "--namespace", "infra,web", "--json").document["results"][1]["pulled"] == 0
    here, nowhere = desk("namespaces", "pull", "infra", "infar", "--json").document["results"]
    assert ("unknown" in here, nowhere["unknown"]) == (False, ["infar"])
    assert "infar: there is nothing of that name" in desk("namespaces", "pull", "infar").out

    for name in ("infra", "web"):
        desk.write(f"{name}/files/mine.txt", f"mine, in {name}\n")
    found = rows(desk("status", "--all-namespaces", "--json").document)
    for row in found.values():
        assert [c["path"] for c in row["local"]["dirty"]] == ["files/mine.txt"]
        assert row["remote"]["changed"] == []
    pushed = desk("push", "--namespace", "infra", "--namespace", "web", "--json").document
    assert [row["pushed"] for row in pushed["results"]] == [1, 1]
    after = everything(weed, bucket)
    for name in ("infra", "web"):
        assert after[f"team/{name}/files/mine.txt"] == f"mine, in {name}\n".encode()
        own = {k: v for k, v in before.items() if "/data/" in k or "/files/" in k}
        assert own.items() <= after.items()
    assert not [key for key in after if key.endswith(".lock")]
    clean = rows(desk("namespaces", "status", "--json").document)
    assert [row["local"]["dirty"] for row in clean.values()] == [[], []]
    assert "in sync" in desk("namespaces", "status").out


def test_register_from_the_command_line(weed: Server, tmp_path: Path) -> None:
    bucket = filled(weed)
    desk = Desk(tmp_path / "desk", weed, bucket=bucket, prefix="team", repo_id="repo-mine")
    refused = desk("namespaces", "register", "infra", "--json")
    assert (refused.code, refused.document["error"]["type"]) == (1, "NamespaceTaken")
    assert "aaaaaaaa-0000-4000-8000-000000000001" in refused.document["error"]["message"]
    done = desk("namespaces", "register", "mine", "--json")
    assert (done.code, done.document["created"], done.document["repo_id"]) == (0, True, "repo-mine")
    again = desk("namespaces", "register", "mine", "--repo-id", "repo-mine", "--json")
    assert (again.code, again.document["created"]) == (0, False)
    other = desk("namespaces", "register", "mine", "--repo-id", "another", "--json")
    assert (other.code, "repo-mine" in other.document["error"]["message"]) == (1, True)
    assert desk("--readonly", "namespaces", "register", "new", "--json").code == 2
    written = json.loads(everything(weed, bucket)["team/mine/.namespace.json"])
    assert written["repoId"] == "repo-mine"
    assert desk("namespaces", "--json").document["namespaces"] == ["infra", "mine", "web"]
    unnamed = Desk(tmp_path / "unnamed", weed, bucket=bucket, prefix="team")
    missing = unnamed("namespaces", "register", "new", "--json")
    assert missing.code == 2
    assert "--repo-id" in missing.document["error"]["hint"]


def test_a_joined_repository_registers_with_its_own_id(
    weed: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its credentials are those of the environment: the file names none."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", weed.access_key)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", weed.secret_key)
    bucket = weed.make_bucket()
    repo = tmp_path / "repo"
    repo.mkdir()
    config = {"bucket": bucket, "endpoint": weed.endpoint, "region": "us-east-1"}
    section = {
        "type": "@swamp/s3-datastore",
        "config": {**config, "forcePathStyle": True},
        "namespace": "infra",
    }
    document = {"repoId": "0f3c-mine", "datastore": section}
    (repo / ".swamp.yaml").write_text(json.dumps(document))

    def run(*arguments: str) -> Any:
        return plain_run(*arguments, "--json", cwd=repo)

    done = run("status")
    assert done.code == 0, done.out
    found = done.document
    assert (found["namespace"], found["registered"]) == ("infra", False)
    assert run("namespaces", "register").document["repo_id"] == "0f3c-mine"
    assert run("status").document["registered"] is True


def test_a_namespace_that_is_registered_and_empty_is_known(weed: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", weed, bucket=weed.make_bucket())
    assert desk("namespaces", "register", "new", "--repo-id", "1").code == 0
    assert "unknown" not in desk("namespaces", "pull", "new", "--json").document


def test_one_held_lock_does_not_keep_the_others_waiting(weed: Server, tmp_path: Path) -> None:
    bucket = filled(weed)
    desk = Desk(
        tmp_path / "desk", weed, bucket=bucket, prefix="team", namespace="infra",
        lock_timeout_ms=1000,
    )  # fmt: skip
    desk("namespaces", "pull", "infra", "web")
    body = {"holder": "ada@vm", "hostname": "vm", "pid": 7, "ttlMs": 60000, "nonce": "hers"}
    lock = json.dumps(body).encode()
    weed.client().put_object(Bucket=bucket, Key="team/.locks/infra.lock", Body=lock)
    for name in ("infra", "web"):
        desk.write(f"{name}/files/mine.txt", "mine")
    done = desk("namespaces", "push", "infra", "web", "--json")
    infra, web = done.document["results"]
    assert (done.code, infra["error"]["type"], web["pushed"]) == (4, "LockHeld", 1)
    found = rows(desk("namespaces", "status", "--json").document)
    assert [one["holder"] for one in found["infra"]["locks"]] == ["ada@vm"]
    assert found["web"]["locks"] == []
