"""The filter line: words that a row must hold, `!word` that it must not, `field:value`. Pure."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeVar

R = TypeVar("R")
Texts = Mapping[str, Callable[[R], str]]


@dataclass(frozen=True, slots=True)
class Term:
    """One word. `field` is empty for the row's text."""

    text: str
    field: str = ""
    inverted: bool = False


@dataclass(frozen=True, slots=True)
class Filter:
    """What was typed, and what it means; all terms must hold."""

    text: str
    terms: tuple[Term, ...]


def parse(text: str, fields: Mapping[str, object]) -> Filter:
    """Read a filter. A `name:` that is no field of the list is taken as plain text."""
    terms = []
    for word in text.split():
        inverted = word.startswith("!")
        body = word[1:] if inverted else word
        name, colon, value = body.partition(":")
        if colon and name.lower() in fields:
            term = Term(value.lower(), name.lower(), inverted)
        else:
            term = Term(body.lower(), "", inverted)
        if term.text:
            terms.append(term)
    return Filter(text.strip(), tuple(terms))


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
                found = fields[term.field](row).lower().startswith(term.text)
            else:
                found = term.text in text(row).lower()
            if found is term.inverted:
                return False
        return True

    return holds
