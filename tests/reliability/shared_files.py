"""Two users of one bucket on SeaweedFS, and what every file should be: the truth of a kill test."""

import hashlib
import json
import os
import random
from collections import Counter
from collections.abc import Iterator, Set
from pathlib import Path
from typing import Any

from s3dash.core.paths import is_data
from s3dash.engine.lease import delete_if_nonce
from s3dash.objectstore.port import Capabilities
from tests.servers import Server

FILES = 300
BIG = 17 << 20
"""Bytes; such a file goes in parts."""

CONDITIONS = Capabilities(create=True, replace=True, delete=True)


class User:
    """A cache, a state directory and a configuration file below `home`."""

    def __init__(self, home: Path, server: Server, bucket: str) -> None:
        self.name = home.name
        self.home = home
        self.cache = home / "cache"
        self.cache.mkdir(parents=True)
        table = {
            "bucket": bucket,
            "endpoint": server.endpoint,
            "region": "us-east-1",
            "force_path_style": True,
            "cache": "cache",
            "request_timeout_ms": 10_000,
        }
        toml = "".join(f"{name} = {json.dumps(value)}\n" for name, value in table.items())
        credentials = 'credentials = {access_key_id = "env:K", secret_access_key = "env:S"}\n'
        (home / "s3dash.toml").write_text("[datastores.shared]\n" + toml + credentials)
        self.environ = {
            "HOME": str(home),
            "PATH": os.environ.get("PATH", ""),
            "XDG_STATE_HOME": str(home / "state"),
            "AWS_EC2_METADATA_DISABLED": "true",
            "K": server.access_key,
            "S": server.secret_key,
        }

    def files(self) -> dict[str, bytes]:
        """The data in the cache, by path."""
        paths = (p for p in self.cache.rglob("*") if p.is_file())
        rels = {p.relative_to(self.cache).as_posix(): p for p in paths}
        return {rel: path.read_bytes() for rel, path in rels.items() if is_data(rel)}

    def trashed(self) -> Iterator[bytes]:
        return (p.read_bytes() for p in (self.home / "state").rglob("trash/*.blob"))

    def litter(self) -> list[str]:
        """What a crash left that no user asked for."""
        staged = (self.cache / "_control/s3dash/tmp").glob("*")
        beside = self.cache.rglob("_catalog.db-s3dash-*")
        parts = (self.home / "state").rglob("trash/*.part")
        records = (self.home / "state").rglob("trash/*.json")
        idle = (p for p in records if not p.with_suffix(".blob").exists())
        return [str(p.relative_to(self.home)) for p in (*staged, *beside, *parts, *idle)]


class Truth:
    """What users wrote: `files` is what all should end with, `written` all there ever was."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.files: dict[str, bytes] = {}
        self.written: set[bytes] = set()
        self.copies: Counter[bytes] = Counter()
        self._count = 0

    def first(self, user: User) -> None:
        for number in range(FILES):
            self._write(user, f"{self._top()}/{number:03}", keep=True)

    def edit(self, user: User, *, big: bool, conflicts_with: Set[str] = frozenset()) -> set[str]:
        """Edits, additions and deletions at random; the paths. Some are edited by both users."""
        dice = self.dice
        before = [r for r in sorted(self.files.keys() - conflicts_with) if ".conflict-" not in r]
        touched = set(dice.sample(before, dice.choice((10, 30, 60))))
        gone = {rel for rel in touched if dice.random() < 0.15}
        for rel in gone:
            (user.cache / rel).unlink()
            del self.files[rel]
        added = {f"{self._top()}/new-{self._count + n}" for n in range(len(gone))}
        for rel in sorted(touched - gone | added):
            self._write(user, rel, keep=True)
        large = f"files/big-{user.name}"
        if big and large not in conflicts_with:
            added.add(large)
            self._write(user, large, keep=True, size=BIG)
        clashing = [rel for rel in sorted(conflicts_with) if rel in self.files]
        for rel in dice.sample(clashing, min(3, len(clashing))):
            if (user.cache / rel).is_file():
                self.copies[self._write(user, rel, keep=False)] += 1
        return touched | added

    def _top(self) -> str:
        return self.dice.choice(("files/a", "files/b", "logs", "data/t/m/1"))

    def _write(self, user: User, rel: str, *, keep: bool, size: int = 0) -> bytes:
        self._count += 1
        pad = size or self.dice.randrange(2000)
        body = f"{self._count} {user.name} {rel} ".encode().ljust(pad, b".")
        path = user.cache / rel
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body)
        self.written.add(body)
        if keep:
            self.files[rel] = body
        return body


class Bucket:
    """The bucket as any client sees it, behind the back of s3dash."""

    def __init__(self, server: Server, tmp_path: Path) -> None:
        self.name = server.make_bucket()
        self._client = server.client()
        self._store = server.store(self.name, tmp_path)

    def bodies(self) -> dict[str, bytes]:
        """Every data object."""
        return {key: self.get(key) for key in self.etags() if is_data(key)}

    def etags(self) -> dict[str, str]:
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        found = [item for page in pages for item in page.get("Contents", ())]
        return {item["Key"]: item["ETag"].strip('"') for item in found}

    def get(self, key: str) -> bytes:
        return self._client.get_object(Bucket=self.name, Key=key)["Body"].read()

    def differs(self, want: dict[str, bytes]) -> list[str]:
        """Keys whose object is missing, another one, or one too many."""
        have = {key: etag for key, etag in self.etags().items() if is_data(key)}
        return sorted(
            key
            for key in have.keys() | want.keys()
            if key not in want or key not in have or not self._is(key, have[key], want[key])
        )

    def _is(self, key: str, etag: str, body: bytes) -> bool:
        if "-" in etag:  # it came in parts
            return self.get(key) == body
        return etag == hashlib.md5(body, usedforsecurity=False).hexdigest()

    def entries(self) -> dict[str, str]:
        """The index: path to SHA-256. A path in two shards is a doubled entry."""
        found: dict[str, str] = {}
        for key in self.etags():
            if key.startswith("_index/") and key != "_index/_meta.json":
                shard: dict[str, dict[str, Any]] = json.loads(self.get(key))["entries"]
                assert not shard.keys() & found.keys(), key
                found.update({rel: entry["sha256"] for rel, entry in shard.items()})
        return found

    def uploads(self) -> list[str]:
        """Multipart uploads that nobody completed."""
        found = self._client.list_multipart_uploads(Bucket=self.name).get("Uploads", [])
        return [upload["Key"] for upload in found]

    def release_dead_lock(self) -> bool:
        """As `s3dash locks release` does, for a holder that is known to be dead."""
        if ".datastore.lock" not in self.etags():
            return False
        nonce = json.loads(self.get(".datastore.lock"))["nonce"]
        delete_if_nonce(self._store, ".datastore.lock", nonce, CONDITIONS)
        return True

    def close(self) -> None:
        self._store.close()
