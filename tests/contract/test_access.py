"""Who we are and where we go: credentials, endpoints, and an environment that lies."""

import io
import subprocess
import sys
from pathlib import Path

import pytest

from s3dash.core.settings import Credentials, Datastore
from s3dash.errors import AccessDenied, BucketNotFound, ConfigError, Unreachable
from s3dash.objectstore.s3 import S3Store
from s3dash.objectstore.s3_client import virtual_hosted
from tests.contract.endpoint import CREDENTIALS, Reply, answering
from tests.servers import ACCESS_KEY, SECRET_KEY, Server, free_port

POISON = {
    "AWS_ACCESS_KEY_ID": "poisoned",
    "AWS_SECRET_ACCESS_KEY": "poisoned",
    "AWS_SESSION_TOKEN": "poisoned",
    "AWS_PROFILE": "poisoned",
    "AWS_CONFIG_FILE": "/poisoned",
    "AWS_ENDPOINT": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
    "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9",
    "AWS_SKIP_SIGNATURE": "true",
    "AWS_UNSIGNED_PAYLOAD": "true",
    "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
    "AWS_REGION": "mars-1",
    "AWS_DEFAULT_REGION": "mars-2",
    "AWS_BUCKET": "poisoned",
    "AWS_BUCKET_NAME": "poisoned",
    "AWS_S3_EXPRESS": "true",
    "AWS_CONDITIONAL_PUT": "disabled",
    "AWS_ALLOW_HTTP": "false",
    "AWS_USE_FIPS_ENDPOINT": "true",
    "AWS_USE_DUALSTACK_ENDPOINT": "true",
    "AWS_MAX_ATTEMPTS": "9",
    "AWS_REQUEST_CHECKSUM_CALCULATION": "when_supported",
}


@pytest.fixture(scope="module")
def bucket(weed: Server) -> str:
    return weed.make_bucket()


def test_the_environment_overrides_no_setting(
    weed: Server, bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "f").write_bytes(b"content")
    store = weed.store(bucket, tmp_path, prefix="poisoned")
    store.put("k", b"x", if_none_match=True)
    etag = store.upload("f", tmp_path / "f", if_none_match=True).etag
    sink = io.BytesIO()
    store.download("f", sink, if_match=etag)
    assert sink.getvalue() == b"content"
    assert sorted(i.key for i in store.list()) == ["f", "k"]
    store.close()


def test_exactly_the_given_credentials_sign_every_request(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in POISON.items():
        monkeypatch.setenv(name, value)
    (tmp_path / "f").write_bytes(b"x")
    with answering(lambda _: Reply(headers={"ETag": '"e"'})) as endpoint:
        store = endpoint.store(tmp_path)
        store.put("k", b"x")
        store.upload("k", tmp_path / "f")
        assert len(endpoint.asked) == 3  # the last: is it there, under an ETag that is no MD5?
        for asked in endpoint.asked:
            assert f"Credential={CREDENTIALS.access_key_id}/" in asked.headers["authorization"]
            assert "/us-east-1/s3/" in asked.headers["authorization"]
            assert asked.headers["x-amz-security-token"] == CREDENTIALS.session_token
            assert asked.path == "/bucket/k"
        store.close()


def test_a_key_that_is_not_known_is_refused(weed: Server, bucket: str, tmp_path: Path) -> None:
    settings = weed.settings(bucket, tmp_path)
    for credentials in (Credentials("nobody", SECRET_KEY), Credentials(ACCESS_KEY, "wrong")):
        store = S3Store(settings, credentials)
        (tmp_path / "f").write_bytes(b"x")
        for call in (
            lambda s=store: list(s.list()),
            lambda s=store: s.put("k", b""),
            lambda s=store: s.head("k"),
            lambda s=store: s.upload("k", tmp_path / "f"),
            lambda s=store: s.download("k", io.BytesIO()),
        ):
            with pytest.raises(AccessDenied, match=bucket) as raised:
                call()
            assert SECRET_KEY not in str(raised.value)
        store.close()


@pytest.mark.parametrize("name", ["weed", "moto"])
def test_a_missing_bucket_is_told_by_every_call(
    request: pytest.FixtureRequest, name: str, tmp_path: Path
) -> None:
    server: Server = request.getfixturevalue(name)
    (tmp_path / "f").write_bytes(b"x")
    store = server.store("no-such-bucket", tmp_path)
    for call in (
        lambda: list(store.list()),
        lambda: store.head("k"),
        lambda: store.get("k"),
        lambda: store.put("k", b"", if_none_match=True),
        lambda: store.delete("k"),
        lambda: store.delete_many(["k"]),
        lambda: store.upload("k", tmp_path / "f", if_none_match=True),
        lambda: store.download("k", io.BytesIO()),
    ):
        with pytest.raises(BucketNotFound, match="no-such-bucket"):
            call()
    store.close()


def test_an_endpoint_that_does_not_answer_is_unreachable(weed: Server, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    address = f"http://127.0.0.1:{free_port()}"
    store = weed.store("bucket", tmp_path, endpoint=address)
    for call in (
        lambda: list(store.list()),
        lambda: store.put("k", b""),
        lambda: store.upload("k", tmp_path / "f"),
        lambda: store.download("k", io.BytesIO()),
    ):
        with pytest.raises(Unreachable, match=address):
            call()
    store.close()


def test_the_default_chain_finds_the_environment_and_the_profile(
    weed: Server, bucket: str, tmp_path: Path, sealed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "f").write_bytes(b"x")
    with monkeypatch.context() as environment:
        environment.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        environment.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        _both_sdks_work(S3Store(weed.settings(bucket, tmp_path), None), tmp_path)
    (sealed / ".aws").mkdir()
    (sealed / ".aws/credentials").write_text(
        f"[mine]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n"
        "[other]\naws_access_key_id = x\naws_secret_access_key = y\n"
    )
    _both_sdks_work(S3Store(weed.settings(bucket, tmp_path, profile="mine"), None), tmp_path)
    other = S3Store(weed.settings(bucket, tmp_path, profile="other"), None)
    with pytest.raises(AccessDenied):
        other.get("k")
    other.close()


def _both_sdks_work(store: S3Store, tmp_path: Path) -> None:
    store.put("k", b"x")
    store.upload("f", tmp_path / "f")
    store.close()


def test_missing_credentials_are_a_configuration_error(weed: Server, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    store = S3Store(weed.settings("bucket", tmp_path), None)
    for call in (lambda: store.get("k"), lambda: store.upload("k", tmp_path / "f")):
        with pytest.raises(ConfigError, match="credentials"):
            call()
    store.close()


def test_a_missing_profile_and_a_wrong_endpoint_are_configuration_errors(
    weed: Server, tmp_path: Path
) -> None:
    ghost = S3Store(weed.settings("bucket", tmp_path, profile="ghost"), None)
    with pytest.raises(ConfigError, match="ghost"):
        ghost.get("k")
    broken = weed.store("bucket", tmp_path, endpoint="no url")
    with pytest.raises(ConfigError, match="no url"):
        broken.get("k")


@pytest.mark.parametrize(
    ("endpoint", "bucket", "path_style", "virtual"),
    [
        (None, "plain", False, True),
        (None, "plain", True, False),
        (None, "dotted.name", False, False),
        ("https://s3.example.org", "plain", False, True),
        ("http://127.0.0.1:9000", "plain", False, False),
        ("http://[::1]:9000", "plain", False, False),
        ("http://localhost:9000", "plain", False, False),
    ],
)
def test_the_bucket_goes_into_the_host_only_where_that_works(
    tmp_path: Path, endpoint: str | None, bucket: str, path_style: bool, virtual: bool
) -> None:
    settings = Datastore(
        name="x",
        bucket=bucket,
        cache=tmp_path,
        state_dir=tmp_path,
        endpoint=endpoint,
        force_path_style=path_style,
    )
    assert virtual_hosted(settings) is virtual


def test_the_port_and_the_fake_load_no_sdk() -> None:
    modules = "s3dash.objectstore.port, s3dash.objectstore.memory, s3dash.objectstore.probe"
    code = f"import sys, {modules}; print({{'boto3', 'botocore', 'obstore'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


def test_no_secret_is_in_the_repr_of_a_store(tmp_path: Path) -> None:
    with answering(lambda _: Reply(headers={"ETag": '"e"'})) as endpoint:
        store = endpoint.store(tmp_path)
        store.put("k", b"")
        assert CREDENTIALS.secret_access_key not in repr(vars(store))
        store.close()
