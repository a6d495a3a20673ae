"""What verifying found in one datastore. No widget."""

from collections.abc import Iterable

from s3dash.stores.explore.entry import Entry, Verdict


class Verdicts:
    """Filled by the thread that verifies, read by views. A verdict is of one version: an object
    that was replaced since has none."""

    def __init__(self) -> None:
        self._found: dict[str, tuple[str, Verdict]] = {}
        self._damaged: set[str] = set()
        self._above: frozenset[str] = frozenset()

    @property
    def damaged(self) -> int:
        """How many objects are."""
        return len(self._damaged)

    def of(self, entry: Entry) -> Verdict | None:
        etag, verdict = self._found.get(entry.key, ("", None))
        return verdict if etag == entry.etag else None

    def has_damage(self, entry: Entry) -> bool:
        """Whether something below a directory is damaged."""
        return entry.key in self._above

    def add(self, entry: Entry, verdict: Verdict) -> None:
        self._found[entry.key] = (entry.etag, verdict)
        if (verdict.outcome == "damaged") != (entry.key in self._damaged):
            self._damaged ^= {entry.key}
            self._look_up()

    def forget(self, keys: Iterable[str]) -> None:
        """These are gone, or others now."""
        for key in keys:
            self._found.pop(key, None)
            self._damaged.discard(key)
        self._look_up()

    def _look_up(self) -> None:
        self._above = frozenset(one for key in self._damaged for one in _above(key))


def _above(key: str) -> Iterable[str]:
    """The directories that a key lies in."""
    at = key.find("/")
    while at >= 0:
        yield key[: at + 1]
        at = key.find("/", at + 1)
