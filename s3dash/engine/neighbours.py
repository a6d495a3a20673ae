"""Solo mode beside namespaces: what lies below a registered namespace is never ours (scenario 53).

A namespace's files have keys like `web/files/a`, which look like paths of a datastore that has no
namespace. An index that names them, or a directory of that name in the cache, must lead nowhere.
"""

from collections.abc import Iterable
from itertools import chain

from s3dash.core import paths
from s3dash.core.keys import Keys
from s3dash.core.partitions import PEER_TOPS
from s3dash.engine.context import Context
from s3dash.engine.jobs import each
from s3dash.engine.remote import RemoteIndex
from s3dash.errors import NotFound, S3DashError

FEW = 8
"""Names up to which asking for each manifest is cheaper than a listing."""


def keep_out(ctx: Context, here: Iterable[str], index: RemoteIndex) -> None:
    """Block every path, of `here` or of the index, that belongs to a registered namespace.

    Asks nothing when all first segments are the peers' own. Raises what the store raises.
    """
    if ctx.keys.namespace is not None:
        return
    suspects: dict[str, list[str]] = {}
    for rel in chain(here, index.entries):
        head, slash, _ = rel.partition("/")
        if slash and head not in PEER_TOPS and paths.is_namespace(head):
            suspects.setdefault(head, []).append(rel)
    for name in registered(ctx, suspects):
        why = f"belongs to the namespace {name}"
        index.blocked.update(dict.fromkeys(suspects[name], why))


def registered(ctx: Context, names: Iterable[str]) -> list[str]:
    """Those of `names` that have a manifest, in any order. Raises what the store raises."""
    asked = set(names)
    if len(asked) > FEW:
        asked &= set(ctx.store.list_dirs(""))
    answers = each(
        lambda name: _has_manifest(ctx, name),
        sorted(asked),
        workers=ctx.settings.pull_concurrency,
        cancel=ctx.cancel,
        name="s3dash-neighbours",
    )
    found = []
    for name, answer in answers:
        if isinstance(answer, S3DashError):
            raise answer
        if answer:
            found.append(name)
    ctx.cancel.check()
    return found


def _has_manifest(ctx: Context, name: str) -> bool:
    try:
        ctx.store.head(Keys(name).manifest)
    except NotFound:
        return False
    return True
