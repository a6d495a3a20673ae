"""Catalogs and fetch by the command line, with everything real, on SeaweedFS."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

from tests.cli.test_real import Desk
from tests.engine.world import golden_bucket
from tests.servers import Server


def test_two_namespaces_tell_each_other_what_they_hold(weed: Server, tmp_path: Path) -> None:
    bucket = weed.make_bucket()
    fields = {"bucket": bucket, "prefix": "team"}
    bob = Desk(tmp_path / "bob", weed, namespace="web", **fields)
    ada = Desk(tmp_path / "ada", weed, namespace="infra", **fields)
    bob.write("web/files/ünï [/x].txt", "what bob wrote\n")
    bob.write("web/logs/app.log", "log\n")
    assert bob("push", "--json").code == 0
    exported = bob("namespaces", "catalog", "--json").document
    assert (exported["entries"], exported["written"]) == (2, False)
    client = weed.client()
    key = "team/web/.catalog-export.json"
    body = client.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert hashlib.sha256(body).hexdigest() == exported["sha256"]
    client.put_object(Bucket=bucket, Key="team/web/.namespace.json", Body=b'{"repoId":"r"}')

    found = ada("namespaces", "catalog", "web", "--json").document
    assert (found["source"], len(found["entries"])) == ("catalog", 2)
    everything = ada("namespaces", "catalog", "--all", "--json").document
    assert [c["namespace"] for c in everything["catalogs"]] == ["web"]
    (match,) = ada("namespaces", "search", "ÜNÏ", "--json").document["matches"]
    assert (match["namespace"], match["here"]) == ("web", False)

    done = ada("fetch", "web", match["path"], "--to", "mine.txt", "--json")
    assert (done.code, done.document["verified"]) == (0, True)
    assert (ada.home / "mine.txt").read_text() == "what bob wrote\n"
    assert done.document["sha256"] == hashlib.sha256(b"what bob wrote\n").hexdigest()
    (ada.home / "mine.txt").write_text("mine\n")
    refused = ada("fetch", "web", match["path"], "--to", "mine.txt", "--json")
    assert (refused.code, refused.document["error"]["type"]) == (2, "TargetTaken")
    assert (ada.home / "mine.txt").read_text() == "mine\n"
    missing = ada("fetch", "web", "app.log")
    assert (missing.code, "there is logs/app.log" in missing.err) == (1, True)
    inside = ada("fetch", "web", "logs/app.log", "--to", "cache/infra")
    assert inside.code == 2
    assert not list(ada.cache.rglob("app.log"))
    unknown = ada("namespaces", "catalog", "wbe", "--json")
    assert (unknown.code, unknown.document["error"]["hint"]) == (1, "there is web")


def test_standard_output_of_a_real_process_gets_the_bytes(weed: Server, tmp_path: Path) -> None:
    bob = Desk(tmp_path / "bob", weed, bucket=weed.make_bucket(), namespace="web")
    bob.write("web/data/m/i/1/raw", "")
    (bob.cache / "web/data/m/i/1/raw").write_bytes(bytes(range(256)))
    assert bob("push").code == 0
    done = subprocess.run(
        [sys.executable, "-m", "s3dash", "fetch", "web", "data/m/i/1/raw", "--to", "-"],
        cwd=bob.home,
        env=bob.environ,
        capture_output=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, bytes(range(256)), b"")
    assert list(bob.home.glob("raw")) == []


def test_a_golden_bucket_is_read_fetched_from_and_exported_over(
    weed: Server, tmp_path: Path
) -> None:
    """v1 and v2 as a real client left them; its own catalog gives way to one of all files."""
    bucket = weed.make_bucket()
    client = weed.client()
    for key, value in golden_bucket("gold-ns").items():
        client.put_object(Bucket=bucket, Key=key, Body=value)
    ada = Desk(tmp_path / "ada", weed, bucket=bucket, prefix="team", namespace="infra")
    for name in ("infra", "web"):
        found = ada("namespaces", "catalog", name, "--json").document
        assert (found["source"], [e["path"] for e in found["entries"]]) == (
            "catalog",
            ["data/short/model-a/file.json"],
        )
        odd = "files/pictures/ünïcode name.txt"  # in the index, not in the catalog
        done = ada("fetch", name, odd, "--to", f"{name}.txt", "--json").document
        body = golden_bucket("gold-ns")[f"team/{name}/{odd}"]
        assert (done["verified"], (ada.home / f"{name}.txt").read_bytes()) == (True, body)
    empty = ada("fetch", "web", "files/empty", "--json").document
    assert (empty["size"], empty["verified"], (ada.home / "empty").read_bytes()) == (0, True, b"")
    assert ada("pull").code == 0
    ada.write("infra/logs/new.log", "new\n")
    assert ada("push").code == 0
    after = ada("namespaces", "catalog", "infra", "--json").document
    assert len(after["entries"]) == 16
    assert all(entry["here"] for entry in after["entries"])
    exported = client.get_object(Bucket=bucket, Key="team/infra/.catalog-export.json")
    assert exported["ContentType"] == "application/json"
    sidecar = json.loads((ada.cache / ".datastore-sync-state.json").read_text())
    assert sidecar["lastCatalogHash"] == hashlib.sha256(exported["Body"].read()).hexdigest()
