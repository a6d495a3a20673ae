"""What follows for s3dash from each proof, held or not."""

from s3dash.objectstore.probe_base import NOT_ASKED, NOT_TRIED

_NO_LOCK = "no lock is safe here, and push is refused"

_FOLLOWS: dict[str, tuple[str, str]] = {
    "create": ("a lock is had by one such write", _NO_LOCK),
    "replace": (
        "heartbeats, takeovers and the index replace only what was read",
        f"{_NO_LOCK}; nobody takes over a stale lock",
    ),
    "create race": ("two never hold one lock", _NO_LOCK),
    "counter race": ("no commit is lost among many", _NO_LOCK),
    "read after write": (
        "what was committed can be verified at once",
        "a commit may fail its own verification, and is then tried again",
    ),
    "multipart": (
        "large files go in parts, and replace only what was meant",
        "a large file goes in one request where that can be conditional, else it is looked at "
        "right before: a moment is left in which another client's version can be replaced",
    ),
    "conditional copy": (
        "a renamed file's object is copied in one request, and never over another",
        "a renamed file's new name is held by a small object of ours until the copy is there",
    ),
    "stale delete": (
        "locks and objects are deleted only in the version that was meant",
        "locks are released by reading the nonce first, objects deleted by looking first: "
        "a moment is left in which another client's version can go",
    ),
    "server clock": (
        "a lock's age is told by the server's clock alone",
        "a lock's age cannot be told: stale locks are not taken over",
    ),
    "checksums": (
        "the endpoint itself refuses damaged uploads",
        "the endpoint stores what arrives: damage on the way is found at the next read only",
    ),
    "bulk delete": ("old records go in one request", "old records are not cleared away"),
    "keys": (
        "every name that a file can have can be stored",
        "files with such names can land elsewhere: do not use them here",
    ),
    "paging": ("large listings can be believed", "a listing cannot be believed: do not sync"),
    "ranges": (
        "a broken download goes on with the same version",
        "a download that breaks starts anew, and only its SHA-256 tells what arrived",
    ),
    "addressing": (
        "",
        "each request takes a detour, and large transfers fail",
    ),
    "lifecycle": ("", "files that the index names will not be there: change the rule"),
    "etags": (
        "an ETag is used as the name of a version, and for nothing else",
        "versions cannot be told apart: conditions cannot hold",
    ),
    "listing": (
        "an empty page or a login form is never taken for an empty bucket",
        "a listing cannot be believed: check `endpoint`",
    ),
}


def follows(name: str, seen: str, *, ok: bool) -> str:
    """What was seen, and in a second sentence its consequence, where there is one."""
    held, failed = _FOLLOWS.get(name, ("", ""))
    then = held if ok else failed
    if not then or seen.startswith((NOT_ASKED, NOT_TRIED)):
        return seen
    return f"{seen}. {then[0].upper()}{then[1:]}"
