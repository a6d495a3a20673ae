"""Options before and after the command, usage errors, help and version."""

import pytest

from s3dash.cli.options import hoist, wants
from s3dash.errors import UsageError
from tests.cli.fakes import FakeServices, cli


def test_global_options_are_moved_before_the_command_with_their_values() -> None:
    given = ["push", "--json", "a", "--namespace", "web", "--config=x.toml", "--dry-run", "-v"]
    assert hoist(given) == [
        "--json", "--namespace", "web", "--config=x.toml", "-v", "push", "a", "--dry-run",
    ]  # fmt: skip


def test_what_follows_two_dashes_is_a_path() -> None:
    assert hoist(["push", "--", "--json"]) == ["push", "--", "--json"]
    assert not wants(["push", "--", "--json"], "--json")


def test_a_global_option_without_its_value_is_refused() -> None:
    with pytest.raises(UsageError, match="--datastore needs a value"):
        hoist(["status", "--datastore"])


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "--datastore", "d", "--namespace", "web", "--config", "c.toml", "status"],
        ["status", "--json", "--datastore", "d", "--namespace", "web", "--config", "c.toml"],
        ["--datastore=d", "status", "--config=c.toml", "--namespace=web", "--json"],
    ],
)
def test_both_positions_mean_the_same(arguments: list[str]) -> None:
    services = FakeServices()
    done = cli(*arguments, services=services)
    assert done.code == 0
    assert done.document["datastore"] == "team"
    (seen,) = services.seen
    assert (seen.datastore, seen.namespace, str(seen.config)) == ("d", "web", "c.toml")
    assert seen.as_json


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["push", "--bogus"], "--bogus"),
        (["frobnicate"], "frobnicate"),
        (["config"], "command"),
        (["locks", "release"], "KEY"),
        (["locks", "release", "k"], "--nonce"),
        (["push", "--max-delete", "-1"], "--max-delete"),
        (["push", "--max-delete", "many"], "--max-delete"),
        (["sync", "--conflict", "maybe"], "--conflict"),
        (["history", "--limit", "0"], "--limit"),
        (["status", "--config"], "--config"),
        (["status", "--namespace"], "--namespace"),
    ],
)
def test_misuse_is_exit_2_with_the_reason(arguments: list[str], says: str) -> None:
    as_json = cli("--json", *arguments)
    assert as_json.code == 2
    assert as_json.document["error"]["type"] == "UsageError"
    assert says in as_json.document["error"]["message"]
    assert as_json.err == ""
    human = cli(*arguments)
    assert human.code == 2
    assert human.out == ""
    assert says in human.err


def test_the_help_names_every_command() -> None:
    done = cli("--help")
    assert done.code == 0
    for name in (
        "status", "diff", "push", "pull", "sync", "conflicts", "trash", "locks", "namespaces",
        "history", "doctor", "config", "demo",
    ):  # fmt: skip
        assert f"\n  {name} " in done.out


def test_the_help_of_a_command_is_a_document_with_json() -> None:
    done = cli("push", "--help", "--json")
    assert done.code == 0
    assert "--dry-run" in done.document["help"]


def test_the_version_is_told_in_both_forms() -> None:
    assert cli("--version").out.startswith("s3dash ")
    assert (
        cli("--version").out.split()[1] == cli("status", "--version", "--json").document["version"]
    )
