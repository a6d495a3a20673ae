"""An engine's care for its index that answers what a test says."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from msgspec.structs import replace

from s3dash.core.cancel import CancelToken
from s3dash.core.index_care import (
    IndexMigrated,
    Mended,
    MetaFacts,
    MissingObject,
    MonolithFacts,
    Orphan,
    Repaired,
    Verified,
    WrongObject,
    Zombie,
)

CLEAN = Verified(
    version=2,
    checked=318,
    ok=318,
    meta=MetaFacts(present=True, version=2, commit_seq=17, partitions=9),
    monolith=MonolithFacts(present=True, entries=300),
    seconds=0.4,
    requests=12,
)
AMISS = replace(
    CLEAN,
    ok=315,
    missing=(MissingObject(path="files/gone", reason="its object is not there"),),
    wrong=(
        WrongObject(path="files/short", reason="its object has another size", expected=9, found=4),
    ),
    orphans=(Orphan(path="files/stray[/x]\x1b[31m", size=15),),
    dropped_shards=("logs",),
    zombies=(Zombie(path="_index/y", shard="files", reason="no client ever syncs this path"),),
)
MIGRATED = IndexMigrated(
    dry_run=False, from_version=1, entries=318, shards=9, written=4, commit_seq=1
)
REPAIRED = Repaired(
    dry_run=False,
    done=(
        Mended(what="dropped-shard", name="logs", reason="meta did not name it"),
        Mended(what="zombie", name="_index/y", reason="no client ever syncs this path"),
    ),
    kept="_control/s3dash/repairs/x/",
    commit_seq=18,
)


@dataclass
class FakeIndexCare:
    """`job` runs inside each call and may wait for its token."""

    verified: Verified = CLEAN
    migrated: IndexMigrated = MIGRATED
    repaired: Repaired = REPAIRED
    error: Exception | None = None
    job: Callable[[CancelToken], None] = lambda cancel: None
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def verify(
        self,
        *,
        full: bool = False,
        sample: str = "",
        seed: int | None = None,
        cancel: CancelToken | None = None,
    ) -> Verified:
        self._called("verify", cancel, full=full, sample=sample, seed=seed)
        return self.verified

    def migrate(self, *, dry_run: bool = False, cancel: CancelToken | None = None) -> IndexMigrated:
        self._called("migrate", cancel, dry_run=dry_run)
        return replace(self.migrated, dry_run=dry_run)

    def repair(self, *, dry_run: bool = False, cancel: CancelToken | None = None) -> Repaired:
        self._called("repair", cancel, dry_run=dry_run)
        return replace(self.repaired, dry_run=dry_run, kept="" if dry_run else self.repaired.kept)

    def _called(self, name: str, cancel: CancelToken | None, **options: Any) -> None:
        self.calls.append((name, options))
        self.job(cancel or CancelToken())
        if self.error is not None:
            raise self.error
