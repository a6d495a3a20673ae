"""Queries and batches as people and files write them. Pure."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from s3dash.errors import UsageError
from s3dash.stores.kv.keys import Key
from s3dash.stores.kv.query import ByKey, ByValue, Filter, KeyBegins, KeyIs, Op, Order, ValueIs

_FILTER = re.compile(r"\s*(key|value)\s*(==|!=|<=|>=|<|>|\^=|=)\s*(.*)", re.IGNORECASE | re.DOTALL)
_OPS: dict[str, Op] = {
    "=": "==", "==": "==", "!=": "!=", "<": "<", "<=": "<=", ">": ">", ">=": ">=",
}  # fmt: skip
_ORDER = re.compile(r"\s*(?:(-|desc\()?\s*(key|value)\s*\)?)\s*", re.IGNORECASE)


def filter_of(text: str) -> Filter:
    """`KEY > "/a"` or `key>/a`; `==`, `!=`, `<`, `<=`, `>`, `>=`, and `^=` for «begins with»."""
    match = _FILTER.fullmatch(text)
    if match is None:
        raise UsageError(
            "a filter is KEY or VALUE, one of == != < <= > >= ^=, and a text",
            hint="for example --filter 'KEY >= /blocks/C'",
        )
    what, op, operand = match[1].lower(), match[2], _operand(match[3])
    if op == "^=":
        if what == "value":
            raise UsageError("^= is for keys: a value has no prefix to list by")
        return KeyBegins(operand)
    compare: Op = _OPS[op]
    return KeyIs(compare, operand) if what == "key" else ValueIs(compare, operand.encode())


def _operand(text: str) -> str:
    """A JSON text without its quotes, else the text as it is."""
    if text.startswith('"'):
        try:
            return str(json.loads(text))
        except ValueError:
            raise UsageError("a quoted text in a filter must be a JSON text") from None
    return text


def order_of(text: str) -> Order:
    """`key`, `value`, and the other way round `-key` or `desc(KEY)`."""
    match = _ORDER.fullmatch(text)
    if match is None:
        raise UsageError("an order is key, value, -key or -value")
    descending = match[1] is not None
    return ByKey(descending) if match[2].lower() == "key" else ByValue(descending)


def content(value: bytes) -> dict[str, str]:
    """A value in a JSON document: `text` where it is UTF-8, else `base64`."""
    try:
        return {"text": value.decode()}
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(value).decode()}


def changes_of(lines: Iterable[bytes], *, where: str) -> Iterator[tuple[Key, bytes | None]]:
    """The changes that JSON lines name; an empty line is none.

    `{"put": KEY, "text": …}`, `{"put": KEY, "base64": …}` or `{"delete": KEY}`. Raises UsageError
    with the line's number.
    """
    for number, line in enumerate(lines, 1):
        if line.strip():
            try:
                yield _change(json.loads(line))
            except _Wrong as error:
                raise UsageError(f"{where}: line {number}: {error}") from None
            except (ValueError, RecursionError):
                raise UsageError(f"{where}: line {number}: this is no JSON") from None


class _Wrong(Exception):
    """What is wrong with a line."""


def _change(raw: Any) -> tuple[Key, bytes | None]:
    if not isinstance(raw, dict) or not all(isinstance(one, str) for one in raw.values()):
        raise _Wrong("must be an object of texts")
    match sorted(raw):
        case ["delete"]:
            return Key(raw["delete"]), None
        case ["put", "text"]:
            return Key(raw["put"]), raw["text"].encode()
        case ["base64", "put"]:
            try:
                return Key(raw["put"]), base64.b64decode(raw["base64"], validate=True)
            except binascii.Error:
                raise _Wrong("base64: this is none") from None
    raise _Wrong('must be {"put": KEY, "text" or "base64": …} or {"delete": KEY}')
