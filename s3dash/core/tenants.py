"""The namespaces of a datastore, as a survey finds them bit by bit."""

from typing import Any, Literal

import msgspec

SurveyState = Literal["unasked", "asking", "asked", "failed"]
MANIFEST_MOST = 64 * 1024
"""Bytes of a manifest that are read; a real one has about 120."""


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """One namespace. Sizes in bytes; None is what was not looked at yet.

    `mine`: this engine works in it. `in_bucket` False: only the cache has a directory of this
    name. `index_at` is the ISO time, by our clock, of the index' last write; empty: it has none.
    `objects` and `size` are the index' own sums, counted at the ISO time `counted_at`; `held` is
    how many bytes of them lie in this cache in the same size. `left_files` and `left_size` are
    what the cache has of a namespace that is not ours; a row with an empty `slug` is what the
    layout without namespaces left there. `busy` says what is being done about it.

    From a look at where the cache stands with all of them, at the ISO time `stood_at`: `here`, this
    cache was synced with it; `dirty`, `behind` and `conflicts` count paths; `commit_seq`,
    `committed_at` (the server's clock) and `committed_by` tell of the last commit; `holder` has the
    namespace's lock.
    """

    slug: str
    mine: bool = False
    in_bucket: bool = True
    read: bool = False
    registered: bool = False
    repo_id: str = ""
    registered_at: str = ""
    says: str = ""
    index_at: str = ""
    objects: int | None = None
    size: int | None = None
    held: int | None = None
    counted_at: str = ""
    left_files: int | None = None
    left_size: int | None = None
    here: bool | None = None
    dirty: int | None = None
    behind: int | None = None
    conflicts: int | None = None
    commit_seq: int | None = None
    committed_at: str = ""
    committed_by: str = ""
    holder: str = ""
    stood_at: str = ""
    busy: str = ""
    problem: str = ""

    @property
    def is_real(self) -> bool:
        """Whether there is any reason to call it a namespace."""
        known = self.mine or self.registered or self.index_at or self.left_files or self.problem
        return bool(known)

    @property
    def hydrated(self) -> float | None:
        """The share of its bytes that is here, 0 to 1; nothing is all here."""
        if self.size is None or self.held is None:
            return None
        return self.held / self.size if self.size else 1.0


class Survey(msgspec.Struct, frozen=True, kw_only=True):
    """All that is known. `read` of `total` were looked at; `message` and `hint`: why it failed."""

    state: SurveyState = "unasked"
    rows: tuple[Tenant, ...] = ()
    at: str = ""
    read: int = 0
    total: int = 0
    message: str = ""
    hint: str = ""


class Manifest(msgspec.Struct, frozen=True):
    """What `.namespace.json` says; a field that is missing or no text is empty."""

    namespace: str = ""
    repo_id: str = ""
    registered_at: str = ""


def decode_manifest(raw: bytes) -> Manifest | None:
    """None for what is no JSON object, or too long to be a manifest."""
    try:
        found: Any = msgspec.json.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    if not isinstance(found, dict):
        return None
    return Manifest(*(_text(found.get(n)) for n in ("namespace", "repoId", "registeredAt")))


def _text(value: object) -> str:
    return value[:512] if isinstance(value, str) else ""
