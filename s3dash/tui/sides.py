"""The three versions of a path in words, the same wherever they are shown. Pure."""

from typing import NamedTuple

from s3dash.core.content import Content, Side
from s3dash.core.report import Version
from s3dash.tui.cells import Cell, crop
from s3dash.tui.format import moment, safe, short_hash, size
from s3dash.tui.look import Look
from s3dash.tui.views.base import field


class Words(NamedTuple):
    """The name of a side, and what it is."""

    name: str
    what: str


WORDS: dict[Side, Words] = {
    "base": Words("BASE", "what both sides last had"),
    "local": Words("LOCAL", "this host"),
    "remote": Words("REMOTE", "the bucket"),
}
UNKNOWN = "unknown"
NARROW = 60
"""Cells below which a line says less."""


def time_of(version: Version | Content, look: Look) -> str:
    """When it was written, or a question mark."""
    return moment(version.time, look.now) if version.time else "?"


def short(version: Version | None) -> str:
    """Size and the beginning of the SHA-256, for a cell of a list."""
    if version is None:
        return "deleted"
    return f"{size(version.size):>8} {short_hash(version.sha256)[:8]}"


def facts(version: Version | None, absent: str, look: Look, *, writer: str = "") -> list[Cell]:
    """All there is to say about a version; `absent` is said where there is none."""
    if version is None:
        return [field("", absent, "dim")]
    lines = [
        field("size", f"{size(version.size)}  ({version.size:,} bytes)"),
        field("written", time_of(version, look)),
        field("SHA-256", safe(version.sha256) if version.sha256 else "not hashed"),
    ]
    return [*lines, field("writer", safe(writer))] if writer else lines


def line(found: Content, look: Look, *, sign: str, style: str, room: int) -> Cell:
    """One line over a diff: which side it is, on which host, and which version."""
    words = WORDS[found.side]
    told = (
        found.why
        if found.absent
        else f"{size(found.size)}  {time_of(found, look)}  {short_hash(found.sha256 or None)}"
    )
    what = f"{words.what:<24}  " if room >= NARROW else ""
    return crop(((f"{sign} {words.name:<6} ", style), (what, "dim"), (safe(told), "")), room)
