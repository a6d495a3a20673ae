"""Looking after an index: check, see what would be done, do it."""

from typing import TYPE_CHECKING

from s3dash.core.cancel import CancelToken
from s3dash.core.index_care import IndexMigrated, Repaired, Verified
from s3dash.engine.api import EngineApi
from s3dash.errors import Cancelled, S3DashError
from s3dash.tui.care_rows import of_migrated, of_repaired, of_verified
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import duration, safe
from s3dash.tui.screens.index_care import IndexScreen, Job
from s3dash.tui.screens.modal import ask_user

if TYPE_CHECKING:
    from s3dash.tui.app import DashApp

SAMPLE = "5%"
_DOING: dict[Job, str] = {
    "verify": "checking the index",
    "full": "checking the index, every content too",
    "sample": f"checking the index, {SAMPLE} of the contents too",
    "plan-repair": "looking what is to be repaired",
    "repair": "repairing the index",
    "plan-migrate": "looking what a migration would do",
    "migrate": "migrating the index",
}
WRITING: tuple[Job, ...] = ("repair", "migrate")


async def show(app: "DashApp", first: Job) -> None:
    """The dialog; `first` is what it begins with."""
    site = app.look.site
    where = site.name + (f" / {site.settings.namespace}" if site.settings.namespace else "")
    care = _Care(app, app.engine, where)
    answered = await ask_user(app, care.screen)
    if not answered.done():
        await care.do(first)
        await answered


class _Care:
    """One dialog: what runs in it, and how it ends."""

    def __init__(self, app: "DashApp", engine: EngineApi, where: str) -> None:
        self._app = app
        self._engine = engine
        self._where = where
        self._token = CancelToken()
        self.screen = IndexScreen(
            where, look=lambda: app.look, clock=app.clock, do=self.do, stop=self._stop
        )

    def _stop(self) -> bool:
        self._token.cancel()
        return True

    async def do(self, job: Job) -> None:
        """Do it, unless nothing may be written now."""
        reason = self._app.why_not("care.confirm") if job in WRITING else ""
        if reason:
            self.screen.say(one(f"not now: {reason}", "warn"))
            return
        self._token = CancelToken()
        self.screen.begun(_DOING[job])
        try:
            await self._done(job)
        except Cancelled:
            stopped = "stopped; what was written holds, the next run ends it"
            self.screen.say(one(stopped if job in WRITING else "stopped", "warn"))
        except S3DashError as error:
            self.screen.failed(error)
            if job in WRITING:
                self._app.tell(f"index of {self._where}: {error.message}", level="error")
        self._app.poll()

    async def _done(self, job: Job) -> None:
        care, cancel, ask = self._engine.index_care, self._token, self._app.ask
        if job in ("verify", "full", "sample"):
            self._verified(
                await ask(
                    lambda: care.verify(
                        full=job == "full", sample=SAMPLE if job == "sample" else "", cancel=cancel
                    )
                )
            )
        elif job in ("plan-repair", "repair"):
            dry = job == "plan-repair"
            self._repaired(await ask(lambda: care.repair(dry_run=dry, cancel=cancel)))
        else:
            dry = job == "plan-migrate"
            self._migrated(await ask(lambda: care.migrate(dry_run=dry, cancel=cancel)))

    def _verified(self, found: Verified) -> None:
        good = found.is_clean
        told: Cell = (
            (f"{'✔' if good else '✖'} {found.sentence}", "good" if good else "bad"),
            (f"  {_cost(found)}", "dim"),
        )
        self.screen.ready(told, list(of_verified(found)), empty="Nothing is wrong.")

    def _repaired(self, done: Repaired) -> None:
        rows = list(of_repaired(done))
        if done.dry_run and done.done:
            self.screen.plan("repair", _told(done.sentence, "warn", _cost(done)), rows)
            return
        kept = f"  what was replaced is kept below {done.kept}" if done.kept else ""
        told = _told(f"✔ {done.sentence}", "good", f"{_cost(done)}{kept}")
        self.screen.ready(told, rows, empty="There is nothing to repair.")
        if not done.dry_run:
            self._app.tell(f"index of {self._where}: {done.sentence}")

    def _migrated(self, done: IndexMigrated) -> None:
        rows = list(of_migrated(done))
        if done.dry_run and not done.already:
            self.screen.plan("migrate", _told(done.sentence, "warn", _cost(done)), rows)
            return
        self.screen.ready(
            _told(f"✔ {done.sentence}", "good", _cost(done)), rows, empty="It is done."
        )
        if not done.dry_run:
            self._app.tell(f"index of {self._where}: {done.sentence}")


def _told(sentence: str, look: str, more: str) -> Cell:
    return ((safe(sentence), look), (f"  {safe(more)}", "dim"))


def _cost(done: Verified | Repaired | IndexMigrated) -> str:
    return f"{done.requests:,} requests, {duration(done.seconds)}"
