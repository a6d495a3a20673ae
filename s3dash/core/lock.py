"""Lock bodies on the wire, and where a lock's key says it belongs."""

from typing import Literal

import msgspec

from s3dash.core import paths

Scope = Literal["global", "namespace", "model"]


class LockBody(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a lock object says. The first six fields are the peers'; `client` and `seq` ours."""

    holder: str = ""
    hostname: str = ""
    pid: int = 0
    acquiredAt: str = ""
    ttlMs: int = 30000
    nonce: str = ""
    client: str | None = None
    seq: int | None = None


class LockInfo(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A lock as users and scripts see it. Ages are by the server's clock, in seconds.

    `client` is the program, where the lock names it; left out of documents else.
    """

    key: str
    scope: Scope
    namespace: str | None
    model: str | None
    holder: str
    hostname: str
    pid: int
    acquired_at: str
    age_s: float
    ttl_ms: int
    expires_in_s: float
    stale: bool
    nonce: str
    client: str | None = None


class LockPlace(msgspec.Struct, frozen=True):
    scope: Scope
    namespace: str | None
    model: str | None


class _Ttl(msgspec.Struct, frozen=True):
    ttlMs: int | None = None


_DECODER = msgspec.json.Decoder(LockBody)
_TTL = msgspec.json.Decoder(_Ttl)
MAX_TTL_MS = 24 * 3600 * 1000


def decode_lock(raw: bytes) -> LockBody:
    """A body that cannot be read is an unknown holder's, never an error: it can be released."""
    try:
        body = _DECODER.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return LockBody(holder="(unreadable lock)")
    if not 0 < body.ttlMs <= MAX_TTL_MS:
        body = msgspec.structs.replace(body, ttlMs=30000)
    return body


def stated_ttl_ms(raw: bytes) -> int | None:
    """The time to live that the holder itself wrote; None when it wrote none that makes sense."""
    try:
        ttl_ms = _TTL.decode(raw).ttlMs
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None
    return ttl_ms if ttl_ms is not None and 0 < ttl_ms <= MAX_TTL_MS else None


def encode_lock(body: LockBody) -> bytes:
    return msgspec.json.format(msgspec.json.encode(body), indent=2)


def place(key: str) -> LockPlace | None:
    """Where the lock with this key (relative to the prefix) belongs; None when it is no lock."""
    if key == paths.GLOBAL_LOCK:
        return LockPlace("global", None, None)
    parts = key.split("/")
    if parts[0] == paths.LOCKS_DIR:
        name = parts[-1]
        if len(parts) == 2 and name.endswith(".lock") and name != ".lock":
            return LockPlace("namespace", name.removesuffix(".lock"), None)
        return None
    if parts[-1] != ".lock":
        return None
    if parts[0] == "data" and len(parts) >= 4:
        return LockPlace("model", None, "/".join(parts[1:-1]))
    if len(parts) >= 5 and parts[1] == "data":
        return LockPlace("model", parts[0], "/".join(parts[2:-1]))
    return None
