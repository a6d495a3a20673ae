"""Endpoints and open uploads as tests of view 7 want them."""

from msgspec.structs import replace

from s3dash.core.endpoint import (
    EndpointFacts,
    Finding,
    Grant,
    OpenUploads,
    Proof,
    UploadRow,
)
from s3dash.tui.cells import plain
from s3dash.tui.look import Look, Site
from s3dash.tui.screens.uploads import UploadsScreen
from s3dash.tui.views.endpoints import EndpointsView
from tests.tui.driver import Stage
from tests.tui.fake_engine import NOW, FakeEngine, ago, idle

SAFE = Finding(
    at=ago(3600),
    locking="safe",
    checks=(Proof("create", True, "one winner"), Proof("keys", False, "not so: //")),
    grants=(Grant("s3:ListBucket", True, "granted", "lists"),),
)
UNSAFE = Finding(at=ago(60), locking="unsafe", checks=(Proof("create", False, "ignored"),))


def upload(number: int, **fields: object) -> UploadRow:
    known: dict[str, object] = {
        "age_s": 7200.0,
        "quiet_s": 7000.0,
        "parts": 2,
        "size": 10 << 20,
        "started": ago(7200),
    }
    return UploadRow(
        key=f"files/part-{number}",
        upload_id=f"id-{number}",
        **{**known, **fields},  # type: ignore[arg-type] # passed through
    )


OURS = upload(1, ours=True)
IN_USE = upload(2, ours=True, busy=True)
FRESH = upload(3, age_s=300.0, quiet_s=60.0)
FOREIGN = upload(4)


def look(*engines: FakeEngine, current: int = 0) -> Look:
    sites = tuple(Site(settings=e.settings, snapshot=e.snap) for e in engines)
    return Look(sites=sites, current=current, now=NOW, mono=1000.0)


def known(facts: EndpointFacts, name: str = "prod-minio", **over: object) -> FakeEngine:
    engine = FakeEngine(idle(name, endpoint=facts))
    engine.settings_ = replace(engine.settings_, **over)
    return engine


def detail(*engines: FakeEngine) -> str:
    at, view = look(*engines), EndpointsView()
    return "\n".join(plain(cell) for cell in view.detail(view.rows(at)[0], at))


async def view(stage: Stage) -> None:
    await stage.press("7")
    await stage.until(lambda: stage.app.look.snapshot.endpoint.uploads is not None)
    await stage.settle()


def opened(*rows: UploadRow) -> FakeEngine:
    engine = known(EndpointFacts())
    engine.endpoint.open = OpenUploads(rows=rows, at=ago(0))
    engine.endpoint.ours = {row.upload_id: row.busy for row in rows if row.ours}
    return engine


async def dialog(stage: Stage) -> None:
    await view(stage)
    await stage.press("M")
    await stage.opened(UploadsScreen)
    await stage.until(lambda: "Asking" not in stage.text())
    stage.clock.advance(1.0)
