"""Whether an endpoint may be written to: proved once, remembered per cache for a week.

What is remembered is the dialect too: how the endpoint wants its conditions, which every
conditional request then follows, from the first one of a process on.
"""

from datetime import timedelta

import msgspec

from s3dash.clock import from_iso
from s3dash.engine.context import Context, new_nonce
from s3dash.errors import UnsafeEndpoint
from s3dash.objectstore.examination import Joining
from s3dash.objectstore.port import Capabilities
from s3dash.objectstore.probe import quick_probe

TRUST_DAYS = 7


class _Proved(msgspec.Struct, frozen=True):
    at: str
    quotes: bool
    can: Capabilities


_DECODER = msgspec.json.Decoder(_Proved)


def capabilities(ctx: Context) -> Capabilities:
    """What the endpoint can do. Raises UnsafeEndpoint when no lock on it can be trusted.

    With `locking = "unsafe"` in the config a failed proof is told, and not an error.
    """
    can = _remembered(ctx) or _prove(ctx)
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


def _prove(ctx: Context) -> Capabilities:
    with ctx.stage.during("comparing", "testing the endpoint"):
        can = quick_probe(ctx.store, nonce=new_nonce())
    _speak(ctx, quotes=ctx.store.etag_quotes, can=can)
    if can.safe:
        remember(ctx, can)
    return can


def remember(ctx: Context, can: Capabilities, *, quotes: bool | None = None) -> None:
    """What was just proved of the endpoint. `quotes`: the dialect, None: that of the store.

    What is not safe is forgotten: the next push proves it again.
    """
    if not can.safe:
        ctx.state.unset(_key(ctx))
        return
    spoken = ctx.store.etag_quotes if quotes is None else quotes
    ctx.state.set(_key(ctx), msgspec.json.encode(_Proved(ctx.now(), spoken, can)).decode())
    _speak(ctx, quotes=spoken, can=can)


def proved_at(ctx: Context) -> str:
    """When a push proved that locks hold here, an ISO time; empty when none did."""
    proved = _recorded(ctx)
    return proved.at if proved is not None else ""


def _speak(ctx: Context, *, quotes: bool, can: Capabilities) -> None:
    ctx.store.etag_quotes = quotes
    if isinstance(ctx.store, Joining):
        ctx.store.joins_on_condition = can.complete
