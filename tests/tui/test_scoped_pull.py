"""`p` in view 5 with real engines on one cache: what lands where, and that we are home again."""

import asyncio
from pathlib import Path

from msgspec.structs import replace

from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine
from s3dash.local.owner import OwnerLock
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.tui.app import DashApp
from s3dash.tui.process import stop_all
from s3dash.tui.screens.plan import PlanScreen
from tests.engine.test_census import register
from tests.engine.world import Machine
from tests.tui.driver import WIDE, Stage
from tests.tui.fake_engine import FakeClock


def machine(home: Path, bucket: MemoryBucket, namespace: str) -> Machine:
    return Machine(home, lambda: MemoryStore(bucket), namespace=namespace)


def filled(tmp_path: Path) -> MemoryBucket:
    """Two registered namespaces that somebody else has pushed to."""
    bucket = MemoryBucket()
    for slug in ("infra", "web"):
        register(MemoryStore(bucket), slug)
        bob = machine(tmp_path / f"bob-{slug}", bucket, slug)
        bob.write(f"files/of-{slug}", slug)
        bob.push()
    return bucket


def test_a_foreign_namespace_is_pulled_into_this_cache_without_joining_it(tmp_path: Path) -> None:
    bucket = filled(tmp_path)
    ada = machine(tmp_path / "ada", bucket, "infra")
    ada.pull()
    ada.write("files/mine", "not pushed yet")
    before = sorted(bucket.objects())

    def open_namespace(_: str, namespace: str | None) -> Engine:
        return open_engine(replace(ada.settings, namespace=namespace), store=MemoryStore(bucket))

    async def script() -> DashApp:
        clock = FakeClock()
        app = DashApp([ada.engine()], open_namespace=open_namespace, clock=clock)
        async with app.run_test(size=WIDE) as pilot:
            stage = Stage(app, pilot, clock)
            await stage.press("5")
            await stage.until(lambda: app.look.snapshot.tenants.state == "asked")
            await stage.settle()
            await stage.press("j")
            row = stage.main.pane.model.current
            assert row is not None
            assert row.slug == "web"
            await stage.press("p")
            await stage.opened(PlanScreen)
            await stage.until(lambda: "files/of-web" in stage.text())
            assert not (ada.cache / "web/files").exists()
            clock.advance(1.0)
            await stage.press("enter")
            await stage.until(lambda: "still working in infra" in stage.event)
            assert "1 down" in stage.event
            await stage.until(lambda: app.look.snapshot.tenants.state == "asked")
            await stage.settle()
            (web,) = [t for t in app.look.snapshot.tenants.rows if t.slug == "web"]
            assert (web.left_files, web.left_size) == (1, 3)
            await stage.until(lambda: app.look.snapshot.dirty)
            assert [dirty.path for dirty in app.look.snapshot.dirty] == ["files/mine"]
            assert app.look.snapshot.read_only == ""
        return app

    app = asyncio.run(script())
    stop_all(app.opened)
    assert (ada.cache / "web/files/of-web").read_text() == "web"
    assert ada.read("files/mine") == b"not pushed yet"
    assert sorted(bucket.objects()) == before
    lock = OwnerLock(ada.settings.state_dir)
    assert lock.acquire()  # nobody holds on to the cache
    lock.release()
    assert ada.push().pushed == 1
    assert ada.sidecar()["dirtyPaths"] == []
