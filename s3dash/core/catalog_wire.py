"""A catalog as bytes on the wire: a JSON array of `{relPath, size, lastModified, sha256?}`. Pure.

Written compact and in this field order, as plain clients write it. Somebody else's is foreign
input: it is read element by element, what is no entry is left out and counted, and neither its
length nor its depth costs memory.
"""

import codecs
import json
import re
from collections.abc import Iterable, Iterator, Mapping

import msgspec

from s3dash.clock import from_iso
from s3dash.core import paths
from s3dash.core.catalog import CatalogEntry
from s3dash.core.index import Entry, entry_problem
from s3dash.core.report import Blocked
from s3dash.errors import IndexCorrupt

MAX_BYTES = 256 * 2**20
MAX_ENTRIES = 1_000_000
"""Of somebody else's catalog; a larger one is not read."""
MAX_ELEMENT = 64 * 1024
"""Characters of one element; a real one has some 200."""
MAX_ODD = 10_000
"""Entries that make no sense, before more of them than of the others end the reading."""
TOLD = 100
"""Left out entries that are named; the others are counted only."""
_TIME_MOST = 40
_AFTER = frozenset(" \t\r\n,]")
_WHITE = re.compile(r"[ \t\r\n]*")


class _Wire(msgspec.Struct, omit_defaults=True):
    """An entry in the field order of plain clients."""

    relPath: str
    size: int
    lastModified: str
    sha256: str | None = None


_ENCODER = msgspec.json.Encoder()
_TOGETHER = 4096


def encoded(entries: Mapping[str, Entry]) -> Iterator[bytes]:
    """The catalog of an index in pieces, sorted by path; the same entries give the same bytes."""
    start = b"["
    rels = sorted(entries)
    for first in range(0, len(rels), _TOGETHER):
        some = [_wire(rel, entries[rel]) for rel in rels[first : first + _TOGETHER]]
        yield start + _ENCODER.encode(some)[1:-1]
        start = b","
    yield b"]" if rels else b"[]"


def _wire(rel: str, entry: Entry) -> _Wire:
    return _Wire(rel, entry.size, entry.lastModified, entry.sha256)


# --- reading -----------------------------------------------------------------------------


class Reading(msgspec.Struct):
    """Entries as they are read, and what was left out of them. `here`: sizes in this cache."""

    here: Mapping[str, int]
    key_prefix_bytes: int = 0
    entries: dict[str, CatalogEntry] = msgspec.field(default_factory=dict)
    left_out: int = 0
    blocked: list[Blocked] = msgspec.field(default_factory=list)

    def take(self, rel: str, entry: Entry) -> None:
        """One entry, unless it can be no file here. Of several for one path the first counts."""
        if not paths.is_data(rel):
            return  # internal paths are nobody's data
        problem = entry_problem(rel, entry, key_prefix_bytes=self.key_prefix_bytes)
        if problem is None and rel in self.entries:
            problem = "named twice"
        if problem is not None:
            self.refuse(rel, problem)
            return
        self.entries[rel] = CatalogEntry(
            rel,
            entry.size,
            _time(entry.lastModified),
            entry.sha256,
            self.here.get(rel) == entry.size,
        )

    def refuse(self, rel: str, problem: str) -> None:
        self.left_out += 1
        if len(self.blocked) < TOLD:
            self.blocked.append(Blocked(rel, problem))

    def sorted(self) -> tuple[CatalogEntry, ...]:
        return tuple(self.entries[rel] for rel in sorted(self.entries))


def read(chunks: Iterable[bytes], into: Reading, *, name: str, most: int = MAX_ENTRIES) -> None:
    """Take in somebody's catalog. Raises IndexCorrupt when it is none, or too long.

    `name` is the key to tell.
    """
    for number, element in enumerate(elements(chunks, name=name), 1):
        if number > most:
            raise IndexCorrupt(f"{name} has more than {most:,} entries")
        _take(element, into, number)
        if into.left_out > MAX_ODD and into.left_out > len(into.entries):
            raise IndexCorrupt(f"{name} is no catalog: hardly anything in it is an entry")


def _take(element: object, into: Reading, number: int) -> None:
    rel = element.get("relPath") if isinstance(element, dict) else None
    if not isinstance(element, dict) or not isinstance(rel, str):
        into.refuse(f"(entry {number:,})", "no entry of a catalog")
        return
    size, time, sha256 = element.get("size"), element.get("lastModified"), element.get("sha256")
    if isinstance(size, bool) or not isinstance(size, int):
        into.refuse(rel, "impossible size in the catalog")
    elif sha256 is not None and not isinstance(sha256, str):
        into.refuse(rel, "malformed SHA-256 in the catalog")
    else:
        told = time if isinstance(time, str) else ""
        into.take(rel, Entry(key=rel, size=size, lastModified=told, sha256=sha256))


def _time(text: str) -> str:
    """An ISO time as it came; empty for what is none."""
    return text if len(text) <= _TIME_MOST and from_iso(text) is not None else ""


def elements(chunks: Iterable[bytes], *, name: str) -> Iterator[object]:
    """The elements of a JSON array as they come, one in memory at a time.

    Raises IndexCorrupt at the first byte that cannot belong to one.
    """
    text = _Text(chunks, name)
    text.expect("[")
    if text.peek() == "]":
        text.expect("]")
    else:
        while True:
            yield text.value()
            if text.peek() != ",":
                break
            text.expect(",")
        text.expect("]")
    if text.peek():
        raise text.wrong("something stands after its end")


class _Text:
    """Decoded text with a place in it; more is read when what is there does not do."""

    def __init__(self, chunks: Iterable[bytes], name: str) -> None:
        self._chunks = iter(chunks)
        self._name = name
        self._utf8 = codecs.getincrementaldecoder("utf-8")()
        self._json = json.JSONDecoder()
        self._text = ""
        self._at = 0
        self._ended = False

    def wrong(self, why: str) -> IndexCorrupt:
        return IndexCorrupt(f"{self._name} is no catalog: {why}")

    def peek(self) -> str:
        """The next character that is no white space; empty at the end."""
        while True:
            blank = _WHITE.match(self._text, self._at)
            self._at = blank.end() if blank else self._at
            if self._at < len(self._text):
                return self._text[self._at]
            if not self._more():
                return ""

    def expect(self, char: str) -> None:
        found = self.peek()
        if found != char:
            raise self.wrong(f"{char!r} is missing" if found else "it ends too early")
        self._at += 1

    def value(self) -> object:
        """One JSON value, when what follows shows its end: a number might go on."""
        if not self.peek():
            raise self.wrong("it ends too early")
        while True:
            try:
                found, end = self._json.raw_decode(self._text, self._at)
                whole = self._ended or self._text[end : end + 1] in _AFTER
                if whole and end - self._at <= MAX_ELEMENT:
                    self._at = end
                    return found
            except (ValueError, RecursionError) as error:
                if self._ended or len(self._text) - self._at > MAX_ELEMENT:
                    raise self.wrong("an entry of it is no JSON") from error
            if len(self._text) - self._at > MAX_ELEMENT:
                raise self.wrong("an entry of it is too long")
            self._more()

    def _more(self) -> bool:
        """Read on; False at the end."""
        if self._ended:
            return False
        raw = next(self._chunks, None)
        self._ended = raw is None
        try:
            fresh = self._utf8.decode(raw or b"", final=self._ended)
        except UnicodeDecodeError as error:
            raise self.wrong("it is no UTF-8") from error
        self._text, self._at = self._text[self._at :] + fresh, 0
        return not self._ended
