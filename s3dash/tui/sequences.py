"""What a terminal is told besides the picture: texts for its clipboard, and notices. Pure.

tmux and screen keep such sequences to themselves unless they come wrapped. Sources: xterm's
«ctlseqs» (OSC 52), the manuals of tmux (passthrough) and screen (DCS).
"""

import base64
from collections.abc import Mapping
from typing import Literal

from s3dash.tui.format import safe

Environ = Mapping[str, str]
Between = Literal["", "tmux", "screen", "unsure"]
"""What stands between us and the terminal; `unsure`: one of the two, at the other end of ssh."""

MAX_COPY = 74_994
"""Bytes that fit into an OSC 52 of 100,000; many terminals drop a longer one without a word."""
MAX_NOTICE = 200
SCREEN_PIECE = 240
"""Characters at once that screen passes on."""

ESC, BEL, ST = "\x1b", "\x07", "\x1b\\"
_DEAF = ("linux", "dumb", "vt", "ansi", "cons", "sun")
"""Terminals, by the begin of their TERM, that have no clipboard to reach."""


def between(environ: Environ) -> Between:
    if environ.get("TMUX"):
        return "tmux"
    if environ.get("STY"):
        return "screen"
    term = environ.get("TERM", "")
    if term.startswith("tmux"):
        return "tmux"
    return "unsure" if term.startswith("screen") else ""


def is_deaf(environ: Environ) -> bool:
    """True for a terminal that is known to have no OSC 52. Of others nobody can tell."""
    if between(environ):
        return False
    term = environ.get("TERM", "")
    return not term or term.startswith(_DEAF) or environ.get("TERM_PROGRAM") == "Apple_Terminal"


def clipboard(text: str, environ: Environ) -> str:
    """The sequence that offers `text` to the terminal's clipboard; up to MAX_COPY bytes make sense.

    Below tmux it comes twice: as tmux itself takes it, and wrapped; which of the two is obeyed
    depends on its options.
    """
    coded = base64.b64encode(text.encode()).decode()
    sequence = f"{ESC}]52;c;{coded}{BEL}"
    wrapped = passed_on(sequence, environ)
    return wrapped if between(environ) in ("", "screen") else sequence + wrapped


def passed_on(sequence: str, environ: Environ) -> str:
    """The sequence so that it reaches the terminal behind tmux or screen."""
    where = between(environ)
    if where == "tmux":
        return f"{ESC}Ptmux;{sequence.replace(ESC, ESC + ESC)}{ST}"
    if where:
        pieces = (sequence[i : i + SCREEN_PIECE] for i in range(0, len(sequence), SCREEN_PIECE))
        return "".join(f"{ESC}P{piece}{ST}" for piece in pieces)
    return sequence


def notice(title: str, text: str, environ: Environ) -> str:
    """A desktop notice and a bell, for terminals that know it; others only ring.

    OSC 777 where that is the only way, else OSC 9; nothing foreign in it is obeyed.
    """
    if between(environ) == "" and is_deaf(environ):
        return BEL
    title, told = _harmless(title), _harmless(text)
    if _only_777(environ):
        sequence = f"{ESC}]777;notify;{title};{told}{BEL}"
    else:
        sequence = f"{ESC}]9;{title}: {told}{BEL}"
    return passed_on(sequence, environ) + BEL


def _only_777(environ: Environ) -> bool:
    term = environ.get("TERM", "")
    return bool(environ.get("VTE_VERSION")) or term.startswith(("foot", "rxvt"))


def _harmless(text: str) -> str:
    """One bounded line in which nothing ends the sequence or its fields."""
    return safe(text).replace(";", ",")[:MAX_NOTICE]
