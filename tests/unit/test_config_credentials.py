"""Credential references: resolved late, complete or not at all, and never shown."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from rich.pretty import pretty_repr

from s3dash.config.credentials import CredentialRefs, resolve, warnings
from s3dash.config.load import load
from s3dash.core.settings import Credentials
from s3dash.errors import ConfigError

WHERE = "s3dash.toml: [datastores.x]"
SECRET = "hush-hush-secret"


def refs(base: Path, **fields: str) -> CredentialRefs:
    return CredentialRefs(where=WHERE, base=base, **fields)


def refused(tmp_path: Path, text: str) -> str:
    (tmp_path / "s3dash.toml").write_text(f"[datastores.x]\nbucket = 'bucket'\n{text}\n")
    with pytest.raises(ConfigError) as caught:
        load(config=None, datastore=None, namespace=None, environ={}, cwd=tmp_path)
    return caught.value.message


def test_no_references_leave_it_to_boto3(tmp_path: Path) -> None:
    assert resolve(refs(tmp_path), {"AWS_ACCESS_KEY_ID": "ignored"}) is None


def test_each_kind_of_reference_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\r\n")
    asked: list[tuple[str, str]] = []

    def keychain(service: str, account: str) -> str | None:
        asked.append((service, account))
        return "token"

    given = refs(
        tmp_path,
        access_key_id="env:KEY",
        secret_access_key="file:secret",
        session_token="keychain:s3dash/team/ann",
    )
    found = resolve(given, {"KEY": "AKID"}, keychain=keychain)
    assert found == Credentials("AKID", SECRET, "token")
    assert asked == [("s3dash", "team/ann")]


def test_resolving_is_late(tmp_path: Path) -> None:
    (tmp_path / "s3dash.toml").write_text(
        "[datastores.x]\nbucket='bucket'\n"
        "credentials={accessKeyId='env:LATE', secretAccessKey='file:late'}\n"
    )
    loaded = load(config=None, datastore=None, namespace=None, environ={}, cwd=tmp_path)
    (tmp_path / "late").write_text(SECRET)
    assert resolve(loaded.credentials["x"], {"LATE": "id"}) == Credentials("id", SECRET)


def test_a_file_reference_knows_the_home(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(SECRET)
    given = refs(tmp_path / "else", access_key_id="file:~/key", secret_access_key="file:$HOME/key")
    assert resolve(given, {"HOME": str(tmp_path)}) == Credentials(SECRET, SECRET)


def test_every_reference_that_leads_nowhere_is_named(tmp_path: Path) -> None:
    given = refs(
        tmp_path,
        access_key_id="env:ABSENT",
        secret_access_key="file:absent",
        session_token="keychain:s/a",
    )
    with pytest.raises(ConfigError) as caught:
        resolve(given, {"ABSENT": ""}, keychain=lambda service, account: None)
    assert caught.value.message.splitlines() == [
        f"{WHERE}: credentials.access_key_id: env:ABSENT: this variable is not set, or empty",
        f"{WHERE}: credentials.secret_access_key: file:absent: No such file or directory",
        f"{WHERE}: credentials.session_token: keychain:s/a: the keychain has no such entry",
    ]


def test_references_that_are_incomplete_name_what_is_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"credentials\.secret_access_key: missing"):
        resolve(refs(tmp_path, access_key_id="env:K"), {"K": "v"})


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "this file is empty"),
        (b"\n", "this file is empty"),
        (f"{SECRET}\nmore".encode(), "holds more than one line"),
        (SECRET.encode() + b"\xff", "this file is no text"),
        (SECRET.encode() * 6000, "this file is too long for a secret"),
    ],
)
def test_a_file_that_holds_no_secret_is_told_unseen(
    tmp_path: Path, content: bytes, reason: str
) -> None:
    (tmp_path / "f").write_bytes(content)
    given = refs(tmp_path, access_key_id="file:f", secret_access_key="file:f")
    with pytest.raises(ConfigError) as caught:
        resolve(given, {})
    assert caught.value.message.count(reason) == 2
    assert "hush" not in caught.value.message


def test_a_secret_file_that_all_may_read_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / "f").write_text(SECRET)
    (tmp_path / "f").chmod(0o604)
    given = refs(tmp_path, access_key_id="env:K", secret_access_key="file:f")
    assert resolve(given, {"K": "v"}) == Credentials("v", SECRET)
    assert warnings(given, {}) == (
        f"{WHERE}: credentials.secret_access_key: file:f: every user can read this file",
    )
    (tmp_path / "f").chmod(0o600)
    assert warnings(given, {}) == ()


@pytest.mark.parametrize(
    ("text", "missing"),
    [
        ("credentials = {}", ["access_key_id", "secret_access_key"]),
        ("credentials = {session_token='env:T'}", ["access_key_id", "secret_access_key"]),
        ("credentials = {access_key_id='env:K'}", ["secret_access_key"]),
        ("credentials = {secretAccessKey='env:K'}", ["access_key_id"]),
    ],
)
def test_a_partly_filled_table_names_every_missing_field(
    tmp_path: Path, text: str, missing: list[str]
) -> None:
    message = refused(tmp_path, text)
    assert [line for line in message.splitlines() if line.startswith("s3dash.toml")] == [
        f"{WHERE}: credentials.{field}: missing" for field in missing
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"secret_access_key = '{SECRET}'",
        f"secretAccessKey = '{SECRET}'",
        f"access_key = '{SECRET}'",
        f"secret_key = '{SECRET}'",
        f"AWS_SECRET_ACCESS_KEY = '{SECRET}'",
        f"session_token = '{SECRET}'",
        f"password = '{SECRET}'",
        f"endpoint = 'https://user:{SECRET}@host'",
        f"endpoint = 'https://{SECRET}@host'",
        f"credentials = {{access_key_id='env:K', secret_access_key='{SECRET}'}}",
        f"credentials = {{access_key_id='env:K', secret_access_key='keychain:{SECRET}'}}",
        f"credentials = {{access_key_id='env:K', secret_access_key='env:{SECRET}'}}",
        f"credentials = '{SECRET}'",
        f"credentials = {{access_key_id='env:K', secret_access_key='env:S', password='{SECRET}'}}",
        f"bucket_ = '{SECRET}'",
        f"force_path_style = '{SECRET}'",
        f"conflict = '{SECRET}'",
    ],
)
def test_a_value_in_the_wrong_place_is_refused_and_never_shown(tmp_path: Path, text: str) -> None:
    message = refused(tmp_path, text)
    assert message.startswith(WHERE)
    assert "hush" not in message


def test_credentials_hide_in_their_own_repr() -> None:
    found = Credentials("AKID", SECRET, "token")
    assert repr(found) == str(found) == f"{found}" == pretty_repr(found) == "Credentials(***)"


FAKE_KEYRING = """
class errors:
    class KeyringError(Exception): ...

def get_password(service, account):
    if account == "broken":
        raise errors.KeyringError("hush-hush")
    return {("s", "id"): "from-the-keychain"}.get((service, account))
"""

ASK = """
import sys
from pathlib import Path
from s3dash.config.credentials import CredentialRefs, resolve
from s3dash.errors import ConfigError
refs = CredentialRefs(where="f", base=Path(), access_key_id="keychain:s/id",
                      secret_access_key="keychain:s/" + sys.argv[1])
try:
    found = resolve(refs, {})
    print(found.access_key_id, found.secret_access_key)
except ConfigError as error:
    print(error.message, "|", error.hint)
"""


def ask(path: Path, account: str) -> str:
    """What a fresh process whose `keyring` is the one in `path` says."""
    done = subprocess.run(
        [sys.executable, "-c", ASK, account],
        env={**os.environ, "PYTHONPATH": str(path)},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return done.stdout.strip()


def test_the_systems_keychain_is_asked(tmp_path: Path) -> None:
    (tmp_path / "keyring.py").write_text(FAKE_KEYRING)
    assert ask(tmp_path, "id") == "from-the-keychain from-the-keychain"
    assert ask(tmp_path, "broken").startswith(
        "f: credentials.secret_access_key: keychain:s/broken: the keychain failed (KeyringError)"
    )


def test_an_absent_keyring_package_says_what_to_install(tmp_path: Path) -> None:
    (tmp_path / "keyring.py").write_text("raise ModuleNotFoundError('no keyring here')")
    said = ask(tmp_path, "id")
    assert said == ("keychain:s/id needs the keyring package | pip install s3dash[keyring]")
