"""Whole objects through obstore: its blocking calls, which leave the interpreter to others.

Every setting is passed, so that no environment variable can take its place. A PUT is sent once:
a repeated conditional one would lose against itself. A GET is resumed by obstore, pinned to the
ETag. obstore verifies no checksum: the caller hashes.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import obstore
from obstore.exceptions import BaseError
from obstore.store import S3Store as BulkStore

from s3dash.errors import InvalidResponse
from s3dash.objectstore.s3_client import CONNECT_S, Signer
from s3dash.objectstore.s3_errors import Place, from_obstore, scrubbed

if TYPE_CHECKING:
    from obstore import GetOptions
    from obstore.store import ClientConfig, S3Credential

CHUNK = 1 << 20
GET_RETRIES = 3
RETRY_FOR = timedelta(seconds=60)
# obstore's read timeout also runs while a body is still being sent: an upload over a slow line
# would be cut off by it. So an upload has one limit for the whole of its at most 16 MB.
UPLOAD_TIMEOUT = "15m"
DOWNLOAD_TIMEOUT = "1h"
DOWNLOAD_READ_TIMEOUT = "30s"


@dataclass(frozen=True, slots=True)
class Target:
    """Where and as whom. `ca_bundle`: PEM file with roots that are trusted too."""

    bucket: str
    endpoint: str
    region: str
    virtual: bool
    signer: Callable[[], Signer]
    ca_bundle: Path | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """An object on its way: its version, its length in bytes, and its pieces."""

    etag: str
    size: int
    chunks: Iterator[memoryview]


class Bulk:
    """Two connection pools: uploads are limited in time as a whole, downloads by silence."""

    def __init__(self, target: Target) -> None:
        upload: ClientConfig = {"timeout": UPLOAD_TIMEOUT}
        download: ClientConfig = {
            "timeout": DOWNLOAD_TIMEOUT,
            "read_timeout": DOWNLOAD_READ_TIMEOUT,
        }
        self._up = _open(target, upload, retries=0)
        self._down = _open(target, download, retries=GET_RETRIES)

    def put(
        self, key: str, body: bytes, *, condition: str | None, content_type: str, place: Place
    ) -> str:
        """Returns the ETag. `condition`: `*` for «absent», else the ETag to match, as sent."""
        mode: Any = "overwrite"
        if condition is not None:
            mode = "create" if condition == "*" else {"e_tag": condition}
        with _translated(place):
            result = obstore.put(
                self._up,
                key,
                body,
                mode=mode,
                use_multipart=False,
                attributes={"Content-Type": content_type},
            )
        if not result["e_tag"]:
            raise InvalidResponse(f"{place} was stored, but the answer names no ETag")
        return result["e_tag"]

    def get(self, key: str, *, if_match: str | None, place: Place) -> Body:
        """`if_match` as sent. The chunks raise our errors too; dropping them ends the transfer."""
        options: GetOptions = {} if if_match is None else {"if_match": if_match}
        with _translated(place):
            result = obstore.get(self._down, key, options=options)
            meta = result.meta
        if not meta["e_tag"]:
            raise InvalidResponse(f"{place} was answered without an ETag")
        return Body(meta["e_tag"], meta["size"], _pieces(result, place))


def addressable(key: str) -> bool:
    """Whether obstore can name this key; it refuses or bends the others."""
    segments = key.split("/")
    return all(s not in ("", ".", "..") for s in segments) and not any(
        ord(c) < 0x20 or ord(c) == 0x7F for c in key
    )


def _open(target: Target, client: "ClientConfig", *, retries: int) -> BulkStore:
    secure = urlsplit(target.endpoint).scheme == "https"
    options: ClientConfig = {**client, "allow_http": not secure, "connect_timeout": f"{CONNECT_S}s"}
    if target.ca_bundle is not None:
        options["root_certificate"] = target.ca_bundle.read_bytes()
    url = bucket_url(target)
    return BulkStore(
        target.bucket,
        endpoint=url,
        aws_endpoint_url_s3=url,
        region=target.region,
        default_region=target.region,
        virtual_hosted_style_request=target.virtual,
        skip_signature=False,
        unsigned_payload=False,
        s3_express=False,
        request_payer=False,
        conditional_put="etag",
        credential_provider=partial(_credential, target.signer),
        client_options=options,
        retry_config={"max_retries": retries, "retry_timeout": RETRY_FOR},
    )


def _credential(signer: Callable[[], Signer]) -> "S3Credential":
    now = signer()
    return {
        "access_key_id": now.access_key_id,
        "secret_access_key": now.secret_access_key,
        "token": now.token,
        "expires_at": now.expires_at,
    }


def bucket_url(target: Target) -> str:
    """obstore wants the bucket in the endpoint when it is to be in the host name."""
    if not target.virtual:
        return target.endpoint
    parts = urlsplit(target.endpoint)
    return parts._replace(netloc=f"{target.bucket}.{parts.netloc}").geturl()


def _pieces(result: "obstore.GetResult", place: Place) -> Iterator[memoryview]:
    with _translated(place):
        stream = iter(result.stream(min_chunk_size=CHUNK))
    while True:
        with _translated(place):
            piece = next(stream, None)
        if piece is None:
            return
        yield memoryview(piece)


@contextmanager
def _translated(place: Place) -> Iterator[None]:
    try:
        yield
    except (BaseError, OSError, ValueError) as error:
        raise from_obstore(error, place) from scrubbed(error)
