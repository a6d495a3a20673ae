"""Endpoints: looking at them, the doctor's check, and uploads that nobody finished."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING

from msgspec.structs import replace

from s3dash.core.endpoint import Aborted, Finding, UploadRow
from s3dash.core.snapshot import BY_CHOICE, why_read_only
from s3dash.engine.api import EngineApi
from s3dash.errors import Cancelled, S3DashError
from s3dash.tui.format import count
from s3dash.tui.look import Site
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.screens.uploads import UploadsScreen

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp


def _engine(app: "DashApp", site: str) -> EngineApi:
    return app.engine_at([s.name for s in app.look.sites].index(site))


async def look(app: "DashApp", sites: Sequence[str]) -> None:
    """Ask each of these engines about its endpoint; the snapshots tell what they learn."""
    engines = [_engine(app, site) for site in sites]
    await asyncio.gather(*(app.ask(engine.endpoint.look) for engine in engines))
    app.poll()


async def check(app: "DashApp", site: str) -> None:
    """Let the doctor prove what the endpoint does, and tell how it ended."""
    engine = _engine(app, site)
    address = engine.settings.address
    app.tell(f"checking {address} …  x stops it")
    try:
        finding = await app.ask(engine.endpoint.examine)
    except Cancelled:
        app.tell(f"the check of {address} was stopped; nothing of it counts")
    except S3DashError as error:
        text = f"the check of {address} came to nothing: {error.message}  {error.hint}"
        app.tell(text.rstrip(), level="error")
    else:
        safe = finding.locking == "safe"
        app.tell(f"{address}: {sentence(finding)}", level="info" if safe else "error")
    app.poll()


def sentence(found: Finding) -> str:
    """What came out, in one line."""
    locks = "locks on it are safe" if found.locking == "safe" else "UNSAFE: no lock on it holds"
    parts = [locks, f"{len(found.checks) - len(found.broken)} of {len(found.checks)} checks hold"]
    if found.missing:
        parts.append(f"{count(len(found.missing), 'permission')} lacking")
    return ", ".join(parts)


async def stop(app: "DashApp", site: str) -> None:
    """End the check early; `check` tells when it has."""
    if _engine(app, site).endpoint.stop():
        app.tell("stopping the check, and cleaning up …")
    else:
        app.tell("no check is under way")


# --- uploads that lie open ----------------------------------------------------------------


async def uploads(app: "DashApp", site: str) -> None:
    """List them; abort those that were marked, and only those."""
    engine = _engine(app, site)
    sites = {s.name: s for s in app.look.sites if _is_same_place(s, engine)}
    refused = sites[site].snapshot.read_only
    screen = UploadsScreen(
        f"open uploads · {engine.settings.bucket}",
        look=lambda: app.look,
        clock=app.clock,
        refused=why_read_only(refused) if refused == BY_CHOICE else "",
    )
    answered = await ask_user(app, screen)
    owners: Mapping[str, str] = {}
    try:
        found = await app.ask(engine.endpoint.uploads)
        rows, owners = await _claimed(app, found.rows, sites)
    except S3DashError as error:
        screen.failed(error)
    else:
        screen.ready(rows)
    app.poll()
    chosen = await answered
    if chosen:
        await _abort(app, chosen, owners, site)


def _is_same_place(site: Site, engine: EngineApi) -> bool:
    """Whether a datastore of this screen has the same keys."""
    ours, theirs = engine.settings, site.settings
    return (ours.address, ours.bucket, ours.prefix) == (
        theirs.address,
        theirs.bucket,
        theirs.prefix,
    )


async def _claimed(
    app: "DashApp", rows: Sequence[UploadRow], sites: Collection[str]
) -> tuple[list[UploadRow], dict[str, str]]:
    """The rows as all our datastores know them, and whose each of ours is, by its id."""
    busy: dict[str, bool] = {}
    owners: dict[str, str] = {}
    for name in sites:
        claims = await app.ask(_engine(app, name).endpoint.claims)
        busy.update(claims)
        owners.update(dict.fromkeys(claims, name))
    known = [
        replace(row, ours=True, busy=row.busy or busy[row.upload_id])
        if row.upload_id in busy
        else row
        for row in rows
    ]
    return known, owners


async def _abort(
    app: "DashApp", rows: Sequence[UploadRow], owners: Mapping[str, str], site: str
) -> None:
    """Each by the engine whose it is; others' by the one that was asked."""
    done = Aborted()
    for name in dict.fromkeys(owners.get(row.upload_id, site) for row in rows):
        engine = _engine(app, name)
        mine = [row for row in rows if owners.get(row.upload_id, site) == name]
        try:
            one = await app.ask(lambda engine=engine, mine=mine: engine.endpoint.abort(mine))  # type: ignore[misc] # bound now
        except S3DashError as error:
            one = Aborted(failed=(error.message,))
        done = Aborted(done.done + one.done, done.kept + one.kept, (*done.failed, *one.failed))
    app.tell(told(done), level="warning" if done.kept or done.failed else "info")
    await look(app, [site])


def told(done: Aborted) -> str:
    """How it ended, in one line."""
    parts = [f"{count(done.done, 'upload')} aborted"]
    if done.kept:
        parts.append(f"{done.kept:,} kept: in use by a running operation")
    if done.failed:
        parts.append(f"{len(done.failed):,} failed: {done.failed[0]}")
    return "; ".join(parts)
