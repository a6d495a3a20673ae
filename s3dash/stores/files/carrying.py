"""One object from key to key, on the server, and the markers of directories."""

from s3dash.errors import FileThere, NotFound, PreconditionFailed
from s3dash.objectstore.port import ObjectInfo
from s3dash.stores.files.names import SLASH
from s3dash.stores.opened import Opened

MARKER = "application/x-directory"


def carry(opened: Opened, found: ObjectInfo, target: str) -> str | None:
    """Copy the version that was found; the copy's ETag, None when that version is gone, or a file
    stands where a marker would.

    A marker goes by way of us: some endpoints cannot copy a key that ends with a slash.
    """
    try:
        if not found.key.endswith(SLASH):
            return opened.store.copy(found.key, target, if_match=found.etag, size=found.size).etag
        if not found.size:
            return put_marker(opened, target)
        whole = opened.store.get(found.key, if_match=found.etag)
        return opened.steady.put(target, whole.body).etag if whole is not None else None
    except (NotFound, PreconditionFailed, FileThere):
        return None


def put_marker(opened: Opened, marker: str) -> str:
    """Mark a directory, whether it is marked or not; the marker's ETag.

    Without a condition some endpoints would put it in the place of a file; with one they refuse it
    where a directory once was. Raises FileThere.
    """
    try:
        return opened.steady.put(marker, b"", if_none_match=True, content_type=MARKER).etag
    except PreconditionFailed as refused:
        there = opened.store.first(marker)
        if there and there[0].key == marker:
            return there[0].etag
        plain = marker.removesuffix(SLASH)
        try:
            opened.store.head(plain)
        except NotFound:
            return opened.steady.put(marker, b"", content_type=MARKER).etag
        raise FileThere(f"{plain!r} is there already") from refused
