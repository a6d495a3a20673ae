"""In a repository of the peers nothing has to be configured: commands and screen join it."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fakes import Done
from tests.cli.real import plain_run
from tests.e2e.terminal import Terminal
from tests.engine.world import contents, fill, golden_bucket
from tests.servers import Server

REPO = "0b6f5b2e-aaaa-4000-8000-000000000001"
RAW = "data/@acme/server/7b0e3a52-0c1e-4f0a-9a4e-1f2d3c4b5a69/config/1/raw"

REPOSITORY = """
swampVersion: 20260801
repoId: {repo}
datastore:
  type: "@swamp/s3-datastore"
  config:
    bucket: {bucket}
    prefix: team
    region: us-east-1
    endpoint: {endpoint}
    forcePathStyle: true
  directories: [data, logs, audit]
  exclude: ["*.tmp"]
  hydrationStrategy: lazy
  syncTimeoutMs: 120000
  namespace: infra
"""


class Repository:
    """A checkout with a `.swamp.yaml`, on a golden bucket; nothing of s3dash is in it."""

    def __init__(self, home: Path, server: Server) -> None:
        self.bucket = server.make_bucket()
        self.server = server
        self.home = home
        with closing(self.store()) as store:
            fill(store, golden_bucket("gold-ns"))
        self.root = home / "my-repo"
        (self.root / "models/deep").mkdir(parents=True)
        text = REPOSITORY.format(repo=REPO, bucket=self.bucket, endpoint=server.endpoint)
        (self.root / ".swamp.yaml").write_text(text)
        self.cwd = self.root / "models/deep"
        self.cache = home / "swamp-home/repos" / REPO
        self.environ = {
            "HOME": str(home),
            "XDG_STATE_HOME": str(home / "state"),
            "SWAMP_HOME": str(home / "swamp-home"),
            "AWS_ACCESS_KEY_ID": server.access_key,
            "AWS_SECRET_ACCESS_KEY": server.secret_key,
        }

    def store(self) -> Any:
        return self.server.store(self.bucket, self.home)

    def __call__(self, *arguments: str, **environ: str) -> Done:
        return plain_run(*arguments, environ={**self.environ, **environ}, cwd=self.cwd)

    def document(self, *arguments: str) -> Any:
        done = self(*arguments, "--json")
        assert done.code == 0, done.out + done.err
        return json.loads(done.out)


@pytest.fixture
def repository(tmp_path: Path, weed: Server, monkeypatch: pytest.MonkeyPatch) -> Repository:
    found = Repository(tmp_path, weed)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, found.environ[name])  # boto3's own chain reads the real ones
    return found


def in_bucket(repository: Repository) -> dict[str, bytes]:
    with closing(repository.store()) as store:
        return contents(store, "team/infra/")


def test_the_commands_join_it(repository: Repository) -> None:
    """Status, pull, hydrate, push: in its bucket, namespace and cache, within its limits."""
    before = in_bucket(repository)
    status = repository.document("status")
    place = {name: status[name] for name in ("datastore", "bucket", "prefix", "namespace")}
    assert place == {
        "datastore": "my-repo", "bucket": repository.bucket, "prefix": "team",
        "namespace": "infra",
    }  # fmt: skip
    assert {row["path"].split("/")[0] for row in status["remote"]["changed"]} <= {
        "data", "logs", "audit",
    }  # fmt: skip
    pulled = repository.document("pull")
    here = {p.relative_to(repository.cache / "infra").as_posix() for p in files(repository)}
    assert pulled["pulled"] == len(here) > 0
    assert not any(rel.endswith("/raw") for rel in here)
    raws = [k.removeprefix("team/infra/") for k in before if k.endswith("/raw") and "/data/" in k]
    assert repository.document("hydrate", "data")["pulled"] == len(raws) > 0
    edited = repository.cache / "infra/logs/app.log"
    edited.write_text("edited in the repository\n")
    (repository.cache / "infra/files").mkdir(exist_ok=True)
    (repository.cache / "infra/files/mine").write_text("stays here\n")
    (repository.cache / "infra/logs/x.tmp").write_text("stays here\n")
    pushed = repository.document("push")
    assert (pushed["pushed"], pushed["deleted_remote"]) == (1, 0)
    after = in_bucket(repository)
    assert after["team/infra/logs/app.log"] == b"edited in the repository\n"
    assert {k for k in before if "/_index/" not in k} <= set(after)
    assert not any(k.endswith(("files/mine", "x.tmp")) for k in after)


def files(repository: Repository) -> Iterator[Path]:
    for path in (repository.cache / "infra").rglob("*"):
        if path.is_file() and path.name != ".namespace.json":
            yield path


def test_config_show_says_what_is_in_force_and_whence(repository: Repository) -> None:
    found = repository.document("config", "show")
    mine, origins = found["datastores"]["my-repo"], found["origins"]["my-repo"]
    assert (mine["cache"], mine["repo_id"]) == (str(repository.cache), REPO)
    assert mine["directories"] == ["data", "logs", "audit"]
    assert (mine["hydration"], mine["sync_timeout_ms"]) == ("lazy", 120_000)
    assert origins["sync_timeout_ms"].endswith(".swamp.yaml: datastore")
    assert origins["cache"].startswith("SWAMP_HOME and ")
    shown = repository("config", "show", SWAMP_LOCK_TIMEOUT_MS="9000").out
    (row,) = (line for line in shown.splitlines() if "lock_timeout_ms" in line)
    assert row.split() == ["lock_timeout_ms", "9000", "SWAMP_LOCK_TIMEOUT_MS"]


def test_the_variable_takes_it_elsewhere(repository: Repository) -> None:
    config = {"bucket": repository.bucket, "endpoint": repository.server.endpoint,
              "forcePathStyle": True, "prefix": "elsewhere"}  # fmt: skip
    variable = f"@swamp/s3-datastore:{json.dumps(config)}"
    done = repository("status", "--json", SWAMP_DATASTORE=variable)
    assert (done.code, done.document["prefix"], done.document["namespace"]) == (
        0,
        "elsewhere",
        None,
    )


def test_the_screen_opens_in_it(repository: Repository) -> None:
    repository.document("pull")
    terminal = Terminal(cwd=repository.cwd, environ=repository.environ)
    try:
        terminal.wait_for("my-repo", "ns:infra", "online", f"{repository.bucket}/team")
        terminal.wait_for("hydrated", "left in the bucket: H")
        terminal.press("H")
        terminal.wait_for("hydrate · my-repo", "to bring")
        terminal.press("\r")
        terminal.wait_for("run hydrate", "download")
        terminal.pause(0.4)
        terminal.press("\r")
        terminal.wait_for("2 pulled", "100%")
        assert (repository.cache / "infra" / RAW).is_file()
        terminal.press("q")
        assert terminal.end() == 0
    finally:
        terminal.close()
