"""What the first run and `s3dash init` look at and would write, on the real machine."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from s3dash.cli.wiring import hush_libraries
from s3dash.config import credentials, places
from s3dash.config.draft import Draft, settings_of
from s3dash.config.load import usual_files
from s3dash.config.write import Change, add_datastore, verified
from s3dash.core.text import count
from s3dash.engine import first_look
from s3dash.engine.first_look import Finding, Found
from s3dash.errors import ConfigError

if TYPE_CHECKING:
    from s3dash.core.settings import CredentialSource, Datastore

TIMEOUT_MS = 10_000
"""Longest silence of a request: somebody sits there and waits."""


class Setup:
    """Implements `tui.setup.known.Scout`. Only `Change.write` writes anything."""

    def __init__(self, environ: Mapping[str, str], *, cwd: Path) -> None:
        self._environ = environ
        self._cwd = cwd

    def profiles(self) -> tuple[str, ...]:
        return tuple(first_look.profiles())

    def knock(self, draft: Draft) -> Finding:
        return first_look.knock(self._place(draft)[0])

    def who(self, draft: Draft) -> tuple[Finding, tuple[str, ...] | None]:
        return first_look.who(*self._place(draft))

    def place(self, draft: Draft) -> Found:
        return first_look.place(*self._place(draft))

    def places(self, draft: Draft) -> tuple[str, ...]:
        return first_look.places(*self._place(draft))

    def locks(self, draft: Draft) -> Finding:
        return first_look.locks(*self._place(draft))

    def cache(self, draft: Draft) -> Finding:
        return look_at_cache(self._place(draft)[0].cache)

    def changes(self, draft: Draft) -> tuple[Change, ...]:
        here, own = usual_files(self._environ, self._cwd)
        return tuple(self.change(draft, path) for path in (own, here))

    def change(self, draft: Draft, path: Path) -> Change:
        """How `path` would take the datastore in. Raises ConfigError: it cannot."""
        change = add_datastore(path, draft.given_name, draft.fields())
        verified(change, environ=self._environ, cwd=self._cwd)
        return change

    def target(self, named: Path | None) -> Path:
        """The file to write to: the one that is named, else the one in use, else the user's own."""
        given = named or self._environ.get("S3DASH_CONFIG")
        if given:
            return places.expand(str(given), base=self._cwd, environ=self._environ)
        here, own = usual_files(self._environ, self._cwd)
        return here if os.path.lexists(here) else own

    def _place(self, draft: Draft) -> "tuple[Datastore, CredentialSource]":
        from msgspec.structs import replace

        hush_libraries()
        settings, refs = settings_of(draft, base=self._cwd, environ=self._environ)
        quick = replace(settings, request_timeout_ms=TIMEOUT_MS)
        return quick, credentials.resolve(refs, self._environ)


def look_at_cache(cache: Path) -> Finding:
    """Whether a cache can be there. Raises ConfigError when it cannot; creates nothing."""
    above = next((p for p in (cache, *cache.parents) if os.path.lexists(p)), Path("/"))
    if not above.is_dir():
        raise ConfigError(f"{above} is no directory")
    if not os.access(above, os.W_OK | os.X_OK):
        raise ConfigError(f"{above} takes no files from you")
    if above != cache:
        return Finding("directory", True, f"{cache} will be made")
    try:
        number = sum(1 for _ in cache.iterdir())
    except OSError as error:
        raise ConfigError(f"{cache} cannot be read: {error.strerror}") from None
    if not number:
        return Finding("directory", True, f"{cache} is empty")
    held = count(number, "entry", "entries")
    told = f"{cache} holds {held}: they will show as new here; nothing is pushed unasked"
    return Finding("directory", True, told)
