"""What is left alone: by the exclude patterns in force, and by the directories that are synced.

It is on neither side for us: nothing of it is sent, fetched or deleted, and what is in the bucket
already stays there. The patterns may change while the engine runs: the next look knows.
"""

from collections.abc import Callable, Sequence

from msgspec.structs import replace

from s3dash.core.settings import Datastore
from s3dash.local.scan import load_excludes


class Excludes:
    """Read from any thread; replaced as a whole. Patterns are those of .gitignore."""

    def __init__(self, settings: Datastore) -> None:
        self._settings = settings
        self._test = _test(settings)
        self.changed: Callable[[], None] = lambda: None

    @property
    def settings(self) -> Datastore:
        """The settings with the patterns that are in force."""
        return self._settings

    @property
    def test(self) -> Callable[[str], bool]:
        """Whether a path is excluded."""
        return self._test

    def change(self, patterns: Sequence[str]) -> None:
        """From the next look on, which comes at once. Raises ConfigError, and changes nothing."""
        settings = replace(self._settings, exclude=tuple(patterns))
        self._test = _test(settings)
        self._settings = settings
        self.changed()


def _test(settings: Datastore) -> Callable[[str], bool]:
    """Raises ConfigError for a pattern that is none."""
    by_pattern = load_excludes(settings.exclude)
    if not settings.directories:
        return by_pattern
    ours = frozenset(settings.directories)

    def is_left_alone(rel: str) -> bool:
        return rel.partition("/")[0] not in ours or by_pattern(rel)

    return is_left_alone
