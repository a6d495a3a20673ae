"""What users do with the trash, and its limits. A file comes out as carefully as one is pulled."""

from pathlib import Path

from s3dash.core.report import TrashItem
from s3dash.engine.context import Context
from s3dash.engine.observe import LocalView
from s3dash.errors import LocalError, UsageError
from s3dash.local import fsio
from s3dash.local.scan import hash_file
from s3dash.local.trash import Trashed
from s3dash.local.trash_limits import Limits, enforce


def listing(ctx: Context) -> list[TrashItem]:
    """The files of this namespace in the trash, oldest first."""
    return [_item(found) for found in ctx.trash.list()]


def restore(ctx: Context, id: str, *, to: str | None) -> str:
    """Put a file back where it was, or at `to`; the path where it is now.

    It leaves the trash when it is durable there. A file that is there already and has the same
    bytes is left alone. Raises UsageError when another one is, PathBlocked, LocalError.
    """
    item = _find(ctx, id)
    rel = to or item.rel
    if not rel:
        raise UsageError(
            f"{id}: where it was is not known, its record was lost",
            hint="say where it shall go: --to PATH",
        )
    ctx.cache.check()
    target = ctx.cache.target(rel)
    if target.is_file():
        _must_be_same(target, rel, ctx.trash.path(id))
        return rel
    _put_back(ctx, ctx.trash.path(id), rel)
    ctx.trash.drop(id)
    ctx.note("info", "trash", f"restored {rel}")
    return rel


def drop(ctx: Context, id: str) -> TrashItem:
    """Destroy a file in the trash, whatever it is; the user says so."""
    item = _find(ctx, id)
    ctx.trash.drop(id)
    ctx.note("warning", "trash", f"dropped {item.rel or id}, SHA-256 {item.sha256 or 'unknown'}")
    return _item(item)


def keep_within_limits(ctx: Context, local: LocalView | None) -> None:
    """After an operation. `local` is the cache as it is now. What fails is told, no more."""
    settings = ctx.settings
    limits = Limits(settings.trash_max_age_days, settings.trash_max_size)
    try:
        done = enforce(
            ctx.trash,
            limits,
            now=ctx.clock.now(),
            is_in_place=lambda item: _is_in_place(ctx, local, item),
        )
    except LocalError as error:
        ctx.note("warning", "trash", error.message)
        return
    if done.dropped:
        ctx.note("info", "trash", f"{done.dropped} files left it, {done.freed} bytes")


def _find(ctx: Context, id: str) -> Trashed:
    ctx.trash.path(id)  # raises for what is no id
    item = ctx.trash.record(id)
    own = item is not None and (not item.rel or item.namespace == ctx.settings.namespace)
    if item is None or not own:
        raise LocalError(f"{id} is not in the trash", hint="`s3dash trash` lists the ids")
    return item


def _item(found: Trashed) -> TrashItem:
    return TrashItem(
        id=found.id,
        path=found.rel,
        sha256=found.sha256,
        size=found.size,
        at=found.at,
        reason=found.reason,
        expires=found.settled,
    )


def _must_be_same(target: Path, rel: str, blob: Path) -> None:
    if hash_file(target)[0] != hash_file(blob)[0]:
        raise UsageError(
            f"{rel} exists and is another file; it is not overwritten",
            hint="put it beside: --to PATH",
        )


def _put_back(ctx: Context, blob: Path, rel: str) -> None:
    """By way of the staging directory: on any disk there is the whole file or none."""
    with ctx.cache.staging() as temp:
        staged = Path(temp.name)
        with fsio.telling(f"{rel} cannot be restored"):
            staged.unlink()
            fsio.link_or_copy(blob, staged)
        ctx.cache.install(staged, rel, expected=None, trash=ctx.trash)


def _is_in_place(ctx: Context, local: LocalView | None, item: Trashed) -> bool:
    """The bytes are also those of the file that is there now; looked up first, then read."""
    if local is None or not item.rel or item.namespace != ctx.settings.namespace:
        return False
    stat = local.scan.files.get(item.rel)
    if stat is None or local.sha256(item.rel, stat) != item.sha256:
        return False
    return hash_file(ctx.cache.base / item.rel)[0] == item.sha256
