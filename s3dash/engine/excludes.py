"""The exclude patterns in force. They may change while the engine runs: the next look knows.

What is excluded is on neither side for us: nothing of it is sent, fetched or deleted, and what is
in the bucket already stays there.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from s3dash.core.settings import Datastore
from s3dash.local.scan import load_excludes


class Excludes:
    """Read from any thread; replaced as a whole. Patterns are those of .gitignore."""

    def __init__(self, settings: Datastore) -> None:
        self._settings = settings
        self._test = load_excludes(settings.exclude)
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
        test = load_excludes(tuple(patterns))
        self._settings = replace(self._settings, exclude=tuple(patterns))
        self._test = test
        self.changed()
