"""The doctor's raw questions, through boto3."""

from collections.abc import Sequence
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError
from msgspec.structs import replace

from s3dash.core.settings import CredentialSource, Datastore
from s3dash.errors import InvalidResponse, S3DashError
from s3dash.objectstore.examination import RawTags, Rule, Style
from s3dash.objectstore.meter import Meter
from s3dash.objectstore.s3_answers import etag_of, told
from s3dash.objectstore.s3_client import Clients, virtual_hosted
from s3dash.objectstore.s3_errors import boto_translated
from s3dash.objectstore.s3_faults import answer_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_s3 import S3Client

REGION_HEADER = "x-amz-bucket-region"
ASLEEP = frozenset({"GLACIER", "DEEP_ARCHIVE"})
MOST_PAGES = 50


class S3Examination:
    """Implements `Examination`. `tag` writes an ETag in the endpoint's dialect."""

    def __init__(
        self,
        settings: Datastore,
        credentials: CredentialSource,
        clients: Clients,
        *,
        tag: "Callable[[str], str]",
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._clients = clients
        self._tag = tag
        self._bucket = settings.bucket
        self._root = f"{settings.prefix}/" if settings.prefix else ""

    # --- multipart ----------------------------------------------------------------------

    def begin_upload(self, key: str) -> str:
        place = self._place("write", key)
        with boto_translated(place):
            begun = self._client.create_multipart_upload(Bucket=self._bucket, Key=self._root + key)
        return str(told(begun, "UploadId", place))

    def put_in_parts(
        self, key: str, body: bytes, *, if_match: str | None = None, if_none_match: bool = False
    ) -> str:
        upload = self.begin_upload(key)
        try:
            return self._complete(key, upload, body, self._condition(if_match, if_none_match))
        except S3DashError:
            # The first failure is the one to tell; what stays is swept with the rest.
            with suppress(BotoCoreError, ClientError):
                self._client.abort_multipart_upload(
                    Bucket=self._bucket, Key=self._root + key, UploadId=upload
                )
            raise

    # --- listings and ETags -------------------------------------------------------------

    def raw_listing(self, prefix: str) -> bytes:
        """Through a client of its own: only this answer is overheard."""
        seen: list[bytes] = []

        def keep(response_dict: dict[str, Any], **_: object) -> None:
            seen.append(bytes(response_dict["body"]))

        with closing(Clients(self._settings, self._credentials, Meter())) as clients:
            client = clients.get("once")
            client.meta.events.register("response-received.s3.ListObjectsV2", keep)
            with boto_translated(self._place("list")):
                client.list_objects_v2(Bucket=self._bucket, Prefix=self._root + prefix, MaxKeys=2)
        return seen[-1] if seen else b""

    def pages(self, prefix: str, *, size: int) -> Sequence[Sequence[str]]:
        pages: list[list[str]] = []
        more: dict[str, Any] = {}
        while len(pages) < MOST_PAGES:
            place = self._place("list")
            with boto_translated(place):
                page = self._client.list_objects_v2(
                    Bucket=self._bucket, Prefix=self._root + prefix, MaxKeys=size, **more
                )
            keys = [told(entry, "Key", place) for entry in page.get("Contents", [])]
            pages.append([key.removeprefix(self._root) for key in keys])
            if not page.get("IsTruncated") or not page.get("NextContinuationToken"):
                return pages
            more = {"ContinuationToken": page["NextContinuationToken"]}
        raise InvalidResponse("a listing of a few keys goes on without an end")

    def list_whole_bucket(self) -> None:
        with boto_translated(self._place("list")):
            self._client.list_objects_v2(Bucket=self._bucket, MaxKeys=1)

    def raw_tags(self, key: str, body: bytes) -> RawTags:
        where: dict[str, Any] = {"Bucket": self._bucket, "Key": self._root + key}
        with boto_translated(self._place("write", key)):
            put = self._client.put_object(Body=body, **where)
            head = self._client.head_object(**where)
            got = self._client.get_object(**where)
            with closing(got["Body"]) as stream:
                stream.read()
            listed = self._client.list_objects_v2(Bucket=self._bucket, Prefix=where["Key"])
        found = [one for one in listed.get("Contents", []) if one.get("Key") == where["Key"]]
        sse = str(head.get("ServerSideEncryption", ""))
        tag = found[0].get("ETag", "") if found else ""
        return RawTags(_raw(put), _raw(head), _raw(got), tag, sse)

    # --- the bucket ---------------------------------------------------------------------

    def style(self) -> Style:
        virtual = virtual_hosted(self._settings)
        now, other = ("virtual-hosted", "path") if virtual else ("path", "virtual-hosted")
        turned = replace(self._settings, force_path_style=virtual)
        if virtual_hosted(turned) == virtual:
            return Style(now, other, False, "this endpoint or bucket name allows no other")
        with closing(Clients(turned, self._credentials, Meter())) as clients:
            try:
                with boto_translated(self._place("list")):
                    clients.get("once").list_objects_v2(
                        Bucket=self._bucket, Prefix=self._root, MaxKeys=1
                    )
            except S3DashError as error:
                return Style(now, other, False, type(error).__name__)
        return Style(now, other, True)

    def regions(self) -> tuple[str, str]:
        with boto_translated(self._place("reach")):
            try:
                answer: Any = self._client.head_bucket(Bucket=self._bucket)
            except ClientError as error:
                answer = error.response
                if not _headers(answer).get(REGION_HEADER) and answer_of(error).status != 403:
                    raise
        return self._clients.region, _headers(answer).get(REGION_HEADER, "")

    def location(self) -> str:
        with boto_translated(self._place("reach")):
            found = self._client.get_bucket_location(Bucket=self._bucket)
        return str(found.get("LocationConstraint") or "us-east-1")

    def versioning(self) -> str:
        with boto_translated(self._place("reach")):
            found = self._client.get_bucket_versioning(Bucket=self._bucket)
        return str(found.get("Status", "off"))

    def lifecycle(self) -> Sequence[Rule]:
        try:
            with boto_translated(self._place("reach"), but="NoSuchLifecycleConfiguration"):
                found = self._client.get_bucket_lifecycle_configuration(Bucket=self._bucket)
        except ClientError:
            return []
        return [_rule(rule) for rule in found.get("Rules", []) if rule.get("Status") == "Enabled"]

    # --- how ----------------------------------------------------------------------------

    @property
    def _client(self) -> "S3Client":
        return self._clients.get("steady")

    def _place(self, action: str, key: str = "") -> Any:
        return self._clients.place.at(action, key)

    def _complete(self, key: str, upload: str, body: bytes, condition: dict[str, Any]) -> str:
        where: dict[str, Any] = {"Bucket": self._bucket, "Key": self._root + key}
        place = self._clients.place.at("write", key, conditional=bool(condition))
        with boto_translated(place):
            part = self._client.upload_part(UploadId=upload, PartNumber=1, Body=body, **where)
            done = self._clients.get("complete").complete_multipart_upload(
                UploadId=upload,
                MultipartUpload={"Parts": [{"PartNumber": 1, "ETag": told(part, "ETag", place)}]},
                **where,
                **condition,
            )
        return etag_of(done, place)

    def _condition(self, if_match: str | None, if_none_match: bool) -> dict[str, Any]:
        if if_match is not None:
            return {"IfMatch": self._tag(if_match)}
        return {"IfNoneMatch": "*"} if if_none_match else {}


def _headers(answer: Any) -> dict[str, str]:
    found: dict[str, str] = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {})
    return found


def _raw(answer: Any) -> str:
    return str(_headers(answer).get("etag") or answer.get("ETag", ""))


def _rule(rule: Any) -> Rule:
    chosen = rule.get("Filter") or {}
    both = chosen.get("And", chosen)
    expiry = rule.get("Expiration", {})
    narrowed = any(both.get(k) for k in ("Tag", "Tags", "ObjectSizeGreaterThan")) or bool(
        both.get("ObjectSizeLessThan")
    )
    return Rule(
        name=str(rule.get("ID", "")),
        prefix=str(both.get("Prefix") or rule.get("Prefix") or ""),
        expires=bool(expiry.get("Days") or expiry.get("Date")),
        narrowed=narrowed,
        abort_days=rule.get("AbortIncompleteMultipartUpload", {}).get("DaysAfterInitiation"),
        old_versions_days=rule.get("NoncurrentVersionExpiration", {}).get("NoncurrentDays"),
        cold=any(t.get("StorageClass") in ASLEEP for t in rule.get("Transitions", [])),
    )
