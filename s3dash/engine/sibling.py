"""Another namespace of the same datastore and cache, to be looked at beside our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from msgspec.structs import fields

from s3dash.core.keys import Keys
from s3dash.engine.addresses import state_file
from s3dash.engine.at_home import settled
from s3dash.engine.bus import Bus
from s3dash.engine.context import Context
from s3dash.engine.remote import READERS, IndexReader
from s3dash.engine.stage import Stage
from s3dash.local.atomic import CacheDir
from s3dash.local.sidecar import SidecarFile
from s3dash.local.state import State
from s3dash.local.trash import Trash


@contextmanager
def sibling(ctx: Context, namespace: str | None, *, writes: bool = False) -> Iterator[Context]:
    """The parts of an engine for `namespace`, on the same connection.

    Without `writes` its state is opened to read, and one that is not there is empty. What it does
    is announced to nobody, so that several can look at a time. Raises LocalError.
    """
    settings = ctx.excludes.settings.within(namespace)
    if not writes:  # what is moved from one layout to the other keeps the notes of the cache
        settings = settled(settings)
    state = State(state_file(settings), read_only=not writes)
    try:
        keys = Keys(namespace)
        other: dict[str, Any] = {
            "settings": settings,
            "keys": keys,
            "reader": IndexReader(ctx.store, keys, shelf=state, readers=READERS),
            "state": state,
            "cache": CacheDir(
                settings.cache, namespace=namespace, ignores_case=ctx.cache.ignores_case()
            ),
            "sidecar": SidecarFile(settings.cache, below=settings.sidecar_below),
            "bus": (bus := Bus()),
            "stage": Stage(bus, ctx.clock, settings.name),
            "trash": Trash(settings.state_dir / "trash", ctx.clock, namespace=namespace),
        }
        same = {f.name: getattr(ctx, f.name) for f in fields(ctx) if f.name not in other}
        yield Context(**same, **other)
    finally:
        state.close()
