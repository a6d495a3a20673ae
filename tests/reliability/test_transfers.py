"""Pauses and cancels at any moment: nothing is lost, torn, or left behind."""

import random
from pathlib import Path

import pytest

from tests.reliability.hands import Town
from tests.tally import Effort


@pytest.mark.timeout(3600)
def test_a_storm_of_pauses_and_cancels_loses_nothing(tmp_path: Path, effort: Effort) -> None:
    for nth in range(effort.pick(2, 60)):
        town = Town(tmp_path / f"{nth}", random.Random(f"{effort.seed} {nth}"))
        town.log.append(f"seed {effort.seed}, town {nth}")
        town.rage(effort.pick(10, 25))
        effort.lost(town.calm(), town.story)
        effort.count("transfers paused, resumed, cancelled or reordered", town.hand.acts)
        assert town.hand.acts, "nobody ever acted"
