"""Who we are to an endpoint, told without a secret and without a whole key id."""

from pathlib import Path

import pytest

from s3dash.core.settings import Credentials, Datastore
from s3dash.errors import ConfigError
from s3dash.objectstore.examination import Identified, Twinned
from s3dash.objectstore.s3 import S3Store
from s3dash.objectstore.s3_signers import shortened

KEY, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMIsecretsecret"


def settings(tmp_path: Path, **over: str) -> Datastore:
    return Datastore(
        name="t",
        bucket="bucket",
        cache=tmp_path,
        state_dir=tmp_path,
        endpoint="http://127.0.0.1:1",
        **over,  # type: ignore[arg-type] # strings
    )


@pytest.mark.parametrize(
    ("key", "short"),
    [
        (KEY, "AKIA…MPLE"),
        ("123456789012", "1234…9012"),
        ("12345678901", "12…"),
        ("minioadmin", "mi…"),
        ("", "no key"),
    ],
)
def test_a_key_id_is_shown_by_its_ends(key: str, short: str) -> None:
    assert shortened(key) == short


def test_given_credentials_are_named_by_their_key(tmp_path: Path) -> None:
    store = S3Store(settings(tmp_path), Credentials(KEY, SECRET))
    assert isinstance(store, Identified)
    assert store.identity() == "key AKIA…MPLE"
    assert isinstance(store, Twinned)
    twin = store.twin()
    assert twin is not store
    assert twin.identity() == store.identity()
    assert twin.usage is not store.usage


def test_a_profile_is_named(tmp_path: Path, sealed: Path) -> None:
    below = sealed / ".aws"
    below.mkdir()
    (below / "credentials").write_text(
        f"[prod]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
    )
    assert S3Store(settings(tmp_path, profile="prod"), None).identity() == "profile prod, AKIA…MPLE"


def test_the_default_chain_says_where_it_found_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    told = S3Store(settings(tmp_path), None).identity()
    assert told == "default chain, AKIA…MPLE (env)"


def test_nobody_at_all_is_an_error_without_values(tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        S3Store(settings(tmp_path), None).identity()
