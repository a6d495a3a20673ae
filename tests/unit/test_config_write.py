"""Changing a configuration file: what stays, what is refused, and that it is all or nothing."""

import os
import stat
from pathlib import Path

import pytest
import tomli

from s3dash.config.draft import Draft, proposed_name, settings_of
from s3dash.config.write import Change, add_datastore, add_excludes, verified
from s3dash.errors import ConfigError

OLD = """\
# mine, and precious
[defaults]
region = "eu-central-1"   # far away
exclude = ["*.tmp"]

[datastores.one]          # the first
bucket = "first-bucket"
cache = "one"
exclude = [
  "*.bak",  # old ones
]

[datastores.two]
bucket = "second-bucket"
cache = "two"
"""
FIELDS = Draft(bucket="third-bucket", cache="three", endpoint="http://127.0.0.1:9000").fields()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "s3dash.toml"
    path.write_text(OLD)
    path.chmod(0o640)
    return path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_new_file_is_private_and_its_directory_too(tmp_path: Path) -> None:
    path = tmp_path / "config" / "s3dash" / "config.toml"
    change = add_datastore(path, "team", FIELDS)
    assert change.creates
    assert not path.exists(), "a plan writes nothing"
    change.write()
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o700
    assert tomli.loads(path.read_text())["datastores"]["team"]["bucket"] == "third-bucket"
    assert [p.name for p in path.parent.iterdir()] == ["config.toml"]


def test_another_datastore_goes_to_the_end_and_nothing_else_moves(file: Path) -> None:
    change = add_datastore(file, "three", FIELDS)
    assert change.after.startswith(OLD)
    assert all(line[0] in "+ " for line in change.lines())
    change.write()
    assert mode(file) == 0o640
    loaded = verified(change, environ={}, cwd=file.parent)
    assert list(loaded.datastores) == ["one", "two", "three"]
    assert loaded.datastores["three"].region == "eu-central-1"


def test_a_name_that_is_taken_is_refused(file: Path) -> None:
    with pytest.raises(ConfigError, match="there is a datastore two already"):
        add_datastore(file, "two", FIELDS)
    assert file.read_text() == OLD


@pytest.mark.parametrize("name", ["", "a b", "a\nb", "[x]", "../x", 'a"b'])
def test_a_name_must_be_one(file: Path, name: str) -> None:
    with pytest.raises(ConfigError, match="the name must be"):
        add_datastore(file, name, FIELDS)


@pytest.mark.parametrize(
    "text",
    [
        "datastores = {one = {bucket = 'aaa'}}\n",
        "datastores = 3\n",
        "[[datastores]]\nbucket = 'aaa'\n",
        "this is no TOML",
        "[datastores.one]\nbucket = 'aaa'\n[datastores.one]\n",
    ],
)
def test_a_file_that_cannot_be_extended_stays_as_it_is(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s3dash.toml"
    path.write_text(text)
    with pytest.raises(ConfigError):
        add_datastore(path, "two", FIELDS)
    assert path.read_text() == text


@pytest.mark.parametrize("end", ["", "\n", "\n\n", "# a comment without an end"])
def test_whatever_the_file_ends_with(tmp_path: Path, end: str) -> None:
    path = tmp_path / "s3dash.toml"
    path.write_text("[datastores.one]\nbucket = 'aaa'" + end)
    add_datastore(path, "two", FIELDS).write()
    assert list(tomli.loads(path.read_text())["datastores"]) == ["one", "two"]


def test_a_pattern_joins_those_that_are_there_and_comments_stay(file: Path) -> None:
    change = add_excludes(file, "one", ["/scratch/", "*.bak"])
    assert [line for line in change.lines() if line[0] != " "] == ['+  "/scratch/",']
    change.write()
    assert '"*.bak",  # old ones' in file.read_text()
    assert "# mine, and precious" in file.read_text()
    assert tomli.loads(file.read_text())["datastores"]["one"]["exclude"] == ["*.bak", "/scratch/"]


def test_the_patterns_of_the_defaults_are_taken_over(file: Path) -> None:
    """An `exclude` of its own hides that of the defaults: nothing may come back by that."""
    change = add_excludes(file, "two", ["*.log"])
    assert verified(change, environ={}, cwd=file.parent).datastores["two"].exclude == (
        "*.tmp",
        "*.log",
    )


def test_a_pattern_that_is_there_changes_nothing(file: Path) -> None:
    assert add_excludes(file, "one", ["*.bak"]).lines() == []


def test_a_file_that_changed_since_it_was_shown_is_not_written(file: Path) -> None:
    change = add_excludes(file, "one", ["*.log"])
    file.write_text(OLD + "# another hand\n")
    with pytest.raises(ConfigError, match="changed meanwhile"):
        change.write()
    assert file.read_text() == OLD + "# another hand\n"
    assert [p.name for p in file.parent.iterdir()] == ["s3dash.toml"]


def test_a_file_that_somebody_made_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "s3dash.toml"
    change = add_datastore(path, "team", FIELDS)
    path.write_text("theirs")
    with pytest.raises(ConfigError, match="changed meanwhile"):
        change.write()
    assert path.read_text() == "theirs"


def test_a_symbolic_link_stays_one(file: Path, tmp_path: Path) -> None:
    link = tmp_path / "link.toml"
    link.symlink_to(file)
    add_datastore(link, "three", FIELDS).write()
    assert link.is_symlink()
    assert "third-bucket" in file.read_text()


def test_a_directory_that_takes_no_file_is_told(file: Path) -> None:
    change = Change(path=Path("/proc/nothing/s3dash.toml"), before=None, after="x")
    with pytest.raises(ConfigError, match="cannot be written"):
        change.write()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_cannot_be_read_is_told(file: Path) -> None:
    file.chmod(0)
    with pytest.raises(ConfigError, match="Permission denied"):
        add_datastore(file, "three", FIELDS)


def test_an_overlapping_cache_is_found_before_anything_is_written(file: Path) -> None:
    change = add_datastore(file, "three", {**FIELDS, "cache": "one/inside"})
    with pytest.raises(ConfigError, match="overlaps with the cache of one"):
        verified(change, environ={}, cwd=file.parent)


def test_a_secret_in_the_place_of_a_reference_is_refused_and_not_shown(tmp_path: Path) -> None:
    draft = Draft(bucket="b-1", access_key_id="AKIAHUNTER2", secret_access_key="hunter2")
    with pytest.raises(ConfigError, match="must be a reference") as caught:
        settings_of(draft, base=tmp_path, environ={})
    assert "unter2" not in str(caught.value).lower()


def test_a_draft_is_what_the_file_will_mean(tmp_path: Path) -> None:
    draft = Draft(
        bucket="b-1", prefix="a/b", cache="c", access_key_id="env:A", secret_access_key="env:B"
    )
    settings, refs = settings_of(draft, base=tmp_path, environ={})
    loaded = verified(
        add_datastore(tmp_path / "s3dash.toml", draft.given_name, draft.fields()),
        environ={},
        cwd=tmp_path,
    )
    assert loaded.pick() == settings
    assert refs.items() == loaded.credentials["b"].items()


@pytest.mark.parametrize(
    ("prefix", "bucket", "name"),
    [("", "my.bucket", "my-bucket"), ("a/prod", "x", "prod"), ("…", "…", "datastore")],
)
def test_a_name_is_proposed(prefix: str, bucket: str, name: str) -> None:
    assert proposed_name(prefix, bucket) == name


@pytest.mark.parametrize(
    "text",
    [
        'datastores.a.bucket = "bbb"\ndatastores.a.cache = "c"\n',
        '[datastores.a.credentials]\naccess_key_id = "env:X"\n[defaults]\n[datastores.a]\n'
        'bucket = "bbb"\n',
    ],
)
def test_a_table_in_pieces_takes_a_pattern_too(tmp_path: Path, text: str) -> None:
    path = tmp_path / "s3dash.toml"
    path.write_text(text)
    before = tomli.loads(text)["datastores"]["a"]
    after = tomli.loads(add_excludes(path, "a", ["*.log"]).after)["datastores"]["a"]
    assert after == before | {"exclude": ["*.log"]}


def test_an_exclude_that_is_no_list_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "s3dash.toml"
    path.write_text('[datastores.a]\nbucket = "bbb"\nexclude = "no list"\n')
    with pytest.raises(ConfigError, match="nothing was written"):
        add_excludes(path, "a", ["*.log"])
