"""Machines that edit and sync at random, into each other, through crashes: nothing is lost."""

from pathlib import Path

import pytest

from tests.engine.storm import weather

SEEDS = range(6)
"""A failure tells its seed in the test's name, and the whole story in its message."""

POLICIES = ("ask", "keep-both", "local", "remote")


@pytest.mark.parametrize("seed", SEEDS)
def test_machines_lose_nothing_and_converge(tmp_path: Path, seed: int) -> None:
    weather(tmp_path, seed, peer=False, policies=POLICIES)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_plain_peer_among_them_costs_nothing(tmp_path: Path, seed: int) -> None:
    weather(tmp_path, 1000 + seed, peer=True, policies=POLICIES)
