"""Files of this machine that are written whole or not at all."""

import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from s3dash.errors import PathBlocked
from s3dash.local import fsio


@contextmanager
def whole(path: Path) -> Iterator[BinaryIO]:
    """A file to write into; it stands at `path` once the block ended well, durably.

    Directories above are made. Raises LocalError; what was there is then as it was.
    """
    with fsio.telling(f"{path} cannot be written"):
        fsio.make_dirs(path.parent)
        with fsio.new_file(path.parent) as file:
            temp = Path(file.name)
            try:
                yield file
                file.flush()
                fsio.fsync(file.fileno(), temp)
                temp.replace(path)
            except BaseException:
                temp.unlink(missing_ok=True)
                raise


def inside(root: Path, rel: str) -> Path:
    """Where `rel` is below `root`. Raises PathBlocked where the way there is no directory: through
    a symbolic link it would lead outside. `rel` was checked: see `core.paths`."""
    path = root
    for part in rel.split("/")[:-1]:
        path = path / part
        try:
            mode = path.lstat().st_mode
        except FileNotFoundError:
            break
        if not stat.S_ISDIR(mode):
            what = "a symbolic link" if stat.S_ISLNK(mode) else "a file"
            raise PathBlocked(f"{what} stands where a directory is needed")
    return root / rel
