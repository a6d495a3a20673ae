"""Whole objects through obstore: its blocking calls, which leave the interpreter to others.

Every setting is passed, so that no environment variable can take its place. A PUT is sent once:
a repeated conditional one would lose against itself. A GET is resumed by obstore, pinned to the
ETag. obstore verifies no checksum: the caller hashes.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from s3dash.errors import InvalidResponse
from s3dash.objectstore.metadata import Metadata
from s3dash.objectstore.metadata import told as told_metadata
from s3dash.objectstore.s3_client import CONNECT_S
from s3dash.objectstore.s3_errors import Place, from_obstore, scrubbed
from s3dash.objectstore.s3_signers import Signer

if TYPE_CHECKING:
    import obstore
    from obstore import GetOptions
    from obstore.store import ClientConfig, S3Credential
    from obstore.store import S3Store as BulkStore

CHUNK = 1 << 18
"""Bytes of a body that are handed on at a time; 50 downloads hold some of them each."""
GET_RETRIES = 3
RETRY_FOR = timedelta(seconds=20)
# obstore's read timeout also runs while a body is still being sent: an upload over a slow line
# would be cut off by it. So an upload has one limit for the whole, by the slowest line that is
# worth waiting for; one for small bodies, so that silence is noticed soon.
SLOWEST = 16 << 10
UPLOAD_SIZES = (64 << 10, 1 << 20, 16 << 20)
DOWNLOAD_TIMEOUT = "12h"
_DOWNLOADS = -1
"""The name of their pool; those for uploads are named by the size of a body."""
_UNNAMEABLE = re.compile(r"[\x00-\x1f\x7f]|(?:\A|/)\.{0,2}(?:/|\Z)")
"""A control character, or a segment that is empty, `.` or `..`."""


class Target(msgspec.Struct, frozen=True):
    """Where and as whom. `read_s`: how long an endpoint may be silent, in seconds.

    `ca_bundle`: PEM file with roots that are trusted too.
    """

    bucket: str
    endpoint: str
    region: str
    virtual: bool
    signer: Callable[[], Signer]
    read_s: float = 30.0
    ca_bundle: Path | None = None


class Body(msgspec.Struct, frozen=True):
    """An object on its way: its version, its length in bytes, its pieces, what was put with it."""

    etag: str
    size: int
    chunks: Iterator[memoryview]
    metadata: Metadata = ()


class Bulk:
    """Connection pools: uploads are limited in time as a whole, downloads by silence."""

    def __init__(self, target: Target) -> None:
        self._target = target
        self._opening = threading.Lock()
        self._pools: dict[int, BulkStore] = {}
        self.signed_by: Signer | None = None

    def _up(self, size: int) -> "BulkStore":
        """The pool for a body of so many bytes; a larger one than the largest has its time too."""
        most = next((s for s in UPLOAD_SIZES if size <= s), size)
        limit: ClientConfig = {"timeout": f"{self._target.read_s + most / SLOWEST}s"}
        return self._pool(most, limit, retries=0)

    def _down(self) -> "BulkStore":
        silence = f"{self._target.read_s}s"
        limit: ClientConfig = {"timeout": DOWNLOAD_TIMEOUT, "read_timeout": silence}
        return self._pool(_DOWNLOADS, limit, retries=GET_RETRIES)

    def _pool(self, name: int, limit: "ClientConfig", *, retries: int) -> "BulkStore":
        """Each is opened when it is first asked for."""
        with self._opening:
            if name not in self._pools:
                self._pools[name] = _open(self._target, self._credential, limit, retries=retries)
            return self._pools[name]

    def _credential(self) -> "S3Credential":
        now = self.signed_by = self._target.signer()
        return {
            "access_key_id": now.access_key_id,
            "secret_access_key": now.secret_access_key,
            "token": now.token,
            "expires_at": now.expires_at,
        }

    def put(
        self, key: str, body: bytes, *, condition: str | None, content_type: str, place: Place
    ) -> str:
        """Returns the ETag. `condition`: `*` for «absent», else the ETag to match, as sent."""
        import obstore

        mode: Any = "overwrite"
        if condition is not None:
            mode = "create" if condition == "*" else {"e_tag": condition}
        with _translated(place):
            result = obstore.put(
                self._up(len(body)),
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
        import obstore

        options: GetOptions = {} if if_match is None else {"if_match": if_match}
        with _translated(place):
            result = obstore.get(self._down(), key, options=options)
            meta, told = result.meta, result.attributes
        if not meta["e_tag"]:
            raise InvalidResponse(f"{place} was answered without an ETag")
        given = {name: value for name, value in told.items() if name.islower()}  # others: HTTP's
        return Body(
            meta["e_tag"], meta["size"], _pieces(result, meta["size"], place), told_metadata(given)
        )


def addressable(key: str) -> bool:
    """Whether obstore can name this key; it refuses or bends the others."""
    return _UNNAMEABLE.search(key) is None


def _open(
    target: Target,
    credential: "Callable[[], S3Credential]",
    client: "ClientConfig",
    *,
    retries: int,
) -> "BulkStore":
    from obstore.store import S3Store as BulkStore  # late: most runs move no body

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
        credential_provider=credential,
        client_options=options,
        retry_config={"max_retries": retries, "retry_timeout": RETRY_FOR},
    )


def bucket_url(target: Target) -> str:
    """obstore wants the bucket in the endpoint when it is to be in the host name."""
    if not target.virtual:
        return target.endpoint
    parts = urlsplit(target.endpoint)
    return parts._replace(netloc=f"{target.bucket}.{parts.netloc}").geturl()


def _pieces(result: "obstore.GetResult", size: int, place: Place) -> Iterator[memoryview]:
    if size <= CHUNK:
        with _translated(place):
            body = memoryview(result.bytes())
        if body:
            yield body
        return
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
    except Exception as error:
        from obstore.exceptions import BaseError

        if not isinstance(error, BaseError | OSError | ValueError):
            raise
        raise from_obstore(error, place) from scrubbed(error)
