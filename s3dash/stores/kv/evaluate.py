"""How a query is answered: from a listing of keys and a way to read values.

What is held: nothing but the values on their way where no order is asked for; the keys and sizes
of what passes the key filters for an order by key; the values too for an order that looks at them.
With a limit an order holds the entries of offset and limit only.
"""

import heapq
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from itertools import islice
from operator import attrgetter
from typing import Any

import msgspec

from s3dash.errors import NotFound
from s3dash.stores.kv.query import ByKey, Entry, Filter, KeyBegins, KeyIs, Order, Query
from s3dash.stores.turns import in_turn


class Source(msgspec.Struct, frozen=True):
    """What a datastore gives a query.

    `keys(begin)` lists entries without values whose keys begin with the text `begin`; it may list
    others too. `read` gives a value, and raises NotFound when it has gone. `check` is called
    between two values and may raise.
    """

    keys: Callable[[str], Iterable[Entry]]
    read: Callable[[str], bytes]
    at_a_time: int
    check: Callable[[], None]


def answers(query: Query, source: Source) -> Generator[Entry, None, None]:
    """The entries that are asked for: prefix, filters, orders, offset, limit, in this order.

    A value that is gone when it is to be read is no longer an entry. Raises what the source
    raises: what was answered until then is not all.
    """
    early = [one for one in query.filters if not one.needs_value]
    late = [one for one in query.filters if one.needs_value]
    by_value = any(order.needs_value for order in query.orders)
    found: Iterator[Entry] = _below(query, source, early)
    if query.orders and not by_value:
        found = iter(_sorted(found, query, cut=not late))
    if not late and not by_value:
        found = islice(found, query.offset, None)
    if late or by_value or not query.keys_only:
        found = _with_values(found, source, enough=0 if late or by_value else query.limit)
    if late:
        found = (entry for entry in found if _passes(entry, late))
    if by_value:
        found = iter(_sorted(found, query, cut=True))
    if late or by_value:
        found = islice(found, query.offset, None)
    for entry in islice(found, query.limit or None):
        yield Entry(entry.key, entry.size) if query.keys_only else entry


def begin_of(query: Query) -> str:
    """How every key begins that the prefix and the filters let pass."""
    begin = query.root.below
    for one in query.filters:
        narrow = one.text if isinstance(one, KeyBegins) else ""
        if isinstance(one, KeyIs) and one.op == "==":
            narrow = one.key
        if narrow.startswith(begin):
            begin = narrow
    return begin


def _below(query: Query, source: Source, filters: Sequence[Filter]) -> Iterator[Entry]:
    below = query.root.below
    for entry in source.keys(begin_of(query)):
        if entry.key.startswith(below) and _passes(entry, filters):
            yield entry


def _passes(entry: Entry, filters: Sequence[Filter]) -> bool:
    return all(one.holds(entry) for one in filters)


def _with_values(found: Iterator[Entry], source: Source, *, enough: int) -> Iterator[Entry]:
    def read(entry: Entry) -> Entry | None:
        try:
            value = source.read(entry.key)
        except NotFound:
            return None
        return Entry(entry.key, len(value), value)

    for entry in in_turn(
        found,
        read,
        at_a_time=source.at_a_time,
        check=source.check,
        weight=lambda entry: entry.size,
        wanted=lambda entry: entry is not None,
        enough=enough,
    ):
        if entry is not None:
            yield entry


def _sorted(found: Iterator[Entry], query: Query, *, cut: bool) -> list[Entry]:
    """With `cut` no more than offset and limit ask for. After an order by key nothing is tied."""
    first = query.orders[0]
    down = isinstance(first, ByKey) and first.descending
    key = attrgetter("key") if isinstance(first, ByKey) else _sort_key(query.orders)
    if cut and query.limit:
        pick = heapq.nlargest if down else heapq.nsmallest
        return pick(query.offset + query.limit, found, key=key)
    return sorted(found, key=key, reverse=down)


def _sort_key(orders: Sequence[Order]) -> Callable[[Entry], Any]:
    """Ties go by key at last."""

    def key(entry: Entry) -> tuple[Any, ...]:
        return (*(order.sort_key(entry) for order in orders), entry.key)

    return key
