"""The cache as something to write into: whole files or nothing, never over an edit, never outside.

Source: reliability sections 1 and 3 (I8), scenarios 2, 7, 30, 36, 38, 40, 50 and 53.
"""

import errno
import os
import stat as modes
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

from s3dash.core.paths import NAMESPACE_MANIFEST, SIDECAR_FILE, blocked_reason, is_data
from s3dash.errors import LocalChanged, LocalError, PathBlocked
from s3dash.local import fsio, places, renameat2, swap, syncfs
from s3dash.local.scan import FileStat
from s3dash.local.trash import Reason, Trash

BESIDE = fsio.BESIDE


class Fresh(NamedTuple):
    """A file that is to be where none is."""

    rel: str
    body: bytes
    mtime_ns: int


class CacheDir:
    """The cache directory of one datastore: `root`, and `base`, below which paths lie.

    Any thread may call. Paths (`rel`) are relative to `base`. Besides what a method names,
    every method raises LocalError when the disk refuses; the old file is then as it was.
    `exchange` swaps two names in one step, where the kernel can.
    """

    def __init__(
        self,
        root: Path,
        *,
        namespace: str | None,
        exchange: swap.Exchange = renameat2.exchange,
        ignores_case: bool | None = None,
    ) -> None:
        self.root = root
        self.base = root / namespace if namespace else root
        self._base = str(self.base)
        self._solo = namespace is None
        self._exchange = exchange
        self._ignores_case = ignores_case
        self._staging = fsio.staging_dir(root)
        self._open: dict[str, BinaryIO] = {}
        self._tree = threading.Lock()
        self._takes_many: bool | None = None

    def check(self) -> None:
        """Prove that the cache is there and can be written; make the namespace's directory.

        The cache itself is never made: a missing one may only be unmounted.
        """
        if not self.root.is_dir():
            raise LocalError(
                f"the cache {self.root} is missing", hint="create the directory, or mount its disk"
            )
        with self.staging(), fsio.telling(f"{self.base} cannot be made"):
            self.base.mkdir(exist_ok=True)

    def ignores_case(self) -> bool:
        """True when this disk takes names that differ by case for one; looked up, not written."""
        if self._ignores_case is not None:
            return self._ignores_case
        known = self.root / SIDECAR_FILE
        path = known if known.exists() else self.root
        twin = path.with_name(path.name.swapcase())
        try:
            return twin.name != path.name and twin.samefile(path)
        except OSError:  # no such name: case counts, or there is no cache yet
            return False

    def create(self) -> None:
        """Make the directories. Only for a cache that was never synced: see `check`."""
        with fsio.telling(f"{self.base} cannot be made"):
            self.base.mkdir(parents=True, exist_ok=True)

    def target(self, rel: str) -> Path:
        """Where `rel` is or would be. Raises PathBlocked when no file may be written there."""
        self._check(rel)
        path = self.base / rel
        mode = places.mode_of(path)
        if mode is not None and not modes.S_ISREG(mode):
            if not modes.S_ISDIR(mode):
                raise PathBlocked(f"{rel}: no regular file stands in its place")
            if places.holds_something(path):
                raise PathBlocked(f"{rel}: a directory stands in its place")
        return path

    def to_open(self, rel: str, clear: set[str]) -> Path:
        """As `target`, for one that follows no link and opens regular files only. Directories that
        are in order join `clear`, and are not looked at again."""
        self._check(rel, clear)
        return self.base / rel

    def _check(self, rel: str, clear: set[str] | None = None) -> None:
        """The name and the directories above; for `clear` see `to_open`."""
        reason = blocked_reason(rel) or ("reserved name" if not is_data(rel) else None)
        if reason:
            raise PathBlocked(f"{rel!r}: {reason}")
        parent = rel.rpartition("/")[0]
        if clear is not None and parent in clear:
            return
        here = self._base
        for depth, part in enumerate(parent.split("/") if parent else ()):
            here = f"{here}/{part}"
            mode = places.mode_of(here)
            if mode is None:
                return
            if not modes.S_ISDIR(mode):
                what = "a symlink" if modes.S_ISLNK(mode) else "a file"
                raise PathBlocked(f"{rel}: {what} stands where a directory is needed")
            is_top = self._solo and depth == 0
            if is_top and places.mode_of(f"{here}/{NAMESPACE_MANIFEST}") is not None:
                raise PathBlocked(f"{rel}: {part} belongs to another namespace")
        if clear is not None:
            clear.add(parent)

    @contextmanager
    def staging(self) -> Iterator[BinaryIO]:
        """A new open file on the cache's disk; it is gone afterwards unless it was installed.

        A disk that refuses the caller's own writes to it raises LocalError as well.
        """
        with fsio.telling(f"{self._staging} cannot be written"):
            try:
                temp = fsio.new_file(self._staging)
            except FileNotFoundError:
                temp = fsio.new_file(fsio.make_staging(self.root))
            self._open[temp.name] = temp
            try:
                with temp:
                    yield temp
            finally:
                if self._open.pop(temp.name, None) is not None:  # else it was installed
                    Path(temp.name).unlink(missing_ok=True)

    def install(
        self,
        temp: Path,
        rel: str,
        *,
        expected: FileStat | None,
        trash: Trash,
        old_sha256: str | None = None,
        old_reason: Reason = Reason.LOST,
        mtime_ns: int | None = None,
        unsettled: set[Path] | None = None,
    ) -> FileStat:
        """Put a staged file in its place, durably; what was there goes to the trash first.

        `expected` is what must be there, None: nothing. Raises LocalChanged when it is not so
        (the staged file then stays, unless somebody saved over it), PathBlocked. `old_sha256`
        spares reading the old file, `old_reason` is why it goes. `mtime_ns` becomes its
        modification time.

        Given `unsettled`, only the bytes are durable: the directories whose names are not are
        added to it, and the caller gives them to `settle` before it counts on the file.
        """
        path = self.target(rel)
        try:
            with fsio.telling(f"{path} cannot be written"):
                self._flush(temp, mtime_ns)
                if expected is None:
                    touched = self._place_new(temp, path)
                else:
                    self._replace(temp, path, rel, expected, trash, old_sha256, old_reason)
                    touched = [path.parent]
                self._open.pop(str(temp), None)
                if unsettled is None:
                    self.settle(touched)
                else:
                    unsettled.update(touched)
                return FileStat.of(path.lstat())
        except LocalChanged:
            raise
        except LocalError:
            temp.unlink(missing_ok=True)
            raise

    @property
    def takes_many(self) -> bool:
        """True where `install_new` needs one flush for all of its files."""
        if self._takes_many is None:
            self._takes_many = syncfs.is_enough(
                self._staging if self._staging.is_dir() else self.root
            )
        return self._takes_many

    def install_new(
        self, files: Sequence[Fresh], *, unsettled: set[Path]
    ) -> list[FileStat | LocalError]:
        """Put small files where none are; many of them cost little more than one.

        Their bytes are durable; for `unsettled` see `install`. The results are in the order of the
        files: of one that failed nothing is left. Nothing is raised.
        """
        try:
            with fsio.telling(f"{self._staging} cannot be written"):
                staging = fsio.make_staging(self.root)
                with syncfs.flush_after(staging) as flush:
                    staged = [_staged(staging, file) for file in files]
                    self._flush_all([one for one in staged if isinstance(one, str)], flush)
        except LocalError as error:
            return [error] * len(files)
        clear, touched = set[str](), set[str]()
        done = [
            temp if isinstance(temp, LocalError) else self._placed(temp, file.rel, clear, touched)
            for file, temp in zip(files, staged, strict=True)
        ]
        unsettled.update(map(Path, touched))
        return done

    def settle(self, directories: Iterable[Path]) -> None:
        """Make the names in these directories durable; one that is gone has none."""
        for directory in directories:
            with fsio.telling(f"{directory} cannot be written"), suppress(FileNotFoundError):
                fsio.fsync_path(directory)

    def remove(
        self, rel: str, *, expected: FileStat, trash: Trash, sha256: str | None = None
    ) -> None:
        """Move a file to the trash, and drop the directories that this left empty.

        Raises LocalChanged when it is not the `expected` one, PathBlocked.
        """
        path = self.target(rel)
        with fsio.telling(f"{path} cannot be removed"):
            places.must_be(path, expected)
            trash.keep(path, rel, Reason.DELETED, sha256=sha256, expected=expected)
            fsio.fsync_path(self._prune(path.parent))

    def rename(self, rel: str, new_rel: str, *, expected: FileStat) -> FileStat:
        """Give a file another name, never onto an existing one.

        Raises LocalChanged when it is not the `expected` one or `new_rel` exists, PathBlocked.
        """
        source, target = self.target(rel), self.target(new_rel)
        with fsio.telling(f"{source} cannot be renamed"):
            places.must_be(source, expected)
            with self._tree:
                made = places.make_parents(target.parent)
                try:
                    fsio.move_whole(source, target)
                except FileExistsError as error:
                    raise LocalChanged(f"{target} exists already") from error
            for directory in {*made, source.parent, target.parent}:
                fsio.fsync_path(directory)
            return FileStat.of(target.lstat())

    def sweep(self, *, trash: Trash | None = None) -> int:
        """Remove what a crash left in the staging directory; the count. For the owner only.

        What may be a user's save that a crash caught in an exchange goes to the trash, or stays.
        """
        if not self._staging.is_dir():
            return 0
        removed = 0
        with fsio.telling(f"{self._staging} cannot be swept"):
            for path in self._staging.iterdir():
                old = path.lstat().st_mtime_ns < fsio.STARTED_NS
                if not old or fsio.RUN in path.name:
                    continue
                if not swap.is_unsaved(path):
                    path.unlink(missing_ok=True)
                elif trash is not None:
                    trash.keep(path, "", swap.CAUGHT)
                removed += not path.exists()
        return removed

    # --- steps --------------------------------------------------------------------------

    def _flush(self, temp: Path, mtime_ns: int | None) -> None:
        handle = self._open.get(str(temp))
        if handle is None:
            if mtime_ns is not None:
                os.utime(temp, ns=(mtime_ns, mtime_ns))
            fsio.fsync_path(temp)
            return
        handle.flush()
        if mtime_ns is not None:
            os.utime(handle.fileno(), ns=(mtime_ns, mtime_ns))
        fsio.fsync(handle.fileno(), temp)

    def _flush_all(self, staged: Sequence[str], flush: Callable[[], None]) -> None:
        """When that fails they are gone."""
        try:
            if self.takes_many and not syncfs.is_crowded():
                flush()
            else:
                for temp in staged:
                    fsio.fsync_path(Path(temp))
        except OSError:
            for temp in staged:
                Path(temp).unlink(missing_ok=True)
            raise

    def _placed(
        self, temp: str, rel: str, clear: set[str], touched: set[str]
    ) -> FileStat | LocalError:
        """`touched` gets the directories with new names in them; for `clear` see `to_open`."""
        path = f"{self._base}/{rel}"
        try:
            self._check(rel, clear)
            with fsio.telling(f"{path} cannot be written"):
                try:
                    if not renameat2.rename_new(temp, path):
                        raise FileExistsError
                    touched.add(path.rpartition("/")[0])
                except OSError:  # the long way knows what to do, or what to say
                    touched.update(map(str, self._place_new(Path(temp), self.target(rel))))
                return FileStat.of(places.lstat(Path(path)))
        except LocalError as error:
            Path(temp).unlink(missing_ok=True)
            return error

    def _place_new(self, temp: Path, path: Path) -> list[Path]:
        """The directories with new names in them."""
        place = partial(fsio.move_new, target=path)
        try:
            _on_its_disk(temp, path, place)
        except (FileNotFoundError, FileExistsError, NotADirectoryError):
            with self._tree:
                made = places.make_parents(path.parent)
                places.drop_empty(path)
                try:
                    _on_its_disk(temp, path, place)
                except FileExistsError as error:
                    raise LocalChanged(f"{path} was created meanwhile") from error
            return [*made, path.parent]
        return [path.parent]

    def _replace(
        self,
        temp: Path,
        path: Path,
        rel: str,
        expected: FileStat,
        trash: Trash,
        old_sha256: str | None,
        reason: Reason,
    ) -> None:
        found = places.must_be(path, expected)
        trash.preserve(path, rel, reason, sha256=old_sha256, expected=expected)
        temp.chmod(modes.S_IMODE(found.st_mode))
        change = partial(
            swap.replace,
            path=path,
            expected=expected,
            keep=lambda save: trash.keep(save, rel, swap.OVERTAKEN),
            exchange=self._exchange,
        )
        _on_its_disk(temp, path, change)

    def _prune(self, directory: Path) -> Path:
        """Remove empty directories upwards; the first that stays."""
        with self._tree, suppress(OSError):  # not empty, or in use: then it simply stays
            while directory != self.base:
                directory.rmdir()
                directory = directory.parent
        return directory


def _staged(staging: Path, file: Fresh) -> str | LocalError:
    try:
        return fsio.write_new(staging, file.body, file.mtime_ns)
    except OSError as error:
        return fsio.as_local_error(error, f"{staging} cannot be written")


def _on_its_disk(temp: Path, path: Path, act: Callable[[Path], None]) -> None:
    """Do the renaming `act` with the staged file; across disks with a copy beside `path`."""
    try:
        act(temp)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = path.with_name(f"{BESIDE}{temp.name}")
        fsio.copy_new(temp, beside)
        try:
            act(beside)
        finally:
            beside.unlink(missing_ok=True)
        temp.unlink()
