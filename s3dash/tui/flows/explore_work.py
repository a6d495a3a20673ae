"""What the Explorer does that takes a while: one piece of work at a time, and it can be stopped."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from s3dash.errors import Cancelled, UsageError
from s3dash.stores.explore.entry import Entry, Verdict, local_name
from s3dash.stores.explore.job import Job
from s3dash.tui.bridge import POLL_S
from s3dash.tui.flows.explore import changed, explorer_of
from s3dash.tui.format import count, size
from s3dash.tui.screens.modal import ask_user
from s3dash.tui.screens.naming import NameScreen

if TYPE_CHECKING:  # they load a lot, and come with the first bucket that is opened
    from s3dash.stores.explore.explorer import Explorer
    from s3dash.stores.explore.fetching import Fetched
    from s3dash.tui.app import DashApp

T = TypeVar("T")
Rows = Callable[[], list[Entry]]


async def work(app: "DashApp", job: Job, call: "Callable[[Explorer], T]") -> T:
    """One piece of work at a time, shown as it goes on and stopped by its token.

    Raises what it raises, UsageError while another one goes on.
    """
    place = app.exploring
    if place.at is None or place.job is not None:
        raise UsageError(f"{place.job.what if place.job else 'nothing'} is going on; x stops it")
    place.job = job
    settings = place.at

    def run() -> T:
        explorer = explorer_of(place, settings)
        with explorer.working(job):
            return call(explorer)

    doing = asyncio.ensure_future(app.ask(run))
    try:
        while not (await asyncio.wait({doing}, timeout=POLL_S))[0]:
            app.main.show()
        return await doing
    finally:
        job.cancel.cancel()
        place.job = None
        changed(app)


async def stop(app: "DashApp") -> None:
    job = app.exploring.job
    if job is not None:
        job.cancel.cancel()
        app.tell(f"stopping: {job.what} …")


async def verify(app: "DashApp", rows: Rows) -> None:
    """Hold the chosen ones, and all below directories, against their digests."""
    place = app.exploring
    chosen = [row for row in rows() if row.kind != "datastore"]
    if not chosen:
        app.tell("there is nothing to verify here")
        return
    job, shape, tally = Job("verifying"), place.shape, Tally()
    verdicts = place.verdicts
    if not any(row.is_dir for row in chosen):
        job.of, job.of_bytes = len(chosen), sum(row.size for row in chosen)

    def run(explorer: "Explorer") -> None:
        for entry, verdict in explorer.verify(chosen, shape, job):
            verdicts.add(entry, verdict)
            tally.add(entry, verdict)

    try:
        await work(app, job, run)
    except Cancelled:
        app.tell(f"stopped: {tally.text}", level="warning")
    else:
        app.tell(tally.text, level="error" if tally.damaged else "info")


class Tally:
    """What verifying came to."""

    def __init__(self) -> None:
        self.verified = self.damaged = self.unproved = 0
        self._first = ""

    def add(self, entry: Entry, verdict: Verdict) -> None:
        if verdict.outcome == "damaged":
            self._first = self._first or entry.name
            self.damaged += 1
        elif verdict.outcome == "verified":
            self.verified += 1
        else:
            self.unproved += 1

    @property
    def text(self) -> str:
        """In one line; damage comes first."""
        parts = [f"{self.damaged:,} DAMAGED, first {self._first}"] if self.damaged else []
        parts.append(f"{self.verified:,} verified")
        parts += [f"{self.unproved:,} without a proof"] if self.unproved else []
        return ", ".join(parts)


async def download(app: "DashApp", rows: Rows) -> None:
    """Bring the chosen ones into a place that the user names; a single one gets a name there."""
    place = app.exploring
    chosen = [row for row in rows() if row.kind != "datastore"]
    if not chosen or place.at is None:
        app.tell("there is nothing to download here")
        return
    single = chosen[0] if len(chosen) == 1 else None
    name = local_name(single) if single else ""
    what = single.name if single else count(len(chosen), "entry", "entries")
    about = "to this new file or directory" if single else "into this directory"
    screen = NameScreen(f"download {what}", about, given=name, clock=app.clock)
    typed = await (await ask_user(app, screen))
    if not typed:
        return
    job = Job("downloading")

    def run(explorer: "Explorer") -> "Fetched":
        to = Path(typed).expanduser()
        return (
            explorer.download_into(chosen, to, job)
            if single is None
            else explorer.download(single, to, job)
        )

    try:
        done = await work(app, job, run)
    except Cancelled:
        app.tell("download stopped; what had arrived whole stays", level="warning")
    else:
        _tell_fetched(app, done, typed)


def _tell_fetched(app: "DashApp", done: "Fetched", to: str) -> None:
    told = f"downloaded {count(done.files, 'file')}, {size(done.bytes)}, to {to}"
    if done.failed:
        told += f"; {len(done.failed):,} did not come: {done.failed[0]}"
    app.tell(told, level="warning" if done.failed else "info")
