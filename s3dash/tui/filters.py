"""The filter line: words that a row must hold, `!word` that it must not, `field:value`. Pure.

Case never counts. `"two words"` are one, with nothing special in them; `state:a,b` is either.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TypeVar

import msgspec

R = TypeVar("R")
Texts = Mapping[str, Callable[[R], str]]

_WORD = re.compile(r'(!*)(?:([^\s":]+):)?(!*)("[^"]*"?|\S*)')
_FIELD = re.compile(r"[A-Za-z][A-Za-z_-]*")


class Term(msgspec.Struct, frozen=True):
    """One word, and the values that do for it. `field` is empty for the row's text."""

    texts: tuple[str, ...]
    field: str = ""
    inverted: bool = False


class Filter(msgspec.Struct, frozen=True):
    """What was typed, and what it means; all terms must hold.

    `unknown` are the names that look like fields and are none: they are looked for as text.
    """

    text: str
    terms: tuple[Term, ...] = ()
    unknown: tuple[str, ...] = ()


NOTHING = Filter("")
"""Lets everything pass."""


def parse(text: str, fields: Iterable[str]) -> Filter:
    """Read a filter. A `name:` that is no field of the list is taken as plain text."""
    known, terms, unknown = set(fields), [], []
    for match in _WORD.finditer(text):
        before, name, inner, value = match.groups()
        if name is None or name.lower() in known:
            inverted = len(before + inner) % 2 == 1
        else:
            inverted, value = len(before) % 2 == 1, f"{name}:{inner}{value}"
            unknown += [name.lower()] if _FIELD.fullmatch(name) else []
            name = None
        term = Term(_values(value, bool(name)), (name or "").lower(), inverted)
        terms += [term] if term.texts else []
    return Filter(text.strip(), tuple(terms), tuple(dict.fromkeys(unknown)))


def _values(value: str, several: bool) -> tuple[str, ...]:
    """A quoted value is one; else a field's values stand between commas."""
    if value.startswith('"'):
        parts = [value.strip('"')]
    else:
        parts = value.split(",") if several else [value]
    return tuple(part.lower() for part in parts if part)


def told(given: Filter, fields: Iterable[str]) -> tuple[str, ...]:
    """Which fields there are, for somebody who asked for another one; a line each."""
    if not given.unknown:
        return ()
    there = " ".join(f"{name}:" for name in fields) or "none"
    asked = " ".join(f"{name}:" for name in given.unknown)
    return f"{asked} is no field here, but looked for as text", f"fields: {there}"


def narrows(after: Filter, before: Filter) -> bool:
    """True when whatever passes `after` passes `before` too, as while a word is being typed."""
    if not before.terms or len(after.terms) < len(before.terms):
        return False
    return all(map(_narrows, after.terms, before.terms))


def _narrows(after: Term, before: Term) -> bool:
    if after == before:
        return True
    if after.field != before.field or after.inverted or before.inverted:
        return False
    if after.field:
        return all(text.startswith(before.texts) for text in after.texts)
    return before.texts[0] in after.texts[0]


def test_of(
    given: Filter, text: Callable[[R], str], fields: Texts[R]
) -> Callable[[R], bool] | None:
    """A test for rows, or None when the filter lets everything pass.

    `text` is what plain words are looked for in; a field's value has to start with its term.
    """
    if not given.terms:
        return None

    def holds(row: R) -> bool:
        for term in given.terms:
            if term.field:
                found = fields[term.field](row).lower().startswith(term.texts)
            else:
                found = term.texts[0] in text(row).lower()
            if found is term.inverted:
                return False
        return True

    return holds
