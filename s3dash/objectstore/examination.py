"""What a doctor asks of an endpoint beyond the port: raw answers, and the bucket's own settings.

A store that can be examined has `examination()`. The fake in memory has none: what it would
be asked here is the business of a server.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import msgspec

from s3dash.objectstore.port import ObjectStore


class RawTags(msgspec.Struct, frozen=True):
    """The ETag of one object as it was sent, quotes and all, by four requests.

    `sse` is the server-side encryption that the answer names, or empty.
    """

    put: str
    head: str
    get: str
    listed: str
    sse: str = ""


class Rule(msgspec.Struct, frozen=True):
    """A lifecycle rule that is switched on. Days are None where the rule does no such thing.

    `narrowed`: it is for some objects only, by tag or size. `cold`: days until objects move to
    a class that cannot be read at once.
    """

    name: str
    prefix: str
    expires: bool
    narrowed: bool
    abort_days: int | None = None
    old_versions_days: int | None = None
    cold: bool = False


class Style(msgspec.Struct, frozen=True):
    """How the bucket is addressed, and whether the other way works too; `why` it does not."""

    configured: str
    other: str
    works: bool
    why: str = ""


class Examination(Protocol):
    """Every call is one small request or a few; failures are classes of `s3dash.errors`.

    Keys and prefixes are relative to the prefix of the store; ETags of conditions are bare.
    """

    def begin_upload(self, key: str) -> str:
        """The id of a new multipart upload."""
        ...

    def put_in_parts(
        self, key: str, body: bytes, *, if_match: str | None = None, if_none_match: bool = False
    ) -> str:
        """An object from one part, with the condition on the completion; its ETag.

        The upload is aborted when it cannot be completed.
        """
        ...

    def raw_listing(self, prefix: str) -> bytes:
        """The body of a listing, as it came; at most two keys."""
        ...

    def pages(self, prefix: str, *, size: int) -> Sequence[Sequence[str]]:
        """A listing by continuation tokens, page by page."""
        ...

    def list_whole_bucket(self) -> None: ...

    def raw_tags(self, key: str, body: bytes) -> RawTags: ...

    def style(self) -> Style: ...

    def regions(self) -> tuple[str, str]:
        """The region that requests are signed for, and the one that the bucket names or ``."""
        ...

    def location(self) -> str: ...

    def versioning(self) -> str:
        """`Enabled`, `Suspended`, or `off`."""
        ...

    def lifecycle(self) -> Sequence[Rule]: ...


@runtime_checkable
class Joining(Protocol):
    """A store that can be told whether completions of uploads in parts heed conditions.

    `multipart_above`: a file of more bytes goes in parts, where they do.
    """

    joins_on_condition: bool
    multipart_above: int


@runtime_checkable
class Twinned(Protocol):
    """A store that can be had twice: same bucket and credentials, all else of its own.

    What is tried on the twin, its dialect and its patience too, changes nothing on the first.
    """

    def twin(self) -> ObjectStore: ...


@runtime_checkable
class Identified(Protocol):
    """A store that knows who it is to its endpoint."""

    def identity(self) -> str:
        """For people: `profile prod, AKIA…WXYZ`. Never a secret, nor a whole key id.

        May ask where credentials come from, a file or a service. Raises ConfigError.
        """
        ...


@runtime_checkable
class Examinable(Protocol):
    """A store on a real endpoint. `examination` sends nothing by itself."""

    def examination(self) -> Examination: ...
