"""A file system in a bucket: what `s3dash fs`, the fsspec adapter and the Explorer build on."""

from collections.abc import Callable, Iterator

from s3dash.errors import (
    BadPath,
    IsDirectory,
    NoDirectory,
    NotEmpty,
    PreconditionFailed,
)
from s3dash.objectstore.port import ObjectInfo
from s3dash.stores.files import names
from s3dash.stores.files.carrying import carry, put_marker
from s3dash.stores.files.journal import Journal
from s3dash.stores.files.looking import missing
from s3dash.stores.files.model import FileInfo, Move, Moved
from s3dash.stores.files.renaming import OnMoved, Renaming, batches
from s3dash.stores.files.writing import IN_MEMORY, Writing, changed, file_path, taken
from s3dash.stores.opened import Opened
from s3dash.stores.turns import in_turn

ROUNDS = 10
"""How often a directory is emptied that others write into."""
BATCH = 1000

OnFile = Callable[[str], None]
"""Called with the path of each file that is done."""


class Files(Writing):
    """Files and directories below the root of an opened datastore. Safe to use from any thread.

    Whatever a method names, it raises NoSuchFile, BadPath and what the store raises. `emulate`:
    files can be changed in place, by way of a whole copy. Up to `in_memory` bytes of a file that
    is written are held in memory.
    """

    def __init__(
        self, opened: Opened, *, emulate: bool = False, in_memory: int = IN_MEMORY
    ) -> None:
        super().__init__(opened, emulate=emulate, in_memory=in_memory)
        self._journal = Journal(self.settings)

    # --- directories --------------------------------------------------------------------

    def mkdir(self, path: str, *, parents: bool = True, exist_ok: bool = False) -> None:
        """Make a directory that stays when it is empty, and those above it.

        Raises FileThere; NoDirectory where a file stands above, NoSuchFile where nothing does and
        `parents` is off.
        """
        plain = names.checked(path)
        if kinds := self._kinds(plain):
            if exist_ok and "file" not in kinds:
                return
            raise taken(path)
        above = self._missing_above(plain)
        if above and not parents:
            raise missing(above[-1])
        for one in (*above, plain):
            put_marker(self.opened, names.below(one))

    def _missing_above(self, plain: str) -> list[str]:
        """The directories above that are not there, the outermost first. Raises NoDirectory."""
        found: list[str] = []
        for one in reversed(names.ancestors(plain)):
            kinds = self._kinds(one)
            if "directory" in kinds or (kinds and self._is_dir(one)):
                break
            if kinds:
                raise NoDirectory(f"{one!r} is a file")
            found.insert(0, one)
        return found

    def rmdir(self, path: str) -> None:
        """Remove an empty directory. Raises NotEmpty, NoDirectory."""
        plain = names.checked(path)
        marker = names.below(plain)
        if not plain:
            raise BadPath("the root cannot be removed")
        found = self.store.first(marker, most=2)
        if any(one.key != marker for one in found):
            raise NotEmpty(f"{path!r} is not empty")
        if not found:
            if self._file(plain) is not None:
                raise NoDirectory(f"{path!r} is a file")
            raise missing(path)
        self._steady.delete(marker)

    def remove(self, path: str, *, recursive: bool = False, on_file: OnFile | None = None) -> int:
        """Remove a file; `recursive`: and all below. How many objects went.

        Raises IsDirectory, NotEmpty when others go on writing there.
        """
        plain = names.checked(path)
        if not plain:
            raise BadPath("the root cannot be removed")
        file = None if path.endswith(names.SLASH) else self._file(plain)
        if not recursive and file is None:
            if not self._is_dir(plain):
                raise missing(path)
            raise IsDirectory(f"{path!r} is a directory", hint="remove it recursively")
        count = self._empty(names.below(plain), on_file) if recursive else 0
        if file is None:
            if not count:
                raise missing(path)
            return count
        self._steady.delete(plain)
        if on_file is not None:
            on_file(plain)
        return count + 1

    def copy_tree(self, source: str, target: str, *, on_file: OnFile | None = None) -> Moved:
        """Copy all files below a directory on the server, over those that are there."""
        plain, goal = names.checked(source), names.checked(target)
        _check_apart(plain, goal)
        if not self._is_dir(plain):
            raise missing(source)
        self.mkdir(goal, exist_ok=True)

        prefix, root = names.below(plain), names.below(goal)
        count = size = 0

        def copied(one: ObjectInfo) -> ObjectInfo:
            if carry(self.opened, one, root + one.key[len(prefix) :]) is None:
                raise changed(one.key)
            return one

        ways = self.settings.push_concurrency
        listing = self.store.list(prefix)
        for one in in_turn(listing, copied, at_a_time=ways, check=self.cancel.check):
            count, size = count + 1, size + one.size
            if on_file is not None:
                on_file(one.key)
        return Moved(count, size)

    # --- renames ------------------------------------------------------------------------

    def rename(self, source: str, target: str, *, on_moved: OnMoved | None = None) -> Moved:
        """Move a file over one that may be there, or a directory to where nothing is.

        Objects are copied on the server; each goes from its old place only once its copy was
        verified. A directory's rename is written down first: when it is cut short, the same call
        continues it. Raises NotEmpty where the target holds something, IsDirectory, BadPath (into
        itself), Conflict where somebody changed what was being moved; then both are there.
        """
        plain, goal = names.checked(source), names.checked(target)
        _check_apart(plain, goal)
        move = self._journal.find(plain, goal)
        if move is not None:
            return self.resume(move, on_moved=on_moved)
        if not source.endswith(names.SLASH) and (file := self._file(plain)) is not None:
            return self._rename_file(file, file_path(target))
        if not self._is_dir(plain):
            raise missing(source)
        self._need_free(goal)
        return self._renamed(self._journal.begin(plain, goal), fresh=True, on_moved=on_moved)

    def unfinished(self) -> list[Move]:
        """The renames of directories of this datastore that were cut short on this machine."""
        return self._journal.all()

    def resume(self, move: Move, *, on_moved: OnMoved | None = None) -> Moved:
        """Finish a rename that was cut short. Raises as `rename`."""
        return self._renamed(move, fresh=False, on_moved=on_moved)

    def _renamed(self, move: Move, *, fresh: bool, on_moved: OnMoved | None) -> Moved:
        done = Renaming(self.opened, move, fresh=fresh, on_moved=on_moved).run()
        self._journal.end(move)
        return done

    def _rename_file(self, file: FileInfo, key: str) -> Moved:
        if self._is_dir(key) and self._file(key) is None:
            raise IsDirectory(f"{key!r} is a directory")
        self.copy(file, key)
        there = self.store.head(key)
        if there.size != file.size:
            raise changed(key)
        try:
            self._steady.delete(file.path, if_match=file.etag)
        except PreconditionFailed as error:
            raise changed(file.path) from error
        return Moved(1, file.size)

    # --- how ----------------------------------------------------------------------------

    def _need_free(self, goal: str) -> None:
        """Raises unless a directory can come here: there may be an empty one."""
        marker = names.below(goal)
        if self._file(goal) is not None:
            raise NoDirectory(f"{goal!r} is a file")
        if any(one.key != marker for one in self.store.first(marker, most=2)):
            raise NotEmpty(f"{goal!r} is there already, and not empty")

    def _empty(self, prefix: str, on_file: OnFile | None) -> int:
        """Proved by listing again: endpoints report as deleted what never was."""
        count = 0
        for _ in range(ROUNDS):
            before = count
            for found in self._deleting(prefix):
                count += 1
                if on_file is not None:
                    on_file(found)
            if count == before:
                return count
        raise NotEmpty(f"{prefix!r} is written to while it is removed")

    def _deleting(self, prefix: str) -> Iterator[str]:
        for batch in batches(self.store.list(prefix), BATCH):
            self.cancel.check()
            keys = [one.key for one in batch]
            self.store.delete_many(keys)
            yield from keys


def _check_apart(source: str, target: str) -> None:
    """Raises BadPath where something would be moved, or copied, into itself."""
    if not source:
        raise BadPath("the root stays where it is")
    if names.below(target).startswith(names.below(source)):
        raise BadPath(f"{source!r} cannot go into itself, to {target!r}")
