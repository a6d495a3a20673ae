"""The first bytes of an object as something to read: text, JSON set out, figures. Pure."""

from typing import Literal

import msgspec

from s3dash.core.text import size

MOST = 16 * 1024
"""Bytes that are fetched for a look."""
LINES, LONGEST = 400, 400
"""Lines of a look, and characters of a line."""
PER_LINE = 8
TAB = 4

_CUT = 3
"""Bytes of a character that may be missing where the look ends."""
_FINE = frozenset("\t\n\r\f\x1b")
_ODD = 0.05
"""The share of control characters from which on bytes are no text."""

What = Literal["empty", "text", "json", "hex", "image"]
Pixel = tuple[int, int, int]


class Preview(msgspec.Struct, frozen=True, kw_only=True):
    """`lines` are foreign text without line ends. `note` says what was left out, or is empty.

    `pixels` are the rows of an image, red, green and blue each.
    """

    what: What
    lines: tuple[str, ...] = ()
    note: str = ""
    pixels: tuple[tuple[Pixel, ...], ...] = ()


def preview(body: bytes, *, total: int) -> Preview:
    """The look at an object of `total` bytes, of which `body` are the first."""
    if not total:
        return Preview(what="empty", note="no bytes at all")
    whole = len(body) >= total
    text = _text(body, whole=whole)
    note = "" if whole else f"the first {size(len(body))} of {size(total)}"
    if text is None:
        return Preview(what="hex", lines=_figures(body), note=note)
    if whole and (laid_out := _json(body)):
        return _lines("json", laid_out, note)
    return _lines("text", text, note)


def _text(body: bytes, *, whole: bool) -> str | None:
    """The body as text; None when it is none."""
    for cut in range(1 if whole else _CUT + 1):
        try:
            text = body[: len(body) - cut].decode("utf-8")
        except UnicodeDecodeError:
            continue
        odd = sum(1 for char in text if char < " " and char not in _FINE)
        return None if "\0" in text or odd > len(text) * _ODD else text
    return None


def _json(body: bytes) -> str:
    """JSON with a line for each value; empty for what is none, or is no more than one value."""
    if body.lstrip()[:1] not in (b"{", b"["):
        return ""
    try:
        return msgspec.json.format(body, indent=2).decode()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return ""


def _lines(what: What, text: str, note: str) -> Preview:
    given = text.expandtabs(TAB).splitlines()
    more = len(given) - LINES
    lines = tuple(line[:LONGEST] for line in given[:LINES])
    return Preview(what=what, lines=lines, note=note or (f"{more:,} more lines" * (more > 0)))


def _figures(body: bytes) -> tuple[str, ...]:
    shown = range(0, min(len(body), PER_LINE * LINES), PER_LINE)
    return tuple(_row(at, body[at : at + PER_LINE]) for at in shown)


def _row(at: int, piece: bytes) -> str:
    letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)
    return f"{at:06x}  {piece.hex():<{2 * PER_LINE}}  {letters}"
