"""One conflict, decided by the user and carried out by the same machinery as any push or pull.

Nothing is decided blindly: the user decides between two versions, and only while the path still
has those two. The version that is not taken stays readable: the local one in the trash or under
a name of its own, the one in the bucket in the trash, where it is brought before it is replaced.
"""

from s3dash.core.plan import Item, Plan, conflict_of
from s3dash.core.report import ConflictInfo, same_versions
from s3dash.core.settings import Take
from s3dash.engine.context import Context
from s3dash.engine.observe import CLASHES
from s3dash.errors import CommitConflict, UsageError


def chosen(ctx: Context, plan: Plan, path: str, *, take: Take, shown: ConflictInfo | None) -> Plan:
    """The part of a fresh plan that carries the decision out.

    `shown` are the versions that the user decided between; None: those that are there now.
    Raises UsageError where there is no conflict, CommitConflict where it is another one now.
    """
    mine = plan.only(path)
    item = next((i for i in mine.items if i.change.verdict in CLASHES), None)
    if item is None:
        reason = mine.blocked.get(path)
        raise UsageError(
            f"{path} is not in conflict" + (f": {reason}" if reason else ""),
            hint="`s3dash conflicts` lists those that are",
        )
    if shown is not None and not same_versions(conflict_of(item.change), shown):
        raise CommitConflict(
            f"{path} has changed since you saw it; nothing was done", hint="look at it again"
        )
    if take != "local":
        _check_unfinished(ctx, item)
    return mine


def _check_unfinished(ctx: Context, item: Item) -> None:
    """An interrupted push may have replaced the object already: then only our trash has it."""
    if any(row.rel == item.path and row.action == "upload" for row in ctx.state.journal()):
        raise CommitConflict(
            f"{item.path}: the local version is on its way already, a push was interrupted",
            hint=f"`s3dash push {item.path}` ends it; the other version is in the trash",
        )
