"""The catalog of a namespace: what it holds, told to those who do not work in it. Pure."""

from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from s3dash.core.report import Blocked

Source = Literal["catalog", "index"]


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """What an export did. `written` False: the bucket has these bytes already.

    `sha256` is that of the exported bytes, which number `size`.
    """

    namespace: str
    key: str
    entries: int
    size: int
    sha256: str
    written: bool
    etag: str = ""


class CatalogEntry(msgspec.Struct, frozen=True, gc=False):
    """One file of a namespace. `last_modified` is ISO or empty, `sha256` hex or None.

    `here`: a file of this size lies in this cache.
    """

    path: str
    size: int
    last_modified: str = ""
    sha256: str | None = None
    here: bool = False


class Catalog(msgspec.Struct, frozen=True, kw_only=True):
    """What a namespace holds, by its catalog, or by its index where it has none.

    `etag` and `exported_at` (ISO, the server's clock) are the catalog's, empty for an index.
    `left_out` entries made no sense, or can be no path here; `blocked` names the first of them.
    `note` says why the index had to do, or that the catalog is older than the index.
    """

    namespace: str
    source: Source
    entries: tuple[CatalogEntry, ...] = ()
    etag: str = ""
    exported_at: str = ""
    left_out: int = 0
    blocked: tuple[Blocked, ...] = ()
    note: str = ""


class Unread(msgspec.Struct, frozen=True, kw_only=True):
    """A namespace whose content could not be learned."""

    namespace: str
    problem: str
    hint: str = ""


class Catalogs(msgspec.Struct, frozen=True, kw_only=True):
    """All that could be read, and what could not; both sorted by namespace."""

    read: tuple[Catalog, ...] = ()
    unread: tuple[Unread, ...] = ()


class FetchedFile(msgspec.Struct, frozen=True, kw_only=True):
    """A file of a namespace that was written to `to`. `sha256` is that of its bytes.

    `verified`: it is what the namespace's index or catalog says. `written` False: the file was
    there already, byte for byte.
    """

    namespace: str
    path: str
    to: str
    size: int
    sha256: str
    verified: bool
    written: bool = True


# --- looking for something ---------------------------------------------------------------


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A file of some namespace that a search found."""

    namespace: str
    path: str
    size: int
    last_modified: str
    sha256: str | None
    here: bool


def search(catalogs: Iterable[Catalog], text: str) -> Iterator[Found]:
    """Files whose `namespace/path` holds every word of `text`, whatever the case."""
    words = text.lower().split()
    for catalog in catalogs:
        lead = f"{catalog.namespace}/".lower()
        for entry in catalog.entries:
            where = lead + entry.path.lower()
            if all(word in where for word in words):
                yield found(catalog, entry)


def found(catalog: Catalog, entry: CatalogEntry) -> Found:
    return Found(
        namespace=catalog.namespace,
        path=entry.path,
        size=entry.size,
        last_modified=entry.last_modified,
        sha256=entry.sha256,
        here=entry.here,
    )


def near(rels: Iterable[str], wanted: str, *, most: int = 5) -> list[str]:
    """Paths that may be meant by one that is not there: the same name elsewhere, or part of it."""
    name = wanted.rpartition("/")[2].lower()
    same: list[str] = []
    begun: list[str] = []
    part: list[str] = []
    for rel in rels:
        if len(same) >= most:
            break
        lower = rel.lower()
        if lower.rpartition("/")[2] == name:
            same.append(rel)
        elif lower.startswith(wanted.lower()):
            begun.append(rel)
        elif name and name in lower:
            part.append(rel)
    return [*same, *begun[:most], *part[:most]][:most]
