"""Joining from a repository of the peers: `.swamp.yaml`, and the variables beside it."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from s3dash.config.load import Loaded, load
from s3dash.core.settings import Datastore
from s3dash.errors import ConfigError

REPO = "0b6f5b2e-aaaa-4000-8000-000000000001"
FULL = f"""
repoId: {REPO}
swampVersion: 20260801
datastore:
  type: "@swamp/s3-datastore"
  config:
    bucket: team-datastore
    prefix: prod/
    region: eu-west-1
    endpoint: http://127.0.0.1:9000
    forcePathStyle: true
    pullConcurrency: 11
    pushConcurrency: 12
    requestTimeoutMs: 13000
  directories: [data, logs]
  exclude: ["*.tmp"]
  hydrationStrategy: lazy
  namespace: infra
"""


def read(
    tmp_path: Path, text: str, environ: Mapping[str, str] | None = None, *, below: str = ""
) -> Loaded:
    repo = tmp_path / "my-repo"
    (repo / below).mkdir(parents=True, exist_ok=True)
    (repo / ".swamp.yaml").write_text(text)
    own = {"HOME": str(tmp_path / "home"), "XDG_CONFIG_HOME": str(tmp_path / "config")}
    return load(
        config=None,
        datastore=None,
        namespace=None,
        environ={**own, **(environ or {})},
        cwd=repo / below,
        state_home=tmp_path / "state",
    )


def settings(tmp_path: Path, text: str, environ: Mapping[str, str] | None = None) -> Datastore:
    return read(tmp_path, text, environ).pick()


def refused(tmp_path: Path, text: str, environ: Mapping[str, str] | None = None) -> str:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, environ)
    return caught.value.message


def test_a_repository_needs_no_configuration_of_ours(tmp_path: Path) -> None:
    loaded = read(tmp_path, FULL)
    found = loaded.pick()
    assert (loaded.source, found.name, found.bucket) == (
        ".swamp.yaml",
        "my-repo",
        "team-datastore",
    )
    assert (found.prefix, found.region, found.namespace) == ("prod", "eu-west-1", "infra")
    assert (found.endpoint, found.force_path_style) == ("http://127.0.0.1:9000", True)
    assert (found.pull_concurrency, found.push_concurrency) == (11, 12)
    assert (found.request_timeout_ms, found.lock_timeout_ms) == (13_000, 60_000)
    assert (found.exclude, found.hydration) == (("*.tmp",), "lazy")
    assert found.cache == tmp_path / "home/.swamp/repos" / REPO
    assert loaded.credentials["my-repo"].items() == {}


def test_it_is_found_above_the_working_directory(tmp_path: Path) -> None:
    loaded = read(tmp_path, FULL, below="deep/er")
    assert loaded.source == str(tmp_path / "my-repo/.swamp.yaml")


def test_a_configuration_of_ours_goes_first(tmp_path: Path) -> None:
    (tmp_path / "my-repo").mkdir()
    (tmp_path / "my-repo/s3dash.toml").write_text("[datastores.own]\nbucket='own-bucket'\n")
    assert read(tmp_path, FULL).default == "own"


def test_the_old_type_has_its_fields_at_the_same_level(tmp_path: Path) -> None:
    text = f"repoId: {REPO}\ndatastore: {{type: s3, bucket: old-bucket, prefix: p, region: null}}"
    found = settings(tmp_path, text)
    assert (found.bucket, found.prefix, found.region) == ("old-bucket", "p", None)


def test_swamp_home_moves_the_cache(tmp_path: Path) -> None:
    found = settings(tmp_path, FULL, {"SWAMP_HOME": str(tmp_path / "sw")})
    assert found.cache == tmp_path / "sw/repos" / REPO


def test_the_variable_stands_for_the_whole_section(tmp_path: Path) -> None:
    variable = "@swamp/s3-datastore:" + json.dumps({"bucket": "other", "forcePathStyle": True})
    found = settings(tmp_path, FULL, {"SWAMP_DATASTORE": variable})
    assert (found.bucket, found.force_path_style) == ("other", True)
    assert (found.prefix, found.namespace, found.exclude) == ("", None, ())
    assert found.cache == tmp_path / "home/.swamp/repos" / REPO


def test_the_variable_helps_a_repository_without_a_section(tmp_path: Path) -> None:
    variable = 's3:{"bucket": "other"}'
    assert settings(tmp_path, f"repoId: {REPO}", {"SWAMP_DATASTORE": variable}).bucket == "other"


def test_the_variable_has_an_old_short_form(tmp_path: Path) -> None:
    found = settings(tmp_path, FULL, {"SWAMP_DATASTORE": "s3:some-bucket/a/b"})
    assert (found.bucket, found.prefix) == ("some-bucket", "a/b")


def test_the_timeouts_come_from_variables_unless_the_file_says_so(tmp_path: Path) -> None:
    environ = {"SWAMP_S3_REQUEST_TIMEOUT_MS": "5000", "SWAMP_LOCK_TIMEOUT_MS": "7000"}
    named = settings(tmp_path, FULL, environ)
    assert (named.request_timeout_ms, named.lock_timeout_ms) == (13_000, 7000)
    silent = FULL.replace("    requestTimeoutMs: 13000\n", "")
    assert settings(tmp_path, silent, environ).request_timeout_ms == 5000
    assert settings(tmp_path, silent).request_timeout_ms == 30_000


@pytest.mark.parametrize("value", [1000, 600_000])
def test_a_timeout_at_its_limit_is_taken(tmp_path: Path, value: int) -> None:
    found = settings(tmp_path, FULL, {"SWAMP_LOCK_TIMEOUT_MS": str(value)})
    assert found.lock_timeout_ms == value


@pytest.mark.parametrize("text", ["999", "600001", "abc", "-5", "1e4", "٣٠٠٠", "9" * 40])
def test_a_timeout_out_of_its_limits_is_refused(tmp_path: Path, text: str) -> None:
    for variable in ("SWAMP_S3_REQUEST_TIMEOUT_MS", "SWAMP_LOCK_TIMEOUT_MS"):
        message = refused(tmp_path, FULL, {variable: text})
        assert message == f"{variable}: must be from 1000 to 600000"


def test_every_problem_is_told_in_one_go(tmp_path: Path) -> None:
    text = """
        repoId: ../evil
        datastore:
          type: "@swamp/s3-datastore"
          config: {bucket: NO, pullConcurrency: 0, cache: /tmp, colour: red}
        """
    message = refused(tmp_path, text, {"SWAMP_LOCK_TIMEOUT_MS": "1"})
    head, *lines = message.splitlines()
    assert head == "6 problems in the configuration:"
    assert sorted(line.removeprefix(".swamp.yaml: ").partition(": must")[0] for line in lines) == [
        "SWAMP_LOCK_TIMEOUT_MS",
        "datastore: bucket",
        "datastore: cache: unknown key",
        "datastore: colour: unknown key",
        "datastore: pull_concurrency",
        "repoId: missing, or no plain name",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("datastore: {", ".swamp.yaml: line 1, column 13: this is no YAML"),
        ("- a\n- b\n", ".swamp.yaml: this is no mapping"),
        ("", ".swamp.yaml: this is no mapping"),
        (f"repoId: {REPO}", ".swamp.yaml: datastore: missing; this repository keeps its data"),
        (
            f"repoId: {REPO}\ndatastore: {{type: filesystem, path: /x}}",
            ".swamp.yaml: datastore.type: is not @swamp/s3-datastore",
        ),
        (
            f"repoId: {REPO}\ndatastore: {{type: s3}}",
            ".swamp.yaml: datastore: bucket: missing",
        ),
        (
            f"repoId: {REPO}\ndatastore: {{type: s3, bucket: abc, config: [1]}}",
            ".swamp.yaml: datastore: config: must be a mapping",
        ),
        (
            f"datastore: {{type: s3, bucket: abc}}\nrepo: {REPO}",
            ".swamp.yaml: repoId: missing, or no plain name",
        ),
    ],
)
def test_a_file_that_cannot_be_used_says_why(tmp_path: Path, text: str, message: str) -> None:
    assert refused(tmp_path, text).startswith(message)


def test_an_expression_is_told_not_taken_for_a_name(tmp_path: Path) -> None:
    message = refused(tmp_path, FULL.replace("prod/", "${{ env.P }}"))
    assert message == ".swamp.yaml: datastore: prefix: the variable P is not set"
    message = refused(tmp_path, FULL.replace("prod/", "${{ vault.get(a, b) }}"))
    assert message == (
        ".swamp.yaml: datastore: prefix: s3dash works out no expression but ${{ env.NAME }}"
    )


@pytest.mark.parametrize("variable", ["@swamp/s3-datastore:{bad", "@swamp/s3-datastore:"])
def test_a_variable_that_is_no_json_is_told_without_its_text(tmp_path: Path, variable: str) -> None:
    message = refused(tmp_path, FULL, {"SWAMP_DATASTORE": variable})
    assert message == "SWAMP_DATASTORE: what follows the type is no JSON"


def test_a_variable_of_another_type_is_refused(tmp_path: Path) -> None:
    message = refused(tmp_path, FULL, {"SWAMP_DATASTORE": "filesystem:/data"})
    assert message.startswith("SWAMP_DATASTORE: is not @swamp/s3-datastore")


@pytest.mark.parametrize("name", ["secretAccessKey", "accessKeyId", "sessionToken", "password"])
def test_a_secret_in_the_file_or_the_variable_is_refused_unseen(tmp_path: Path, name: str) -> None:
    in_file = refused(tmp_path, FULL.replace("bucket:", f"{name}: hush-hush\n    bucket:"))
    variable = "@swamp/s3-datastore:" + json.dumps({"bucket": "abc", name: "hush-hush"})
    in_variable = refused(tmp_path, FULL, {"SWAMP_DATASTORE": variable})
    for message in (in_file, in_variable):
        assert f"{name}: a secret must not be in this file" in message
        assert "hush" not in message


def test_broken_yaml_is_told_without_the_line_it_is_in(tmp_path: Path) -> None:
    message = refused(tmp_path, "datastore:\n  secret: hush-hush: x: [\n")
    assert message.startswith(".swamp.yaml: line 2")
    assert "hush" not in message


# --- what is synced, how long, and how much of it -----------------------------------------


def test_directories_timeout_and_hydration_are_the_repositorys(tmp_path: Path) -> None:
    found = settings(tmp_path, FULL + "  syncTimeoutMs: 45000\n")
    assert (found.directories, found.sync_timeout_ms) == (("data", "logs"), 45_000)
    assert found.repo_id == REPO
    plain = settings(tmp_path, f"repoId: {REPO}\ndatastore: {{type: s3, bucket: old-bucket}}")
    assert (plain.directories, plain.sync_timeout_ms, plain.hydration) == ((), 0, "full")
    assert settings(tmp_path, FULL.replace("lazy", "full")).hydration == "full"


def test_the_old_type_and_the_variable_know_them_too(tmp_path: Path) -> None:
    old = f"""
repoId: {REPO}
datastore: {{type: s3, bucket: abc, directories: [data/, /outputs], hydrationStrategy: lazy,
  syncTimeoutMs: 5000, namespace: web}}
"""
    found = settings(tmp_path, old)
    assert (found.directories, found.hydration) == (("data", "outputs"), "lazy")
    assert (found.sync_timeout_ms, found.namespace) == (5000, "web")
    config = {"bucket": "other", "hydrationStrategy": "lazy", "directories": ["audit"]}
    environ = {"SWAMP_DATASTORE": "@swamp/s3-datastore:" + json.dumps(config)}
    named = settings(tmp_path, old, environ)
    assert (named.directories, named.hydration, named.sync_timeout_ms) == (("audit",), "lazy", 0)


def test_the_sync_timeout_has_a_variable_that_the_file_outdoes(tmp_path: Path) -> None:
    environ = {"SWAMP_DATASTORE_SYNC_TIMEOUT_MS": "1234"}
    assert settings(tmp_path, FULL, environ).sync_timeout_ms == 1234
    both = settings(tmp_path, FULL + "  syncTimeoutMs: 45000\n", environ)
    assert both.sync_timeout_ms == 45_000
    for text in ("0", "-1", "x", "86400001"):
        message = refused(tmp_path, FULL, {"SWAMP_DATASTORE_SYNC_TIMEOUT_MS": text})
        assert message == "SWAMP_DATASTORE_SYNC_TIMEOUT_MS: must be from 1 to 86400000"


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("  directories: data", "directories: must be a valid list"),
        ("  directories: [a/b]", "directories: entry 1 must be a first-level directory"),
        ("  directories: [data, ..]", "directories: entry 2 can be no directory"),
        ("  directories: ['']", "directories: entry 1 can be no directory: empty path"),
        ("  hydrationStrategy: eager", "hydration: must be 'full' or 'lazy'"),
        ("  syncTimeoutMs: -1", "sync_timeout_ms: must be from 0 to 86400000"),
        ("  syncTimeoutMs: soon", "sync_timeout_ms: must be a valid integer"),
    ],
)
def test_values_that_cannot_be_are_told(tmp_path: Path, line: str, message: str) -> None:
    name = line.split(":")[0]
    kept = "".join(f"{row}\n" for row in FULL.splitlines() if not row.startswith(f"{name}:"))
    assert refused(tmp_path, f"{kept}{line}\n").startswith(f".swamp.yaml: datastore: {message}")


def test_expressions_of_the_environment_are_worked_out_as_the_peers_do(tmp_path: Path) -> None:
    text = FULL.replace("bucket: team-datastore", "bucket: ${{ env.TEAM }}-${{env.STAGE}}")
    text = text.replace("[data, logs]", "[data, '${{ env.STAGE }}']")
    found = settings(tmp_path, text, {"TEAM": "team", "STAGE": "prod"})
    assert (found.bucket, found.directories) == ("team-prod", ("data", "prod"))
    assert refused(tmp_path, text, {"TEAM": "team", "STAGE": ""}).splitlines()[1:] == [
        ".swamp.yaml: datastore: directories: the variable STAGE is not set",
        ".swamp.yaml: datastore: bucket: the variable STAGE is not set",
        ".swamp.yaml: datastore: bucket: must be 3 to 63 characters of a-z, 0-9, '.' and '-', "
        "the first and the last a letter or a digit",
    ]


def test_it_is_told_where_each_value_comes_from(tmp_path: Path) -> None:
    environ = {"SWAMP_HOME": str(tmp_path / "sw"), "SWAMP_LOCK_TIMEOUT_MS": "7000"}
    loaded = read(tmp_path, FULL, environ)
    origins = loaded.origins["my-repo"]
    assert origins["bucket"] == origins["directories"] == ".swamp.yaml: datastore"
    assert origins["lock_timeout_ms"] == "SWAMP_LOCK_TIMEOUT_MS"
    assert origins["cache"] == "SWAMP_HOME and .swamp.yaml: repoId"
    assert origins["repo_id"] == ".swamp.yaml: repoId"
    assert "conflict" not in origins, "as it is by itself"
    variable = {"SWAMP_DATASTORE": 's3:{"bucket": "other"}'}
    origins = read(tmp_path, FULL, variable).origins["my-repo"]
    assert (origins["bucket"], "prefix" in origins) == ("SWAMP_DATASTORE", False)
