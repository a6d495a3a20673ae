"""What the cache holds beside what this engine works with: shown, and left alone.

Without a namespace that is other namespaces' directories; with one, also what the layout without
namespaces left at the top (source: the shared-datastore protocol, «Never synced»).
"""

import os
from collections.abc import Iterable
from typing import Literal

from s3dash.core import paths
from s3dash.core.partitions import PEER_TOPS
from s3dash.core.report import Leftover
from s3dash.engine.context import Context
from s3dash.engine.sibling import sibling
from s3dash.local import tally

SOLO = "solo"
Kind = Literal["solo", "namespace"]


def find(ctx: Context) -> list[Leftover]:
    """One row for each namespace that this cache was never synced with, one for the solo layout.

    Raises LocalError when the cache cannot be read, Cancelled.
    """
    foreign = [name for name in _beside(ctx) if _is_foreign(ctx, name) and not _is_known(ctx, name)]
    rows = [_counted(ctx, name, "namespace", [name]) for name in foreign]
    if ctx.keys.namespace is not None:
        rows.append(solo(ctx))
    return [row for row in rows if row.files]


def solo(ctx: Context) -> Leftover:
    """What the layout without namespaces left beside our own one; raises as `find` does."""
    directories = [name for name in _beside(ctx) if not _is_foreign(ctx, name)]
    row = _counted(ctx, SOLO, "solo", directories)
    top = [size for name, size in tally.files(ctx.settings.cache) if paths.is_data(name)]
    return Leftover(name=SOLO, kind="solo", files=row.files + len(top), size=row.size + sum(top))


def _beside(ctx: Context) -> list[str]:
    return [name for name in tally.directories(ctx.settings.cache) if name != ctx.keys.namespace]


def _is_foreign(ctx: Context, name: str) -> bool:
    """With a namespace of ours, every directory that may be one; else those with a manifest."""
    if not paths.is_namespace(name) or name in PEER_TOPS:
        return False
    if ctx.keys.namespace is not None:
        return True
    return os.path.lexists(ctx.settings.cache / name / paths.NAMESPACE_MANIFEST)


def _is_known(ctx: Context, name: str) -> bool:
    """Whether it was pulled or pushed from here: then it is no leftover."""
    with sibling(ctx, name) as other:
        return bool(other.state.base_rows())


def _counted(ctx: Context, name: str, kind: Kind, below: Iterable[str]) -> Leftover:
    sizes = [
        size
        for directory in below
        for rel, size in tally.sizes(ctx.settings.cache / directory, ctx.cancel)
        if paths.is_data(f"{directory}/{rel}")
    ]
    return Leftover(name=name, kind=kind, files=len(sizes), size=sum(sizes))
