"""Whether an endpoint may be written to: proved once, remembered per cache for a week.

What is remembered is the dialect too: how the endpoint wants its conditions, which every
conditional request then follows, from the first one of a process on.
"""

from collections.abc import Collection, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from datetime import timedelta

import msgspec
from msgspec.structs import replace

from s3dash.clock import from_iso
from s3dash.core.plan import Item
from s3dash.engine.context import Context, new_nonce
from s3dash.errors import UnsafeEndpoint
from s3dash.objectstore.examination import Joining
from s3dash.objectstore.port import Capabilities
from s3dash.objectstore.probe import SPECIAL, Special, quick_probe, special_probe
from s3dash.objectstore.threads import Threads

TRUST_DAYS = 7
_LARGE: tuple[Special, ...] = ("complete",)
TESTING = "testing the endpoint"
_PROBING = "probing"
_ALIVE: set[str] = set()
"""Nonces of the probes that this process has under way: nobody cleans up after these."""


class _Proved(msgspec.Struct, frozen=True):
    """`also`: what was asked about of that which only some pushes need."""

    at: str
    quotes: bool
    can: Capabilities
    also: tuple[Special, ...] = ()


_DECODER = msgspec.json.Decoder(_Proved)


def capabilities(ctx: Context, *, also: Collection[Special] = _LARGE) -> Capabilities:
    """What the endpoint can do. Raises UnsafeEndpoint when no lock on it can be trusted.

    What is not asked for in `also` may be told as lacking. With `locking = "unsafe"` in the
    config a failed proof is told, and not an error.
    """
    return Proof(ctx).capabilities(also=also)


class Proof:
    """What an endpoint can do: asked when it is needed, or begun a while before."""

    def __init__(self, ctx: Context) -> None:
        self._ctx = ctx
        self._pool: Threads | None = None
        self._found: Future[Capabilities] = Future()

    def begin(self) -> None:
        """Ask in the background what every push needs, unless it is known already."""
        if _remembered(self._ctx) is None:
            self._pool = Threads(1, thread_name_prefix="s3dash-proof")
            self._pool.submit(self._ask)

    def capabilities(self, *, also: Collection[Special] = _LARGE) -> Capabilities:
        """As the function of this name, but for the wait."""
        can = self._asked() if self._pool is not None else _remembered(self._ctx)
        if can is None:
            return _trusted(self._ctx, _prove(self._ctx, also=also))
        for name in also:
            if not _knows(self._ctx, name):
                can = _prove_special(self._ctx, can, name)
        return _trusted(self._ctx, can)

    def close(self) -> None:
        """Wait until nothing is asked any more, and all that was made is gone. What was found is
        kept, what failed is nobody's concern: nobody needed the answer."""
        if self._pool is not None:
            self._pool.shutdown(wait=True)
            if self._found.exception() is None:
                self._keep(self._found.result())

    def _ask(self) -> None:
        try:
            with _probing(self._ctx) as (nonce, killed):
                quick_probe(
                    self._ctx.store,
                    nonce=nonce,
                    also=(),
                    killed=killed,
                    on_found=self._found.set_result,
                )
        except BaseException as error:  # noqa: BLE001 - raised by who asks for the answer
            if not self._found.done():
                self._found.set_exception(error)

    def _asked(self) -> Capabilities:
        with self._ctx.stage.during("comparing", TESTING):
            can = self._found.result()
        self._keep(can)
        return can

    def _keep(self, can: Capabilities) -> None:
        if can.safe and _remembered(self._ctx) is None:
            remember(self._ctx, can, also=())
        else:
            _speak(self._ctx, quotes=self._ctx.store.etag_quotes, can=can)


@contextmanager
def proof(ctx: Context, *, soon: bool) -> Iterator[Proof]:
    """`soon`: it will be needed, most likely. A cache that was never synced and has files is about
    to be pushed: then the endpoint is asked while both sides are looked at."""
    found = Proof(ctx)
    if soon and not ctx.state.has_base() and _has_files(ctx):
        found.begin()
    try:
        yield found
    finally:
        found.close()


def _has_files(ctx: Context) -> bool:
    base = ctx.cache.base
    return base.is_dir() and any(not path.name.startswith(".") for path in base.iterdir())


def _trusted(ctx: Context, can: Capabilities) -> Capabilities:
    if can.safe:
        return can
    reason = f"{ctx.settings.address} does not honour conditional writes ({_missing(can)})"
    if ctx.settings.locking == "unsafe":
        ctx.note("warning", "push", f'{reason}; going on, as `locking = "unsafe"` says')
        return can
    raise UnsafeEndpoint(
        f"{reason}: a lock there protects nothing, so nothing was pushed",
        hint='see `s3dash doctor`; if you are the only writer: locking = "unsafe"',
    )


def needed(ctx: Context, uploads: Collection[Item]) -> list[Special]:
    """What these need besides what every push does: some go in parts, some are copies."""
    store, need = ctx.store, list[Special]()
    if isinstance(store, Joining) and any(one.size > store.multipart_above for one in uploads):
        need.append("complete")
    if any(one.source is not None for one in uploads):
        need.append("copies")
    return need


def recall_dialect(ctx: Context) -> None:
    """Speak to the endpoint as it was proved to want it, however long ago. Asks nothing."""
    proved = _recorded(ctx)
    if proved is not None:
        _speak(ctx, quotes=proved.quotes, can=proved.can)


def _missing(can: Capabilities) -> str:
    names = {"If-None-Match": can.create, "If-Match": can.replace, "one winner a race": can.races}
    return ", ".join(name for name, held in names.items() if not held)


def _key(ctx: Context) -> str:
    return f"endpoint:{ctx.settings.address}/{ctx.settings.bucket}"


def _recorded(ctx: Context) -> _Proved | None:
    """Only a good proof counts: a bad one may be mended meanwhile, or never have been one."""
    text = ctx.state.get(_key(ctx))
    if text is None:
        return None
    try:
        proved = _DECODER.decode(text)
    except msgspec.MsgspecError:
        return None
    return proved if proved.can.safe else None


def _remembered(ctx: Context) -> Capabilities | None:
    proved = _recorded(ctx)
    at = from_iso(proved.at) if proved is not None else None
    if proved is None or at is None:
        return None
    if not timedelta(0) <= ctx.clock.now() - at < timedelta(days=TRUST_DAYS):
        return None
    _speak(ctx, quotes=proved.quotes, can=proved.can)
    return proved.can


def _knows(ctx: Context, name: Special) -> bool:
    proved = _recorded(ctx)
    return proved is not None and name in proved.also


@contextmanager
def _probing(ctx: Context) -> Iterator[tuple[str, tuple[str, ...]]]:
    """A nonce for a probe, and those of probes that were killed here: this one cleans up after
    them too, so that what they began does not lie open."""
    noted = (ctx.state.get(_PROBING) or "").split()
    nonce = new_nonce()
    ctx.state.set(_PROBING, " ".join((*noted, nonce)))
    _ALIVE.add(nonce)
    try:
        yield nonce, tuple(other for other in noted if other not in _ALIVE)
    finally:
        _ALIVE.discard(nonce)
    ctx.state.unset(_PROBING)


def _prove(ctx: Context, *, also: Collection[Special]) -> Capabilities:
    with ctx.stage.during("comparing", TESTING), _probing(ctx) as (nonce, killed):
        can = quick_probe(ctx.store, nonce=nonce, also=also, killed=killed)
    _speak(ctx, quotes=ctx.store.etag_quotes, can=can)
    if can.safe:
        remember(ctx, can, also=also)
    return can


def _prove_special(ctx: Context, can: Capabilities, name: Special) -> Capabilities:
    """What was not asked when all else was proved; that is as old as it was."""
    with ctx.stage.during("comparing", TESTING), _probing(ctx) as (nonce, killed):
        held = special_probe(ctx.store, name, nonce=nonce, killed=killed)
    can = replace(can, **{name: held})
    before = _recorded(ctx)
    if before is not None:
        _note(ctx, msgspec.structs.replace(before, can=can, also=(*before.also, name)))
    _speak(ctx, quotes=ctx.store.etag_quotes, can=can)
    return can


def remember(
    ctx: Context,
    can: Capabilities,
    *,
    quotes: bool | None = None,
    also: Collection[Special] = tuple(SPECIAL),
) -> None:
    """What was just proved of the endpoint. `quotes`: the dialect, None: that of the store.

    What is not safe is forgotten: the next push proves it again.
    """
    if not can.safe:
        ctx.state.unset(_key(ctx))
        return
    spoken = ctx.store.etag_quotes if quotes is None else quotes
    _note(ctx, _Proved(ctx.now(), spoken, can, tuple(also)))
    _speak(ctx, quotes=spoken, can=can)


def _note(ctx: Context, proved: _Proved) -> None:
    ctx.state.set(_key(ctx), msgspec.json.encode(proved).decode())


def proved_at(ctx: Context) -> str:
    """When a push proved that locks hold here, an ISO time; empty when none did."""
    proved = _recorded(ctx)
    return proved.at if proved is not None else ""


def _speak(ctx: Context, *, quotes: bool, can: Capabilities) -> None:
    ctx.store.etag_quotes = quotes
    if isinstance(ctx.store, Joining):
        ctx.store.joins_on_condition = can.complete
