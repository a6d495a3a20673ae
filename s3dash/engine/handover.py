"""Handing a plan over to another process of this machine, which carries on without a screen.

The ticket holds the plan exactly as the user confirmed it, each row with the versions that were
shown. Who carries on does a row only while those versions still stand, and nothing else: what
was left out stays out, and what appeared since stays as it is.
"""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec.structs import replace

from s3dash.clock import Clock
from s3dash.core.cancel import CancelToken
from s3dash.core.plan import Action, Plan
from s3dash.core.report import Result
from s3dash.core.settings import Datastore
from s3dash.core.text import count
from s3dash.engine.context import Context
from s3dash.errors import CacheBusy, Cancelled, LocalError, S3DashError, UsageError
from s3dash.local.fsio import telling
from s3dash.local.owner import OwnerLock

if TYPE_CHECKING:
    from s3dash.engine.engine import Engine

FORMAT = 1
POLL_S = 0.1
_DELETES = (Action.DELETE_REMOTE, Action.DELETE_LOCAL)


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """`place` is where the plan belongs: another bucket or cache never sees it."""

    format: int = FORMAT
    at: str
    place: tuple[str, ...]
    plan: Plan


def place_of(settings: Datastore) -> tuple[str, ...]:
    where = (settings.endpoint or "", settings.bucket, settings.prefix, settings.namespace or "")
    return (*where, str(settings.cache.absolute()))


def wait_until_free(
    settings: Datastore,
    *,
    clock: Clock,
    cancel: CancelToken,
    seconds: float,
    unless: Callable[[], bool] = lambda: False,
) -> None:
    """Wait until nobody owns the cache, or `unless` says that there is no need to.

    Raises CacheBusy after `seconds`, Cancelled when told.
    """
    owner = OwnerLock(settings.state_dir)
    until = clock.monotonic() + seconds
    while not owner.acquire():
        if unless():
            return
        if clock.monotonic() >= until:
            raise CacheBusy(f"this cache still belongs to {owner.owner() or 'another s3dash'}")
        clock.wait(cancel.event, POLL_S)
        cancel.check()
    owner.release()


class Handover:
    """On the facade: one side writes the ticket, the other carries on with it."""

    def __init__(self, ctx: Context, engine: "Engine", owner: OwnerLock) -> None:
        self._ctx = ctx
        self._engine = engine
        self._owner = owner

    def write(self, plan: Plan) -> Path:
        """The ticket for what is left of a plan. Raises LocalError when it cannot be written."""
        settings = self._ctx.settings
        ticket = Ticket(at=self._ctx.now(), place=place_of(settings), plan=_bare(plan))
        try:
            data = msgspec.json.encode(ticket)
        except UnicodeEncodeError as error:
            raise LocalError("a name in this plan cannot be written down") from error
        path = settings.state_dir / "handover.json"
        with telling(f"{path} cannot be written"):
            path.unlink(missing_ok=True)
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(data)
        return path

    def carry_on(self, path: Path, *, cancel: CancelToken | None = None) -> Result:
        """Do what is left of the plan of a ticket, which is used up by that.

        Raises UsageError for a ticket that is none or not ours, and what `Engine.run` raises.
        """
        ticket = self._take(path)
        plan = ticket.plan
        name = f"detached {plan.direction}"
        self._owner.describe(name)
        try:
            left = self._still_to_do(plan)
            told = f"{len(left.items):,} of {count(len(plan.items), 'row')} left"
            self._ctx.note("info", name, f"goes on without a screen, detached {ticket.at}: {told}")
            deletes = len(left.by(*_DELETES))
            result = self._engine.run(left, cancel=cancel, max_delete=deletes or None)
        except S3DashError as error:
            stopped = isinstance(error, Cancelled)
            how = "was stopped" if stopped else f"failed: {error.message}"
            self._ctx.note("warning" if stopped else "error", name, f"{how}; the rest stays dirty")
            raise
        finally:
            self._owner.describe("")  # who worked for another goes on with its own
        self._ctx.note("warning" if result.exit_code else "info", name, "has ended")
        return result

    def _take(self, path: Path) -> Ticket:
        with telling(f"{path} cannot be read"):
            data = path.read_bytes()
        try:
            ticket = msgspec.json.decode(data, type=Ticket)
        except (msgspec.MsgspecError, ValueError) as error:
            raise UsageError(f"{path} is no ticket of a detached operation") from error
        if ticket.format != FORMAT or ticket.place != place_of(self._ctx.settings):
            raise UsageError(f"{path} belongs to another datastore, cache or version of s3dash")
        if self._engine.read_only:
            raise CacheBusy(f"this cache belongs to {self._engine.read_only}")
        with telling(f"{path} cannot be used up"):
            path.unlink(missing_ok=True)  # another carrier was quicker: the owner lock decides
        return ticket

    def _still_to_do(self, plan: Plan) -> Plan:
        """Without the rows that are done already, so that none of them counts as moved since."""
        differs = {item.path for item in self._engine.plan("sync", hydration=plan.hydration).items}
        return plan.without({i.path for i in plan.items if i.path not in differs})


def _bare(plan: Plan) -> Plan:
    """Paths that are blocked are found anew; their names may be no text."""
    return replace(plan, blocked={})
