"""Namespaces as tests of view 5 want them."""

from s3dash.core.diff import Verdict
from s3dash.core.report import Result
from s3dash.core.tenants import Survey, Tenant
from s3dash.tui.cells import plain
from s3dash.tui.look import Look, Site
from s3dash.tui.views.namespaces import NamespacesView
from tests.tui.driver import Stage
from tests.tui.fake_engine import NOW, FakeEngine, ago, change, idle, refusing, settings


def tenant(slug: str, **fields: object) -> Tenant:
    known: dict[str, object] = {
        "read": True,
        "registered": True,
        "repo_id": f"repo-{slug}",
        "registered_at": ago(86_400 * 3),
        "index_at": ago(600),
    }
    return Tenant(slug=slug, **{**known, **fields})  # type: ignore[arg-type] # passed through


INFRA = tenant("infra", mine=True, objects=320, size=4 << 20, held=3 << 20, counted_at=ago(60))
WEB = tenant("web")
OLD = tenant(
    "old", in_bucket=False, registered=False, repo_id="", index_at="", left_files=4, left_size=2048
)


def surveyed(*rows: Tenant, namespace: str | None = "infra") -> FakeEngine:
    engine = FakeEngine(idle(namespace=namespace))
    engine.census.survey = Survey(state="asked", rows=rows, at=ago(0))
    return engine


class Opener:
    """Opens fake engines that have something to move, and remembers them in their order."""

    def __init__(self, *, empty: bool = False, verdict: Verdict = Verdict.REMOTE_ADDED) -> None:
        self.opened: list[FakeEngine] = []
        self.refuse: set[str | None] = set()
        self._empty = empty
        self._verdict = verdict

    def __call__(self, datastore: str, namespace: str | None) -> FakeEngine:
        if namespace in self.refuse:
            raise refusing("no such namespace")
        made = FakeEngine(idle(datastore, namespace))
        made.result = Result(action="pull", pulled=3, bytes_down=4096, seconds=1.0)
        if not self._empty:
            made.changes = [change(f"in/{namespace}", self._verdict)]
        self.opened.append(made)
        return made

    @property
    def names(self) -> list[str | None]:
        return [engine.settings.namespace for engine in self.opened]


async def view(stage: Stage) -> None:
    await stage.press("5")
    await stage.until(lambda: len(stage.main.pane.model))
    await stage.settle()


def look(engine: FakeEngine) -> Look:
    site = Site(settings=settings("prod-minio"), snapshot=engine.snap)
    return Look(sites=(site,), current=0, now=NOW, mono=1000.0)


def detail(row: Tenant) -> str:
    engine = surveyed(row)
    return "\n".join(plain(c) for c in NamespacesView().detail(row, look(engine)))
