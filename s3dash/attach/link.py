"""An engine for a screen, whoever owns its cache: our own, or that of who was here first.

While another process owns the cache, calls go to it. When it ends the cache is taken over, and the
calls are our own engine's; when a `watch` comes it gets the cache, and we attach to that.
"""

import os
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from msgspec.structs import replace

from s3dash.attach import place
from s3dash.attach.calls import Call, only_looks
from s3dash.attach.client import Connection, meet
from s3dash.attach.facade import Facade
from s3dash.attach.following import Following
from s3dash.attach.held import Held, Lent, Own, owner_of
from s3dash.attach.server import serve
from s3dash.clock import Clock, SystemClock, iso
from s3dash.core.events import Level, Noted
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import Snapshot
from s3dash.engine.bus import Bus
from s3dash.errors import CacheBusy, Cancelled, LocalError, OwnerGone, S3DashError
from s3dash.local.owner import OwnerLock

if TYPE_CHECKING:
    from s3dash.engine.api import EngineApi

RETRY_S, QUICK_S = 2.0, 0.25
"""Between two tries to attach to an owner that refused, and to one that lets nobody in yet."""
LOOK_S = 0.05
LEAVING_S = 5.0
"""How long an owner that has closed its door may take to let go of the cache."""
HEIR_S = 10.0
"""How long a `watch` that asked for the cache may take to have it."""
SWITCH_S = 15.0
"""How long a call waits for the cache to be in somebody's hands again."""
GRACE_S = 5.0


def linked(
    settings: Datastore,
    opener: "Callable[[], EngineApi]",
    *,
    name: str = "screen",
    clock: Clock | None = None,
) -> "EngineApi":
    """Attach to the owner of the cache, else open it and let others attach to us, as `name`.

    Raises what `opener` raises.
    """
    return cast("EngineApi", Link(settings, opener, name=name, clock=clock or SystemClock()))


class Link(Facade):
    """`_held` is what calls go to; None while the cache changes hands."""

    def __init__(
        self,
        settings: Datastore,
        opener: "Callable[[], EngineApi]",
        *,
        name: str,
        clock: Clock,
    ) -> None:
        self._wanted = settings
        self._opener = opener
        self._name = name
        self._clock = clock
        self._bus = Bus()
        self._hands = threading.Condition()
        self._over = threading.Event()
        self._followers: list[Following] = []
        self._started = False
        self._held: Held | None = self._find()
        self._last = self._held.snapshot()
        self._settings = self._held.settings
        self._keeper = threading.Thread(target=self._keep, name="s3dash-keeper", daemon=True)
        self._keeper.start()

    # --- what a screen asks -------------------------------------------------------------

    @property
    def settings(self) -> Datastore:
        held = self._held
        return self._settings if held is None else held.settings

    def start(self) -> None:
        """Those of another process look by themselves."""
        self._started = True
        held = self._held
        if isinstance(held, Own):
            held.engine.start()

    def stop(self) -> None:
        """Our own engine ends; that of another goes on without what we had begun."""
        self._over.set()
        with self._hands:
            held, self._held = self._held, None
            self._hands.notify_all()
        if held is not None:
            self._last = held.snapshot()
            held.close()
        if threading.current_thread() is not self._keeper:
            self._keeper.join(GRACE_S)

    def snapshot(self) -> Snapshot:
        held = self._held
        return self._last if held is None else held.snapshot()

    def subscribe(self, *, capacity: int = 1024) -> Following:
        follower = Following(self._bus.subscribe(capacity=capacity), capacity, self._forget)
        with self._hands:
            self._followers.append(follower)
            follower.follow(self._held)
        return follower

    def ask(self, call: Call, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """A look that the owner's end cuts short is taken again by who owns the cache then."""
        held = self._at_hand()
        try:
            return held.ask(call, args, options)
        except OwnerGone:
            if self._over.is_set() or not only_looks(call.name, options):
                raise
        return self._at_hand(but=held).ask(call, args, options)

    def _at_hand(self, *, but: Held | None = None) -> Held:
        with self._hands:
            self._hands.wait_for(
                lambda: self._over.is_set() or self._held not in (None, but), SWITCH_S
            )
            held = self._held
        if self._over.is_set():
            raise Cancelled("the engine was stopped")
        if held is None or held is but:
            raise CacheBusy("this cache is changing hands", hint="try again in a moment")
        return held

    def _forget(self, follower: Following) -> None:
        with self._hands:
            self._followers = [one for one in self._followers if one is not follower]

    # --- whose it is --------------------------------------------------------------------

    def _find(self) -> Held:
        """Attach, else open. Raises S3DashError when neither can be."""
        met = self._meet()
        if isinstance(met, Connection):
            return Lent(met)
        engine = self._opener()
        owner = owner_of(engine)
        if owner or self._wanted.readonly:
            return Own(engine, beside=met or owner, retry_s=RETRY_S if met else QUICK_S)
        own = Own(engine)
        try:
            own.door = serve(
                engine, self._name, on_room=lambda: self._make_room(own), clock=self._clock
            )
        except LocalError as error:
            self._note(f"nobody can attach to this screen: {error.message}", "warning")
        return own

    def _meet(self) -> Connection | str:
        if place.address(self._wanted.state_dir) is None:
            return ""
        return meet(self._wanted, rows=True, clock=self._clock, on_event=self._bus.publish)

    def _make_room(self, own: Own) -> None:
        """A `watch` wants the cache. Called by the door."""
        if own.is_at_work():
            raise CacheBusy(f"a {self._name} (pid {os.getpid()}) is at work on this cache")
        own.wanted.set()

    def _keep(self) -> None:
        """Sees to it that there is somebody who owns the cache, until the end."""
        while not self._over.is_set():
            held = self._held
            if isinstance(held, Lent):
                self._outlive(held)
            elif isinstance(held, Own) and held.beside:
                self._wait_beside(held)
            elif isinstance(held, Own):
                held.wanted.wait()
                self._give(held)

    def _outlive(self, held: Lent) -> None:
        connection = held.connection
        connection.lost.wait()
        auto = connection.snapshot().auto.enabled
        if not self._let_go(held, f"{connection.who} has ended; the cache changes hands"):
            return
        self._await_heir(connection.heir_s, before=connection.pid)
        fresh = self._find_again()
        if isinstance(fresh, Own) and not (fresh.beside or fresh.settings.readonly):
            off = auto and not fresh.settings.auto_sync
            more = "; auto-sync is off here, A turns it on" if off else ""
            self._note(f"{connection.who} has ended: this cache is ours now{more}", "warning")

    def _wait_beside(self, held: Own) -> None:
        """For the end of an owner that could not be attached to."""
        if self._over.wait(held.retry_s):
            return
        met = self._meet()
        if isinstance(met, Connection):
            if self._let_go(held, f"attaching to {met.who}"):
                held.close()
                self._take(Lent(met))
            else:
                met.close()
            return
        told = f"{held.beside} has ended; the cache changes hands"
        if OwnerLock(self._wanted.state_dir).is_free() and self._let_go(held, told):
            held.close()
            self._find_again()

    def _give(self, held: Own) -> None:
        if not self._let_go(held, "a watch takes this cache over"):
            return
        held.close(heir_s=HEIR_S)
        self._await_heir(HEIR_S)
        self._find_again()

    def _await_heir(self, seconds: float, *, before: int | None = None) -> None:
        """Until somebody new can be attached to, or it is nobody's: with `seconds` that does not
        count before an heir had it, or these are over. `before` is who has it until then."""
        until = self._clock.monotonic() + (seconds or LEAVING_S)
        owner = OwnerLock(self._wanted.state_dir)
        heir_came = not seconds
        while self._clock.monotonic() < until:
            is_free = owner.is_free()
            if place.address(self._wanted.state_dir) is not None or (is_free and heir_came):
                return
            heir_came = heir_came or (not is_free and owner.pid not in (None, before))
            if self._over.wait(LOOK_S):
                return

    # --- changing hands -----------------------------------------------------------------

    def _let_go(self, held: Held, why: str) -> bool:
        """Nobody has it now; False when the screen ended first."""
        with self._hands:
            if self._over.is_set() or self._held is not held:
                return False
            self._settings = held.settings
            last = held.snapshot()
            self._last = replace(last, state="starting", detail=why)
            self._held = None
        self._note(why, "warning")
        return True

    def _find_again(self) -> Held | None:
        """Whoever has the cache now; None when the screen ended first."""
        told = ""
        while not self._over.is_set():
            try:
                fresh = self._find()
            except S3DashError as error:
                if error.message != told:
                    told = error.message
                    self._note(f"this cache cannot be opened: {told}", "error")
                self._over.wait(RETRY_S)
            else:
                return fresh if self._take(fresh) else None
        return None

    def _take(self, fresh: Held) -> bool:
        with self._hands:
            ended = self._over.is_set()
            if not ended:
                self._held = fresh
                for follower in self._followers:
                    follower.follow(fresh)
                self._hands.notify_all()
        if ended:
            fresh.close()
            return False
        if isinstance(fresh, Lent):
            self._note(f"attached to {fresh.connection.who}")
        elif isinstance(fresh, Own):
            self._begin(fresh)
        return True

    def _begin(self, fresh: Own) -> None:
        """What was known goes on being shown."""
        fresh.engine.census.adopt(self._last.tenants, asked=True)
        fresh.engine.endpoint.adopt(self._last.endpoint.finding)
        if self._started:
            fresh.engine.start()

    def _note(self, text: str, level: Level = "info") -> None:
        now = iso(self._clock.now())
        self._bus.publish(
            Noted(at=now, datastore=self._wanted.name, level=level, operation="cache", text=text)
        )
