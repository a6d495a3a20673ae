"""How keys become names of objects, and back. Pure.

`plain`: the key without its first slash, as go-ds-s3 does. `flat`: the same, for keys of one
name only, as the blocks of IPFS have. `flatfs`: such keys in directories by their last
characters but one, `QJ/CIQ…QJA.data`, as a flatfs copied to a bucket lies there.
"""

import re
from collections.abc import Callable, Mapping

import msgspec

from s3dash.core.settings import KeyLayout
from s3dash.stores.kv.keys import Key, cleaned

_BLOCK = re.compile(r"[0-9A-Z+_=-]+")
"""What flatfs takes for the name of a block."""

SUFFIX = ".data"


class Layout(msgspec.Struct, frozen=True):
    """`name_of` a key raises ValueError when it can lie nowhere. `key_of` a name is None for one
    that is no key's. `begin_of`: how the names begin of the keys that begin with this text."""

    name_of: Callable[[Key], str]
    key_of: Callable[[str], str | None]
    begin_of: Callable[[str], str]


def _plain_name(key: Key) -> str:
    return key.text[1:]


def _plain_key(name: str) -> str | None:
    key = f"/{name}"
    return key if name and cleaned(key) == key else None


def _flat_name(key: Key) -> str:
    name = key.text[1:]
    if not _BLOCK.fullmatch(name):
        raise ValueError(
            f"{key.text!r} is no key of this layout: one name of A-Z, 0-9 and +-_= only"
        )
    return name


def _flat_key(name: str) -> str | None:
    return f"/{name}" if _BLOCK.fullmatch(name) else None


def shard(name: str) -> str:
    """The directory of a block by its name: flatfs's `next-to-last/2`."""
    return f"___{name}"[-3:-1]


def _flatfs_name(key: Key) -> str:
    name = _flat_name(key)
    return f"{shard(name)}/{name}{SUFFIX}"


def _flatfs_key(name: str) -> str | None:
    directory, _, file = name.partition("/")
    block = file.removesuffix(SUFFIX)
    fits = file != block and _BLOCK.fullmatch(block) and directory == shard(block)
    return f"/{block}" if fits else None


LAYOUTS: Mapping[KeyLayout, Layout] = {
    "plain": Layout(_plain_name, _plain_key, lambda begin: begin[1:]),
    "flat": Layout(_flat_name, _flat_key, lambda begin: begin[1:]),
    "flatfs": Layout(_flatfs_name, _flatfs_key, lambda _: ""),
}
