"""Errors that no server of ours can be made to give, translated one by one."""

from pathlib import Path

import pytest
from botocore import exceptions as sdk

from s3dash.errors import (
    AccessDenied,
    ConfigError,
    Integrity,
    InvalidResponse,
    NotFound,
    S3DashError,
    StoreError,
    Throttled,
    Unreachable,
)
from s3dash.objectstore.s3_bulk import Target, addressable, bucket_url
from s3dash.objectstore.s3_errors import Place, from_boto, from_obstore, scrubbed
from s3dash.objectstore.s3_signers import Signer
from tests.contract.endpoint import Reply, answering

PLACE = Place("https://s3.test", "bucket", "eu-west-1").at("read", "k")


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (sdk.NoCredentialsError(), ConfigError),
        (sdk.PartialCredentialsError(provider="env", cred_var="secret_key"), ConfigError),
        (sdk.ProfileNotFound(profile="ghost"), ConfigError),
        (sdk.ParamValidationError(report="Invalid bucket name"), ConfigError),
        (sdk.CredentialRetrievalError(provider="p", error_msg="hunter2"), AccessDenied),
        (sdk.SSOTokenLoadError(error_msg="expired"), AccessDenied),
        (sdk.EndpointConnectionError(endpoint_url="https://s3.test"), Unreachable),
        (sdk.ConnectTimeoutError(endpoint_url="https://s3.test"), Unreachable),
        (sdk.ReadTimeoutError(endpoint_url="https://s3.test"), Unreachable),
        (sdk.ConnectionClosedError(endpoint_url="https://s3.test"), Unreachable),
        (sdk.SSLError(endpoint_url="https://s3.test", error=ValueError("bad")), Unreachable),
        (sdk.IncompleteReadError(actual_bytes=1, expected_bytes=2), Unreachable),
        (sdk.FlexibleChecksumError(error_msg="differs"), Integrity),
        (sdk.UnknownServiceError(service_name="x", known_service_names="y"), StoreError),
    ],
)
def test_each_error_of_boto3_has_its_class(error: Exception, kind: type[S3DashError]) -> None:
    told = from_boto(error, PLACE)
    assert type(told) is kind
    assert "bucket" in told.message
    assert "hunter2" not in told.message


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("status code: 404 Not Found: <Error><Code>NoSuchKey</Code></Error>", NotFound),
        ("status code: 404 Not Found: <html>", InvalidResponse),
        ("status code: 503 Service Unavailable: ", Throttled),
        ("HTTP error: error sending request", Unreachable),
        ("HTTP error: request timed out", Unreachable),
        ("ETag Header missing from response", InvalidResponse),
        ("Received redirect without LOCATION, wrong region?", StoreError),
        ("something new", StoreError),
    ],
)
def test_each_error_of_obstore_has_its_class(text: str, kind: type[S3DashError]) -> None:
    assert type(from_obstore(RuntimeError(text), PLACE)) is kind


def test_a_redirect_blames_the_region() -> None:
    told = from_obstore(RuntimeError("Received redirect without LOCATION"), PLACE)
    assert "eu-west-1" in told.hint


def test_a_scrubbed_error_keeps_its_kind_and_loses_its_text() -> None:
    assert str(scrubbed(RuntimeError("secret"))) == "RuntimeError"


def test_a_key_that_could_not_be_deleted_in_bulk_is_named(tmp_path: Path) -> None:
    body = (
        b"<DeleteResult><Error><Key>team/k1</Key><Code>NoSuchKey</Code></Error>"
        b"<Error><Key>team/k2</Key><Code>AccessDenied</Code></Error></DeleteResult>"
    )
    with answering(lambda _: Reply(body=body)) as endpoint:
        store = endpoint.store(tmp_path, prefix="team")
        with pytest.raises(AccessDenied, match="'k2'"):
            store.delete_many(["k1", "k2"])
        store.close()


@pytest.mark.parametrize("key", ["a", "a/b", "a b", "50%", "..a/...", "é", "\u0085"])
def test_obstore_can_name_this_key(key: str) -> None:
    assert addressable(key)


@pytest.mark.parametrize("key", ["", "/a", "a/", "a//b", ".", "a/./b", "a/..", "a\n", "\x7f"])
def test_obstore_cannot_name_this_key(key: str) -> None:
    assert not addressable(key)


@pytest.mark.parametrize(
    ("virtual", "url"),
    [(False, "https://s3.test:9000"), (True, "https://bucket.s3.test:9000")],
)
def test_obstore_gets_the_bucket_in_the_host_when_it_is_virtual(virtual: bool, url: str) -> None:
    signer = Signer("id", "secret", None, None)
    target = Target("bucket", "https://s3.test:9000", "eu-west-1", virtual, lambda: signer)
    assert bucket_url(target) == url
    assert "secret" not in repr(signer)
