"""A registry that answers what a test says."""

from collections.abc import Callable
from typing import Any

from msgspec.structs import replace

from s3dash.core.cancel import CancelToken
from s3dash.core.lock import LockInfo
from s3dash.core.outlook import Held, IndexState, Registered, Registration, Standing
from s3dash.core.report import ConflictInfo, Leftover, PathChange, RemoteInfo, Version
from s3dash.core.trouble import LastCommit

AT = "2026-03-14T14:00:00.000Z"
COMMIT = LastCommit(AT, "ann@ci")
LOCK = LockInfo(
    key=".locks/web.lock",
    scope="namespace",
    namespace="web",
    model=None,
    holder="carl@vm",
    hostname="vm",
    pid=12,
    acquired_at=AT,
    age_s=3.0,
    ttl_ms=30000,
    expires_in_s=27.0,
    stale=False,
    nonce="n-1",
)
DETAILS = [
    Registered(
        namespace="infra", registered=True, repo_id="repo-infra", registered_at=AT,
        index_version=2, commit_seq=17, last_commit=COMMIT,
    ),
    Registered(namespace="odd", problem="its manifest cannot be read", registered=True),
    Registered(namespace="web", index_version=1, last_commit=LastCommit(AT)),
]  # fmt: skip
CLASH = ConflictInfo("files/both", Version(1, None), Version(2, None))
STANDINGS = [
    Standing(namespace="api", registered=True, repo_id="repo-api"),
    Standing(
        namespace="infra", current=True, here=True, registered=True, repo_id="repo-infra",
        index=IndexState(version=2, commit_seq=17, entries=4), last_commit=COMMIT,
        local=Held(files=4, bytes=10, dirty=(PathChange("files/a", "modified", 3),)),
        remote=RemoteInfo([PathChange("files/b", "added", 1), PathChange("files/c", "added", 1)]),
        conflicts=(CLASH,),
    ),
    Standing(
        namespace="odd", here=True, registered=True, healthy=False, message="odd is no index",
    ),
    Standing(
        namespace="web", here=True, index=IndexState(version=1, entries=3), locks=(LOCK,),
    ),
]  # fmt: skip


class FakeRegistry:
    """`error` is raised by all of it. `told` hears of every call."""

    def __init__(self, told: Callable[..., None] = lambda *_: None) -> None:
        self._told = told
        self.error: Exception | None = None
        self.rows = DETAILS
        self.standing = STANDINGS
        self.left: list[Leftover] = []
        self.on_standings: Callable[[], None] = lambda: None
        self.done = Registration(
            namespace="infra", repo_id="repo-a", registered_at=AT, created=True
        )

    def _called(self, name: str, *args: Any) -> None:
        self._told(f"registry.{name}", *args)
        if self.error is not None:
            raise self.error

    def register(
        self, namespace: str | None = None, *, repo_id: str = "", cancel: CancelToken | None = None
    ) -> Registration:
        self._called("register", namespace, repo_id)
        named = namespace or self.done.namespace
        return replace(self.done, namespace=named, repo_id=repo_id or self.done.repo_id)

    def details(self) -> list[Registered]:
        self._called("details")
        return self.rows

    def standings(self) -> list[Standing]:
        self._called("standings")
        self.on_standings()
        return self.standing

    def leftovers(self) -> list[Leftover]:
        return self.left
