"""The index on the wire: the v1 monolith, and the shards and meta of v2.

A document keeps every entry as the bytes it came in, so that a read-modify-write changes the
touched entries only and unknown fields survive. Source: the shared-datastore protocol.
"""

import contextlib
from collections.abc import Iterable, Mapping

import msgspec

from s3dash.core import paths
from s3dash.core.partitions import is_shard_name
from s3dash.errors import IndexCorrupt


class Entry(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, gc=False):
    """One file of the index. Times are ISO, UTC, milliseconds, `Z`; `sha256` is hex."""

    key: str
    size: int
    lastModified: str = ""
    localMtime: str | None = None
    sha256: str | None = None

    @property
    def tag(self) -> str:
        """What tells two versions of the content apart: the SHA-256, else size and time."""
        return self.sha256 or f"?{self.size}:{self.lastModified}"


class _Loose(msgspec.Struct, frozen=True):
    entries: dict[str, msgspec.Raw]


class _Typed(msgspec.Struct, frozen=True):
    entries: dict[str, Entry]


_LOOSE = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENTRIES = msgspec.json.Decoder(_Loose)
_TYPED = msgspec.json.Decoder(_Typed)
_ENTRY = msgspec.json.Decoder(Entry)
_ENCODER = msgspec.json.Encoder()
_BROKEN = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError)
_HEX_DIGITS = b"0123456789abcdef"
_HEX = frozenset(_HEX_DIGITS.decode())

MAX_SIZE = 2**53 - 1
"""Bytes; no store holds larger objects, and no client counts exactly beyond it."""

EMPTY_SHARD = b'{"version":1,"entries":{}}'


def entry_problem(rel: str, entry: Entry, *, key_prefix_bytes: int = 0) -> str | None:
    """Why an entry must not be acted on, or None when it may."""
    if reason := paths.blocked_reason(rel, key_prefix_bytes=key_prefix_bytes):
        return reason
    if not 0 <= entry.size <= MAX_SIZE:
        return "impossible size in the index"
    digest = entry.sha256
    if digest is not None and (len(digest) != 64 or not _HEX.issuperset(digest)):
        return "malformed SHA-256 in the index"
    return None


def sound(
    entries: Mapping[str, Entry], *, key_prefix_bytes: int = 0
) -> tuple[dict[str, Entry], dict[str, str]]:
    """The entries that may be acted on, and of the others why not; internal paths are in neither.

    Whole documents are looked at first: almost every one is plain, and an index has many.
    """
    if _is_plain(entries, key_prefix_bytes):
        # the key and the path within the entry are equal texts as a rule: one of them is kept
        return {e.key if e.key == rel else rel: e for rel, e in entries.items()}, {}
    good: dict[str, Entry] = {}
    bad: dict[str, str] = {}
    for rel, entry in entries.items():
        if not paths.is_data(rel):
            continue
        if reason := entry_problem(rel, entry, key_prefix_bytes=key_prefix_bytes):
            bad[rel] = reason
        else:
            good[rel] = entry
    return good, bad


def _is_plain(entries: Mapping[str, Entry], key_prefix_bytes: int) -> bool:
    """True only when all are data and none has a problem; False says nothing."""
    if not entries:
        return True
    sizes = [entry.size for entry in entries.values()]
    hashes = [entry.sha256 for entry in entries.values() if entry.sha256 is not None]
    digits = "".join(hashes)
    return (
        paths.are_plain(entries, key_prefix_bytes=key_prefix_bytes)
        and min(sizes) >= 0
        and max(sizes) <= MAX_SIZE
        and set(map(len, hashes)) <= {64}
        and digits.isascii()
        and not digits.encode().translate(None, _HEX_DIGITS)
    )


def decode_entries(raw: bytes, *, name: str) -> tuple[dict[str, Entry], dict[str, str]]:
    """The entries of a shard or monolith, and the malformed ones with a reason each.

    Raises IndexCorrupt when the document as a whole is none; `name` is the key to tell.
    """
    # Almost every document is sound; one that is not is read again, entry by entry. The decoder
    # does not look at what it skips, and a commit could then not write that back.
    with contextlib.suppress(*_BROKEN):
        if not raw.isascii():
            raw.decode()
        return _TYPED.decode(raw).entries, {}
    try:
        _LOOSE.decode(raw)
        loose = _ENTRIES.decode(raw).entries
    except _BROKEN as error:
        raise IndexCorrupt(
            f"{name} is no index: {_short(error)}",
            hint="nothing was changed; look at the object, or restore an older version of it",
        ) from error
    good: dict[str, Entry] = {}
    bad: dict[str, str] = {}
    for rel, value in loose.items():
        try:
            good[rel] = _ENTRY.decode(value)
        except _BROKEN:
            bad[rel] = "malformed entry in the index"
    return good, bad


class Document:
    """A shard or a monolith, to be changed entry by entry and written back.

    Untouched entries and unknown fields are written as the bytes they came in.
    """

    def __init__(self, fields: dict[str, msgspec.Raw], entries: dict[str, msgspec.Raw]) -> None:
        self._fields = fields
        self._entries = entries

    @classmethod
    def decode(cls, raw: bytes, *, name: str) -> "Document":
        """Raises IndexCorrupt when `raw` is no object with an object `entries`."""
        try:
            return cls(_LOOSE.decode(raw), dict(_ENTRIES.decode(raw).entries))
        except _BROKEN as error:
            raise IndexCorrupt(f"{name} is no index: {_short(error)}") from error

    @classmethod
    def empty(cls, *, version: int = 1) -> "Document":
        return cls({"version": msgspec.Raw(b"%d" % version)}, {})

    def get(self, rel: str) -> Entry | None:
        """The entry, or None when absent; a malformed one counts as absent."""
        value = self._entries.get(rel)
        if value is None:
            return None
        try:
            return _ENTRY.decode(value)
        except _BROKEN:
            return None

    def put(self, rel: str, entry: Entry) -> None:
        """Set the known fields of an entry; fields that we do not know stay as they were."""
        old = self._entries.get(rel)
        fields = _unknown_fields(old) if old is not None else {}
        known = msgspec.to_builtins(entry)
        self._entries[rel] = msgspec.Raw(_ENCODER.encode({**known, **fields}))

    def raw(self, rel: str) -> msgspec.Raw | None:
        """The bytes of an entry, to be taken over by another document as they are."""
        return self._entries.get(rel)

    def take(self, rel: str, value: msgspec.Raw) -> None:
        """Set an entry to bytes that came out of another document."""
        self._entries[rel] = value

    def remove(self, rel: str) -> bool:
        """Drop an entry; False when there was none."""
        return self._entries.pop(rel, None) is not None

    def rels(self) -> Iterable[str]:
        return self._entries.keys()

    def __len__(self) -> int:
        return len(self._entries)

    def set(self, field: str, value: object) -> None:
        """Set a field of the document itself, for instance `lastPulled`."""
        self._fields[field] = msgspec.Raw(_ENCODER.encode(value))

    def encode(self) -> bytes:
        out: dict[str, object] = dict(self._fields)
        out["entries"] = self._entries
        return _ENCODER.encode(out)


def _unknown_fields(value: msgspec.Raw) -> dict[str, msgspec.Raw]:
    """The fields that s3dash does not know, as the bytes they came in."""
    try:
        fields = _LOOSE.decode(value)
    except _BROKEN:
        return {}
    return {k: v for k, v in fields.items() if k not in Entry.__struct_fields__}


class Meta(msgspec.Struct, frozen=True, kw_only=True):
    """`_index/_meta.json`. `version` 1: the monolith rules; 2: the shards rule."""

    version: int
    partitions: tuple[str, ...] = ()
    commitSeq: int = 0
    lastCompacted: str | None = None
    writer: str | None = None


_META = msgspec.json.Decoder(Meta)


def decode_meta(raw: bytes, *, name: str) -> Meta:
    """Raises IndexCorrupt for what is no meta and for a version that we do not know.

    Partitions that can name no shard of this index are left out: see `is_shard_name`.
    """
    try:
        meta = _META.decode(raw)
        _LOOSE.decode(raw)  # also what is skipped must be fit to be written back
    except _BROKEN as error:
        raise IndexCorrupt(
            f"{name} is no index meta: {_short(error)}",
            hint="nothing was changed; look at the object, or restore an older version of it",
        ) from error
    if meta.version not in (1, 2):
        raise IndexCorrupt(f"{name} has version {meta.version}; s3dash knows 1 and 2")
    if not 0 <= meta.commitSeq < MAX_SIZE:
        raise IndexCorrupt(f"{name} has a commitSeq that no client can count on from")
    if all(map(is_shard_name, meta.partitions)):
        return meta
    good = tuple(filter(is_shard_name, meta.partitions))
    return msgspec.structs.replace(meta, partitions=good)


def encode_meta(old: bytes | None, changes: Mapping[str, object]) -> bytes:
    """Meta with some fields changed; what we do not know stays. `old` None starts a new one."""
    fields: dict[str, object] = dict(_LOOSE.decode(old)) if old else {}
    fields.update(changes)
    return _ENCODER.encode(fields)


def _short(error: BaseException) -> str:
    text = str(error) or type(error).__name__
    return text if len(text) <= 120 else text[:117] + "..."
