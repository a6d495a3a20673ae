"""The banner: what outweighs everything else now, in words, with what helps. Pure."""

from s3dash.core.snapshot import Snapshot, why_read_only
from s3dash.tui.cells import EMPTY, Cell, wrapped
from s3dash.tui.format import clock_time, countdown, duration, safe
from s3dash.tui.glyphs import health_sign, state_sign
from s3dash.tui.look import Look

SKEW_S = 5.0
"""A difference of the clocks that is worth a word."""
REFUSED_S = 900.0
"""S3 refuses requests that are dated further off than this."""
LINES = 3


def lines(look: Look, view: str, width: int) -> list[Cell]:
    """The banner in at most three lines; none when all is well."""
    cell = banner(look, view)
    return wrapped(cell, width, LINES) if cell else []


def banner(look: Look, view: str = "") -> Cell:
    """The weightiest thing there is to say; `view` is the one in front."""
    snapshot = look.snapshot
    for told in (_trouble, _waiting, _unsafe, _read_only, _skew, _watching):
        cell = told(look)
        if cell:
            return cell
    if snapshot.bulk_dirty and view == "dirty":
        return _warning(
            "FULL WALK",
            "tracking overflowed or is new: the whole cache is compared; that is slower, "
            "and nothing is missed",
        )
    return _warning("⚠ NOTE", safe(snapshot.message)) if snapshot.message else EMPTY


def _warning(badge: str, text: str) -> Cell:
    return ((f" {badge} ", "badge"), (f" {text}", "warn"))


def _trouble(look: Look) -> Cell:
    """The endpoint does not answer, or not as it should."""
    snapshot = look.snapshot
    if snapshot.healthy:
        return EMPTY
    sign = health_sign(snapshot)
    soon = ""
    if snapshot.next_look_s is not None:
        soon = f"  next look in {countdown(snapshot.next_look_s)}"
    since = f"since {clock_time(snapshot.offline_since)}: " if snapshot.offline_since else ""
    return (
        (f" {sign.glyph} {sign.word.upper()} ", "alarm"),
        (f" {since}{_cause(look)}", "bad"),
        *(((f"  {safe(hint)}", ""),) if (hint := _hint(snapshot)) else ()),
        (soon, "dim"),
    )


def _cause(look: Look) -> str:
    """For a permission: what was refused, where, and to whom."""
    snapshot = look.snapshot
    trouble = snapshot.trouble
    if trouble is None or trouble.kind != "denied" or not trouble.action:
        return safe(snapshot.message)
    who = snapshot.endpoint.identity or look.settings.profile or "these credentials"
    return f"{safe(trouble.action)} on {safe(trouble.resource)} is refused to {safe(who)}"


def _hint(snapshot: Snapshot) -> str:
    return snapshot.trouble.hint if snapshot.trouble is not None else ""


def _waiting(look: Look) -> Cell:
    snapshot = look.snapshot
    if snapshot.state not in ("backing off", "waiting for lock"):
        return EMPTY
    sign = state_sign(snapshot)
    return _warning(f"{sign.glyph} {sign.word.upper()}", safe(snapshot.detail))


def _unsafe(look: Look) -> Cell:
    """No lock there can be trusted: pushes are refused, or go on because the user said so."""
    if look.settings.locking == "unsafe":
        text = 'locking = "unsafe": nothing keeps two writers apart; be the only one'
    elif look.snapshot.endpoint.locking == "unsafe":
        text = "this endpoint holds no lock, so nothing is pushed to it; see 7 Endpoints"
    else:
        return EMPTY
    return ((" ⚠ LOCKS UNSAFE ", "alarm"), (f" {text}", "bad"))


def _read_only(look: Look) -> Cell:
    owner = look.snapshot.read_only
    return _warning("READ-ONLY", safe(why_read_only(owner))) if owner else EMPTY


def _skew(look: Look) -> Cell:
    seconds = look.snapshot.endpoint.skew_s
    if seconds is None or abs(seconds) <= SKEW_S:
        return EMPTY
    way = "ahead of" if seconds > 0 else "behind"
    harm = "locks and versions do not go by it: only times shown here are off"
    if abs(seconds) >= REFUSED_S:
        harm = "requests that far off are refused: set this clock"
    far = duration(abs(seconds))
    return _warning("◷ CLOCKS DIFFER", f"the server's is {far} {way} this machine's; {harm}")


def _watching(look: Look) -> Cell:
    watch = look.snapshot.watch
    if watch.mode == "polling":
        return _warning("POLLING", safe(watch.detail))
    if watch.mode == "off" and watch.detail:
        return _warning("NOT WATCHING", safe(watch.detail))
    return EMPTY
