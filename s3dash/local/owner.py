"""One engine per cache: a lock of the operating system on the state directory."""

import fcntl
import os
import platform
from datetime import UTC, datetime
from pathlib import Path

from s3dash.clock import iso
from s3dash.errors import LocalError


class OwnerLock:
    """The right to write to a state directory and its cache; it ends with the process.

    `before` is who had it and never let go of it: killed, or cut off by a crash of the machine.
    """

    def __init__(self, directory: Path) -> None:
        self.before = ""
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
        self.before = self.owner()
        self._handle = handle
        self.describe("")
        return True

    def describe(self, purpose: str) -> None:
        """Say in a few words what for we own it. Only while we do."""
        if self._handle is not None:
            started = iso(datetime.now(UTC))
            told = f"{os.getpid()} {platform.node()} {started} {purpose}".rstrip()
            os.ftruncate(self._handle, 0)
            os.pwrite(self._handle, f"{told}\n".encode(), 0)

    def owner(self) -> str:
        """«pid 123 on host (what for)» of who has or last had it, empty when nobody said."""
        try:
            words = self._path.read_text("utf-8", "replace").split(maxsplit=3)
        except OSError:
            return ""
        purpose = f" ({words[3].strip()})" if len(words) == 4 else ""
        return f"pid {words[0]} on {words[1]}{purpose}" if len(words) >= 2 else ""

    @property
    def pid(self) -> int | None:
        """Of who has or last had it, when that is a process of this machine."""
        try:
            words = self._path.read_text("utf-8", "replace").split(maxsplit=2)
        except OSError:
            return None
        known = len(words) >= 2 and words[1] == platform.node() and words[0].isdecimal()
        return int(words[0]) if known else None

    def is_free(self) -> bool:
        """Whether whoever said so has let go, or has ended here without doing that.

        Takes nothing for that: a try at the lock could keep out who starts just then.
        """
        try:
            words = self._path.read_text("utf-8", "replace").split(maxsplit=3)
        except OSError:
            return True
        if len(words) < 2:
            return True
        return words[1] == platform.node() and words[0].isdecimal() and not _lives(int(words[0]))

    def release(self) -> None:
        """Idempotent. The file stays: removing it could let two processes in."""
        if self._handle is not None:
            os.ftruncate(self._handle, 0)
            os.close(self._handle)
            self._handle = None


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        return True
    return True
