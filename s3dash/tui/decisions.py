"""What the user put off and decided about conflicts since the screen was opened. No widget."""

from collections.abc import Iterable, Sequence

import msgspec

from s3dash.core.settings import Take
from s3dash.engine.api import EngineApi
from s3dash.tui.look import Look

Place = tuple[str, str | None]
"""A datastore by its name, and the namespace."""


NONE: frozenset[str] = frozenset()


def place_of(look: Look) -> Place:
    return look.site.name, look.settings.namespace


class Batch(msgspec.Struct, frozen=True):
    """Conflicts that were settled by one yes; an engine takes back only what it did itself."""

    engine: EngineApi
    take: Take
    paths: tuple[str, ...]


class Decisions(msgspec.Struct):
    """`off` are the paths that were put off, by place; another set whenever they change."""

    off: dict[Place, frozenset[str]] = msgspec.field(default_factory=dict)
    batches: list[Batch] = msgspec.field(default_factory=list)

    def put_off(self, place: Place) -> frozenset[str]:
        return self.off.get(place, NONE)

    def toggle(self, place: Place, paths: Iterable[str]) -> bool:
        """Put paths off, or take them up again when all of them were; True when they are off."""
        chosen, known = frozenset(paths), self.put_off(place)
        later = not chosen <= known
        self.off[place] = known | chosen if later else known - chosen
        return later

    def settled(self, place: Place, engine: EngineApi, take: Take, paths: Sequence[str]) -> None:
        """They were decided: should one come back it is a new conflict."""
        if paths:
            self.batches.append(Batch(engine, take, tuple(paths)))
            self.off[place] = self.put_off(place) - frozenset(paths)

    def latest(self, engine: EngineApi) -> Batch | None:
        """What would be undone next."""
        return next((b for b in reversed(self.batches) if b.engine is engine), None)

    def undone(self, batch: Batch, paths: Iterable[str]) -> None:
        """These need no undoing any more; what is left of the batch can be tried again."""
        at = self.batches.index(batch)
        gone = frozenset(paths)
        left = tuple(path for path in batch.paths if path not in gone)
        self.batches[at : at + 1] = [Batch(batch.engine, batch.take, left)] if left else []
