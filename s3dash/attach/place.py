"""Where the owner of a cache is spoken to: a Unix domain socket beside its owner lock.

It loads nothing else of this package: every command looks here whether there is an owner.
"""

import hashlib
import os
import socket
import stat as modes
import struct
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from s3dash.errors import LocalError

NAME = "attach.sock"
ADDRESS = "attach.address"
LONGEST = 100
"""Bytes of a path that every system takes for the address of a socket."""
QUEUE, QUEUE_S = 64, 0.02
"""How many may wait to be let in, and how long one waits to be among them."""
_CREDENTIALS = struct.Struct("3i")


def address(state_dir: Path) -> Path | None:
    """Where the owner listens; None: nobody does. An owner that was killed leaves one behind."""
    plain = state_dir / NAME
    found = plain if fits(plain) else _written(state_dir)
    return found if found is not None and found.is_socket() else None


def fits(path: Path) -> bool:
    return len(os.fsencode(path)) <= LONGEST


def bound(state_dir: Path) -> tuple[socket.socket, Path]:
    """A socket that listens for our own user alone, and where. Only for who owns the cache: what
    a dead owner left there is removed.

    Raises LocalError when there can be none.
    """
    path = state_dir / NAME
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if not fits(path):
            path = _short(state_dir)
            _write(state_dir, path)
        path.unlink(missing_ok=True)
        listener.bind(os.fspath(path))
        path.chmod(0o600)  # before anybody can connect
        listener.listen(QUEUE)
    except OSError as error:
        listener.close()
        raise LocalError(f"{path} cannot be listened on: {error.strerror or error}") from error
    except LocalError:
        listener.close()
        raise
    return listener, path


def reached(state_dir: Path, *, timeout_s: float) -> socket.socket | None:
    """A connection to the owner of a cache; None: nobody answers, or somebody else's process."""
    path = address(state_dir)
    if path is None or not _is_mine(path):
        return None
    link = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    link.settimeout(timeout_s)
    if not _connected(link, path, timeout_s) or not is_ours(link):
        link.close()
        return None
    return link


def _is_mine(path: Path) -> bool:
    """No longer there is nobody's: owners come and go while others look."""
    try:
        return path.stat().st_uid == os.getuid()
    except OSError:
        return False


def _connected(link: socket.socket, path: Path, timeout_s: float) -> bool:
    """A queue that is full is told at once, where the connection of a network would wait."""
    until = time.monotonic() + timeout_s
    while time.monotonic() < until:
        try:
            link.connect(os.fspath(path))
        except BlockingIOError:
            time.sleep(QUEUE_S)
        except OSError:
            return False
        else:
            return True
    return False


def is_ours(link: socket.socket) -> bool:
    """Whether the other end runs as our own user, where the system tells; the directory and the
    mode of the socket keep others out everywhere."""
    asked = getattr(socket, "SO_PEERCRED", None)
    if asked is None:
        return True
    _pid, uid, _gid = _CREDENTIALS.unpack(
        link.getsockopt(socket.SOL_SOCKET, asked, _CREDENTIALS.size)
    )
    return bool(uid == os.getuid())


def _short(state_dir: Path) -> Path:
    """A place of our own for sockets whose directory has too long a name."""
    name = hashlib.sha256(os.fsencode(state_dir.absolute())).hexdigest()[:24] + ".sock"
    runtime, own = os.environ.get("XDG_RUNTIME_DIR", ""), f"s3dash-{os.getuid()}"
    roots = [Path(runtime) / "s3dash"] if runtime else []
    roots += [Path(tempfile.gettempdir()) / own, Path("/tmp") / own]  # noqa: S108 - checked below
    root = next(root for root in roots if fits(root / name))
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = root.lstat()
    if not modes.S_ISDIR(found.st_mode) or found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise LocalError(f"{root} is not a directory for this user alone")
    return root / name


def _write(state_dir: Path, path: Path) -> None:
    state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = state_dir / f"{ADDRESS}.new"
    fresh.unlink(missing_ok=True)
    handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as file:
        file.write(os.fsencode(path))
    fresh.replace(state_dir / ADDRESS)


def _written(state_dir: Path) -> Path | None:
    with suppress(OSError):  # nobody has listened here yet
        return Path(os.fsdecode((state_dir / ADDRESS).read_bytes()[:LONGEST]))
    return None
