"""Proofs 8 to 10: checksums, bulk deletion, and which names come back as they were sent."""

import base64
import hashlib
import io
import tempfile
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, Protocol, runtime_checkable

from s3dash.errors import Integrity, S3DashError
from s3dash.objectstore.probe_base import FENCED, NO_ENDPOINT, Broken, Probe, body_of, exists, need


@runtime_checkable
class Checksummed(Protocol):
    """A store that can send a checksum with a PUT. `value` is base64."""

    def put_checked(
        self, key: str, body: bytes, *, algorithm: Literal["SHA256", "CRC32"], value: str
    ) -> None: ...


def checksums(probe: Probe) -> str:
    """Probe 8: a right CRC32 is accepted and a wrong SHA-256 is refused."""
    store = probe.store
    if not isinstance(store, Checksummed):
        return NO_ENDPOINT
    if probe.fenced:
        return FENCED
    body = b"checked"
    right = base64.b64encode(zlib.crc32(body).to_bytes(4, "big")).decode()
    store.put_checked(probe.key("crc32"), body, algorithm="CRC32", value=right)
    wrong = base64.b64encode(hashlib.sha256(b"other").digest()).decode()
    try:
        store.put_checked(probe.key("sha256"), body, algorithm="SHA256", value=wrong)
    except Integrity:
        return "right CRC32 accepted, wrong SHA-256 refused"
    raise Broken("right CRC32 accepted, but a wrong SHA-256 too")


def bulk_delete(probe: Probe) -> str:
    """Probe 9: several keys in one request, one of them missing; a listing proves it."""
    store = probe.store
    if probe.fenced:
        return "not asked: a fence takes no deletion without a condition"
    keys = [probe.key(f"bulk/{i}") for i in range(3)]
    for key in keys:
        probe.write(key, b"x")
    store.delete_many([*keys, probe.key("bulk/missing")])
    left = [i.key for i in store.list(probe.root + "bulk/")]
    need(not left, f"{len(left)} of {len(keys)} objects are still listed")
    return f"{len(keys)} deleted in one request, a missing one is fine"


OURS = {
    "space": "a b",
    "+": "a+b",
    "%2F": "a%2Fb",
    "NFC": "caf\u00e9",
    "NFD": "cafe\u0301",
    "d/x": "d/x",
    "\\": "w\\x",
}
"""Names that a file can have: s3dash may have to store them."""
OTHERS = {
    "//": "y//z",
    "control character": "c\x01d",
}
"""Names that only other programs make: s3dash shows them as blocked, whatever they do."""
NO_FILES = {
    "d/": "d/",
    "300-byte segment": "n" * 300,
}
"""As OTHERS, and never the name of a file. Asked only where keys are no files: `rclone serve s3`
refuses them, lists them all the same from then on, and deletes them never."""


def keys(probe: Probe) -> str:
    """Probe 10: odd names through PUT, LIST, GET and DELETE, by each SDK that can."""
    kinds = {**OURS, **OTHERS}
    are_files = not _holds_both(probe)
    if not are_files:
        kinds |= NO_FILES
    failed = _round_trip(probe, "keys/", kinds)
    failed |= {f"{kind} (bulk)" for kind in _bulk_trip(probe, OURS) if kind not in failed}
    good = [kind for kind in kinds if kind not in failed]
    bent = [kind for kind in OURS if kind in failed or f"{kind} (bulk)" in failed]
    odd = sorted(failed - set(bent))
    told = f"as sent: {', '.join(good)}" + (f"; not so: {', '.join(odd)}" if odd else "")
    if are_files:
        told += "; keys are files here: none ends in / or lies below another"
    need(not bent, f"not as sent: {', '.join(bent)}; {told}")
    return told


def _holds_both(probe: Probe) -> bool:
    """Whether `f` and `f/x` can be objects at the same time, which no file system allows."""
    upper, lower = probe.key("both/f"), probe.key("both/f/x")
    probe.write(upper, b"upper")
    try:
        probe.write(lower, b"lower")
        return body_of(probe.store, upper) == b"upper" and body_of(probe.store, lower) == b"lower"
    except S3DashError:
        return False


def _round_trip(probe: Probe, below: str, kinds: dict[str, str]) -> set[str]:
    """The kinds that did not come back. A body is its kind, so that aliases are seen."""
    store, failed = probe.store, set()
    made = {kind: probe.key(below + name) for kind, name in kinds.items()}
    for kind, key in made.items():
        try:
            probe.write(key, kind.encode())
        except S3DashError:
            failed.add(kind)
    listed = _listed(probe, probe.root + below)
    for kind, key in made.items():
        if kind not in failed and (key not in listed or not _reads(probe, key, kind.encode())):
            failed.add(kind)
    for kind, key in made.items():
        try:
            probe.remove(key)
            gone = not exists(store, key)
        except S3DashError:
            gone = False
        if not gone:
            failed.add(kind)
    return failed


def _listed(probe: Probe, prefix: str) -> set[str]:
    try:
        return {info.key for info in probe.store.list(prefix)}
    except S3DashError:  # one name that spoils the listing spoils them all
        return set()


def _reads(probe: Probe, key: str, body: bytes) -> bool:
    """Through both SDKs; the store gives to each what it can name."""
    sink = io.BytesIO()
    try:
        probe.store.download(key, sink)
        return body_of(probe.store, key) == body == sink.getvalue()
    except S3DashError:
        return False


def _bulk_trip(probe: Probe, kinds: dict[str, str]) -> Sequence[str]:
    """The kinds that cannot be sent as a file, on condition, in the dialect that was found."""
    failed = []
    with tempfile.TemporaryDirectory(prefix="s3dash-probe-") as directory:
        for kind, name in kinds.items():
            file = Path(directory) / "body"
            file.write_bytes(kind.encode())
            key = probe.key("bulk-keys/" + name)
            try:
                sent = probe.store.upload(key, file, if_none_match=True)
                file.write_bytes(kind.encode() + b", again")
                probe.store.upload(key, file, if_match=sent.etag)
                held = body_of(probe.store, key) == file.read_bytes()
            except S3DashError:
                held = False
            if not held:
                failed.append(kind)
    return failed
