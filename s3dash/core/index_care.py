"""What was found out about an index, and what was done to it. Values only."""

from typing import Any, Literal

import msgspec

from s3dash.core.text import count

Step = Literal[
    "meta", "monolith", "dropped-shard", "missing-shard", "corrupt-shard", "zombie", "moved",
    "restored",
]  # fmt: skip
"""What a repair mends. `moved`: an entry that lay in a foreign shard; `restored`: one that only
the old index had."""


class MissingObject(msgspec.Struct, frozen=True, kw_only=True):
    """An entry whose object is not there."""

    path: str
    reason: str


class WrongObject(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that says something else than its object is. Sizes in bytes, hashes in hex."""

    path: str
    reason: str
    expected: int | str
    found: int | str


class Orphan(msgspec.Struct, frozen=True, kw_only=True):
    """An object that no entry names."""

    path: str
    size: int


class Zombie(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that should not be where it is. `shard` is empty in the monolith.

    `home` is the shard where it belongs, empty where it belongs nowhere.
    """

    path: str
    shard: str
    reason: str
    home: str = ""


class Corrupt(msgspec.Struct, frozen=True, kw_only=True):
    """A shard that cannot be read."""

    name: str
    reason: str


class MetaFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`_index/_meta.json`. `problem` is empty when it is as it should be."""

    present: bool = False
    version: int = 0
    commit_seq: int = 0
    partitions: int = 0
    problem: str = ""


class MonolithFacts(msgspec.Struct, frozen=True, kw_only=True):
    """`.datastore-index.json`; `rules` in version 1, else it is there for old clients, stale."""

    present: bool = False
    rules: bool = False
    entries: int = 0
    problem: str = ""


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """An index held against its objects. `version` 0: there is none.

    `checked` entries were looked at, `ok` of them are right; the content of `read` of them was
    hashed, `bytes_read` in all. `unhashed` entries say no SHA-256, so that only their size could
    be compared. `seed` is what chose the sample.
    """

    version: int
    checked: int
    ok: int
    read: int = 0
    bytes_read: int = 0
    unhashed: int = 0
    seed: int = 0
    missing: tuple[MissingObject, ...] = ()
    wrong: tuple[WrongObject, ...] = ()
    orphans: tuple[Orphan, ...] = ()
    dropped_shards: tuple[str, ...] = ()
    missing_shards: tuple[str, ...] = ()
    corrupt_shards: tuple[Corrupt, ...] = ()
    zombies: tuple[Zombie, ...] = ()
    meta: MetaFacts = MetaFacts()
    monolith: MonolithFacts = MonolithFacts()
    seconds: float = 0.0
    requests: int = 0

    @property
    def problems(self) -> tuple[tuple[str, int], ...]:
        """What is wrong and how often, in words; empty when nothing is."""
        broken = sum(bool(facts.problem) for facts in (self.meta, self.monolith))
        found = (
            ("broken document", "broken documents", broken),
            ("corrupt shard", "corrupt shards", len(self.corrupt_shards)),
            ("shard left out of meta", "shards left out of meta", len(self.dropped_shards)),
            ("missing shard", "missing shards", len(self.missing_shards)),
            ("missing object", "missing objects", len(self.missing)),
            ("wrong object", "wrong objects", len(self.wrong)),
            ("object without an entry", "objects without an entry", len(self.orphans)),
            ("misplaced entry", "misplaced entries", len(self.zombies)),
        )
        return tuple((one if n == 1 else many, n) for one, many, n in found if n)

    @property
    def is_clean(self) -> bool:
        return not self.problems

    @property
    def mendable(self) -> bool:
        """Whether a repair may have something to do."""
        index = (self.dropped_shards, self.missing_shards, self.corrupt_shards, self.zombies)
        return any(index) or bool(self.meta.problem) or bool(self.monolith.problem)

    @property
    def sentence(self) -> str:
        if not (self.version or self.orphans):
            return "there is no index, and nothing that should be in one"
        how = f", the content of {self.read:,} too" if self.read else ""
        seen = f"{count(self.checked, 'entry', 'entries')} held against the objects{how}"
        if self.is_clean:
            return f"{seen}: all is as it should be"
        return f"{seen}: " + ", ".join(f"{n:,} {what}" for what, n in self.problems)

    def document(self) -> dict[str, Any]:
        """The JSON shape."""
        out: dict[str, Any] = {"action": "verify", **msgspec.to_builtins(self)}
        return out


class Dropped(msgspec.Struct, frozen=True, kw_only=True):
    """An entry that was not taken over, and why."""

    path: str
    reason: str


class IndexMigrated(msgspec.Struct, frozen=True, kw_only=True):
    """An index of version 1 that is one of version 2 now (`dry_run`: would be).

    `written` of `shards` were not there as they should be; `dropped` entries name what is no data
    or can be no shard: they stay in the monolith alone. `already`: nothing was to be done.
    """

    dry_run: bool
    from_version: int
    to_version: int = 2
    already: bool = False
    entries: int = 0
    shards: int = 0
    written: int = 0
    dropped: tuple[Dropped, ...] = ()
    kept: str = ""
    commit_seq: int | None = None
    seconds: float = 0.0
    requests: int = 0

    @property
    def sentence(self) -> str:
        if self.already:
            return "the index is of version 2 already; nothing was changed"
        what = f"{count(self.entries, 'entry', 'entries')} in {count(self.shards, 'shard')}"
        if self.dry_run:
            return f"{what} would rule in the place of the monolith; nothing was changed"
        return f"{what} rule now, the monolith is kept as it was"

    def document(self) -> dict[str, Any]:
        out: dict[str, Any] = {"action": "migrate", **msgspec.to_builtins(self)}
        return {**out, "message": self.sentence}


class Mended(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that a repair did, or would do. `name` is a path, a shard or a document."""

    what: Step
    name: str
    reason: str


class Repaired(msgspec.Struct, frozen=True, kw_only=True):
    """`left` is what no repair can know the answer to. `kept` is the key below which the documents
    are that were replaced, as they were; empty when none was."""

    dry_run: bool
    done: tuple[Mended, ...] = ()
    left: tuple[Dropped, ...] = ()
    kept: str = ""
    commit_seq: int | None = None
    seconds: float = 0.0
    requests: int = 0

    @property
    def sentence(self) -> str:
        rest = f"; {count(len(self.left), 'thing')} left as found" if self.left else ""
        if not self.done:
            return f"nothing to repair{rest}"
        verb = "would be repaired; nothing was changed" if self.dry_run else "repaired"
        return f"{count(len(self.done), 'thing')} {verb}{rest}"

    def document(self) -> dict[str, Any]:
        out: dict[str, Any] = {"action": "repair", **msgspec.to_builtins(self)}
        return {**out, "message": self.sentence}
