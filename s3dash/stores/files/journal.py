"""The renames that are under way, one file each, written down before anything is moved."""

import uuid
from contextlib import suppress
from pathlib import Path

import msgspec

from s3dash.core.settings import Datastore
from s3dash.errors import Conflict
from s3dash.local import fsio
from s3dash.stores.files.model import Move

MOST_BYTES = 1 << 16


class Journal:
    """The unfinished renames of one datastore on this machine, in its state directory."""

    def __init__(self, settings: Datastore) -> None:
        self._directory = settings.state_dir / "renames"
        parts = (settings.address, settings.bucket, settings.prefix)
        self._place = "/".join(part for part in parts if part)

    def all(self) -> list[Move]:
        """Raises Conflict for a file that is none of ours."""
        if not self._directory.is_dir():
            return []
        found = [self._read(path) for path in sorted(self._directory.glob("*.json"))]
        return [move for move in found if move.place == self._place]

    def find(self, source: str, target: str) -> Move | None:
        """The one that was begun and not finished. Raises Conflict when the source was on its way
        to somewhere else."""
        for move in self.all():
            if move.source == source:
                if move.target == target:
                    return move
                raise Conflict(
                    f"a rename of {source!r} to {move.target!r} was cut short",
                    hint="finish that one first",
                )
        return None

    def begin(self, source: str, target: str) -> Move:
        """Write a rename down, durably. Raises LocalError."""
        move = Move(uuid.uuid4().hex, self._place, source, target)
        path = self._path(move)
        with fsio.telling(f"{path} cannot be written"):
            fsio.make_dirs(self._directory, mode=0o700)
            with fsio.new_file(self._directory) as temp:
                temp.write(msgspec.json.encode(move))
                temp.flush()
                fsio.fsync(temp.fileno(), Path(temp.name))
            Path(temp.name).rename(path)
            fsio.fsync_path(self._directory)
        return move

    def end(self, move: Move) -> None:
        """It is finished."""
        path = self._path(move)
        with fsio.telling(f"{path} cannot be removed"):
            with suppress(FileNotFoundError):  # another process finished it, too
                path.unlink()
            fsio.fsync_path(self._directory)

    def _path(self, move: Move) -> Path:
        return self._directory / f"{move.id}.json"

    def _read(self, path: Path) -> Move:
        with fsio.telling(f"{path} cannot be read"), path.open("rb") as file:
            raw = file.read(MOST_BYTES)
        try:
            move = msgspec.json.decode(raw, type=Move)
        except msgspec.DecodeError as error:
            raise Conflict(f"{path} is damaged", hint="look at it, and take it away") from error
        if self._path(move) != path:
            raise Conflict(f"{path} is not what it was written as", hint="take it away")
        return move
