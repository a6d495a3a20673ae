"""What a query asks for, and how it prints. Pure; see `evaluate` for how it is answered."""

import json
import operator
from collections.abc import Callable, Sequence
from functools import cmp_to_key, total_ordering
from typing import Any, ClassVar, Literal, Protocol

import msgspec

from s3dash.stores.kv.keys import Key

Op = Literal["==", "!=", "<", "<=", ">", ">="]
_OPS: dict[Op, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


class Entry(msgspec.Struct, frozen=True):
    """A key with the size of its value in bytes; `value` is None where nobody asked for it."""

    key: str
    size: int
    value: bytes | None = None

    @property
    def body(self) -> bytes:
        """The value. Raises ValueError where nobody asked for it."""
        if self.value is None:
            raise ValueError(f"the value of {self.key!r} was not read")
        return self.value


class Filter(Protocol):
    """Decides which entries are answered; `str` is how it prints.

    `needs_value`: it looks at values, which then have to be read.
    """

    @property
    def needs_value(self) -> bool: ...

    def holds(self, entry: Entry) -> bool: ...


class Order(Protocol):
    """What entries are sorted by; ties go to the next order, and to the key at last."""

    @property
    def needs_value(self) -> bool: ...

    def sort_key(self, entry: Entry) -> Any:
        """Something that compares as the entries are to be sorted."""
        ...


# --- filters ----------------------------------------------------------------------------


class KeyIs(msgspec.Struct, frozen=True):
    """Keys that compare so with `key`, as plain texts: `KeyIs(">", "/a")`."""

    needs_value: ClassVar[bool] = False
    op: Op
    key: str

    def holds(self, entry: Entry) -> bool:
        return _OPS[self.op](entry.key, self.key)

    def __str__(self) -> str:
        return f"KEY {self.op} {_quoted(self.key)}"


class KeyBegins(msgspec.Struct, frozen=True):
    """Keys that begin with this text, be it in the middle of a name."""

    needs_value: ClassVar[bool] = False
    text: str

    def holds(self, entry: Entry) -> bool:
        return entry.key.startswith(self.text)

    def __str__(self) -> str:
        return f"PREFIX({_quoted(self.text)})"


class ValueIs(msgspec.Struct, frozen=True):
    """Values that compare so with `value`, as bytes."""

    needs_value: ClassVar[bool] = True
    op: Op
    value: bytes

    def holds(self, entry: Entry) -> bool:
        return _OPS[self.op](entry.body, self.value)

    def __str__(self) -> str:
        return f"VALUE {self.op} {_quoted(self.value.decode(errors='backslashreplace'))}"


class Where(msgspec.Struct, frozen=True):
    """Entries that a function says yes to. Without `needs_value` it sees keys and sizes only."""

    check: Callable[[Entry], bool]
    needs_value: bool = True

    def holds(self, entry: Entry) -> bool:
        return self.check(entry)

    def __str__(self) -> str:
        return "FN"


# --- orders -----------------------------------------------------------------------------


@total_ordering
class _Descending:
    """Compares the other way round."""

    __slots__ = ("of",)

    def __init__(self, of: Any) -> None:
        self.of = of

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Descending) and bool(self.of == other.of)

    def __lt__(self, other: "_Descending") -> bool:
        return bool(other.of < self.of)

    __hash__ = None  # type: ignore[assignment]  # compared, never looked up


class ByKey(msgspec.Struct, frozen=True):
    """Plain string order, which is the order of S3's listings."""

    needs_value: ClassVar[bool] = False
    descending: bool = False

    def sort_key(self, entry: Entry) -> Any:
        return _Descending(entry.key) if self.descending else entry.key

    def __str__(self) -> str:
        return "desc(KEY)" if self.descending else "KEY"


class ByValue(msgspec.Struct, frozen=True):
    """By the bytes of the values."""

    needs_value: ClassVar[bool] = True
    descending: bool = False

    def sort_key(self, entry: Entry) -> Any:
        return _Descending(entry.body) if self.descending else entry.body

    def __str__(self) -> str:
        return "desc(VALUE)" if self.descending else "VALUE"


class ByFunction(msgspec.Struct, frozen=True):
    """By a function that answers less than, equal to or more than 0, as for `a` minus `b`."""

    compare: Callable[[Entry, Entry], int]
    needs_value: bool = True

    def sort_key(self, entry: Entry) -> Any:
        return cmp_to_key(self.compare)(entry)

    def __str__(self) -> str:
        return "FN"


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """All entries strictly below `prefix` that pass every filter, sorted, from `offset` on.

    `limit` 0 is no limit. Without `orders` they come as the endpoint lists them: by key on S3,
    name by name on SeaweedFS. Sizes are always told: `returns_sizes` is what others ask by.
    """

    prefix: str = ""
    filters: Sequence[Filter] = ()
    orders: Sequence[Order] = ()
    offset: int = 0
    limit: int = 0
    keys_only: bool = False
    returns_sizes: bool = True

    def __post_init__(self) -> None:
        if self.offset < 0 or self.limit < 0:
            raise ValueError("offset and limit must not be negative")

    @property
    def root(self) -> Key:
        """The prefix as a key: `/./` and `/prefix/../` are the root."""
        return Key.of(self.prefix)

    def __str__(self) -> str:
        parts = ["SELECT keys" if self.keys_only else "SELECT keys,vals"]
        if self.prefix:
            parts.append(f"FROM {_quoted(self.prefix)}")
        if self.filters:
            parts.append(f"FILTER [{', '.join(map(str, self.filters))}]")
        if self.orders:
            parts.append(f"ORDER [{', '.join(map(str, self.orders))}]")
        if self.offset:
            parts.append(f"OFFSET {self.offset}")
        if self.limit:
            parts.append(f"LIMIT {self.limit}")
        return " ".join(parts)


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
