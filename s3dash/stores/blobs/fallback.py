"""Reading over several stores: the first sound copy counts."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TypeVar

from s3dash.errors import Cancelled, NotFound, S3DashError
from s3dash.objectstore.port import Downloaded, OnBytes
from s3dash.stores.blobs.store import BlobStore

T = TypeVar("T")


class Fallback:
    """Reads from the first of several stores that has the blob, whole and undamaged.

    One that fails, or whose copy is damaged, hides no other's. Where nobody has a sound copy the
    first failure is raised: whether there is one was not learned.
    """

    def __init__(self, *stores: BlobStore) -> None:
        self.stores = stores

    def get(self, integrity: str) -> bytes | None:
        """The bytes, or None when no store has them. Raises as `BlobStore.get`."""
        return self._first(lambda store: store.get(integrity))

    def has(self, integrity: str) -> bool:
        """Whether any store has it; its bytes are not looked at."""
        return self._first(lambda store: store.look(integrity)) is not None

    @contextmanager
    def open(self, integrity: str) -> Iterator[IO[bytes]]:
        """The verified bytes as a file, until the block ends. Raises NotFound when none has it."""
        with ExitStack() as stack:

            def opened(store: BlobStore) -> IO[bytes] | None:
                try:
                    return stack.enter_context(store.open(integrity))
                except NotFound:
                    return None

            yield self._found(integrity, opened)

    def save(
        self,
        integrity: str,
        path: Path,
        *,
        trusting: bool = False,
        on_bytes: OnBytes | None = None,
    ) -> Downloaded:
        """Write the verified bytes to a file, which is replaced in one step. Raises as `open`."""

        def saved(store: BlobStore) -> Downloaded | None:
            try:
                return store.save(integrity, path, trusting=trusting, on_bytes=on_bytes)
            except NotFound:
                return None

        return self._found(integrity, saved)

    def __getitem__(self, integrity: str) -> bytes:
        found = self.get(integrity)
        if found is None:
            raise KeyError(integrity)
        return found

    def __contains__(self, integrity: object) -> bool:
        return isinstance(integrity, str) and self.has(integrity)

    def _found(self, integrity: str, ask: Callable[[BlobStore], T | None]) -> T:
        found = self._first(ask)
        if found is None:
            raise NotFound(f"there is no blob {integrity}")
        return found

    def _first(self, ask: Callable[[BlobStore], T | None]) -> T | None:
        failed: S3DashError | None = None
        for store in self.stores:
            try:
                found = ask(store)
            except Cancelled:
                raise
            except S3DashError as error:
                failed = failed or error
                continue
            if found is not None:
                return found
        if failed is not None:
            raise failed
        return None
