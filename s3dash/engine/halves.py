"""Downloads that were paused: their bytes are kept, and fetching goes on behind them."""

import hashlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import BinaryIO, NamedTuple

from s3dash.core.index import Entry
from s3dash.core.progress import Transfer
from s3dash.engine.context import Context
from s3dash.errors import Integrity, PreconditionFailed, TransferPaused
from s3dash.objectstore.port import Downloaded

PIECE = 2 << 20
"""Bytes that are asked for at a time once a download goes on."""


class Half(NamedTuple):
    """A staged file; `begun`: a download that was paused may have left bytes in it."""

    temp: BinaryIO
    begun: bool


class Halves:
    """The staged files of one pull that wait to be continued, by path."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._kept: dict[str, tuple[ExitStack, BinaryIO]] = {}

    @contextmanager
    def staging(self, rel: str) -> Iterator[Half]:
        """A staged file, empty or with what is there already. It outlives a TransferPaused and
        nothing else."""
        with ExitStack() as stack:
            kept = self._kept.pop(rel, None)
            if kept is None:
                temp = stack.enter_context(self._ctx.cache.staging())
            else:
                stack.push(kept[0])
                temp = kept[1]
            try:
                yield Half(temp, kept is not None)
            except TransferPaused:
                self._kept[rel] = (stack.pop_all(), temp)
                raise

    def drop(self, rel: str) -> None:
        """Nobody wants it any more."""
        kept = self._kept.pop(rel, None)
        if kept is not None:
            kept[0].close()

    def close(self) -> None:
        for rel in list(self._kept):
            self.drop(rel)

    def fetch(self, rel: str, entry: Entry, half: Half, row: Transfer) -> Downloaded:
        """The object's bytes in the staged file; the caller compares the hash.

        Raises Integrity when the object moved since it was begun.
        """
        key, temp = self._ctx.keys.data(rel), half.temp
        if half.begun:
            there = temp.seek(0, 2)
            if 0 < there < entry.size and entry.sha256 is not None:
                try:
                    return self._rest(key, entry.size, temp, row)
                except PreconditionFailed as error:
                    raise Integrity(f"{rel} was replaced while its download was paused") from error
            temp.seek(0)
            temp.truncate()
        return self._ctx.store.download(key, temp, on_bytes=partial(self._ctx.moved, row))

    def _rest(self, key: str, size: int, temp: BinaryIO, row: Transfer) -> Downloaded:
        """Which version the first bytes were of nobody knows: the hash of the whole tells."""
        temp.seek(0)
        digest, store = hashlib.file_digest(temp, "sha256"), self._ctx.store  # type: ignore[arg-type] # binary
        info, at = store.head(key), temp.tell()
        if info.size != size:  # a longer one may begin with all of ours
            raise Integrity(f"{key} is not of the length that its entry says")
        self._ctx.accounting.kept(row, at)
        while at < size:
            piece = store.get_range(key, start=at, length=min(PIECE, size - at), if_match=info.etag)
            if not piece:
                raise Integrity(f"{key} is shorter than its entry says")
            temp.write(piece)
            digest.update(piece)
            at += len(piece)
            self._ctx.moved(row, len(piece))
        return Downloaded(info.etag, at, digest.hexdigest())
