"""Where a file is fetched to: never over another one, and never into the cache, by accident."""

from pathlib import Path
from typing import BinaryIO

import msgspec

from s3dash.core import paths
from s3dash.engine.context import Context
from s3dash.errors import LocalError, TargetTaken, UsageError
from s3dash.local import deliver, fsio
from s3dash.local.scan import FileStat
from s3dash.local.trash import Reason


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where it goes. `rel` is its path in our cache, None: it lies outside. `old` is in its way."""

    target: Path
    rel: str | None = None
    old: FileStat | None = None


def place_for(ctx: Context, to: Path, path: str, *, force: bool) -> Place:
    """The place that `to` names: a file, or a directory that takes `path` under its own name.

    Raises TargetTaken for one in the cache without `force`, UsageError and LocalError for what
    can be none.
    """
    with fsio.telling(f"{to} cannot be written"):
        if to.is_dir():
            to = to / path.rpartition("/")[2]
        if not to.parent.is_dir():
            told = f"{to.parent} is no directory"
            raise LocalError(told, hint="make it first, or name another one")
        target = to.parent.resolve() / to.name
        root, base = ctx.cache.root.resolve(), ctx.cache.base.resolve()
    if not target.is_relative_to(root):
        return Place(target=target, old=deliver.stat_of(target))
    rel = target.relative_to(base).as_posix() if target.is_relative_to(base) else ""
    if not rel or not paths.is_data(rel):
        raise UsageError(
            f"{to} lies in the cache, where it belongs to others", hint="another place: --to FILE"
        )
    if not force:
        raise TargetTaken(
            f"{to} lies in the cache of {ctx.settings.name}: the next push would send it",
            hint="another place: --to FILE; or --force, if it is to be pushed",
        )
    ctx.cache.target(rel)
    return Place(target=target, rel=rel, old=deliver.stat_of(target))


def must_may(place: Place, *, force: bool) -> None:
    """Raises TargetTaken when another file is there, unless `force`."""
    if place.old is not None and not force:
        raise TargetTaken(
            f"{place.target} is there already, and is another file; it was not touched",
            hint="another place: --to FILE; or --force to replace it",
        )


def install(ctx: Context, place: Place, temp: BinaryIO) -> None:
    """Put a staged file there, durably; in the cache the old one goes to the trash."""
    if place.rel is None:
        deliver.deliver(temp, place.target, over=place.old)
        return
    temp.flush()
    ctx.cache.install(
        Path(temp.name), place.rel, expected=place.old, trash=ctx.trash, old_reason=Reason.LOST
    )
