"""What the engine needs to know about one datastore. It holds no secret."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

ConflictPolicy = Literal["ask", "keep-both", "local", "remote"]
Take = Literal["local", "remote", "both"]
"""What a user decides for one conflict."""

CONFLICT_POLICIES: tuple[ConflictPolicy, ...] = ("ask", "keep-both", "local", "remote")


@dataclass(frozen=True, slots=True, kw_only=True)
class Datastore:
    """One configured datastore; see the README for what each field means.

    `prefix` has no leading or trailing slash. `bandwidth_limit` is bytes per second,
    `trash_max_size` bytes; for these and `trash_max_age_days` 0 is no limit.
    """

    name: str
    bucket: str
    cache: Path
    state_dir: Path
    kind: Literal["cache", "keys", "files", "blobs"] = "cache"
    prefix: str = ""
    region: str | None = None
    endpoint: str | None = None
    force_path_style: bool = False
    profile: str | None = None
    namespace: str | None = None
    pull_concurrency: int = 50
    push_concurrency: int = 25
    request_timeout_ms: int = 30_000
    lock_timeout_ms: int = 60_000
    bandwidth_limit: int = 0
    exclude: tuple[str, ...] = ()
    conflict: ConflictPolicy = "ask"
    auto_sync: bool = False
    readonly: bool = False
    poll_interval_s: float = 30.0
    hydration: Literal["full", "lazy"] = "full"
    locking: Literal["safe", "unsafe"] = "safe"
    full_hash_days: float = 7.0
    trash_max_age_days: float = 30.0
    trash_max_size: int = 10 * 2**30

    @property
    def address(self) -> str:
        """The endpoint as users know it, for messages."""
        return self.endpoint or f"s3.{self.region or 'us-east-1'}.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Resolved credentials. Nothing of them is ever printed: `repr` hides all three."""

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return "Credentials(***)"


CredentialSource = Credentials | Callable[[], Credentials | None] | None
"""Fixed ones; or a way to read them again when they ran out; None: boto3's default chain."""
