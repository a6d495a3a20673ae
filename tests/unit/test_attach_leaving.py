"""An owner that leaves: no guest, whatever it does, keeps it from that."""

import socket
import threading
from collections.abc import Iterator
from typing import cast

import pytest

from s3dash.attach.frames import Leaving, Wire
from s3dash.attach.guest import Guest, Host

PATIENCE_S = 30.0


@pytest.fixture
def ends() -> Iterator[tuple[Wire, Wire]]:
    here, there = socket.socketpair()
    with here, there:
        yield Wire(here), Wire(there)


def guest_of(wire: Wire) -> Guest:
    return Guest(cast("Host", None), wire)


def leaves(guest: Guest) -> bool:
    thread = threading.Thread(target=lambda: guest.close(heir_s=7.0), daemon=True)
    thread.start()
    thread.join(PATIENCE_S)
    return not thread.is_alive()


def test_a_guest_is_told_who_comes_next(ends: tuple[Wire, Wire]) -> None:
    ours, theirs = ends
    assert leaves(guest_of(ours))
    said = theirs.from_owner()
    assert isinstance(said, Leaving)
    assert said.heir_s == 7.0
    assert theirs.from_owner() is None


def test_one_that_is_stuck_in_the_middle_of_something_is_left(ends: tuple[Wire, Wire]) -> None:
    ours, theirs = ends
    with ours._turn:  # somebody is telling it something, and comes to no end
        assert leaves(guest_of(ours))
    assert theirs.from_owner() is None


def test_one_that_has_just_gone_is_no_error(ends: tuple[Wire, Wire]) -> None:
    ours, _ = ends
    ours.close()
    guest_of(ours).close(heir_s=7.0)
