"""What the two sides say to each other, and how it lies on the socket: a length, then that.

A message is MessagePack. Values inside it stay packed until it is known what type they have.
"""

import socket
import struct
import threading
from contextlib import suppress
from typing import Literal

import msgspec

from s3dash.attach.values import Failure

_LENGTH = struct.Struct(">I")
GREETING = 64 << 10
"""Bytes of a frame before both sides know each other."""
LARGEST = 512 << 20
"""Bytes of a frame after that: a plan of a million rows."""
_PIECE = 1 << 20


class Frame(msgspec.Struct, array_like=True, tag=True):
    pass


# --- from the guest ------------------------------------------------------------------------


class Hello(Frame):
    """`place` is what the guest is configured for; without `rows` it does without long lists."""

    version: str
    place: tuple[str, ...]
    readonly: bool = False
    rows: bool = True


class Ask(Frame):
    """A call by dotted name; `arguments` by name."""

    id: int
    name: str
    arguments: dict[str, msgspec.Raw]


class Stop(Frame):
    """Cancel the call with this id."""

    id: int


class MakeRoom(Frame):
    """Somebody who works for long and by itself wants to own the cache: let go of it."""


# --- from the owner ------------------------------------------------------------------------


class Welcome(Frame):
    """`who` is «pid 12 (watch)»."""

    pid: int
    who: str
    settings: msgspec.Raw


class Refused(Frame):
    why: Literal["version", "place", "full", "busy", "noise"]
    text: str


class Done(Frame):
    id: int
    value: msgspec.Raw


class Failed(Frame):
    id: int
    failure: Failure


class Splice(Frame):
    """In the rows of `field`: `removed` of them from `start` on give way to `rows`."""

    field: str
    start: int
    removed: int
    rows: msgspec.Raw


class Facts(Frame):
    """What changed in the snapshot; with `whole` it is one again.

    `fields` are values by name, without those that come as rows. `rows` are transfers that are
    new or moved, `gone` the ids of those that are no more, `order` all ids when not in order.
    """

    fields: dict[str, msgspec.Raw] = {}
    splices: tuple[Splice, ...] = ()
    rows: tuple[msgspec.Raw, ...] = ()
    gone: tuple[int, ...] = ()
    order: tuple[int, ...] | None = None
    whole: bool = False


class Happened(Frame):
    """Events by the name of their type; `dropped` did not fit since the last of these."""

    events: tuple[tuple[str, msgspec.Raw], ...]
    dropped: int = 0


class Leaving(Frame):
    """The owner goes, and within so many seconds another one comes: leave the cache to that."""

    heir_s: float


FromGuest = Hello | Ask | Stop | MakeRoom
FromOwner = Welcome | Refused | Done | Failed | Facts | Happened | Leaving
_GUESTS, _OWNERS = msgspec.msgpack.Decoder(FromGuest), msgspec.msgpack.Decoder(FromOwner)


class TooLong(ValueError):
    """A frame that nobody has any reason to send."""


class Wire:
    """One end of a connection. Whole frames, from any thread; one thread alone receives."""

    def __init__(self, link: socket.socket) -> None:
        self._link = link
        self._turn = threading.Lock()
        self.sent = self.received = 0
        """Bytes so far."""

    def send(self, frame: Frame, *, within_s: float = -1) -> None:
        """Waits for the other side to take it, and before that for what is being sent; with
        `within_s` no longer for that. Raises OSError when it cannot be said, or to nobody."""
        data = msgspec.msgpack.encode(frame)
        if len(data) > LARGEST:
            raise TooLong(f"{len(data):,} bytes")
        head = _LENGTH.pack(len(data))
        if not self._turn.acquire(timeout=within_s):
            raise TimeoutError("the other side does not take what is being sent")
        try:
            if len(data) <= _PIECE:
                self._link.sendall(head + data)
            else:
                self._link.sendall(head)
                self._link.sendall(data)
            self.sent += _LENGTH.size + len(data)
        finally:
            self._turn.release()

    def from_guest(self, limit: int = LARGEST) -> FromGuest | None:
        """The next frame; None at the end. Raises OSError, or one of `values.FAULTS`."""
        data = self._receive(limit)
        return None if data is None else _GUESTS.decode(data)

    def from_owner(self, limit: int = LARGEST) -> FromOwner | None:
        data = self._receive(limit)
        return None if data is None else _OWNERS.decode(data)

    def wait_at_most(self, seconds: float | None) -> None:
        self._link.settimeout(seconds)

    def close(self) -> None:
        """Ends every wait on either side. Idempotent."""
        with suppress(OSError):  # the other side was quicker
            self._link.shutdown(socket.SHUT_RDWR)
        self._link.close()

    def fileno(self) -> int:
        return self._link.fileno()

    def _receive(self, limit: int) -> bytes | None:
        head = self._exactly(_LENGTH.size)
        if head is None:
            return None
        (size,) = _LENGTH.unpack(head)
        if size > limit:
            raise TooLong(f"{size:,} bytes")
        return self._exactly(size)

    def _exactly(self, size: int) -> bytes | None:
        """Takes no more memory than what has come."""
        data = bytearray()
        while len(data) < size:
            piece = self._link.recv(min(_PIECE, size - len(data)))
            if not piece:
                return None
            data += piece
        self.received += size
        return bytes(data)
