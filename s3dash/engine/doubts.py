"""Uploads that are there no more when they are to be committed (I1).

An upload takes no lock. Who deletes holds it, but names a version by its ETag, and equal bytes
have equal ETags: a file that is put back while its deletion is under way may be taken for the old
one. What is about to be deleted is on record first, so that under the lock the uploads that a
fresh record names are looked at again.
"""

from collections.abc import Iterable

from s3dash.engine import intents
from s3dash.engine.commit import Edit
from s3dash.engine.context import Context
from s3dash.engine.pin import replaced

FRESH_S = 900.0
"""How long a holder of the lock may go on with its deletions, by the server's clock."""


def vanished(ctx: Context, edits: Iterable[Edit], *, records: intents.Listing) -> set[str]:
    """Paths of `edits` whose uploaded version is not in the bucket any more.

    To be asked under the lock. Costs a listing of the records when there are new entries, and a
    request for each fresh record. Raises what the store raises.
    """
    made = {e.rel: e for e in edits if e.entry is not None and e.over is None and e.etag}
    if not made:
        return set()
    deleted = intents.deleted_lately(ctx, records, within_s=FRESH_S)
    doubtful = {r: e.etag for r, e in made.items() if e.etag and e.tag in deleted.get(r, ())}
    return replaced(ctx, doubtful)
