"""Blobs by their integrity: what is got is what was put, or an error says how it differs."""

import tempfile
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO, TypeVar, overload

from s3dash.engine.jobs import retrying
from s3dash.errors import Integrity, NotFound, Unverifiable
from s3dash.local.fsio import telling
from s3dash.objectstore.port import Downloaded, ObjectInfo, OnBytes
from s3dash.stores.blobs import content, keys, sri
from s3dash.stores.blobs.content import Content, Naming
from s3dash.stores.blobs.model import GRACE_S, Blob, Put
from s3dash.stores.blobs.placing import Placing
from s3dash.stores.blobs.verifying import Tee, Verifier
from s3dash.stores.opened import Opened

T = TypeVar("T")

HELD = 8 << 20
"""Bytes of an open blob that are held in memory; more lies in a temporary file."""


class BlobStore(MutableMapping[str, bytes]):
    """The blobs below one prefix of an open datastore; any thread may call.

    As a mapping it is from integrity to bytes: `store[missing]` and `del store[missing]` raise
    KeyError, where `get` gives None and `delete` is content. Whatever is read is verified before
    it is handed out; besides what a method names, all raise what the object store raises.

    `prefix` stands below that of the datastore, its settings' `blob_prefix` when None. `grace_s`
    is that of the collections there. `staging`: where large streams wait, else the system's place.
    """

    def __init__(
        self,
        opened: Opened,
        *,
        prefix: str | None = None,
        grace_s: float = GRACE_S,
        staging: Path | None = None,
    ) -> None:
        self.opened = opened
        self.prefix = opened.settings.blob_prefix if prefix is None else prefix
        self.grace_s = grace_s
        self._store = opened.store
        self._patience = opened.patience
        self._placing = Placing(opened.store, opened.patience, grace_s)
        self._staging = staging

    def key(self, integrity: str) -> str:
        """The object's key, below the datastore's prefix. Raises UsageError where none can be."""
        return keys.encode(integrity, self.prefix)

    # --- putting ------------------------------------------------------------------------

    def put(
        self,
        body: bytes,
        integrity: str | None = None,
        *,
        algorithm: sri.Algorithm = sri.USUAL,
        opaque: bool = False,
    ) -> Put:
        """Put bytes under `integrity`, else under their own digest by `algorithm`.

        Other bytes than `integrity` promises raise Integrity before anything is sent, and one
        that is no valid digest UsageError; unless it is `opaque`: then it is any text, and a
        separate SHA-256 is kept with the blob.
        """
        named = content.of_bytes(body, Naming(integrity, algorithm, opaque))
        return self._put(named)

    def put_file(
        self,
        path: Path,
        integrity: str | None = None,
        *,
        algorithm: sri.Algorithm = sri.USUAL,
        opaque: bool = False,
        on_bytes: OnBytes | None = None,
    ) -> Put:
        """As `put`, with the bytes of a file, of any size; `on_bytes` is told of what is sent.

        Raises LocalChanged when it changes meanwhile, LocalError when it cannot be read.
        """
        naming = Naming(integrity, algorithm, opaque)
        named = content.of_file(path, naming, heed=self._heed)
        return self._put(named, on_bytes)

    def put_stream(
        self,
        stream: BinaryIO,
        integrity: str | None = None,
        *,
        algorithm: sri.Algorithm = sri.USUAL,
        opaque: bool = False,
        on_bytes: OnBytes | None = None,
    ) -> Put:
        """As `put`, with all that a stream gives, of any length: it is hashed before it is sent,
        and a long one waits for that in a temporary file."""
        naming = Naming(integrity, algorithm, opaque)
        with content.of_stream(stream, naming, staging=self._staging, heed=self._heed) as named:
            return self._put(named, on_bytes)

    def _put(self, named: Content, on_bytes: OnBytes | None = None) -> Put:
        return self._placing.put(self.key(named.integrity), named, on_bytes=self._heeding(on_bytes))

    # --- getting ------------------------------------------------------------------------

    @overload
    def get(self, integrity: str, /) -> bytes | None: ...
    @overload
    def get(self, integrity: str, /, default: bytes) -> bytes: ...
    @overload
    def get(self, integrity: str, /, default: T) -> bytes | T: ...

    def get(self, integrity: str, /, default: object = None) -> object:
        """The bytes, or `default` when there is no such blob: one request, all of it in memory.

        Raises Integrity when other bytes are there, with both digests as `expected` and `actual`;
        Unverifiable when nothing says which they should be.
        """
        key = self.key(integrity)
        try:
            return self._surely(lambda _: self._whole(integrity, key))
        except NotFound:
            return default

    @contextmanager
    def open(
        self, integrity: str, *, trusting: bool = False, on_bytes: OnBytes | None = None
    ) -> Iterator[IO[bytes]]:
        """The verified bytes as a file to read, of any size, until the block ends.

        All of it is fetched and verified before the block begins. Raises NotFound, and as `get`;
        `trusting` takes bytes that nothing vouches for, instead of raising Unverifiable.
        """
        with tempfile.SpooledTemporaryFile(
            HELD, prefix="s3dash-blob-", dir=_text(self._staging)
        ) as file:
            self._download(integrity, file, trusting, on_bytes)
            file.seek(0)
            yield file

    def save(
        self,
        integrity: str,
        path: Path,
        *,
        trusting: bool = False,
        on_bytes: OnBytes | None = None,
    ) -> Downloaded:
        """Write the verified bytes to a file, which is replaced in one step.

        Raises NotFound, and as `open`: then nothing was written.
        """
        with telling(f"{path} cannot be written"):
            beside = tempfile.NamedTemporaryFile(  # noqa: SIM115 - it is closed below, and may move
                prefix=".s3dash-", dir=path.parent, delete=False
            )
        unfinished = Path(beside.name)
        try:
            with beside:
                done = self._download(integrity, beside, trusting, on_bytes)
            with telling(f"{path} cannot be written"):
                unfinished.replace(path)
        finally:
            unfinished.unlink(missing_ok=True)
        return done

    def verify(
        self, integrity: str, *, trusting: bool = False, on_bytes: OnBytes | None = None
    ) -> Downloaded:
        """Read a blob to its end and hold nothing of it. Raises as `open`."""
        return self._download(integrity, None, trusting, on_bytes)

    def _whole(self, integrity: str, key: str) -> bytes:
        found = self._store.get(key)
        if found is None:
            raise AssertionError("an unconditional read has an answer")
        verifier = Verifier(integrity)
        verifier.update(found.body)
        verifier.finish(found.info.metadata)
        return found.body

    def _surely(self, read: Callable[[int], T]) -> T:
        """What arrives damaged may have been damaged on its way: it is read once more."""
        return retrying(
            read, patience=self._patience, once_more=(Integrity,), never=(Unverifiable,)
        )

    def _download(
        self, integrity: str, file: IO[bytes] | None, trusting: bool, on_bytes: OnBytes | None
    ) -> Downloaded:
        """What an attempt that broke off has written is written again."""

        def once(_: int) -> Downloaded:
            if file is not None:
                file.seek(0)
                file.truncate()
            verifier = Verifier(integrity, trusting=trusting)
            tee, tell = Tee(verifier, file), self._heeding(on_bytes)
            done = self._store.download(self.key(integrity), tee, on_bytes=tell)
            verifier.finish(done.metadata)
            return done

        return self._surely(once)

    def _heed(self) -> None:
        self._patience.cancel.check()

    def _heeding(self, on_bytes: OnBytes | None) -> OnBytes:
        """A transfer that is stopped stops between two pieces."""

        def told(count: int) -> None:
            self._heed()
            if on_bytes is not None:
                on_bytes(count)

        return told

    # --- looking ------------------------------------------------------------------------

    def has(self, integrity: str) -> bool:
        return self.look(integrity) is not None

    def look(self, integrity: str) -> ObjectInfo | None:
        """The object of a blob, with its times and metadata; None when there is none."""
        key = self.key(integrity)
        try:
            return retrying(lambda _: self._store.head(key), patience=self._patience)
        except NotFound:
            return None

    def list(self) -> Iterator[Blob]:
        """All blobs, a page of the listing at a time; keys of another kind are passed over."""
        for found in self.scan():
            if isinstance(found, Blob):
                yield found

    def scan(self) -> "Iterator[Blob | ObjectInfo]":
        """All objects below the prefix: blobs, and as the listing tells it what is none."""
        for one in self._store.list(keys.below(self.prefix)):
            self._patience.cancel.check()
            integrity = keys.decode(one.key, self.prefix)
            if integrity is None:
                yield one
            else:
                yield Blob(integrity, one.key, one.size, one.etag, one.last_modified)

    # --- deleting -----------------------------------------------------------------------

    def delete(self, integrity: str) -> None:
        """One that is not there is fine."""
        self.opened.steady.delete(self.key(integrity))

    # --- as a mapping -------------------------------------------------------------------

    def __getitem__(self, integrity: str) -> bytes:
        found = self.get(integrity)
        if found is None:
            raise KeyError(integrity)
        return found

    def __setitem__(self, integrity: str, body: bytes) -> None:
        self.put(body, integrity)

    def __delitem__(self, integrity: str) -> None:
        if not self.has(integrity):
            raise KeyError(integrity)
        self.delete(integrity)

    def __contains__(self, integrity: object) -> bool:
        return isinstance(integrity, str) and self.has(integrity)

    def __iter__(self) -> Iterator[str]:
        return (blob.integrity for blob in self.list())

    def __len__(self) -> int:
        """By listing all of them."""
        return sum(1 for _ in self.list())


def _text(path: Path | None) -> str | None:
    return None if path is None else str(path)
