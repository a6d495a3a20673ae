"""Writes that come to an answer: sent again where that is safe, read back where it is not."""

from collections.abc import Mapping

import msgspec

from s3dash.errors import NotFound, PreconditionFailed, S3DashError
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectStore, Stored


class Steady(msgspec.Struct, frozen=True):
    """A store with the patience to write through what passes: a lost answer, a 503."""

    store: ObjectStore
    patience: Patience

    def put(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
    ) -> Stored:
        """As the port's, tried again. After an answer that was lost, a condition that fails is
        read back: these very bytes under the key are ours. Raises what the port raises."""
        conditional = if_none_match or if_match is not None
        tried = 0
        while True:
            try:
                return self.store.put(
                    key,
                    body,
                    if_match=if_match,
                    if_none_match=if_none_match,
                    content_type=content_type,
                    metadata=metadata,
                )
            except PreconditionFailed:
                if tried and (etag := self._there(key, body)):
                    return Stored(etag, self.store.server_time())
                raise
            except S3DashError as error:
                tried += 1
                if conditional and error.retryable and (etag := self._there(key, body)):
                    return Stored(etag, self.store.server_time())
                if not self.patience.again(tried, error):
                    raise

    def delete(self, key: str, *, if_match: str | None = None) -> None:
        """As the port's, tried again: what is gone stays gone."""
        tried = 0
        while True:
            try:
                return self.store.delete(key, if_match=if_match)
            except S3DashError as error:
                tried += 1
                if not self.patience.again(tried, error):
                    raise

    def _there(self, key: str, body: bytes) -> str:
        """The ETag of the object when it has these bytes, else empty."""
        try:
            found = self.store.head(key)
        except NotFound:
            return ""
        if found.size != len(body):
            return ""
        whole = self.store.get(key, if_match=found.etag)
        return found.etag if whole is not None and whole.body == body else ""
