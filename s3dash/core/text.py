"""Text for people: foreign strings made harmless, and numbers made readable. Pure."""

import re
import unicodedata

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_MARKS = frozenset({"Mn", "Me"})
_INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
"""Characters that count as printable and show nothing, so that two names look the same."""

MAX_MARKS = 4
"""Combining marks on one character, more than a language has; a pile of them hides other lines."""


def safe(text: str) -> str:
    """`text` with every character that a terminal obeys, or that nobody sees, as an escape.

    Control characters, bidi marks, zero-width characters, odd spaces, piled up marks and lone
    surrogates become `\\x1b`, `\\u202e` and so on; the answer is one line and always encodes as
    UTF-8.
    """
    if text.isascii() and text.isprintable():
        return text
    marks, shown = 0, []
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in _MARKS else 0
        shown.append(char if _is_plain(char) and marks <= MAX_MARKS else _escaped(char))
    return "".join(shown)


def _is_plain(char: str) -> bool:
    return char.isprintable() and char not in _INVISIBLE


def _escaped(char: str) -> str:
    if char in _SHORT:
        return _SHORT[char]
    code = ord(char)
    if code < 0x100:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"


def size(count: float) -> str:
    """Bytes with a binary unit and three figures: `0 B`, `999 B`, `1.23 KiB`, `12.3 MiB`."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("KiB", "MiB", "GiB", "TiB", "PiB"):
        count /= 1024
        if count < 9.995:
            return f"{count:.2f} {unit}"
        if count < 99.95:
            return f"{count:.1f} {unit}"
        if count < 999.5 or unit == "PiB":
            return f"{count:.0f} {unit}"
    raise AssertionError("unreachable: the last unit takes everything")


_SIZE = re.compile(r"([0-9]{1,15}(?:\.[0-9]{1,9})?)\s*(k|K|Ki|M|Mi|G|Gi|T|Ti)?B?")
_UNITS = {
    "": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12,
    "Ki": 2**10, "Mi": 2**20, "Gi": 2**30, "Ti": 2**40,
}  # fmt: skip


def size_of(text: str) -> int | None:
    """The bytes that `10GiB`, `1.5 M` or `512` name; None when it names no size."""
    match = _SIZE.fullmatch(text)
    return int(float(match[1]) * _UNITS[match[2] or ""]) if match else None


def duration(seconds: float) -> str:
    """A span in its two largest units: `40 ms`, `1.4 s`, `12 s`, `3 min 5 s`, `2 h 10 min`."""
    if seconds < 0.9995:
        return f"{max(0.0, seconds) * 1000:.0f} ms"
    if seconds < 9.95:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    for unit, name, small, small_name in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if whole >= unit:
            rest = whole % unit // small
            return f"{whole // unit} {name}" + (f" {rest} {small_name}" if rest else "")
    return f"{whole} s"


def count(number: int, one: str, many: str = "") -> str:
    """`1 file`, `2 files`, `1,234 files`; `many` for what does not just take an s."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"
