"""Names that s3dash makes up for files."""

from datetime import UTC, datetime

from s3dash.core.paths import MAX_SEGMENT_BYTES


def conflict_name(rel: str, *, host: str, at: datetime, sha256: str) -> str:
    """Where the local version goes when both are kept: `name.conflict-<host>-<utc>-<sha8>`.

    The name is shortened where it would be longer than a file name may be.
    """
    safe_host = "".join(c if c.isalnum() or c in "-_." else "-" for c in host)[:32]
    stamp = at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    tail = f".conflict-{safe_host}-{stamp}-{sha256[:8] or 'unhashed'}"
    folder, slash, name = rel.rpartition("/")
    room = MAX_SEGMENT_BYTES - len(tail)
    short = name.encode()[:room].decode(errors="ignore")
    return f"{folder}{slash}{short}{tail}"
