"""The table `[watch]`: its fields, what is refused, and what of it may be shown."""

from pathlib import Path

import pytest

from s3dash.config.load import Loaded, describe, load
from s3dash.config.watch_schema import WatchTable
from s3dash.core.service import OCCASIONS, Address, WatchSettings, address_of
from s3dash.errors import ConfigError

ROOT = Path(__file__).parents[2]


def read(tmp_path: Path, text: str) -> Loaded:
    (tmp_path / "s3dash.toml").write_text(f"[datastores.x]\nbucket = 'bucket'\n{text}")
    environ = {"HOME": str(tmp_path)}
    return load(config=None, datastore=None, namespace=None, environ=environ, cwd=tmp_path)


def test_without_the_table_nothing_is_served_run_or_deleted(tmp_path: Path) -> None:
    found = read(tmp_path, "").watch
    assert found == WatchSettings()
    assert (found.metrics, found.hook, found.deletes) == (None, (), False)
    assert found.events == OCCASIONS


def test_every_field_arrives(tmp_path: Path) -> None:
    text = """
[watch]
metrics = "127.0.0.1:9464"
log_format = "json"
hook = ["tell", "--now"]
events = ["conflict", "recovered", "conflict"]
hook_timeout_s = 5
hook_every_s = 0
failures = 1
deletes = true
max_delete = 7
"""
    assert read(tmp_path, text).watch == WatchSettings(
        metrics=Address(host="127.0.0.1", port=9464),
        log_format="json",
        hook=("tell", "--now"),
        events=("conflict", "recovered"),
        hook_timeout_s=5,
        hook_every_s=0,
        failures=1,
        deletes=True,
        max_delete=7,
    )


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("metrics = 'nowhere'", "metrics: must be like 127.0.0.1:9464"),
        ("metrics = 9464", "metrics: "),
        ("log_format = 'xml'", "log_format: must be 'text' or 'json'"),
        ("hook = 'rm -rf'", "hook: "),
        ("hook = ['', 'x']", "hook: must begin with a command"),
        ("events = ['party']", "events.0: "),
        ("failures = 0", "failures: "),
        ("max_delete = 0", "max_delete: "),
        ("hook_timeout = 3", "hook_timeout: unknown key; did you mean hook_timeout_s?"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(tmp_path: Path, line: str, told: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, f"[watch]\n{line}\n")
    assert caught.value.message.startswith("s3dash.toml: [watch]: ")
    assert told in caught.value.message


def test_the_arguments_of_the_hook_are_never_shown(tmp_path: Path) -> None:
    shown = describe(read(tmp_path, "[watch]\nhook = ['curl', 'https://x/TOKEN']\n"))["watch"]
    assert shown["hook"] == "curl"
    assert "TOKEN" not in repr(shown)


@pytest.mark.parametrize(
    ("text", "host", "port"),
    [
        ("9464", "127.0.0.1", 9464),
        (":9464", "127.0.0.1", 9464),
        ("0", "127.0.0.1", 0),
        ("localhost:1", "localhost", 1),
        ("0.0.0.0:80", "0.0.0.0", 80),
        ("[::1]:9464", "::1", 9464),
    ],
)
def test_addresses(text: str, host: str, port: int) -> None:
    assert address_of(text) == Address(host=host, port=port)


@pytest.mark.parametrize("text", ["", "x", "1:2:3", "host:", "host:70000", "a b:1", "host:-1", "²"])
def test_what_is_no_address(text: str) -> None:
    assert address_of(text) is None


def test_the_example_shows_every_field() -> None:
    table = (ROOT / "config.example.toml").read_text().partition("\n[watch]")[2]
    assert [name for name in WatchTable.model_fields if f"\n{name} = " not in table] == []


def test_the_readme_documents_every_field() -> None:
    readme = (ROOT / "README.md").read_text()
    found = WatchTable.model_fields.items()
    assert [name for name, field in found if f"| `{name}` | " not in readme] == []
    assert [name for name, field in found if f"| {field.description} |" not in readme] == []
