"""Names that differ only by case or composition, on a disk that takes them for one (scenario 35).

One of them can be on disk; the others are told as blocked, and stay in the bucket as they are.
"""

import unicodedata
from collections.abc import Iterable

from s3dash.engine.context import Context
from s3dash.engine.remote import RemoteIndex


def keep_apart(ctx: Context, here: Iterable[str], index: RemoteIndex) -> None:
    """Block every entry whose place belongs to another name, on such a disk only."""
    if not ctx.cache.ignores_case():
        return
    for rel, other in colliding(here, index.entries).items():
        index.blocked[rel] = f"this disk takes it for {other}, which differs in case only"


def colliding(here: Iterable[str], there: Iterable[str]) -> dict[str, str]:
    """The paths of `there` that would be written to the place of another, and of which.

    What is `here` has its place already; of the rest the first by name gets it. A directory has
    one spelling, too.
    """
    spelled: dict[str, str] = {}
    for rel in sorted(here):
        for place in _places(rel):
            spelled.setdefault(_fold(place), place)
    found = {}
    for rel in sorted(there):
        places = _places(rel)
        other = next((o for p in places if (o := spelled.get(_fold(p), p)) != p), None)
        if other is not None:
            found[rel] = other
            continue
        for place in places:
            spelled[_fold(place)] = place
    return found


def _places(rel: str) -> list[str]:
    """The directories above a path, and the path: `a/b/c` is `a`, `a/b`, `a/b/c`."""
    parts = rel.split("/")
    return ["/".join(parts[:depth]) for depth in range(1, len(parts) + 1)]


def _fold(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()
