"""Hostile bytes: mutations of what a real client wrote, and values that no client writes.

Everything is drawn from dice, so that a seed tells the whole story.
"""

import copy
import json
import random
from collections.abc import Sequence
from typing import Any

from tests.engine.world import golden_bucket, golden_cache

BUCKETS = ("gold-locks", "gold-ns", "gold-solo-v1", "gold-solo-v2")
CACHES = ("gold-solo-v2", "sidecar-dirty-paths", "sidecar-escape", "sidecar-overflow")

NAMES = (
    "../escape", "../../escape", "files/../../escape", "/etc/escape", "//x", "a//b", "a/",
    "./a", "..",
    ".", "", "a/./b", "_index/../escape", "_index/files.json", "_index/_meta.json",
    "_control/s3dash/x",
    "_control", ".datastore.lock", ".datastore-index.json", ".datastore-sync-state.json",
    ".locks/web.lock",
    "files/.lock", ".namespace.json", "_catalog.db", "_catalog.db-wal", "web/files/theirs", "web",
    "web/.namespace.json", ".git/config", ".git/hooks/pre-commit", "CON", "files/NUL.txt",
    "files/a:b",
    "files/\x00", "files/new\nline", "files/\r", "files/\x1b[2J", "files/\x1b]52;c;aGk=\x07",
    "files/\x9b31m",
    "files/\u202egpj.exe", "files/\u200bx", "files/\ufeffx", "files/e\u0301", "files/\u00e9",
    "files/" + "e" + "\u0301" * 100, "FILES/ONE", "Files/one", "files/one/below", "files/one/",
    "files",
    "files/" + "x" * 256, "files/" + "x" * 255, "y/" * 600 + "z", "files/" + "x" * 10_000,
    "files/\ue000\uffff", "files/\U0001f600", "-rf", "~/x", "$HOME/x", "%2e%2e/x", "..\\x",
    "files/*",
    "logs/one.conflict-", "data/t/id/a/1/raw", "data/.lock", "workflow-runs/..",
    "workflow-runs/_meta/x",
)  # fmt: skip
"""Names for entries, keys, partitions and marks: escapes, internals, devices, twins and giants."""

VALUES: tuple[Any, ...] = (
    None, True, False, 0, -1, 1, 2**31, 2**53, 2**63, 2**64, -(2**63), 10**40, 0.5, 1e308, -0.0,
    "", "0", "x", "a" * 64, "A" * 64, "f" * 63, "\x00", "\x1b[31m", "\u202e", "é", "x" * 5000,
    [], {}, [[]],
    {"": {}}, ["../x"], [None], "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00",
    "1969-12-31T23:59:59.999Z", "not a time", "2026-13-45", "../../x",
)  # fmt: skip

TOKENS = (
    b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 400, b"9" * 5000, b'"\\ud800"',
    b'"\\udc00\\ud800"',
    b"\xff\xfe", b"\xef\xbb\xbf", b"\x00", b"[" * 2000, b'{"a":' * 2000, b"null", b"{}", b"[]",
    b'""', b",,",
    b"//", b'"\\u0000"', b"\xc0\xaf", b"\xed\xa0\x80", b"-", b"<html>", b"\r\n", b'"entries":{',
    b'"version":3,',
)  # fmt: skip


def corpus() -> list[bytes]:
    """What real clients wrote: indexes, shards, metas, locks, manifests, catalogs and sidecars."""
    found = [body for name in BUCKETS for body in golden_bucket(name).values()]
    found += [
        body
        for name in CACHES
        for rel, body in golden_cache(name).items()
        if rel.startswith(".datastore")
    ]
    return sorted({body for body in found if body[:1] in b"{["}) or found


class Mutator:
    """Makes hostile bytes out of good ones."""

    def __init__(
        self, dice: random.Random, good: Sequence[bytes], *, tokens: Sequence[bytes] = TOKENS
    ) -> None:
        self._dice = dice
        self._good = good
        self._tokens = tokens

    def any(self) -> bytes:
        """Something made from a document of the corpus."""
        return self.of(self._dice.choice(self._good))

    def of(self, raw: bytes) -> bytes:
        """Something made from `raw`: its values changed, or its bytes, or both."""
        dice = self._dice
        if dice.random() < 0.6:
            raw = self._structured(raw)
        for _ in range(dice.choice((0, 0, 1, 1, 2, 5))):
            raw = self._bytes(raw)
        return raw

    # --- by structure -------------------------------------------------------------------

    def _structured(self, raw: bytes) -> bytes:
        try:
            document = json.loads(raw)
        except (ValueError, RecursionError):
            return raw
        for _ in range(self._dice.choice((1, 1, 2, 4))):
            document = self._changed(document)
        return json.dumps(document, ensure_ascii=self._dice.random() < 0.5).encode(
            errors="surrogatepass"
        )

    def _changed(self, node: Any) -> Any:
        """The same with one place deep inside replaced, renamed, dropped or doubled."""
        dice = self._dice
        if not node or dice.random() < 0.15 or not isinstance(node, dict | list):
            return copy.deepcopy(dice.choice((dice.choice(VALUES), dice.choice(NAMES))))
        keys = list(node) if isinstance(node, dict) else list(range(len(node)))
        key, how = dice.choice(keys), dice.random()
        if how < 0.55:
            node[key] = self._changed(node[key])
        elif how < 0.7:
            del node[key]
        elif isinstance(node, dict):
            value = node[key] if dice.random() < 0.5 else node.pop(key)
            node[dice.choice(NAMES)] = self._renamed(value)
        else:
            node.extend(dice.choices(NAMES, k=3))
        return node

    def _renamed(self, value: Any) -> Any:
        """An entry also says its own name."""
        if isinstance(value, dict) and "key" in value and self._dice.random() < 0.5:
            return {**value, "key": self._dice.choice(NAMES)}
        return value

    # --- by bytes -----------------------------------------------------------------------

    def _bytes(self, raw: bytes) -> bytes:
        dice = self._dice
        at, end = sorted((dice.randint(0, len(raw)), dice.randint(0, len(raw))))
        how = dice.randrange(6)
        if how == 0 and raw:
            flipped = bytearray(raw)
            flipped[min(at, len(raw) - 1)] ^= 1 << dice.randrange(8)
            return bytes(flipped)
        if how == 1:
            return raw[:at]
        if how == 2:
            return raw[:at] + raw[end:]
        if how == 3:
            return raw[:at] + dice.choice(self._tokens) + raw[end if dice.random() < 0.3 else at :]
        if how == 4:
            other = dice.choice(self._good)
            return raw[:at] + other[dice.randint(0, len(other)) :]
        return raw[:end] + raw[at:]
