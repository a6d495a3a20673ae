"""Keys: absolute paths of names, like `/blocks/CIQ…` or `/Comedy/Actor:JohnCleese`. Pure.

Rules: scenarios KEY-1 to KEY-8, which are those of IPFS's go-datastore.
"""

from collections.abc import Iterable

import msgspec

ROOT = "/"


def cleaned(text: str) -> str:
    """The path that `text` means from the root: `.`, `..` and doubled slashes resolved."""
    parts: list[str] = []
    for part in text.split("/"):
        if part == "..":
            del parts[-1:]
        elif part not in ("", "."):
            parts.append(part)
    return ROOT + "/".join(parts)


class Key(msgspec.Struct, frozen=True):
    """A clean absolute path; what it is made of is cleaned.

    Keys compare name by name, so `/a/b` comes before `/a-b`. `Key.raw` refuses what is not clean.
    """

    text: str = ""

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "text", cleaned(self.text))

    @classmethod
    def of(cls, text: "str | Key") -> "Key":
        return text if isinstance(text, Key) else cls(text)

    @classmethod
    def raw(cls, text: str) -> "Key":
        """Raises ValueError unless `text` is a clean path already; empty is the root."""
        key = cls(text)
        if text and text != key.text:
            raise ValueError(f"{text!r} is no clean key: that would be {key.text!r}")
        return key

    @classmethod
    def joined(cls, names: Iterable[str]) -> "Key":
        """The key of these names, from the root on."""
        return cls("/".join(names))

    def __str__(self) -> str:
        return self.text

    def __lt__(self, other: "Key") -> bool:
        return self.list() < other.list()

    def __le__(self, other: "Key") -> bool:
        return self.list() <= other.list()

    def __gt__(self, other: "Key") -> bool:
        return self.list() > other.list()

    def __ge__(self, other: "Key") -> bool:
        return self.list() >= other.list()

    @property
    def is_root(self) -> bool:
        return self.text == ROOT

    def list(self) -> "tuple[str, ...]":
        """The names between the slashes, none for the root."""
        return () if self.is_root else tuple(self.text[1:].split("/"))

    @property
    def base_namespace(self) -> str:
        """The last name: `c` of `/a/b/c`."""
        return self.text.rpartition("/")[2]

    @property
    def root_namespace(self) -> str:
        """The first name: `a` of `/a/b/c`."""
        return self.text[1:].partition("/")[0]

    @property
    def type(self) -> str:
        """What stands before the last colon of the last name, else empty."""
        return self.base_namespace.rpartition(":")[0]

    @property
    def name(self) -> str:
        """What stands after the last colon of the last name: the whole of it without one."""
        return self.base_namespace.rpartition(":")[2]

    @property
    def path(self) -> "Key":
        """The key with its type alone as the last name: `/A/B` of `/A/B:c`."""
        return self.parent.child(self.type)

    @property
    def parent(self) -> "Key":
        """The root is its own parent."""
        return Key(self.text.rpartition("/")[0])

    @property
    def reverse(self) -> "Key":
        return Key.joined(reversed(self.list()))

    def child(self, below: "str | Key") -> "Key":
        """The key that is `below` from here; `..` leads no higher than to this key."""
        return Key(self.text + Key.of(below).text)

    def instance(self, name: str) -> "Key":
        """`/A` and `x` make `/A:x`."""
        return Key(f"{self.text}:{name}")

    def is_ancestor_of(self, other: "str | Key") -> bool:
        """Of itself no key is an ancestor."""
        other = Key.of(other)
        return other != self and other.text.startswith(self.below)

    def is_descendant_of(self, other: "str | Key") -> bool:
        return Key.of(other).is_ancestor_of(self)

    @property
    def below(self) -> str:
        """How the texts of all descendants begin."""
        return ROOT if self.is_root else self.text + "/"

    def relative_to(self, ancestor: "Key") -> "Key":
        """The key from `ancestor` on, which must be one of this key, or this key."""
        return Key(self.text.removeprefix(ancestor.text))
