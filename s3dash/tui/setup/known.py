"""What the first run has learnt so far, and whom it asks."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, NamedTuple, Protocol

import msgspec
from msgspec.structs import replace

from s3dash.config.draft import Draft
from s3dash.config.write import Change
from s3dash.engine.first_look import Finding, Found

Kind = Literal["aws", "r2", "other"]


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """One moment of the first run; each step makes the next one, so that going back is exact.

    `given` is what was typed in the latest step, `choice` what was chosen, empty when a field was
    entered. `buckets` None: they may not be listed. `changes` are what may be written.
    """

    draft: Draft = msgspec.field(default_factory=Draft)
    kind: Kind = "aws"
    findings: tuple[Finding, ...] = ()
    profiles: tuple[str, ...] = ()
    buckets: tuple[str, ...] | None = ()
    places: tuple[str, ...] = ()
    found: Found | None = None
    changes: tuple[Change, ...] = ()
    given: Mapping[str, str] = msgspec.field(default_factory=dict)
    choice: str = ""

    def drafted(self, **fields: object) -> "Known":
        """With other fields of the draft."""
        return replace(self, draft=replace(self.draft, **fields))

    def saw(self, *findings: Finding) -> "Known":
        """With these findings; one of the same name is replaced."""
        names = {finding.name for finding in findings}
        kept = tuple(f for f in self.findings if f.name not in names)
        return replace(self, findings=(*kept, *findings))


class Answer(NamedTuple):
    """How the first run ended: what to open, and the file that was written."""

    what: Literal["dashboard", "demo"]
    path: Path | None = None


class Scout(Protocol):
    """Looks at places for the first run. Every call blocks and raises only `S3DashError`s."""

    def profiles(self) -> tuple[str, ...]: ...

    def knock(self, draft: Draft) -> Finding: ...

    def who(self, draft: Draft) -> tuple[Finding, tuple[str, ...] | None]:
        """Who we are there, and the buckets; None when they may not be listed."""
        ...

    def place(self, draft: Draft) -> Found: ...

    def places(self, draft: Draft) -> tuple[str, ...]: ...

    def locks(self, draft: Draft) -> Finding: ...

    def cache(self, draft: Draft) -> Finding:
        """Whether the cache can be there; nothing is created."""
        ...

    def changes(self, draft: Draft) -> tuple[Change, ...]:
        """Each file that the datastore could be written to, and how; nothing is written."""
        ...
