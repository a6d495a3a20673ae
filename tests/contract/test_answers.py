"""What S3 says, told as our errors; what is no S3 answer is never taken for one."""

import io
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from s3dash.errors import (
    AccessDenied,
    BucketNotFound,
    CredentialsExpired,
    Integrity,
    InvalidResponse,
    NotFound,
    NotImplementedByEndpoint,
    PreconditionFailed,
    S3DashError,
    ServerFault,
    StoreError,
    Throttled,
    Unreachable,
)
from tests.contract.endpoint import CREDENTIALS, Asked, Reply, answering, error

LIST = (
    b'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>bucket</Name>%s'
    b"<Contents><Key>k</Key><Size>1</Size><ETag>&quot;e&quot;</ETag></Contents></ListBucketResult>"
)
CUT_SHORT = LIST % b"<IsTruncated>true</IsTruncated>"
CIRCLE = LIST % b"<IsTruncated>true</IsTruncated><NextContinuationToken>t</NextContinuationToken>"
WHOLE = LIST % b"<IsTruncated>false</IsTruncated>"
FULL = (
    b"<ListBucketResult><Name>bucket</Name><MaxKeys>1000</MaxKeys><IsTruncated>false</IsTruncated><Contents>"
    b"<Key>k</Key><ETag>&quot;e&quot;</ETag><Size>1</Size>"
    b"<LastModified>2026-01-02T03:04:05.000Z</LastModified></Contents></ListBucketResult>"
)
NO_LISTINGS = {
    "html": b"<html><body>please log in</body></html>",
    "broken html": b"<!doctype html><p>please <br> log in",
    "empty": b"",
    "error document": error("InternalError"),
    "access denied document": error("AccessDenied"),
    "another document": b"<ListAllMyBucketsResult></ListAllMyBucketsResult>",
    "nothing inside": b"<ListBucketResult></ListBucketResult>",
    "truncated without a token": CUT_SHORT,
    "the same page for ever": CIRCLE,
}


@pytest.mark.parametrize("what", NO_LISTINGS)
def test_what_is_no_whole_listing_is_an_error(tmp_path: Path, what: str) -> None:
    with answering(lambda _: Reply(body=NO_LISTINGS[what])) as endpoint:
        store = endpoint.store(tmp_path)
        with pytest.raises(InvalidResponse, match="bucket"):
            list(store.list())
        with pytest.raises(InvalidResponse):
            store.list_dirs()
        store.close()


def test_a_listing_that_was_cut_off_is_a_fault_that_may_pass(tmp_path: Path) -> None:
    with answering(lambda _: Reply(body=WHOLE[:150])) as endpoint:
        store = endpoint.store(tmp_path)
        with pytest.raises(ServerFault):
            list(store.list())
        store.close()


def test_a_listing_of_the_right_kind_is_read(tmp_path: Path) -> None:
    with answering(lambda _: Reply(body=WHOLE)) as endpoint:
        store = endpoint.store(tmp_path)
        assert [(i.key, i.etag) for i in store.list()] == [("k", "e")]
        store.close()


def test_a_listing_of_keys_outside_the_prefix_is_an_error(tmp_path: Path) -> None:
    with answering(lambda _: Reply(body=WHOLE)) as endpoint:
        store = endpoint.store(tmp_path, prefix="team")
        with pytest.raises(InvalidResponse, match="not asked for"):
            list(store.list())
        store.close()


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        (b"2026-01-02T03:04:05.000Z", b"2026-01-32T03:04:05.000Z"),
        (b"2026-01-02T03:04:05.000Z", b"0000-01-02T03:04:05.000Z"),
        (b"<Size>1</Size>", b"<Size>q</Size>"),
        (b"<MaxKeys>1000</MaxKeys>", b"<MaxKeys>1e3</MaxKeys>"),
    ],
)
def test_a_listing_with_a_value_that_is_none_is_an_error(
    tmp_path: Path, right: bytes, wrong: bytes
) -> None:
    """A bit may flip in a date or a number as well."""
    body = FULL.replace(right, wrong)
    assert body != FULL
    with answering(lambda _: Reply(body=body)) as endpoint:
        store = endpoint.store(tmp_path)
        with pytest.raises(InvalidResponse, match="cannot be parsed"):
            list(store.list())
        store.close()


STATUSES: list[tuple[int, str, type[S3DashError]]] = [
    (400, "BadDigest", Integrity),
    (400, "RequestTimeout", Unreachable),
    (400, "ExpiredToken", CredentialsExpired),
    (400, "InvalidRequest", StoreError),
    (401, "", AccessDenied),
    (403, "AccessDenied", AccessDenied),
    (403, "RequestTimeTooSkewed", AccessDenied),
    (403, "SignatureDoesNotMatch", AccessDenied),
    (404, "NoSuchBucket", BucketNotFound),
    (409, "ConditionalRequestConflict", PreconditionFailed),
    (409, "OperationAborted", PreconditionFailed),
    (412, "PreconditionFailed", PreconditionFailed),
    (429, "TooManyRequests", Throttled),
    (500, "InternalError", ServerFault),
    (501, "NotImplemented", NotImplementedByEndpoint),
    (502, "", ServerFault),
    (503, "SlowDown", Throttled),
    (503, "ServiceUnavailable", Throttled),
]


@pytest.mark.parametrize(("status", "code", "kind"), STATUSES)
def test_a_refused_conditional_write_is_told_and_never_repeated(
    tmp_path: Path, status: int, code: str, kind: type[S3DashError]
) -> None:
    """By boto3 and by obstore alike."""
    (tmp_path / "f").write_bytes(b"x")
    body = error(code) if code else b""
    with answering(lambda _: Reply(status, body)) as endpoint:
        store = endpoint.store(tmp_path)
        for call in (
            lambda: store.put("k", b"x", if_none_match=True),
            lambda: store.upload("k", tmp_path / "f", if_none_match=True),
        ):
            endpoint.asked.clear()
            with pytest.raises(S3DashError) as raised:
                call()
            assert type(raised.value) is kind
            assert raised.value.__cause__ is not None
            assert len(endpoint.asked) == 1
        store.close()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (404, "NoSuchKey", NotFound),
        (404, "NoSuchBucket", BucketNotFound),
        (404, "", InvalidResponse),
        (412, "PreconditionFailed", PreconditionFailed),
        (403, "InvalidAccessKeyId", AccessDenied),
    ],
)
def test_a_refused_read_is_told_by_both_sdks(
    tmp_path: Path, status: int, code: str, kind: type[S3DashError]
) -> None:
    body = error(code) if code else b"<html>no such page</html>"
    with answering(lambda _: Reply(status, body)) as endpoint:
        store = endpoint.store(tmp_path)
        for call in (
            lambda: store.get("k"),
            lambda: store.get_range("k", start=0, length=1),
            lambda: store.download("k", io.BytesIO()),
            lambda: store.download("k/", io.BytesIO()),
        ):
            with pytest.raises(S3DashError) as raised:
                call()
            assert type(raised.value) is kind
        store.close()


def test_reads_are_repeated_after_a_fault_and_every_request_is_counted(tmp_path: Path) -> None:
    answers = [Reply(500), Reply(503), Reply(body=b"ok", headers={"ETag": '"e"'})]
    with answering(lambda _: answers.pop(0)) as endpoint:
        store = endpoint.store(tmp_path)
        fetched = store.get("k")
        assert fetched is not None
        assert fetched.body == b"ok"
        assert store.usage.requests == len(endpoint.asked) == 3
        store.close()


def test_a_fault_with_a_checksum_header_is_a_server_fault(tmp_path: Path) -> None:
    reply = Reply(500, error("InternalError"), {"x-amz-checksum-crc32": "AAAAAA=="})
    with answering(lambda _: reply) as endpoint:
        store = endpoint.store(tmp_path)
        with pytest.raises(ServerFault):
            store.get("k")
        with pytest.raises(ServerFault):
            store.download("k/", io.BytesIO())
        store.close()


@pytest.mark.parametrize("call", ["put", "upload", "get", "download", "head", "copy"])
def test_a_success_without_an_etag_is_no_s3_answer(tmp_path: Path, call: str) -> None:
    (tmp_path / "f").write_bytes(b"x")
    with answering(lambda _: Reply(body=b"<html>welcome</html>")) as endpoint:
        store = endpoint.store(tmp_path)
        calls: dict[str, Callable[[], object]] = {
            "put": lambda: store.put("k", b"x"),
            "upload": lambda: store.upload("k", tmp_path / "f"),
            "get": lambda: store.get("k"),
            "download": lambda: store.download("k", io.BytesIO()),
            "head": lambda: store.head("k"),
            "copy": lambda: store.copy("k", "l"),
        }
        with pytest.raises(InvalidResponse):
            calls[call]()
        store.close()


@pytest.mark.parametrize(
    "body", [b"", b"<InitiateMultipartUploadResult></InitiateMultipartUploadResult>"]
)
def test_an_upload_that_begins_without_a_name_is_no_s3_answer(tmp_path: Path, body: bytes) -> None:
    with answering(lambda _: Reply(body=body)) as endpoint:
        store = endpoint.store(tmp_path)
        with pytest.raises(InvalidResponse):
            store.examination().put_in_parts("k", b"x")
        store.close()


@pytest.mark.parametrize(
    ("code", "raised"), [("InternalError", ServerFault), ("PreconditionFailed", PreconditionFailed)]
)
def test_a_copy_that_fails_after_its_status_has_not_succeeded(
    tmp_path: Path, code: str, raised: type[S3DashError]
) -> None:
    """S3 begins to answer before a copy has ended."""
    with answering(lambda _: Reply(body=error(code))) as endpoint:
        store = endpoint.store(tmp_path)
        with pytest.raises(raised):
            store.copy("k", "l", if_none_match=True)
        store.close()


def test_a_listing_in_an_encoding_that_is_none_is_a_fault(tmp_path: Path) -> None:
    """A bit was flipped on its way."""
    body = b'<?xml version="1.0" encoding="TTF-8"?><ListBucketResult></ListBucketResult>'
    with answering(lambda _: Reply(body=body)) as endpoint:
        store = endpoint.store(tmp_path)
        with pytest.raises(ServerFault):
            list(store.list())
        store.close()


@pytest.mark.parametrize("key", ["k", "k/"])
def test_a_body_that_ends_early_is_never_taken_for_whole(tmp_path: Path, key: str) -> None:
    reply = Reply(body=b"half", headers={"ETag": '"e"'}, length=8)
    with answering(lambda _: reply) as endpoint:
        store = endpoint.store(tmp_path)
        with pytest.raises((Unreachable, Integrity, InvalidResponse)):
            store.download(key, io.BytesIO())
        with pytest.raises(Unreachable):
            store.get(key)
        store.close()


def test_an_endpoint_that_ignores_ranges_still_gives_the_right_bytes(tmp_path: Path) -> None:
    with answering(lambda _: Reply(body=b"0123456789", headers={"ETag": '"e"'})) as endpoint:
        store = endpoint.store(tmp_path)
        assert store.get_range("k", start=2, length=3) == b"234"
        store.close()


def test_a_missing_bucket_is_told_from_a_missing_key(tmp_path: Path) -> None:
    """A HEAD has no body that would tell them apart."""
    with answering(lambda _: Reply(404)) as endpoint:
        store = endpoint.store(tmp_path)
        with pytest.raises(BucketNotFound):
            store.head("k")
        store.close()

    def keyless(asked: Asked) -> Reply:
        return Reply(404) if asked.path.endswith("/k") else Reply()

    with answering(keyless) as endpoint:
        store = endpoint.store(tmp_path)
        for _ in range(2):
            with pytest.raises(NotFound):
                store.head("k")
        assert [a.path for a in endpoint.asked] == ["/bucket/k", "/bucket", "/bucket/k"]
        store.close()


def test_a_wrong_region_is_named_with_the_right_one(tmp_path: Path) -> None:
    body = error("AuthorizationHeaderMalformed", "the region 'x' is wrong; expecting 'eu-west-1'")
    with answering(lambda _: Reply(400, body)) as endpoint:
        store = endpoint.store(tmp_path, region="us-east-2")
        with pytest.raises(AccessDenied) as raised:
            list(store.list())
        assert "us-east-2" in raised.value.hint
        assert "eu-west-1" in raised.value.hint
        store.close()


def test_an_error_never_repeats_a_secret(tmp_path: Path) -> None:
    """S3 echoes what was signed, the session token included."""
    (tmp_path / "f").write_bytes(b"x")
    echo = (
        "<Error><Code>SignatureDoesNotMatch</Code><Message>no</Message>"
        f"<AWSAccessKeyId>{CREDENTIALS.access_key_id}</AWSAccessKeyId>"
        f"<CanonicalRequest>x-amz-security-token:{CREDENTIALS.session_token}</CanonicalRequest>"
        f"<StringToSign>{CREDENTIALS.secret_access_key}</StringToSign></Error>"
    )
    with answering(lambda _: Reply(403, echo.encode())) as endpoint:
        store = endpoint.store(tmp_path)
        for call in (
            lambda: store.get("k"),
            lambda: store.put("k", b""),
            lambda: store.upload("k", tmp_path / "f"),
            lambda: store.download("k", io.BytesIO()),
        ):
            with pytest.raises(AccessDenied) as raised:
                call()
            told = "".join(traceback.format_exception(raised.value)) + repr(raised.value.document())
            for secret in (CREDENTIALS.secret_access_key, CREDENTIALS.session_token):
                assert secret is not None
                assert secret not in told
        store.close()


@pytest.mark.parametrize("quotes", [True, False])
def test_conditions_are_sent_in_the_endpoint_s_dialect(tmp_path: Path, quotes: bool) -> None:
    (tmp_path / "f").write_bytes(b"x")

    def answer(asked: Asked) -> Reply:
        return Reply(204 if asked.method == "DELETE" else 200, headers={"ETag": '"new"'})

    with answering(answer) as endpoint:
        store = endpoint.store(tmp_path)
        store.etag_quotes = quotes
        store.put("k", b"x", if_match="abc")
        store.upload("k", tmp_path / "f", if_match="abc")
        store.upload("k/", tmp_path / "f", if_match="abc")
        store.get("k", if_match="abc")
        store.download("k", io.BytesIO(), if_match="abc")
        store.delete("k", if_match="abc")
        sent = [a.headers["if-match"] for a in endpoint.asked if a.method != "HEAD"]
        assert sent == ['"abc"' if quotes else "abc"] * 6
        store.close()


def test_no_checksum_is_added_that_an_endpoint_might_not_know(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x")
    with answering(lambda _: Reply(headers={"ETag": '"new"'})) as endpoint:
        store = endpoint.store(tmp_path)
        store.put("k", b"x")
        store.upload("k", tmp_path / "f")
        store.get("k")
        for asked in endpoint.asked:
            assert not [h for h in asked.headers if "checksum" in h]
        store.close()
