"""One engine per cache: a lock of the operating system on the state directory."""

import fcntl
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from s3dash.clock import iso
from s3dash.errors import LocalError


class OwnerLock:
    """The right to write to a state directory and its cache; it ends with the process."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / "owner.lock"
        self._handle: int | None = None

    def acquire(self) -> bool:
        """True when it is ours now. Never waits. Raises LocalError when no file can be made."""
        if self._handle is not None:
            return True
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise LocalError(f"{self._path} cannot be opened: {error.strerror}") from error
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(handle)
            return False
        started = iso(datetime.now(UTC))
        os.ftruncate(handle, 0)
        os.pwrite(handle, f"{os.getpid()} {platform.node()} {started}\n".encode(), 0)
        self._handle = handle
        return True

    def owner(self) -> str:
        """«pid 123 on host» of who has or last had it, empty when nobody said."""
        try:
            words = self._path.read_text("utf-8", "replace").split()
        except OSError:
            return ""
        return f"pid {words[0]} on {words[1]}" if len(words) >= 2 else ""

    def release(self) -> None:
        """Idempotent. The file stays: removing it could let two processes in."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None
