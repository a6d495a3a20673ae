"""Bytes around the place where two versions part. Pure."""

from s3dash.tui.cells import Cell

BEFORE, ROWS = 2, 6
"""Lines before the first difference, and lines in all."""


def per_line(width: int) -> int:
    """How many bytes of a line there is room for."""
    return next((per for per, least in ((16, 76), (8, 43), (4, 27)) if width >= least), 2)


def rows(mine: bytes, other: bytes, offset: int, *, width: int, look: str, mark: str) -> list[Cell]:
    """Offset, bytes and characters of `mine`; bytes that the other has not so are set off."""
    per = per_line(width)
    first = max(0, offset // per - BEFORE) * per
    lines = [_row(mine, other, at, per, look, mark) for at in _starts(mine, first, per)]
    return lines or [(("(nothing here: it ends before)", "dim"),)]


def _starts(mine: bytes, first: int, per: int) -> range:
    return range(first, min(len(mine), first + ROWS * per), per)


def _row(mine: bytes, other: bytes, at: int, per: int, look: str, mark: str) -> Cell:
    piece, theirs = mine[at : at + per], other[at : at + per]
    differs = [n >= len(theirs) or theirs[n] != byte for n, byte in enumerate(piece)]
    parts: list[tuple[str, str]] = [(f"{at:08x}  ", "dim")]
    for byte, other_one in zip(piece, differs, strict=True):
        parts.append((f"{byte:02x}", mark if other_one else look))
        parts.append((" ", ""))
    parts.append(("   " * (per - len(piece)) + " ", ""))
    letters = "".join(chr(byte) if 0x20 <= byte < 0x7F else "." for byte in piece)
    parts.append((letters, "dim"))
    return tuple(parts)
