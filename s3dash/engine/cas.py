"""Compare-and-swap of small objects, with the lost reply read back.

A PUT whose answer was lost may have been applied, and a repeated one then answers 412 against
our own object (reliability section 1): so what is in the bucket decides, never the status.
"""

from collections.abc import Callable
from contextlib import suppress

import msgspec

from s3dash.errors import Integrity, InvalidResponse, NotFound, PreconditionFailed, S3DashError
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import Fetched, ObjectStore

DAMAGED = 3
"""A body that was refused so often as damaged is not sent again."""


class Cas(msgspec.Struct, frozen=True):
    """Writes only while the object is the version that was read. `version` None: absent.

    `guard` is asked before every attempt, the repeated ones too (I7); what it raises is raised.
    """

    store: ObjectStore
    patience: Patience
    guard: Callable[[], None]

    def put(self, key: str, body: bytes, *, version: str | None) -> str:
        """Returns the new ETag. Raises PreconditionFailed when somebody else was first.

        `body` must be unlike what anybody else would write, or equal bytes must mean the same.
        """
        attempt = 0
        while True:
            attempt += 1
            self.guard()
            try:
                return self._once(key, body, version)
            except PreconditionFailed:
                return self._ours(key, body)
            except Integrity:  # damaged on its way, and refused
                if attempt == DAMAGED:
                    raise
            except InvalidResponse:  # a success that names no version
                with suppress(PreconditionFailed):  # what was answered is the error to tell
                    return self._ours(key, body)
                raise
            except S3DashError as error:
                if not self.patience.again(attempt, error):
                    raise

    def _once(self, key: str, body: bytes, version: str | None) -> str:
        if version is None:
            stored = self.store.put(key, body, if_none_match=True, content_type="application/json")
        else:
            stored = self.store.put(key, body, if_match=version, content_type="application/json")
        return stored.etag

    def _ours(self, key: str, body: bytes) -> str:
        found = read(self.store, key)
        if found is not None and found.body == body:
            return found.info.etag
        raise PreconditionFailed(f"{key} was changed by somebody else meanwhile")


def read(store: ObjectStore, key: str) -> Fetched | None:
    """The object, or None when there is none; every other failure is raised."""
    try:
        return store.get(key)
    except NotFound:
        return None
