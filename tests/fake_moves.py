"""Migration and foreign objects as a test says they are; nothing is moved."""

from collections.abc import Callable
from typing import Any

from s3dash.core.cancel import CancelToken
from s3dash.core.foreign import Foreign, ForeignReport
from s3dash.core.moves import Kept, Migrated, MigrationPlan
from s3dash.core.report import PlanRow

ROWS = (
    PlanRow("data/t/id/1/raw", "copy", "to namespace web, the original goes last", 2048),
    PlanRow("files/a", "copy", "to namespace web, the original goes last", 10),
    PlanRow("files/b", "delete", "the same is in namespace web already", 5),
)
FOREIGN = (
    Foreign(path="web/api/data/x/1/raw", home="api/data/x/1/raw", action="drop",
            reason="identical at its home", size=7),
    Foreign(path="web/api/files/n", home="api/files/n", action="move",
            reason="not at its home", size=9),
    Foreign(path="web/api/odd", home="api/odd", action="keep", reason="differs from its home",
            size=3),
)  # fmt: skip


class FakeMigration:
    """`error` is raised by both calls. `told` hears of every call."""

    def __init__(self, told: Callable[..., None] = lambda *_: None) -> None:
        self._told = told
        self.error: Exception | None = None
        self.rows: tuple[PlanRow, ...] = ROWS
        self.kept: tuple[Kept, ...] = ()
        self.job: Callable[[], None] = lambda: None

    def plan(
        self,
        namespace: str,
        *,
        to_solo: bool = False,
        repo_id: str = "",
        cancel: CancelToken | None = None,
    ) -> MigrationPlan:
        del cancel
        self._called("migration.plan", namespace, to_solo, repo_id)
        return MigrationPlan(
            namespace=namespace,
            to_solo=to_solo,
            registers=not to_solo,
            rows=self.rows,
            kept=self.kept,
            cache_files=len(self.rows),
        )

    def run(
        self,
        namespace: str,
        *,
        to_solo: bool = False,
        repo_id: str = "",
        cancel: CancelToken | None = None,
    ) -> Migrated:
        del cancel
        self._called("migration.run", namespace, to_solo, repo_id)
        self.job()
        return Migrated(
            namespace=namespace,
            to_solo=to_solo,
            registered=not to_solo,
            objects=len(self.rows),
            copied=2,
            bytes_copied=2058,
            unchanged=1,
            deleted=3,
            cache_files=3,
            kept=self.kept,
            commit_seq=18,
            requests=44,
            seconds=1.5,
        )

    def _called(self, *call: Any) -> None:
        self._told(*call)
        if self.error is not None:
            raise self.error


class FakeForeign:
    """`rows` are what it finds; `repair` says that it did what they say."""

    def __init__(self, told: Callable[..., None] = lambda *_: None) -> None:
        self._told = told
        self.error: Exception | None = None
        self.rows: tuple[Foreign, ...] = FOREIGN

    def look(self, namespace: str, *, cancel: CancelToken | None = None) -> ForeignReport:
        return self._report("foreign.look", namespace, applied=False)

    def repair(self, namespace: str, *, cancel: CancelToken | None = None) -> ForeignReport:
        return self._report("foreign.repair", namespace, applied=True)

    def _report(self, call: str, namespace: str, *, applied: bool) -> ForeignReport:
        self._told(call, namespace)
        if self.error is not None:
            raise self.error
        return ForeignReport(namespace=namespace, applied=applied, foreign=self.rows)
