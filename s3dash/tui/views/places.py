"""Endpoints as the screen groups them: one place for all datastores on one bucket. Pure."""

from collections.abc import Sequence

import msgspec

from s3dash.core.endpoint import Checking, EndpointFacts, Locking, OpenUploads, verdict
from s3dash.tui.format import safe
from s3dash.tui.glyphs import Sign
from s3dash.tui.look import Site

SAFE = Sign("✔", "safe", "good")
UNSAFE = Sign("✖", "UNSAFE", "alarm")
UNPROVED = Sign("?", "unproved", "warn")
SKEW_S = 5
"""Seconds between the clocks from which on it is worth a word."""


class Place(msgspec.Struct, frozen=True):
    """One endpoint and bucket, with the datastores on it; the current one comes first."""

    sites: tuple[Site, ...]

    @property
    def main(self) -> Site:
        """Whose engine speaks for it: the one that was examined last, else the first."""

        def examined(site: Site) -> str:
            finding = site.snapshot.endpoint.finding
            return finding.at if finding is not None else ""

        return max(self.sites, key=examined)

    @property
    def facts(self) -> EndpointFacts:
        return self.main.snapshot.endpoint

    @property
    def address(self) -> str:
        return self.sites[0].settings.address

    @property
    def bucket(self) -> str:
        return self.sites[0].settings.bucket

    @property
    def latencies(self) -> tuple[float, ...]:
        return tuple(ms for site in self.sites for ms in site.snapshot.endpoint.latencies)

    @property
    def checked(self) -> Site:
        """Whose engine examines it now, else the one that speaks for it."""
        now = (site for site in self.sites if site.snapshot.endpoint.checking is not None)
        return next(now, self.main)

    @property
    def checking(self) -> Checking | None:
        return self.checked.snapshot.endpoint.checking

    @property
    def uploads(self) -> OpenUploads | None:
        """Those of the current datastore; the others may share its prefix."""
        return self.sites[0].snapshot.endpoint.uploads

    @property
    def proved_at(self) -> str:
        return max(site.snapshot.endpoint.proved_at for site in self.sites)

    @property
    def locking(self) -> Locking | None:
        return verdict(self.facts.finding, self.proved_at)

    @property
    def allowed(self) -> bool:
        """Whether the configuration lets somebody push without a lock that holds."""
        return any(site.settings.locking == "unsafe" for site in self.sites)


def locking(row: Place) -> Sign:
    """What the proofs say; a configuration that goes on without them is as bad as none."""
    found = row.locking
    if row.allowed or found == "unsafe":
        return UNSAFE
    return SAFE if found == "safe" else UNPROVED


def group(sites: Sequence[Site], current: Site) -> tuple[Place, ...]:
    """One place for each endpoint and bucket, in the order of the datastores."""
    found: dict[tuple[str, str], list[Site]] = {}
    for site in sites:
        found.setdefault((site.settings.address, site.settings.bucket), []).append(site)
    return tuple(Place(tuple(sorted(s, key=lambda x: x is not current))) for s in found.values())


def identity(row: Place) -> str:
    known = row.facts.identity or next(
        (s.snapshot.endpoint.identity for s in row.sites if s.snapshot.endpoint.identity), ""
    )
    if known:
        return safe(known)
    profile = row.sites[0].settings.profile
    return f"profile {safe(profile)}" if profile else "not asked yet"
