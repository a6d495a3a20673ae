"""The fields of the tables: their types, limits and documentation.

Sources of the limits: the shared-datastore protocol («Limits the peers set»). The same fields
serve `[defaults]`, `[datastores.NAME]` and the datastore section of a `.swamp.yaml`. The screen's
tables stand in `screen_schema.py`.
"""

import re
import warnings
from collections.abc import Callable
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from s3dash.core import paths
from s3dash.core.settings import BLOB_PREFIX, KeyLayout
from s3dash.core.text import size_of

_BUCKET = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_REGION = re.compile(r"[A-Za-z0-9-]{1,64}")
_REFERENCE = re.compile(r"(env:[A-Za-z_][A-Za-z0-9_]*|file:.+|keychain:[^/]+/.+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_MAX_DIGITS = 16


def _plain(text: str) -> str:
    if not text or _CONTROL.search(text):
        raise ValueError("must not be empty or hold control characters")
    return text


def _bucket(name: str) -> str:
    if not _BUCKET.fullmatch(name):
        raise ValueError(
            "must be 3 to 63 characters of a-z, 0-9, '.' and '-', "
            "the first and the last a letter or a digit"
        )
    return name


def _endpoint(url: str) -> str:
    wrong = "must be a URL like https://s3.example.org or http://127.0.0.1:9000"
    if re.search(r"[\s\x00-\x1f\x7f]", url):
        raise ValueError(wrong)
    try:
        parts = urlsplit(url)
        port_is_fine = parts.port is None or parts.port > 0
    except ValueError:
        raise ValueError(wrong) from None
    if parts.username is not None or parts.password is not None:
        raise ValueError("must not carry a user or password; use `credentials`")
    if parts.scheme not in ("http", "https") or not parts.hostname or not port_is_fine:
        raise ValueError(wrong)
    if parts.query or parts.fragment:
        raise ValueError("must not carry a query or a fragment")
    return url.rstrip("/")


def _prefix(text: str) -> str:
    """Without leading and trailing slashes; every segment one that can be a name."""
    prefix = text.strip("/")
    if prefix and (reason := paths.blocked_reason(prefix)):
        raise ValueError(f"cannot be the start of a key: {reason}")
    return prefix


def _region(name: str) -> str:
    if not _REGION.fullmatch(name):
        raise ValueError("must be a region's name like eu-central-1, or auto")
    return name


def _namespace(name: str) -> str:
    if not paths.is_namespace(name):
        raise ValueError("must be one path segment of letters, digits, '.', '_' and '-'")
    return name


def _repo_id(text: str) -> str:
    if len(text) > 200 or _CONTROL.search(text):
        raise ValueError("must be up to 200 characters, none of them a control character")
    return text


def _bytes_per_second(value: object) -> object:
    """A whole number as it is, a text like `10MiB/s` as bytes per second."""
    if not isinstance(value, str):
        return value
    count = size_of(value.strip().removesuffix("/s"))
    if count is None:
        raise ValueError("must be a number of bytes per second or a text like '10MiB/s'")
    return count


def _size(value: object) -> object:
    """A whole number as it is, a text like `10GiB` as bytes."""
    if not isinstance(value, str):
        return value
    count = size_of(value.strip())
    if count is None:
        raise ValueError("must be a number of bytes or a text like '10GiB'")
    return count


def _patterns(lines: list[str]) -> list[str]:
    """Refuses what pathspec cannot read; the library is only loaded when there is a pattern."""
    if lines:
        from pathspec import GitIgnoreSpec

        for number, line in enumerate(lines, 1):
            try:
                with warnings.catch_warnings(action="ignore", category=FutureWarning):
                    GitIgnoreSpec.from_lines([_plain(line)])
            except ValueError:
                raise ValueError(f"pattern {number} is no gitignore pattern") from None
    return lines


def _directories(names: list[str]) -> list[str]:
    """Without the slashes around them; each a name on the first level."""
    found = [name.strip("/") for name in names]
    for number, name in enumerate(found, 1):
        if "/" in name:
            raise ValueError(
                f"entry {number} must be a first-level directory, without a slash in it"
            )
        if reason := paths.blocked_reason(name):
            raise ValueError(f"entry {number} can be no directory: {reason}")
    return found


def _reference(text: str) -> str:
    if _CONTROL.search(text) or not _REFERENCE.fullmatch(text):
        raise ValueError(
            "must be a reference: env:VARIABLE, file:PATH or keychain:SERVICE/ACCOUNT "
            "(a secret itself is refused and not shown)"
        )
    return text


def _within(low: int, high: int) -> Callable[[int], int]:
    def check(value: int) -> int:
        if not low <= value <= high:
            raise ValueError(f"must be from {low} to {high}")
        return value

    return check


Text = Annotated[str, AfterValidator(_plain)]
Concurrency = Annotated[int, AfterValidator(_within(1, 1000))]
Milliseconds = Annotated[int, AfterValidator(_within(1000, 600_000))]
Reference = Annotated[str, AfterValidator(_reference)]


class CredentialTable(BaseModel):
    """References to credentials; each is resolved when it is needed, never stored."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    access_key_id: Reference = Field(description="where the access key's id is")
    secret_access_key: Reference = Field(description="where the secret access key is")
    session_token: Reference | None = Field(None, description="where the session token is")


class Table(BaseModel):
    """One table of the configuration. Nothing is required here: tables are merged first."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)

    kind: Literal["cache", "keys", "files", "blobs"] = Field(
        "cache", description="what the datastore holds"
    )
    bucket: Annotated[str, AfterValidator(_bucket)] | None = Field(
        None, description="the bucket; the one field that every datastore needs"
    )
    prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        "", description="what stands before every key, without the slashes around it"
    )
    region: Annotated[str, AfterValidator(_region)] | None = Field(
        None, description="the region, or `auto`; else what boto3 finds"
    )
    endpoint: Annotated[str, AfterValidator(_endpoint)] | None = Field(
        None, description="URL of an S3 endpoint; else AWS"
    )
    force_path_style: bool = Field(
        False, description="put the bucket into the path, not into the host name"
    )
    profile: Text | None = Field(None, description="a profile of boto3's own configuration")
    credentials: CredentialTable | None = Field(
        None, description="references to credentials; else boto3's default chain"
    )
    cache: Text | None = Field(
        None, description="the local directory; relative to this file; `~` and `$HOME` are known"
    )
    namespace: Annotated[str, AfterValidator(_namespace)] | None = Field(
        None, description="the namespace to work in; none is solo mode"
    )
    repo_id: Annotated[str, AfterValidator(_repo_id)] = Field(
        "", description="the repository that `namespaces register` registers a namespace for"
    )
    pull_concurrency: Concurrency = Field(50, description="downloads at a time, 1 to 1000")
    push_concurrency: Concurrency = Field(25, description="uploads at a time, 1 to 1000")
    max_concurrency: Concurrency = Field(
        128,
        description="how far these two may grow by themselves, while more at a time are faster; "
        "1 to 1000",
    )
    request_timeout_ms: Milliseconds = Field(
        30_000, description="longest silence of a request, 1000 to 600000"
    )
    lock_timeout_ms: Milliseconds = Field(
        60_000, description="longest wait for a lock, 1000 to 600000"
    )
    bandwidth_limit: Annotated[
        int, AfterValidator(_within(0, 2**53)), BeforeValidator(_bytes_per_second)
    ] = Field(0, description="bytes per second, or a text like `10MiB/s`; 0 is no limit")
    exclude: Annotated[list[str], AfterValidator(_patterns)] = Field(
        [], description="gitignore patterns of files that are never synced"
    )
    directories: Annotated[list[str], AfterValidator(_directories)] = Field(
        [],
        description="the first-level directories that are synced; what lies elsewhere is left "
        "alone on both sides; none named is all of them",
    )
    sync_timeout_ms: Annotated[int, AfterValidator(_within(0, 86_400_000))] = Field(
        0, description="longest push, pull or sync, then it is stopped cleanly; 0 is no limit"
    )
    conflict: Literal["ask", "keep-both", "local", "remote"] = Field(
        "ask", description="what happens to a path that both sides changed"
    )
    auto_sync: bool = Field(False, description="sync by itself while the dashboard runs")
    readonly: bool = Field(
        False, description="only look: nothing is written, neither to the bucket nor to the cache"
    )
    poll_interval_s: Annotated[float, Field(ge=1, le=86_400)] = Field(
        30.0, description="seconds between two looks at the bucket, 1 to 86400"
    )
    hydration: Literal["full", "lazy"] = Field(
        "full", description="`lazy` leaves the content below `data/**/raw` in the bucket"
    )
    layout: KeyLayout = Field(
        "plain",
        description="of kind `keys`: how a key becomes a name, `plain`, or for the blocks of IPFS "
        "`flat` or `flatfs` (`QJ/KEY.data`)",
    )
    locking: Literal["safe", "unsafe"] = Field(
        "safe", description="`unsafe` pushes even where the endpoint cannot hold a lock"
    )
    full_hash_days: Annotated[float, Field(ge=0, le=36_500)] = Field(
        7.0, description="days after which an unchanged file is read again; 0 reads all, always"
    )
    trash_max_age_days: Annotated[float, Field(ge=0, le=36_500)] = Field(
        30.0, description="days after which a replaced file leaves the trash; 0 is no limit"
    )
    trash_max_size: Annotated[int, AfterValidator(_within(0, 2**53)), BeforeValidator(_size)] = (
        Field(
            10 * 2**30, description="bytes that the trash may hold, or like `10GiB`; 0 is no limit"
        )
    )
    blob_prefix: Annotated[str, AfterValidator(_prefix)] = Field(
        BLOB_PREFIX, description="of kind `blobs`: where below `prefix` the blobs lie"
    )
