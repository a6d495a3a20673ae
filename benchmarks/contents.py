"""What is in a directory and in a bucket, by SHA-256: looked at with nothing of ours."""

import hashlib
import random
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import obstore
from obstore.store import S3Store

from benchmarks.runs import RunFailed
from tests.servers import Server

if TYPE_CHECKING:
    from obstore import ObjectMeta

OURS = ("_index/", "_control/", ".locks/", ".datastore")
"""What s3dash keeps in the bucket and in the cache beside the files."""
BLOCK = 1 << 20
WORKERS = 16
PER_DIRECTORY = 100

Contents = Mapping[str, str]
"""SHA-256 in hex by path or key."""
Versions = Mapping[str, tuple[str | None, datetime]]
"""ETag and time of the last write by key: they move when an object is written again."""


def fill(root: Path, count: int, size: int, *, seed: int = 1) -> None:
    """Files of random bytes, 100 in a directory: as many as a shard of the index holds."""
    dice = random.Random(seed)
    for number in range(count):
        directory = root / "data" / "bench" / f"{number // PER_DIRECTORY:03d}"
        directory.mkdir(parents=True, exist_ok=True)
        with (directory / f"file-{number:06d}.bin").open("wb") as out:
            for at in range(0, size, BLOCK):
                out.write(dice.randbytes(min(BLOCK, size - at)))


def of_directory(root: Path) -> dict[str, str]:
    """Every file below `root`, without what s3dash keeps beside them."""
    found = {}
    for path in sorted(root.rglob("*")):
        rel = path.relative_to(root).as_posix()
        if path.is_file() and not rel.startswith(OURS):
            with path.open("rb") as stream:
                found[rel] = hashlib.file_digest(stream, "sha256").hexdigest()
    return found


def of_bucket(server: Server, bucket: str) -> dict[str, str]:
    """Every object, listed and read, without what s3dash keeps beside the files."""
    store = store_of(server, bucket)

    def digest(key: str) -> str:
        whole = hashlib.sha256()
        for block in obstore.get(store, key).stream(min_chunk_size=BLOCK):
            whole.update(block)
        return whole.hexdigest()

    keys = [entry["path"] for entry in listed(store)]
    with ThreadPoolExecutor(WORKERS) as pool:
        return dict(zip(keys, pool.map(digest, keys), strict=True))


def versions(server: Server, bucket: str) -> dict[str, tuple[str | None, datetime]]:
    entries = listed(store_of(server, bucket))
    return {entry["path"]: (entry["e_tag"], entry["last_modified"]) for entry in entries}


def listed(store: S3Store) -> Iterator["ObjectMeta"]:
    """The files, without what s3dash keeps beside them."""
    for page in obstore.list(store):
        yield from (entry for entry in page if not entry["path"].startswith(OURS))


def store_of(server: Server, bucket: str) -> S3Store:
    return S3Store(
        bucket,
        endpoint=server.endpoint,
        access_key_id=server.access_key,
        secret_access_key=server.secret_key,
        region="us-east-1",
        virtual_hosted_style_request=False,
        client_options={"allow_http": True, "timeout": "1h"},
    )


def same(found: Contents, wanted: Contents, where: str) -> None:
    """Raises RunFailed when they differ, with the first few differences."""
    if dict(found) == dict(wanted):
        return
    missing = sorted(wanted.keys() - found.keys())
    extra = sorted(found.keys() - wanted.keys())
    other = sorted(key for key in wanted.keys() & found.keys() if wanted[key] != found[key])
    parts = {"missing": missing, "too many": extra, "different": other}
    words = [f"{len(keys)} {word} ({', '.join(keys[:3])})" for word, keys in parts.items() if keys]
    raise RunFailed(f"{where}: {'; '.join(words)}")
