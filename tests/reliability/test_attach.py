"""Whatever comes through the door of an owner: it goes on, and takes no memory for it."""

import itertools
import random
import resource
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import msgspec
import pytest

from s3dash.attach import frames, place
from s3dash.attach.calls import catalog, fingerprint
from s3dash.attach.client import Connection, meet
from s3dash.attach.guest import CALLS
from s3dash.attach.server import GUESTS, Door, serve
from s3dash.attach.values import packed
from s3dash.clock import SystemClock
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import HistoryRow
from s3dash.engine.engine import Engine
from s3dash.engine.handover import place_of
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.world import Machine, contents
from tests.reliability.mutate import NAMES, VALUES
from tests.tally import Effort

PATIENCE_S = 30.0
MIB = 1 << 20


class House:
    """An owner with its door, and somebody who wants nothing good at it."""

    def __init__(self, home: Path) -> None:
        self.bucket = MemoryBucket()
        self.machine = Machine(home, lambda: MemoryStore(self.bucket), poll_interval_s=3600)
        self.machine.write("files/a", "a")
        self.engine: Engine = self.machine.engine()
        self.engine.push()
        self.door: Door = serve(self.engine, "watch")
        self.before = contents(self.machine.store())

    @property
    def settings(self) -> Datastore:
        return self.machine.settings

    def knock(self) -> socket.socket:
        link = place.reached(self.settings.state_dir, timeout_s=PATIENCE_S)
        assert link is not None, "the owner listens no more"
        return link

    def say(self, data: bytes) -> None:
        """All of it, to a guest's end, as far as that is wanted."""
        with self.knock() as link:
            try:
                link.sendall(data)
                link.shutdown(socket.SHUT_WR)
                while link.recv(1 << 16):
                    pass
            except OSError:
                return  # it was sent away before it had said all

    def hello(self) -> bytes:
        return frame(frames.Hello(fingerprint(), place_of(self.settings)))

    def guest(self) -> Connection:
        met = meet(self.settings, rows=True, clock=SystemClock(), on_event=lambda event: None)
        assert isinstance(met, Connection), met
        return met

    def is_well(self) -> None:
        """A guest that behaves is let in, is answered, and sees what is true."""
        guest = self.guest()
        try:
            rows = guest.call(catalog()["history"], {"limit": 5}, None)
            assert rows == self.engine.history(5)
            assert guest.snapshot().index == self.engine.snapshot().index
        finally:
            guest.close()

    def empty(self) -> None:
        """Until nobody is in, and nobody works for one."""
        until(lambda: not self.door.guests)
        until(lambda: not [t for t in threading.enumerate() if t.name.startswith(WORKERS)])


WORKERS = ("s3dash-guest", "s3dash-telling", "s3dash-attached")


def until(holds: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not holds():
        assert time.monotonic() < end, [thread.name for thread in threading.enumerate()]
        time.sleep(0.005)


def frame(said: frames.Frame) -> bytes:
    return cut(msgspec.msgpack.encode(said))


def cut(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "ada")
    try:
        yield made
    finally:
        made.door.close()
        made.engine.stop()


def ask(id: int, name: str, /, **given: object) -> bytes:
    arguments = {key: msgspec.Raw(packed(value)) for key, value in given.items()}
    return frame(frames.Ask(id, name, arguments))


def good(house: House) -> list[bytes]:
    """What guests say, whole."""
    return [
        house.hello() + ask(1, "history", limit=3) + frame(frames.Stop(1)),
        house.hello() + ask(1, "plan", direction="push", selection=["files"]),
        house.hello() + ask(1, "transfers.pause", ids=[1, 2]) + ask(2, "transfers.limits"),
        house.hello() + ask(7, "contents.read", path="files/a", side="local"),
        frame(frames.Hello("x", ("a",))),
        frame(frames.MakeRoom()),
    ]


NO_CALLS = (
    "", ".", "stop", "start", "snapshot", "settings", "_ctx", "__class__", "push.__self__",
    "transfers", "transfers._ctx", "transfers.pause.__func__", "transfers.limits.up", "\x1b[2J",
    "subscribe",
)  # fmt: skip


def strange(house: House, dice: random.Random) -> bytes:
    """By who may only look: any call, with arguments of any kind."""
    said = frame(frames.Hello(fingerprint(), place_of(house.settings), readonly=True))
    for id in range(dice.randrange(1, 8)):
        name = dice.choice((dice.choice(NO_CALLS), *dice.sample(sorted(catalog()), 3)))
        takes = catalog()[name].takes if name in catalog() else {"path": str}
        names = [*takes, "cancel", "self", "nothing"]
        given = {dice.choice(names): _packable(dice) for _ in range(dice.randrange(3))}
        said += ask(id, name, **given)
    return said


def _packable(dice: random.Random) -> object:
    value = dice.choice((dice.choice(VALUES), dice.choice(NAMES), [dice.choice(NAMES)]))
    return 0 if isinstance(value, int) and abs(value) >= 1 << 63 else value


def hostile(house: House, dice: random.Random) -> bytes:
    kind = dice.randrange(6)
    said = dice.choice(good(house))
    if kind == 0:
        return dice.randbytes(dice.randrange(200))
    if kind == 1:
        return said[: dice.randrange(len(said))]
    if kind == 2:
        at = dice.randrange(len(said))
        return said[:at] + dice.randbytes(dice.randrange(1, 5)) + said[at + 1 :]
    if kind == 3:
        return house.hello() + cut(b"\x91" * dice.randrange(1, 60000) + b"\xc0")
    if kind == 4:
        size = dice.choice((1 << 16 | 1, 1 << 30, (1 << 32) - 1))
        return dice.choice((b"", house.hello())) + struct.pack(">I", size) + b"x"
    return strange(house, dice)


def test_nonsense_at_the_door_does_nothing(house: House, effort: Effort) -> None:
    dice = effort.dice()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for number in range(effort.pick(150, 20_000)):
        said = hostile(house, dice)
        try:
            house.say(said)
            if number % 25 == 0:
                house.is_well()
        except BaseException as error:
            error.add_note(f"seed {effort.seed}, case {number}: {said[:400].hex()}")
            raise
        effort.count("hostile guests survived")
    house.empty()
    house.is_well()
    grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    assert grown < 64, f"{grown:.0f} MiB for nonsense"
    assert contents(house.machine.store()) == house.before


def test_who_never_reads_or_never_speaks_keeps_nobody_else_waiting(house: House) -> None:
    """Some fill the house without a word, one asks for much and reads none of it."""
    deaf = house.knock()
    deaf.sendall(house.hello() + b"".join(ask(n, "history", limit=1000) for n in range(50)))
    silent = [house.knock() for _ in range(GUESTS - 6)]
    try:
        for _ in range(3):
            house.is_well()
        crowd = [house.knock() for _ in range(3 * GUESTS)]
        for link in crowd:
            link.close()
    finally:
        for link in (deaf, *silent):
            link.close()
    house.empty()
    house.is_well()


def test_a_guest_with_too_many_calls_is_sent_away_with_all_of_them(house: House) -> None:
    with house.knock() as link, house.engine.looking():  # nothing that takes a turn can end
        try:
            link.sendall(house.hello())
            link.sendall(b"".join(ask(n, "plan", direction="push") for n in range(500)))
            while link.recv(1 << 16):
                pass
        except OSError:
            pass  # it had not said all
        assert sum(t.name.startswith("s3dash-guest-plan") for t in threading.enumerate()) <= CALLS
    house.empty()
    house.is_well()


def test_answers_that_nobody_takes_count_as_calls(house: House) -> None:
    """A guest that stands still and asks on is sent away: its answers are no memory of ours."""
    for n in range(1000):
        house.engine._ctx.note("info", "test", f"{n} " + "x" * 200)
    answers = itertools.count()
    last = -1

    def history(limit: int = 1000) -> list[HistoryRow]:
        nonlocal last
        found = Engine.history(house.engine, limit)
        last = next(answers)
        return found

    def is_over(asked: int) -> bool:
        return last >= asked or not house.door.guests

    house.engine.history = history  # type: ignore[method-assign]  # it counts
    with house.knock() as deaf:
        deaf.sendall(house.hello())
        for n in range(2 * CALLS):
            with suppress(OSError):  # it was sent away
                deaf.sendall(ask(n, "history", limit=1000))
            until(partial(is_over, n))
        house.empty()
        assert last < CALLS + taken(deaf)
    del house.engine.history
    house.is_well()


def taken(deaf: socket.socket) -> int:
    """How many answers got as far as the socket of who does not read them."""
    data = b""
    while piece := answer(deaf):
        data += piece
    answers = 0
    while len(data) >= 4 and (size := struct.unpack(">I", data[:4])[0]) <= len(data) - 4:
        said = msgspec.msgpack.decode(data[4 : 4 + size], type=frames.FromOwner)
        answers += isinstance(said, frames.Done)
        data = data[4 + size :]
    return answers


def test_two_that_ask_at_once_get_their_own_answers(house: House, effort: Effort) -> None:
    """Calls of two guests side by side: each answer belongs to its question."""
    guests = [house.guest() for _ in range(2)]
    wrong: list[object] = []

    def work(guest: Connection, seed: int) -> None:
        dice = random.Random(seed)
        for _ in range(effort.pick(20, 500)):
            limit = dice.randrange(1, 4)
            rows = guest.call(catalog()["history"], {"limit": limit}, None)
            if rows != house.engine.history(limit):
                wrong.append((seed, limit, rows))
            count = guest.call(catalog()["transfers.allow"], {"up": seed + 1}, None)
            if count.up not in range(1, 9):
                wrong.append((seed, count))

    threads = [
        threading.Thread(target=work, args=(guest, n * 4 + m))
        for n, guest in enumerate(guests)
        for m in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    for guest in guests:
        guest.close()
    assert wrong == [], f"seed {effort.seed}"
    effort.count("answers to two guests at once", len(threads) * effort.pick(20, 500) * 2)


def test_a_frame_that_is_too_long_is_not_even_read(house: House) -> None:
    """Before the greeting and after it, however true it would be."""
    long = frame(frames.Hello(fingerprint(), ("x" * frames.GREETING,)))
    with house.knock() as link:
        with suppress(OSError):  # it was sent away before it had said all
            link.sendall(long)
        assert answer(link) == b""
    with house.knock() as link:
        link.sendall(house.hello() + struct.pack(">I", frames.LARGEST + 1))
        while answer(link):
            pass
    house.empty()
    house.is_well()


def answer(link: socket.socket) -> bytes:
    try:
        return link.recv(1 << 16)
    except ConnectionResetError:
        return b""
