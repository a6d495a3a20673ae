"""What a command loads: nothing of the screen, and no SDK before it is needed.

Each look is taken in a process of its own, because a module once loaded stays.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HEADLESS = (
    "core", "config", "objectstore", "local", "engine", "attach", "service", "cli", "clock",
    "errors",
)  # fmt: skip
HEAVY = {"textual", "boto3", "botocore", "obstore", "watchdog"}

IMPORT_ALL = """
import importlib, json, pkgutil, sys
import s3dash
names = [
    module.name
    for module in pkgutil.walk_packages(s3dash.__path__, "s3dash.")
    if module.name.split(".")[1] in sys.argv[1:]
]
for name in names:
    importlib.import_module(name)
print(json.dumps([names, sorted({name.partition(".")[0] for name in sys.modules})]))
"""


RUN_AND_TELL = """
import json, sys
from s3dash.__main__ import main
main()
print(json.dumps(sorted(sys.modules)))
"""


def fresh(*args: str, cwd: Path, code: tuple[int, ...] = (0,)) -> subprocess.CompletedProcess[str]:
    """A new Python with these arguments, away from the configuration of this machine."""
    env = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "S3DASH_", "SWAMP_"))}
    for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"):
        env[name] = str(cwd / "home")
    done = subprocess.run(
        [sys.executable, *args],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode in code, done.stderr[-2000:]
    return done


def loaded_by(*command: str, cwd: Path, code: tuple[int, ...] = (0,)) -> set[str]:
    """The top-level modules that a command of s3dash loads."""
    done = fresh("-X", "importtime", "-m", "s3dash", *command, cwd=cwd, code=code)
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def modules_after_importing(*packages: str, cwd: Path) -> set[str]:
    names, modules = json.loads(fresh("-c", IMPORT_ALL, *packages, cwd=cwd).stdout)
    assert {name.split(".")[1] for name in names} == set(packages)
    return set(modules)


def test_no_headless_module_loads_textual(tmp_path: Path) -> None:
    assert "textual" not in modules_after_importing(*HEADLESS, cwd=tmp_path)


def test_the_pure_core_loads_nothing_that_acts(tmp_path: Path) -> None:
    modules = modules_after_importing("core", "clock", "errors", cwd=tmp_path)
    assert modules & (HEAVY | {"pydantic", "typer", "rich", "sqlite3", "yaml"}) == set()


def test_the_configuration_loads_readers_and_keychain_only_when_asked(tmp_path: Path) -> None:
    modules = modules_after_importing("config", cwd=tmp_path)
    late = {"keyring", "yaml", "tomli", "tomlkit", "platformdirs", "pathspec"}
    assert modules & (HEAVY | late) == set()


@pytest.mark.parametrize("command", [["--help"], ["push", "--help"], ["--version"]])
def test_help_loads_no_sdk_and_no_screen(tmp_path: Path, command: list[str]) -> None:
    modules = loaded_by(*command, cwd=tmp_path)
    assert "s3dash" in modules
    assert modules & (HEAVY | {"sqlite3"}) == set()


def test_a_toml_configuration_is_checked_without_yaml_and_keychain(tmp_path: Path) -> None:
    (tmp_path / "s3dash.toml").write_text("[datastores.x]\nbucket = 'bucket'\n")
    modules = loaded_by("config", "check", cwd=tmp_path)
    assert "tomli" in modules
    assert modules & (HEAVY | {"yaml", "tomlkit", "keyring"}) == set()


def test_status_loads_neither_the_screen_nor_boto3(tmp_path: Path) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "s3dash.toml").write_text(
        "[datastores.x]\nbucket = 'bucket'\nendpoint = 'http://127.0.0.1:9'\ncache = 'cache'\n"
        "credentials = {access_key_id = 'env:HOME', secret_access_key = 'env:HOME'}\n"
        "region = 'us-east-1'\n"
    )
    modules = loaded_by("--json", "status", cwd=tmp_path, code=(0, 1, 3))
    assert "sqlite3" in modules
    unused = {"yaml", "tomlkit", "keyring", "pathspec", "rich", "prometheus_client"}
    assert modules & (HEAVY - {"botocore"} | unused) == set()


def test_a_command_loads_no_other_command(tmp_path: Path) -> None:
    """By number: a module of the standard library more or less is no matter."""
    told = fresh("-c", RUN_AND_TELL, "push", "--help", cwd=tmp_path).stdout
    names = set(json.loads(told.splitlines()[-1]))
    assert "s3dash.cli.sync_ops" in names
    assert not names & {f"s3dash.cli.{name}" for name in ("doctor", "namespaces", "watch", "index")}
    assert not {name for name in names if name.startswith(("s3dash.engine", "s3dash.config"))}
    assert len(names) < 350
