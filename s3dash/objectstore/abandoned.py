"""Uploads in parts that nobody finished: what they hold is paid for, and no listing shows it."""

from s3dash.objectstore.port import ObjectStore, OpenUpload

ABANDONED_S = 7 * 86_400.0
SHOWN = 3


def abandoned(store: ObjectStore, *, prefix: str = "") -> list[OpenUpload]:
    """Uploads that somebody began more than 7 days ago, by the server's clock; oldest first.

    They are shown and never aborted: a machine that sleeps may still mean to go on.
    """
    found = []
    for upload in store.list_uploads(prefix):
        if upload.started is None or upload.server_time is None:
            continue
        age_s = (upload.server_time - upload.started).total_seconds()
        if age_s > ABANDONED_S:
            found.append((age_s, upload.key, upload))
    return [upload for _, _, upload in sorted(found, key=lambda row: (-row[0], row[1]))]


def sentence(found: list[OpenUpload]) -> str:
    """What a user should know of them, and do."""
    keys = ", ".join(upload.key for upload in found[:SHOWN])
    more = f" and {len(found) - SHOWN} more" if len(found) > SHOWN else ""
    return (
        f"unfinished uploads of more than 7 days take up space in the bucket: {keys}{more}; "
        "a lifecycle rule (AbortIncompleteMultipartUpload) removes them"
    )
