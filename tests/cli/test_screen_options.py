"""What the command line and the file say of the screen, with the real services."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.fakes import Done, FakeServices, cli
from tests.cli.real import plain_run

STORE = """
[datastores.team]
bucket = "shared"
endpoint = "http://127.0.0.1:9"
region = "us-east-1"
cache = "cache"
credentials = {access_key_id = "env:HOME", secret_access_key = "env:HOME"}
"""


def run(tmp_path: Path, *arguments: str, text: str = "") -> Done:
    (tmp_path / "s3dash.toml").write_text(STORE + text)
    environ = {"HOME": str(tmp_path), "XDG_STATE_HOME": str(tmp_path / "state")}
    return plain_run(*arguments, environ=environ, cwd=tmp_path)


def shown(tmp_path: Path, *arguments: str, text: str = "") -> Any:
    return json.loads(run(tmp_path, "--json", *arguments, text=text).out)


@pytest.mark.parametrize("before", [True, False])
def test_the_options_stand_before_or_after_a_command(before: bool) -> None:
    services = FakeServices()
    flags = ["--readonly", "--accessible", "--no-mouse"]
    cli(*([*flags, "status"] if before else ["status", *flags]), services=services)
    (seen,) = services.seen
    assert (seen.readonly, seen.accessible, seen.no_mouse) == (True, True, True)


def test_check_finds_commands_keys_themes_and_clashes_at_once(tmp_path: Path) -> None:
    text = '[screen]\ntheme = "nosuch"\n[screen.keys]\npush = "p"\npsh = "x"\nauto = "ctrl+h"\n'
    done = run(tmp_path, "config", "check", text=text)
    assert done.code == 2
    assert "4 problems in the configuration" in done.err
    assert "s3dash.toml: [screen]: theme: no such theme; there are s3dash-night," in done.err
    assert "s3dash.toml: [screen]: keys: psh: no such command; did you mean push?" in done.err
    assert "s3dash.toml: [screen]: keys: auto: ctrl+h: arrives as backspace" in done.err
    assert "s3dash.toml: [screen]: keys: p: both push and pull in every view" in done.err


def test_check_warns_of_what_hides_and_of_what_does_not_arrive(tmp_path: Path) -> None:
    text = '[screen.keys]\n"transfers.cancel" = "P"\nsync = "ctrl+b"\n'
    found = shown(tmp_path, "config", "check", text=text)
    assert found["ok"]
    told = "\n".join(found["warnings"])
    assert "P: transfers.cancel hides push in Transfers" in told
    assert "sync: ctrl+b: tmux takes it" in told


def test_commands_other_than_check_work_whatever_the_keys_say(tmp_path: Path) -> None:
    done = run(tmp_path, "config", "show", text='[screen.keys]\npush = "p"\n')
    assert done.code == 0
    assert "keys.push" in done.out


def test_the_settings_of_the_screen_are_shown(tmp_path: Path) -> None:
    text = '[screen]\ntheme = "a"\n[screen.keys]\npush = false\n[themes.a]\nprimary = "#fff"\n'
    lines = [line.split() for line in run(tmp_path, "config", "show", text=text).out.splitlines()]
    assert ["theme", "a"] in lines
    assert ["keys.push", "no", "key"] in lines
    assert ["themes.a", "#fff"] in lines
    assert shown(tmp_path, "config", "show", text=text)["screen"]["mouse"] is True


@pytest.mark.parametrize("how", ["file", "flag"])
@pytest.mark.parametrize("command", ["push", "pull", "sync"])
def test_a_readonly_datastore_refuses_to_write(tmp_path: Path, command: str, how: str) -> None:
    (tmp_path / "cache").mkdir()
    flag, text = (["--readonly"], "") if how == "flag" else ([], "[defaults]\nreadonly = true\n")
    done = run(tmp_path, *flag, command, text=text)
    assert done.code == 2
    assert "opened to look only" in done.err


def test_doctor_writes_and_so_does_not_run(tmp_path: Path) -> None:
    done = run(tmp_path, "doctor", "--readonly")
    assert done.code == 2
    assert "take `readonly` away" in done.err
    assert not (tmp_path / "state").exists()


def test_the_flag_makes_every_datastore_readonly(tmp_path: Path) -> None:
    more = '[datastores.b]\nbucket = "other"\n'
    for flags, readonly in (([], False), (["--readonly"], True)):
        found = shown(tmp_path, *flags, "config", "show", text=more)["datastores"]
        assert {one["readonly"] for one in found.values()} == {readonly}
