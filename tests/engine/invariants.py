"""The invariants of the commit protocol, watched at every write that reaches a bucket.

`Invariants.watch(bucket, who)` is the same bucket as one of our clients sees it: what it writes
there is checked against what is in the bucket at that moment (reliability section 3, I1 to I5 and
I7). Plain clients use the bucket itself. A breach raises Breach, which no part of a client takes
for an answer of the store.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from s3dash.core.keys import Keys
from s3dash.core.paths import is_data
from s3dash.engine.lease import TTL_MS
from s3dash.objectstore.memory import Kept, MemoryBucket
from s3dash.objectstore.metadata import Metadata
from tests.engine.world import digest

CLAIM = b"s3dash moves an object here"
Objects = Mapping[str, Kept]


class Breach(AssertionError):
    """An invariant was not kept; the message begins with its name."""


@dataclass(slots=True)
class Invariants:
    """What to hold the clients to.

    `plain`: a plain client is among them, which may write over an object, or bring an entry back,
    between any two of our requests; so I1 and I2 can only be asked of what it leaves alone.
    `request_s`: a write needs that much of the lease; None: the lock is worthless here (I7).
    """

    keys: Keys = field(default_factory=Keys)
    plain: bool = False
    request_s: float | None = None
    checked: int = 0

    def watch(self, bucket: MemoryBucket, who: str) -> "Watched":
        return Watched(bucket, who, self)

    # --- what is written ----------------------------------------------------------------

    def write(self, who: "Watched", key: str, body: bytes, *, conditional: bool) -> None:
        """Before a PUT takes effect whose condition, if it has one, holds."""
        self.checked += 1
        objects = who.objects()
        if self._is_index(key):
            _hold(conditional, "I3", f"{key} is written without a condition")
            who.must_hold_the_lock(key)
            if key == self.keys.meta:
                self._meta(objects, body)
            else:
                self._entries(who, objects, key, body)
        elif is_data(key) and key in objects:
            ours = objects[key].body.startswith(CLAIM)
            _hold(conditional or ours, "I3", f"{key} is overwritten without a condition")

    def _entries(self, who: "Watched", objects: Objects, key: str, body: bytes) -> None:
        """I3: only what was announced changes. I1: each new entry's object is there."""
        old = entries_of(objects[key].body) if key in objects else {}
        new = entries_of(body)
        changed = {rel for rel in old.keys() | new.keys() if old.get(rel) != new.get(rel)}
        unasked = changed - who.announced(objects)
        _hold(not unasked, "I3", f"{key} changes {sorted(unasked)} without a record of it")
        for rel in changed & new.keys():
            found, sha256 = objects.get(self.keys.data(rel)), new[rel].get("sha256")
            there = found is not None and sha256 in (None, digest(found.body))
            _hold(there or self.plain, "I1", f"{key} names {rel}, whose object is not there")

    def _meta(self, objects: Objects, body: bytes) -> None:
        """I4: what is listed is there. I5: commitSeq is the one before, plus one."""
        meta = json.loads(body)
        gone = [n for n in meta["partitions"] if self.keys.shard(n) not in objects]
        _hold(not gone, "I4", f"meta lists {gone}, which are not there")
        if meta["version"] == 2:
            old = objects.get(self.keys.meta)
            seq = json.loads(old.body).get("commitSeq", 0) if old else 0
            _hold(meta["commitSeq"] == seq + 1, "I5", f"{seq} is followed by {meta['commitSeq']}")

    # --- what is deleted ----------------------------------------------------------------

    def remove(self, who: "Watched", key: str, *, conditional: bool) -> None:
        """Before a DELETE takes effect whose condition, if it has one, holds."""
        self.checked += 1
        objects = who.objects()
        _hold(not self._is_index(key), "I4", f"{key} is deleted")
        if is_data(key) and key in objects:
            _hold(conditional, "I2", f"{key} is deleted whatever it is")
            who.must_hold_the_lock(key)
            named = self._named(objects).get(key.removeprefix(self.keys.root))
            held = digest(objects[key].body) not in (named or ())
            _hold(held or self.plain, "I2", f"{key} is deleted, but the index names this version")

    def _named(self, objects: Objects) -> dict[str, set[str | None]]:
        """SHA-256 that the index has for each path."""
        named: dict[str, set[str | None]] = {}
        for key, kept in objects.items():
            if self._is_index(key) and key != self.keys.meta:
                for rel, entry in entries_of(kept.body).items():
                    named.setdefault(rel, set()).add(entry.get("sha256"))
        return named

    def _is_index(self, key: str) -> bool:
        return key.startswith(self.keys.index_dir) or key == self.keys.monolith


class Watched(MemoryBucket):
    """A bucket as one of our clients has it. Its objects are those of `bucket`."""

    def __init__(self, bucket: MemoryBucket, who: str, rules: Invariants) -> None:
        vars(self).update(vars(bucket))  # the very same objects and lock, under other methods
        self.who = who
        self._rules = rules
        self._record = ""
        self._beat: float | None = None

    def write(
        self,
        key: str,
        body: bytes,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        content_type: str,
        metadata: Metadata = (),
    ) -> Kept:
        if self._applies(key, if_match, if_none_match):
            conditional = if_none_match or if_match is not None
            self._rules.write(self, key, body, conditional=conditional)
        kept = super().write(
            key,
            body,
            if_match=if_match,
            if_none_match=if_none_match,
            content_type=content_type,
            metadata=metadata,
        )
        self._learn(key, body)
        return kept

    def remove(self, key: str, *, if_match: str | None = None) -> None:
        if self._applies(key, if_match, False):
            self._rules.remove(self, key, conditional=if_match is not None)
        super().remove(key, if_match=if_match)
        if key == self._rules.keys.lock:
            self._beat = None

    def _applies(self, key: str, if_match: str | None, if_none_match: bool) -> bool:
        found = self.objects().get(key)
        if if_none_match:
            return found is None
        return if_match is None or (found is not None and found.etag == if_match)

    def _learn(self, key: str, body: bytes) -> None:
        keys = self._rules.keys
        if key.startswith(keys.commits):
            self._record = key
        elif key == keys.lock:
            self._beat = self._clock.monotonic()

    def announced(self, objects: Objects) -> set[str]:
        """The paths of our latest commit record; in the model a key tells whose it is."""
        paths: set[str] = set()
        for key, kept in objects.items():
            ours = key == self._record or (self.who and f"-{self.who}-race-" in key)
            if ours and key.startswith(self._rules.keys.commits):
                record = json.loads(kept.body)
                paths |= {*record["adds"], *record["tombstones"]}
        return paths

    def must_hold_the_lock(self, key: str) -> None:
        """I7: by the beats that got through, as a client cannot know more than that."""
        request_s = self._rules.request_s
        if request_s is None:
            return
        _hold(self._beat is not None, "I7", f"{key} is changed without the lock")
        left = TTL_MS / 1000 * 0.75 - (self._clock.monotonic() - (self._beat or 0.0))
        _hold(left >= request_s, "I7", f"{key} is changed with {left:.1f} s of the lease left")


def entries_of(body: bytes) -> dict[str, dict[str, Any]]:
    """The entries of a shard or a monolith, by path."""
    found: dict[str, dict[str, Any]] = json.loads(body)["entries"]
    return found


def _hold(kept: bool, name: str, story: str) -> None:
    if not kept:
        raise Breach(f"{name} is not kept: {story}")
