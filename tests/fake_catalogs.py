"""Catalogs that answer what a test says."""

import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from s3dash.core.cancel import CancelToken
from s3dash.core.catalog import Catalog, CatalogEntry, Catalogs, Exported, FetchedFile, Unread
from s3dash.core.report import Blocked
from s3dash.errors import NotFound, S3DashError, TargetTaken

SHA = "ab" * 32
TIME = "2026-01-02T03:04:05.000Z"
INFRA = Catalog(
    namespace="infra",
    source="catalog",
    entries=(
        CatalogEntry("files/notes.txt", 14, TIME, SHA, True),
        CatalogEntry("files/[/x]\x1b[31m.txt", 5, "", None, False),
    ),
    etag="e-1",
    exported_at=TIME,
    left_out=1,
    blocked=(Blocked("../x", "path segment '..'"),),
)
WEB = Catalog(
    namespace="web",
    source="index",
    entries=(CatalogEntry("logs/app.log", 2048, TIME, SHA, False),),
    note="it has no catalog: read by its index",
)


@dataclass
class FakeCatalogs:
    """Implements CatalogsApi. `fetched` is what a fetch writes; `error` is raised by all.

    `held` makes reading and fetching wait until it is set or they are cancelled. `refused` are
    errors by namespace, `taken` what a fetch raises that is not forced.
    """

    read_: tuple[Catalog, ...] = (INFRA, WEB)
    unread: tuple[Unread, ...] = ()
    fetched: bytes = b"the bytes"
    verified: bool = True
    written: bool = True
    error: S3DashError | None = None
    refused: dict[str, S3DashError] = field(default_factory=dict)
    taken: TargetTaken | None = None
    held: threading.Event | None = None
    calls: list[tuple[str, Any]] = field(default_factory=list)

    def export(self, *, force: bool = False, cancel: CancelToken | None = None) -> Exported:
        self._asked("export", force)
        return Exported(
            namespace="infra",
            key="infra/.catalog-export.json",
            entries=2,
            size=300,
            sha256=SHA,
            written=force,
            etag="e-1",
        )

    def read(self, namespace: str, *, cancel: CancelToken | None = None) -> Catalog:
        self._asked("read", namespace)
        self._hold(cancel)
        for one in self.read_:
            if one.namespace == namespace:
                return one
        raise self.refused.get(namespace) or NotFound(f"there is no namespace {namespace}")

    def read_all(self, *, cancel: CancelToken | None = None) -> Catalogs:
        self._asked("read_all", None)
        return Catalogs(read=self.read_, unread=self.unread)

    def fetch(
        self,
        namespace: str,
        path: str,
        *,
        to: str,
        force: bool = False,
        cancel: CancelToken | None = None,
    ) -> FetchedFile:
        self._asked("fetch", (namespace, path, to, force))
        self._hold(cancel)
        if self.taken is not None and not force:
            raise self.taken
        target = Path(to)
        if target.parent.is_dir():
            target.write_bytes(self.fetched)
        return FetchedFile(
            namespace=namespace,
            path=path,
            to=to,
            size=len(self.fetched),
            sha256=SHA,
            verified=self.verified,
            written=self.written,
        )

    def _hold(self, cancel: CancelToken | None) -> None:
        held, token = self.held, cancel or CancelToken()
        if held is not None:
            with token.calling(held.set):
                held.wait()
            token.check()

    def _asked(self, name: str, what: object) -> None:
        self.calls.append((name, what))
        if self.error is not None:
            raise self.error
