"""What the Explorer changes: uploads, directories, names, and deletions that were confirmed."""

from pathlib import Path
from typing import TYPE_CHECKING

from s3dash.errors import Cancelled, S3DashError
from s3dash.objectstore.port import ObjectInfo
from s3dash.stores.explore.entry import Doomed, Entry, Removed
from s3dash.stores.explore.job import Job
from s3dash.tui.cells import Cell, one
from s3dash.tui.flows.explore import again
from s3dash.tui.flows.explore_work import Rows, work
from s3dash.tui.format import count, safe, size
from s3dash.tui.screens.decide import DecideScreen
from s3dash.tui.screens.deletion import DeletionScreen
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.screens.naming import NameScreen

if TYPE_CHECKING:
    from s3dash.stores.explore.explorer import Explorer
    from s3dash.tui.app import DashApp


async def _name(app: "DashApp", title: str, about: str, *, given: str = "") -> str:
    """What the user types; empty: nothing is to be done."""
    return await (await ask_user(app, NameScreen(title, about, given=given, clock=app.clock))) or ""


async def upload(app: "DashApp") -> None:
    """Send a file of this machine; what is there already is replaced only after a question."""
    place = app.exploring
    shape, prefix = place.shape, place.prefix
    typed = await _name(app, f"upload into {place.crumbs}", "the file of this machine")
    if not typed:
        return
    source, over = Path(typed).expanduser(), None
    if shape != "blobs":
        over = await work(app, Job("looking"), lambda e: e.found(e.key_for(source.name, prefix)))
    if over is not None and not await _replace(app, over):
        app.tell("nothing was sent")
        return
    job = Job("uploading")
    try:
        key = await work(app, job, lambda e: e.upload(source, prefix, shape, job, over=over))
    except Cancelled:
        app.tell("cancelled, nothing changed", level="warning")
    else:
        app.tell(f"uploaded {size(job.bytes)} as {key}")
        await again(app, goal=key)


async def _replace(app: "DashApp", over: ObjectInfo) -> bool:
    lines: list[Cell] = [
        one("There is an object of that name, and no trash for it.", "warn"),
        one(""),
        one(f"  {safe(over.key)}", "strong"),
        one(f"  {size(over.size)}, ETag {safe(over.etag)}", "dim"),
    ]
    screen = DecideScreen("upload", lines, "replace it", clock=app.clock)
    answer = await (await ask_user(app, screen))
    return bool(answer)


async def mkdir(app: "DashApp") -> None:
    place = app.exploring
    prefix = place.prefix
    typed = await _name(app, f"new directory in {place.crumbs}", "its name")
    if typed:
        key = await work(app, Job("making it"), lambda e: _made(e, typed, prefix))
        app.tell(f"made {key}")
        await again(app, goal=key)


def _made(explorer: "Explorer", typed: str, prefix: str) -> str:
    key = explorer.key_for(f"{typed.rstrip('/')}/", prefix)
    explorer.mkdir(key)
    return key


async def rename(app: "DashApp", entry: Entry, *, keep: bool) -> None:
    """Another name for an object, or for a directory of files; `keep` leaves the old one, too."""
    place = app.exploring
    shape, prefix = place.shape, place.prefix
    if entry.kind == "datastore" or (entry.is_dir and (keep or shape != "files")):
        app.tell("only an object can be copied here, and only a directory of files be renamed")
        return
    verb = "copy" if keep else "rename"
    about = "its new name, here; one that begins with / counts from the top"
    typed = await _name(app, f"{verb} {entry.name}", about, given=entry.key[len(prefix) :])
    if not typed:
        return

    job = Job("copying" if keep else "renaming")

    def run(explorer: "Explorer") -> str:
        target = explorer.key_for(typed, prefix)
        if keep:
            explorer.copy(entry, target, shape)
        else:
            explorer.rename(entry, target, shape, job)
        return target

    try:
        target = await work(app, job, run)
    except Cancelled:
        app.tell("stopped; the same name again continues it", level="warning")
        return
    app.tell(f"{'copied' if keep else 'renamed'} {entry.key} to {target}")
    await again(app, goal=f"{target.rstrip('/')}/" if entry.is_dir else target)


# --- deletions ------------------------------------------------------------------------------


async def delete(app: "DashApp", rows: Rows) -> None:
    """List all that would go, show it, and delete exactly that when the user says so."""
    place = app.exploring
    shape = place.shape
    chosen = [row for row in rows() if row.kind != "datastore"]
    if not chosen:
        app.tell("there is nothing to delete here")
        return
    word = chosen[0].name.rstrip("/") if len(chosen) == 1 else "delete"
    screen = DeletionScreen(place.crumbs, word, clock=app.clock)
    answered = await ask_user(app, screen)
    looking = Job("listing what would go")
    try:
        doomed = await work(app, looking, lambda e: e.doomed(chosen, shape))
    except S3DashError as error:
        screen.failed(error)
        await answered
        return
    screen.ready(doomed)
    if await answered:
        await _delete(app, doomed)


async def _delete(app: "DashApp", doomed: Doomed) -> None:
    shape, job = app.exploring.shape, Job("deleting")
    try:
        done = await work(app, job, lambda e: e.remove(doomed, shape, job))
    except Cancelled:
        app.tell(f"stopped: {job.done:,} deleted, the others stay", level="warning")
    else:
        app.tell(told(done), level="warning")
    app.exploring.verdicts.forget(info.key for info in doomed.objects)
    await again(app)


def told(done: Removed) -> str:
    parts = [f"{count(done.done, 'object')} deleted"]
    if done.failed:
        parts.append(f"{len(done.failed):,} stayed: {done.failed[0]}")
    return "; ".join(parts)
