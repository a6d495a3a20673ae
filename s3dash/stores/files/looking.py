"""What is there: files, directories, and what lies below them. Nothing is written.

A directory is there when a listing of its keys finds one. Neither a HEAD nor the prefixes of a
listing are believed: some endpoints go on naming a directory after its last object is gone.
"""

from collections.abc import Iterator

from s3dash.core.cancel import CancelToken
from s3dash.errors import BadPath, BucketNotFound, IsDirectory, NoSuchFile, NotFound
from s3dash.objectstore.port import Level
from s3dash.stores.files import names
from s3dash.stores.files.model import FileInfo, FileKind
from s3dash.stores.opened import Opened
from s3dash.stores.turns import in_turn

AWS = ".amazonaws.com"


class Looking:
    """The reading half of `Files`. Safe to use from any thread."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.settings = opened.settings
        self.store = opened.store
        self._doubts = not self.settings.address.partition("//")[2].endswith(AWS) and bool(
            self.settings.endpoint
        )

    @property
    def cancel(self) -> CancelToken:
        """Of the operation that runs now."""
        return self.opened.patience.cancel

    def info(self, path: str) -> FileInfo:
        """The file of this path, else the directory; with a slash at its end the directory.

        Raises NoSuchFile, BadPath.
        """
        plain = names.checked(path)
        if plain and not path.endswith(names.SLASH):
            found = self._file(plain)
            if found is not None:
                return found
        if not self._is_dir(plain):
            raise missing(path)
        return FileInfo(plain, "directory")

    def exists(self, path: str) -> bool:
        """False for a path that no file can have, too. Raises when the endpoint cannot say."""
        try:
            plain = names.checked(path)
        except BadPath:
            return False
        return self._is_dir(plain) if path.endswith(names.SLASH) else bool(self._kinds(plain))

    def is_dir(self, path: str) -> bool:
        """Also of a name that a file has, too. Raises BadPath."""
        return self._is_dir(names.checked(path))

    def is_file(self, path: str) -> bool:
        """Also of a name that a directory has, too. Raises BadPath."""
        return self._file(names.checked(path)) is not None

    def pages(self, path: str) -> Iterator[list[FileInfo]]:
        """What lies directly in a directory, a page at a time, in the endpoint's order.

        Of a file: itself. Raises NoSuchFile at the first page. What has a key that can be no path
        (`a//b`, `a/../b`) is left out.
        """
        plain = names.checked(path)
        prefix, empty = names.below(plain), True
        try:
            for level in self.store.levels(prefix):
                found = self._entries(level, prefix)
                if found:
                    yield found
                    empty = False
        except BucketNotFound as error:
            raise missing(path) from error
        if not empty or not plain or self._is_dir(plain):
            return
        file = None if path.endswith(names.SLASH) else self._file(plain)
        if file is None:
            raise missing(path)
        yield [file]

    def ls(self, path: str) -> list[FileInfo]:
        """All of `pages`, by path."""
        found = [one for page in self.pages(path) for one in page]
        return sorted(found, key=_by_path)

    def tree(
        self, path: str, *, dirs: bool = False, depth: int | None = None
    ) -> Iterator[FileInfo]:
        """Everything below a directory, as it comes: files, with `dirs` directories before what is
        in them. At most `depth` levels, each of which takes requests; all take one listing.

        Nothing, where nothing is. What can be no path is left out, as in `pages`.
        """
        plain = names.checked(path)
        return self._deep(plain, dirs=dirs) if depth is None else self._near(plain, dirs, depth)

    def _near(self, plain: str, dirs: bool, depth: int) -> Iterator[FileInfo]:
        try:
            for one in self.ls(names.below(plain)):
                if dirs or not one.is_dir:
                    yield one
                if one.is_dir and depth > 1:
                    yield from self._near(one.path, dirs, depth - 1)
        except NoSuchFile:  # or it went meanwhile
            return

    def _deep(self, plain: str, *, dirs: bool) -> Iterator[FileInfo]:
        prefix, open_dirs = names.below(plain), list[str]()
        for found in self.store.list(prefix):
            self.cancel.check()
            rel = found.key[len(prefix) :]
            if not names.is_plain(rel.removesuffix(names.SLASH)):
                continue
            if dirs:
                above = names.ancestors(rel)
                for one in above[_shared(open_dirs, above) :]:
                    yield FileInfo(prefix + one, "directory")
                open_dirs = above
            if not rel.endswith(names.SLASH):
                yield FileInfo.of(found)

    def read(
        self, path: str, start: int | None = None, end: int | None = None, *, etag: str = ""
    ) -> bytes:
        """The bytes of a file, or those of a slice as Python counts: negative from the end.

        Of the version `etag`, where that is given; raises PreconditionFailed when there is another.
        Raises NoSuchFile, IsDirectory.
        """
        plain, pinned = names.checked(path), etag or None
        try:
            if start in (None, 0) and end is None:
                whole = self.store.get(plain, if_match=pinned)
                return whole.body if whole is not None else b""
            if end is None or end < 0 or (start or 0) < 0:
                found = self.store.head(plain)
                start, end, _ = slice(start, end).indices(found.size)
                pinned = pinned or found.etag
            first = start or 0
            return self.store.get_range(plain, start=first, length=end - first, if_match=pinned)
        except (NotFound, BucketNotFound) as error:
            raise self.no_file(path) from error

    def no_file(self, path: str) -> Exception:
        """Why a file that is not there cannot be read."""
        plain = names.checked(path)
        if plain and not self._is_dir(plain):
            return missing(path)
        return IsDirectory(f"{path!r} is a directory") if self._is_dir(plain) else missing(path)

    # --- how ----------------------------------------------------------------------------

    def _file(self, plain: str) -> FileInfo | None:
        try:
            return FileInfo.of(self.store.head(plain))
        except (NotFound, BucketNotFound):
            return None

    def _kinds(self, plain: str) -> set[FileKind]:
        """What this path is: a file, a directory, neither; or at least one of both.

        As a rule in one request: no key comes between a file's and those below it but by name.
        """
        if not plain:
            return {"directory"} if self._is_dir(plain) else set()
        try:
            found = self.store.first(plain)
        except BucketNotFound:
            return set()
        if not found:
            return set()
        if found[0].key == plain:
            return {"file"}
        if found[0].key.startswith(names.below(plain)):
            return {"directory"}
        if self._is_dir(plain):
            return {"directory"}
        return {"file"} if self._file(plain) is not None else set()

    def _is_dir(self, plain: str) -> bool:
        """The root is there when the bucket is."""
        try:
            return bool(self.store.first(names.below(plain))) or not plain
        except BucketNotFound:
            return False

    def _entries(self, level: Level, prefix: str) -> list[FileInfo]:
        dirs = [name for name in level.dirs if names.is_plain(name)]
        if self._doubts and dirs:
            held = in_turn(
                dirs,
                lambda name: bool(self.store.first(f"{prefix}{name}/")),
                at_a_time=min(len(dirs), self.settings.pull_concurrency),
                check=self.cancel.check,
            )
            dirs = [name for name, there in zip(dirs, held, strict=True) if there]
        found = [FileInfo(prefix + name, "directory") for name in dirs]
        for one in level.objects:
            if one.key != prefix and names.is_plain(one.key[len(prefix) :]):
                found.append(FileInfo.of(one))
        return sorted(found, key=_by_path)


def _by_path(one: FileInfo) -> tuple[str, str]:
    """A name that is file and directory is there as both."""
    return one.path, one.kind


def missing(path: str) -> NoSuchFile:
    return NoSuchFile(f"there is no {path!r}")


def _shared(one: list[str], other: list[str]) -> int:
    count = 0
    while count < min(len(one), len(other)) and one[count] == other[count]:
        count += 1
    return count
