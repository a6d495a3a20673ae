"""What the command line and the screen may ask of an engine about what others share with it."""

from collections.abc import Collection
from typing import Protocol

from s3dash.core.cancel import CancelToken
from s3dash.core.catalog import Catalog, Catalogs, Exported, FetchedFile
from s3dash.core.control import Content, Record, Written
from s3dash.core.fleet import FleetView
from s3dash.core.foreign import ForeignReport
from s3dash.core.hydration import Below
from s3dash.core.index_care import IndexMigrated, Repaired, Verified
from s3dash.core.moves import Migrated, MigrationPlan
from s3dash.core.outlook import Registered, Registration, Standing
from s3dash.core.report import Leftover, Result


class CatalogsApi(Protocol):
    """What the namespaces hold, without joining them. Only `export` waits for an operation."""

    def export(self, *, force: bool = False, cancel: CancelToken | None = None) -> Exported:
        """Write our own catalog, unless the bucket has these bytes already, or with `force`.

        Raises UsageError in solo mode and where nobody pushed yet.
        """
        ...

    def read(self, namespace: str, *, cancel: CancelToken | None = None) -> Catalog:
        """What one namespace holds. Raises NotFound when nobody registered it."""
        ...

    def read_all(self, *, cancel: CancelToken | None = None) -> Catalogs:
        """Those of all registered namespaces; one that cannot be read is told among them."""
        ...

    def fetch(
        self,
        namespace: str,
        path: str,
        *,
        to: str,
        force: bool = False,
        cancel: CancelToken | None = None,
    ) -> FetchedFile:
        """Bring one file here, verified. `to` is an absolute path: a file, or a directory that
        takes it under its own name.

        Raises NotFound with near matches, UsageError when `to` is another file or lies in the
        cache (unless `force`), Integrity when it is not what its namespace says.
        """
        ...


class RegistryApi(Protocol):
    """Who the namespaces belong to, and where this cache stands with each."""

    def register(
        self, namespace: str | None = None, *, repo_id: str = "", cancel: CancelToken | None = None
    ) -> Registration:
        """Write the manifest of a namespace, if there is none; None: the one of this engine.

        The same repository again changes nothing. Raises NamespaceTaken for another one's,
        UsageError when a name or an id lacks or cannot be one, ReadOnly, UnsafeEndpoint.
        """
        ...

    def details(self) -> list[Registered]:
        """Every namespace by name, from its manifest and the head of its index alone."""
        ...

    def standings(self) -> list[Standing]:
        """Every namespace: what is dirty, behind, in conflict, locked; waits for an operation.

        What cannot be read of one is told at its row and stops no other.
        """
        ...

    def leftovers(self) -> list[Leftover]:
        """What the cache holds beside what this engine works with. Asks the bucket nothing."""
        ...


class HydrationApi(Protocol):
    """The content that a lazy cache left in the bucket."""

    def hydrate(
        self,
        selection: Collection[str] = (),
        *,
        dry_run: bool = False,
        cancel: CancelToken | None = None,
    ) -> Result:
        """Bring what was left out below these paths, and nothing else; nothing selected is all.

        What is here already stays as it is, so one that was broken off goes on where it was.
        Raises UsageError for a path that names nothing.
        """
        ...

    def below(self, start: str, *, most: int = 20) -> Below:
        """What hydrating a path would bring, and how the path may go on. From memory."""
        ...


class ForeignApi(Protocol):
    """Objects below a namespace that belong to another one, or to nobody."""

    def look(self, namespace: str, *, cancel: CancelToken | None = None) -> ForeignReport:
        """What is there, and what `repair` would do. Takes no lock, writes nothing."""
        ...

    def repair(self, namespace: str, *, cancel: CancelToken | None = None) -> ForeignReport:
        """Do it under the locks: nothing that is the only copy of some bytes is deleted.

        Raises UsageError when there is no such namespace, LockHeld, UnsafeEndpoint, ReadOnly.
        """
        ...


class MigrationApi(Protocol):
    """Moving a datastore between the solo layout and a namespace, on the server."""

    def plan(
        self,
        namespace: str,
        *,
        to_solo: bool = False,
        repo_id: str = "",
        cancel: CancelToken | None = None,
    ) -> MigrationPlan:
        """What `run` would do now; raises as `run` does, but for the locks."""
        ...

    def run(
        self,
        namespace: str,
        *,
        to_solo: bool = False,
        repo_id: str = "",
        cancel: CancelToken | None = None,
    ) -> Migrated:
        """Copy, check, write the index, delete the originals, then rename this cache's files.

        A run that was cut off goes on where it ended. Raises UsageError while something here is
        not pushed, or when the new place has content of its own; LockHeld, UnsafeEndpoint.
        """
        ...


class IndexCareApi(Protocol):
    """Looking after the index. Each call is an operation like a push: one runs at a time."""

    def verify(
        self,
        *,
        full: bool = False,
        sample: str = "",
        seed: int | None = None,
        cancel: CancelToken | None = None,
    ) -> Verified:
        """Hold every entry against its object, with `full` every content too, with `sample`
        (`200`, `5%`) a share that `seed` chooses. Writes nothing, takes no lock."""
        ...

    def migrate(self, *, dry_run: bool = False, cancel: CancelToken | None = None) -> IndexMigrated:
        """From version 1 to version 2. Raises UsageError without an index, IndexCorrupt for one
        that is to be repaired first, LockHeld."""
        ...

    def repair(self, *, dry_run: bool = False, cancel: CancelToken | None = None) -> Repaired:
        """Put the index right; what is replaced is kept readable. Raises LockHeld."""
        ...


class ControlApi(Protocol):
    """Small records below `_control/`: see `engine/control.py`. They wait for an operation.

    Raises UsageError for a key that can be none, and what the store raises.
    """

    def get(self, key: str, *, cancel: CancelToken | None = None) -> Content:
        """A record with its bytes. Raises NotFound."""
        ...

    def list(
        self, prefix: str = "", *, own: bool = False, cancel: CancelToken | None = None
    ) -> tuple[Record, ...]:
        """The records whose key begins so; s3dash's own only with `own`, or when asked for."""
        ...

    def put(
        self,
        key: str,
        body: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        force: bool = False,
        cancel: CancelToken | None = None,
    ) -> Written:
        """Write a record. Raises PreconditionFailed where a condition does not hold,
        UnsafeEndpoint where none would be honoured, UsageError for a key of our own without
        `force`.
        """
        ...

    def delete(
        self,
        key: str,
        *,
        if_match: str | None = None,
        force: bool = False,
        cancel: CancelToken | None = None,
    ) -> Record:
        """Delete a record; what it was. Raises NotFound when there is none, and as `put`."""
        ...


class FleetApi(Protocol):
    """Who else writes to the datastore, over all its namespaces."""

    def look(self, *, cancel: CancelToken | None = None) -> FleetView:
        """Everybody who left a trace. Waits for no operation, writes nothing, and takes a handful
        of requests for each namespace.
        """
        ...
