"""Signals: who asked for the first one is told, the second one ends the run."""

import signal

import pytest

from s3dash.cli.interrupts import Interrupts
from s3dash.errors import Cancelled


def test_everybody_who_waits_is_told_of_the_first_signal() -> None:
    told = list[str]()
    with (
        Interrupts() as interrupts,
        interrupts.leading_to(lambda: told.append("outer")),
        interrupts.leading_to(lambda: told.append("inner")),
    ):
        signal.raise_signal(signal.SIGINT)
    assert told == ["outer", "inner"]


def test_after_an_inner_block_the_outer_one_is_told_alone() -> None:
    told = list[str]()
    with Interrupts() as interrupts, interrupts.leading_to(lambda: told.append("outer")):
        with interrupts.leading_to(lambda: told.append("inner")):
            pass
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(Cancelled, match="SIGTERM"):
            signal.raise_signal(signal.SIGTERM)
    assert told == ["outer"]
