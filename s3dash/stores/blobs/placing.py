"""Putting a blob: looked for first, created once, renewed when it is old, mended when it is wrong.

Every write is conditional on what was seen, and sent again after a failure only once it was
looked whether the blob is there. A blob is its bytes, so whoever was faster did the same.
"""

from contextlib import suppress
from datetime import timedelta

import msgspec

from s3dash.errors import LocalChanged, NotFound, PreconditionFailed, StoreError
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectInfo, ObjectStore, OnBytes
from s3dash.objectstore.s3_answers import looks_like_md5
from s3dash.stores.blobs import control, sri
from s3dash.stores.blobs.content import Content
from s3dash.stores.blobs.model import Outcome, Put
from s3dash.stores.blobs.verifying import SHA256, Tee, Verifier

RACES = 8
"""How often others may be faster before that is told."""
SETTLE_S = 2.0
"""How long a deletion may be on its way that was decided before we renewed the blob."""


class Placing(msgspec.Struct, frozen=True):
    """Puts content into a store; `grace_s` is what a collection there leaves alone, in seconds."""

    store: ObjectStore
    patience: Patience
    grace_s: float

    def put(self, key: str, content: Content, *, on_bytes: OnBytes) -> Put:
        """Raises Integrity when a name that is no digest stands for other bytes already."""
        tried = races = 0
        while True:
            self.patience.cancel.check()
            try:
                outcome = self._once(key, content, on_bytes)
            except (PreconditionFailed, NotFound):
                races += 1
                if races == RACES:
                    raise
            except StoreError as error:
                tried += 1
                if not self.patience.again(tried, error):
                    raise
            else:
                return Put(content.integrity, key, content.size, _told(outcome, tried))

    def _once(self, key: str, content: Content, on_bytes: OnBytes) -> Outcome:
        found = self._look(key)
        if found is None:
            self._send(key, content, None, on_bytes)
            return "created"
        if not self._is_same(found, content):
            self._send(key, content, found.etag, on_bytes)
            return "healed"
        if not self._is_old(found):
            return "there"
        self._send(key, content, found.etag, on_bytes)
        self._outlive_a_collection(key)
        return "refreshed"

    def _look(self, key: str) -> ObjectInfo | None:
        try:
            return self.store.head(key)
        except NotFound:
            return None

    # --- what is there ------------------------------------------------------------------

    def _is_same(self, found: ObjectInfo, content: Content) -> bool:
        """By length and MD5 where that tells enough, else by reading it."""
        known = dict(found.metadata).get(SHA256, "")
        if content.opaque and known != content.sha256:
            self._must_be_same(found, content, known)
            return False  # the bytes are; what says so is not there yet
        if found.size != content.size:
            return False
        if not looks_like_md5(found.etag) or found.etag.lower() == content.md5:
            return True
        return self._sha256(found) == content.sha256

    def _must_be_same(self, found: ObjectInfo, content: Content, known: str) -> None:
        there = known or self._sha256(found)
        if there != content.sha256:
            raise sri.mismatch(f"sha256:{there}", f"sha256:{content.sha256}")

    def _sha256(self, found: ObjectInfo) -> str:
        nowhere = Tee(Verifier(""))
        return self.store.download(found.key, nowhere, if_match=found.etag).sha256

    def _is_old(self, found: ObjectInfo) -> bool:
        """Half the grace is left for whoever is to name it in a manifest."""
        if found.last_modified is None or found.server_time is None:
            return True
        return found.server_time - found.last_modified >= timedelta(seconds=self.grace_s / 2)

    # --- what is sent -------------------------------------------------------------------

    def _send(self, key: str, content: Content, seen: str | None, on_bytes: OnBytes) -> None:
        metadata = {SHA256: content.sha256} if content.opaque else None
        source, absent = content.source, seen is None
        if isinstance(source, bytes):
            self.store.put(key, source, if_match=seen, if_none_match=absent, metadata=metadata)
            on_bytes(content.size)
            return
        sent = self.store.upload(
            key, source, if_match=seen, if_none_match=absent, metadata=metadata, on_bytes=on_bytes
        )
        if sent.sha256 != content.sha256:
            with suppress(PreconditionFailed, NotFound):  # somebody put the right one over it
                self.store.delete(key, if_match=sent.etag)
            raise LocalChanged(f"{source} changed after it was hashed; it was not put")

    def _outlive_a_collection(self, key: str) -> None:
        """A collection looks at the time right before it deletes. One that looked before us may
        still have its deletion on its way: then the blob is looked for again.

        Raises NotFound when it is gone.
        """
        if self._look(control.LOCK) is None:
            return
        self.patience.clock.wait(self.patience.cancel.event, SETTLE_S)
        self.store.head(key)


def _told(outcome: Outcome, tried: int) -> Outcome:
    """What an attempt whose answer was lost left behind is ours."""
    return "created" if outcome == "there" and tried else outcome
