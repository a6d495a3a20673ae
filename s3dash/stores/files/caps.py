"""What an endpoint does natively, each flag tried on the endpoint itself."""

from collections.abc import Callable, Mapping
from contextlib import suppress

from s3dash.core.paths import CONTROL_DIR
from s3dash.errors import NoSuchFile, ReadOnly
from s3dash.stores.files.files import Files
from s3dash.stores.files.model import Caps, Tried

ROOT = f"{CONTROL_DIR}/s3dash/caps"
TEN = b"0123456789"

Seen = tuple[bool, str]
Trial = Callable[[Files, str], Seen]
"""Given a place of its own: whether the endpoint does it, and what was seen."""


def prove(files: Files, *, nonce: str) -> tuple[Caps, list[Tried]]:
    """Try every flag, below a directory that nobody else has; it is gone afterwards.

    Raises what the store raises, ReadOnly where nothing may be written.
    """
    root = f"{ROOT}/{nonce}"
    try:
        tried = [Tried(name, *trial(files, f"{root}/{name}")) for name, trial in TRIALS.items()]
    finally:
        with suppress(NoSuchFile, ReadOnly):  # nothing was written
            files.remove(root, recursive=True)
    return Caps(**{one.name: one.native for one in tried}), tried


def _random_read(files: Files, place: str) -> Seen:
    files.write(place, TEN)
    before = files.store.usage.bytes_down
    piece = files.read(place, 3, 6)
    came = files.store.usage.bytes_down - before
    if piece != TEN[3:6]:
        return False, f"bytes 3 to 5 came as {piece!r}"
    return came == len(piece), f"{came} bytes came for 3 that were asked for"


def _random_write(files: Files, place: str) -> Seen:
    files.write(place, TEN)
    files.write(place, b"abc")
    size = files.info(place).size
    return size == len(TEN), f"after 3 bytes were written over 10 the file has {size}"


def _append(files: Files, place: str) -> Seen:
    files.write(place, b"one")
    files.write(place, b"two")
    body = files.read(place)
    return body == b"onetwo", f"a second write leaves {body!r}"


def _truncate(files: Files, place: str) -> Seen:
    files.write(place, TEN)
    files.write(place, b"")
    size = files.info(place).size
    return size == len(TEN), "a shorter file is a new one: nothing of the old one is kept"


def _atomic_rename(files: Files, place: str) -> Seen:
    """In its own steps: a rename is a copy and a deletion, and anybody can look in between."""
    files.write(f"{place}/from", TEN)
    files.copy(f"{place}/from", f"{place}/to")
    both = files.exists(f"{place}/from") and files.exists(f"{place}/to")
    files.remove(f"{place}/from")
    return not both, f"in the middle of it {'both names are' if both else 'one name is'} there"


def _directories(files: Files, place: str) -> Seen:
    files.mkdir(place)
    empty = files.info(place).is_dir and not files.ls(place)
    files.rmdir(place)
    left = files.exists(place)
    return empty and not left, (
        f"an empty directory {'stays' if empty else 'is lost'}, "
        f"and is {'there' if left else 'gone'} once it was removed"
    )


def _mtime(files: Files, place: str) -> Seen:
    files.write(place, TEN)
    alone, (listed,) = files.info(place).mtime, files.ls(place)
    return alone is not None and alone == listed.mtime, (
        f"by itself the file is of {alone}, in a listing of {listed.mtime}"
    )


def _case_sensitive(files: Files, place: str) -> Seen:
    files.write(f"{place}/Name", b"1")
    files.write(f"{place}/name", b"2")
    both = files.read(f"{place}/Name") + files.read(f"{place}/name")
    return both == b"12", f"Name and name are {'two files' if both == b'12' else 'one file'}"


TRIALS: Mapping[str, Trial] = {
    "random_read": _random_read,
    "random_write": _random_write,
    "append": _append,
    "truncate": _truncate,
    "atomic_rename": _atomic_rename,
    "directories": _directories,
    "mtime": _mtime,
    "case_sensitive": _case_sensitive,
}
