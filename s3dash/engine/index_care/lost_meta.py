"""What else tells of a meta that is lost, or makes no sense."""

from contextlib import suppress

import msgspec

from s3dash.core.index import Meta, decode_meta
from s3dash.engine import intents
from s3dash.engine.context import Context
from s3dash.errors import IndexCorrupt

_LOOSE = msgspec.json.Decoder(dict[str, msgspec.Raw])


def known_meta(ctx: Context) -> Meta | None:
    """The meta that this machine read last, as far as it is kept."""
    doc = ctx.reader.docs().get(ctx.keys.meta)
    with suppress(IndexCorrupt):  # then nothing is known
        return decode_meta(doc.body, name=ctx.keys.meta) if doc else None
    return None


def last_seq(ctx: Context) -> int:
    """The highest commitSeq that anybody is known to have made, 0 for none.

    What follows must be higher, so that no reader takes it for what it has.
    """
    known = known_meta(ctx)
    said = (known.commitSeq if known else 0, ctx.sidecar.read().commitSeq or 0)
    return max(*said, intents.latest_seq(ctx))


def stated_version(raw: bytes) -> int | None:
    """The version in a meta that is otherwise broken; None when it says none."""
    try:
        return msgspec.json.decode(_LOOSE.decode(raw)["version"], type=int)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError, KeyError):
        return None
