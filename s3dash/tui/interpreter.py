"""How the interpreter is set for a screen: no pause at the start, and none when much moves."""

import gc
import sys

SWITCH_S = 0.001
"""How long a thread may compute before the screen's turn comes. Python's own 5 ms add up to a
delay that is felt when an engine's many threads are busy."""


def hurry() -> None:
    """While all is being loaded nothing is garbage: looking for it takes a sixth of the time."""
    gc.disable()


def settle() -> None:
    """The screen is there: from now on garbage is looked for, among what is made from now on."""
    if not gc.isenabled():
        gc.freeze()
        gc.enable()


def share() -> None:
    """Let threads take turns more often."""
    sys.setswitchinterval(SWITCH_S)
