"""What the engine needs to know about one datastore. It holds no secret."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
from msgspec.structs import replace

Kind = Literal["cache", "keys", "files", "blobs"]
"""What a datastore holds."""
KeyLayout = Literal["plain", "flat", "flatfs"]
"""How the keys of a datastore of keys become names of objects."""
ConflictPolicy = Literal["ask", "keep-both", "local", "remote"]
Take = Literal["local", "remote", "both"]
"""What a user decides for one conflict."""

SOLO = ""
"""As the `home` of a cache: the datastore itself, without a namespace."""

CONFLICT_POLICIES: tuple[ConflictPolicy, ...] = ("ask", "keep-both", "local", "remote")


BLOB_PREFIX = "script-packages/blobs"
"""Where blobs lie unless the settings say otherwise."""


class Datastore(msgspec.Struct, frozen=True, kw_only=True):
    """One configured datastore; see the README for what each field means.

    `prefix` and `blob_prefix` have no leading or trailing slash. `bandwidth_limit` is bytes per
    second, `trash_max_size` bytes; for these, `trash_max_age_days` and `sync_timeout_ms` 0 is no
    limit. `directories` are the first-level ones that are synced, all when it is empty. `repo_id`
    is the repository whose datastore this is, empty where nothing says it. `home` is the namespace
    that the cache is bound to, `SOLO` for none, when this is another one: see `is_guest`.
    """

    name: str
    bucket: str
    cache: Path
    state_dir: Path
    kind: Kind = "cache"
    prefix: str = ""
    region: str | None = None
    endpoint: str | None = None
    force_path_style: bool = False
    profile: str | None = None
    namespace: str | None = None
    pull_concurrency: int = 50
    push_concurrency: int = 25
    max_concurrency: int = 128
    request_timeout_ms: int = 30_000
    lock_timeout_ms: int = 60_000
    bandwidth_limit: int = 0
    exclude: tuple[str, ...] = ()
    directories: tuple[str, ...] = ()
    sync_timeout_ms: int = 0
    conflict: ConflictPolicy = "ask"
    auto_sync: bool = False
    readonly: bool = False
    poll_interval_s: float = 30.0
    hydration: Literal["full", "lazy"] = "full"
    layout: KeyLayout = "plain"
    locking: Literal["safe", "unsafe"] = "safe"
    full_hash_days: float = 7.0
    trash_max_age_days: float = 30.0
    trash_max_size: int = 10 * 2**30
    blob_prefix: str = BLOB_PREFIX
    repo_id: str = ""
    home: str | None = None

    @property
    def is_guest(self) -> bool:
        """Whether the cache's own clients work in another namespace than this one.

        What they keep at the top of the cache, sidecar and index copy, speaks of theirs.
        """
        return self.home is not None and self.home != (self.namespace or SOLO)

    @property
    def sidecar_below(self) -> str | None:
        """The directory of the cache that has sidecar and index copy; None: they are at its top.

        There its own clients look. A guest has others, which go when its directory is emptied.
        """
        return self.namespace if self.is_guest else None

    def within(self, namespace: str | None) -> "Datastore":
        """The same datastore, to work in another of its namespaces; None: in none."""
        if namespace == self.namespace:
            return self
        home = self.namespace if self.home is None else self.home
        return replace(self, namespace=namespace, home=home)

    @property
    def address(self) -> str:
        """The endpoint as users know it, for messages."""
        return self.endpoint or f"s3.{self.region or 'us-east-1'}.amazonaws.com"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Resolved credentials. Nothing of them is ever printed: `repr` hides all three.

    No struct: that one tells its fields to whatever prints by Rich, tracebacks among them.
    """

    access_key_id: str
    secret_access_key: str
    session_token: str | None = None

    def __repr__(self) -> str:
        return "Credentials(***)"


CredentialSource = Credentials | Callable[[], Credentials | None] | None
"""Fixed ones; or a way to read them again when they ran out; None: boto3's default chain."""
