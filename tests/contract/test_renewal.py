"""Credentials that run out while s3dash runs: read again where they came from, or told."""

import io
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.core.settings import Credentials, Datastore
from s3dash.errors import CredentialsExpired, S3DashError
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.s3 import S3Store
from tests.contract.endpoint import Asked, Reply, answering, error
from tests.engine.clocks import QuickClock

OLD = Credentials("AKIAOLD", "old-secret", "old-token")
NEW = Credentials("AKIANEW", "new-secret", "new-token")


def signed_by(asked: Asked) -> str:
    return asked.headers["authorization"].partition("Credential=")[2].partition("/")[0]


def only_new(asked: Asked) -> Reply:
    if signed_by(asked) == NEW.access_key_id:
        return Reply(body=b"" if asked.method == "PUT" else b"x", headers={"ETag": '"e"'})
    return Reply(400, b"" if asked.method == "HEAD" else error("ExpiredToken"))


def store_at(url: str, tmp_path: Path, given: Callable[[], Credentials]) -> S3Store:
    settings = Datastore(
        name="x",
        bucket="bucket",
        cache=tmp_path,
        state_dir=tmp_path,
        endpoint=url,
        force_path_style=True,
    )
    return S3Store(settings, given, patience=Patience(QuickClock()))


CALLS: dict[str, Callable[[S3Store, Path], object]] = {
    "get": lambda s, f: s.get("k"),
    "head": lambda s, f: s.head("k"),
    "put": lambda s, f: s.put("k", b"x", if_none_match=True),
    "upload": lambda s, f: s.upload("k", f, if_none_match=True),
    "download": lambda s, f: s.download("k", io.BytesIO()),
}


@pytest.mark.parametrize("call", CALLS)
def test_credentials_that_ran_out_are_read_again(tmp_path: Path, call: str) -> None:
    (tmp_path / "f").write_bytes(b"x")
    current = [OLD]
    with answering(only_new) as endpoint:
        store = store_at(endpoint.url, tmp_path, lambda: current[0])
        with pytest.raises(S3DashError):
            CALLS[call](store, tmp_path / "f")
        current[0] = NEW
        CALLS[call](store, tmp_path / "f")
        assert [signed_by(a) for a in endpoint.asked][-1] == NEW.access_key_id
        assert endpoint.asked[-1].headers["x-amz-security-token"] == NEW.session_token
        store.close()


def test_many_threads_renew_once_and_all_go_on(tmp_path: Path) -> None:
    asked = [0]

    def given() -> Credentials:
        asked[0] += 1
        return OLD if asked[0] == 1 else NEW

    with answering(only_new) as endpoint:
        store = store_at(endpoint.url, tmp_path, given)
        store._clients.get("steady")
        threads = [threading.Thread(target=store.get, args=("k",)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        assert asked[0] == 2
        store.close()


def test_without_newer_credentials_the_error_says_what_to_do(tmp_path: Path) -> None:
    with answering(only_new) as endpoint:
        store = store_at(endpoint.url, tmp_path, lambda: OLD)
        with pytest.raises(CredentialsExpired) as raised:
            store.put("k", b"x", if_none_match=True)
        assert "log in again" in raised.value.hint
        assert len(endpoint.asked) == 1
        assert "old" not in str(raised.value)
        store.close()


def test_the_chain_of_boto3_is_asked_anew(tmp_path: Path, sealed: Path) -> None:
    """A login tool writes the profile's file while s3dash runs."""
    (sealed / ".aws").mkdir()
    file = sealed / ".aws/credentials"

    def written(who: Credentials) -> str:
        return (
            f"[default]\naws_access_key_id = {who.access_key_id}\n"
            f"aws_secret_access_key = {who.secret_access_key}\n"
            f"aws_session_token = {who.session_token}\n"
        )

    file.write_text(written(OLD))
    (tmp_path / "f").write_bytes(b"x")
    with answering(only_new) as endpoint:
        store = store_at(endpoint.url, tmp_path, lambda: OLD)
        store = S3Store(store._settings, None, patience=Patience(QuickClock()))
        with pytest.raises(CredentialsExpired):
            store.get("k")
        with pytest.raises(CredentialsExpired):
            store.upload("k", tmp_path / "f")
        file.write_text(written(NEW))
        assert store.get("k") is not None
        store.upload("k", tmp_path / "f")
        store.close()
