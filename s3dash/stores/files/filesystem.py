"""The fsspec filesystem `s3dash://bucket/key`: thin, over one `Files` for each bucket."""

import shutil
import threading
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from fsspec.callbacks import DEFAULT_CALLBACK
from fsspec.compression import compr
from fsspec.core import get_compression
from fsspec.spec import AbstractFileSystem
from fsspec.utils import isfilelike, stringify_path

from s3dash.errors import BadPath
from s3dash.stores.files import disk, names
from s3dash.stores.files.files import Files
from s3dash.stores.files.model import Caps, FileInfo
from s3dash.stores.files.options import Opener, Options
from s3dash.stores.files.staged import StagedFile
from s3dash.stores.files.streams import Compressed, ReadFile, Text, block_failed
from s3dash.stores.opened import Opened

FSSPEC_OWN = ("asynchronous", "loop", "use_listings_cache", "listings_expiry_time", "max_paths")
CHUNK = 1 << 20
_MAGIC = frozenset("*?[")

OpenBucket = Callable[[str], Opened]


class S3DashFileSystem(AbstractFileSystem):  # type: ignore[misc] # fsspec has no types
    """Storage options: see `Options`. `open_bucket` opens a bucket in their place.

    Paths are `bucket/key`. Errors are OSErrors of the number that a local file system has;
    what the endpoint refuses, or fails at, is an error of `s3dash.errors`. Nothing is cached.
    """

    protocol = "s3dash"
    root_marker = ""
    caps = Caps()

    def __init__(self, *, open_bucket: OpenBucket | None = None, **storage_options: Any) -> None:
        if self._cached:
            return
        super().__init__(**{k: storage_options.pop(k) for k in FSSPEC_OWN if k in storage_options})
        self._options = Options.of(storage_options)
        self._opener = None if open_bucket is not None else Opener(self._options)
        self._open_bucket = open_bucket or self._opener.open  # type: ignore[union-attr] # one of both
        self._lock = threading.Lock()
        self._buckets: dict[str, Files] = {}

    @property
    def fsid(self) -> str:
        return f"{self.protocol}:{self._options.endpoint_url or self._options.datastore or 'aws'}"

    def files(self, bucket: str) -> Files:
        """The files of a bucket. Raises BadPath for no name."""
        if not bucket:
            raise BadPath("a path begins with a bucket: s3dash://bucket/key")
        with self._lock:
            if bucket not in self._buckets:
                small = min(self._options.multipart_above, Options().multipart_above)
                self._buckets[bucket] = Files(
                    self._open_bucket(bucket), emulate=self._options.emulate, in_memory=small
                )
            return self._buckets[bucket]

    # --- looking ------------------------------------------------------------------------

    def ls(self, path: str, detail: bool = True, **_: Any) -> list[Any]:
        """With a slash at its end a directory only: a name may be both."""
        files, key, bucket = self._at(path)
        found = [_shown(one, bucket) for one in files.ls(key)]
        return found if detail else [one["name"] for one in found]

    def info(self, path: str, **_: Any) -> dict[str, Any]:
        files, key, bucket = self._at(path)
        return _shown(files.info(key), bucket)

    def exists(self, path: str, **_: Any) -> bool:
        """Raises when the endpoint cannot say."""
        try:
            files, key, _bucket = self._at(path)
        except BadPath:
            return False
        return files.exists(key)

    def isdir(self, path: str) -> bool:
        """A name may be both."""
        return self._is_a(path, Files.is_dir)

    def isfile(self, path: str) -> bool:
        return self._is_a(path, Files.is_file)

    def find(
        self,
        path: str,
        maxdepth: int | None = None,
        withdirs: bool = False,
        detail: bool = False,
        **_: Any,
    ) -> Any:
        """One listing for all that is below, however deep; with `maxdepth` one for each level."""
        files, key, bucket = self._at(path)
        if maxdepth is not None and maxdepth < 1:
            raise ValueError("maxdepth must be at least 1")
        found = list(files.tree(key, dirs=withdirs, depth=maxdepth))
        if found and withdirs:
            found.append(FileInfo(names.checked(key), "directory"))
        elif not found:
            alone = [files.info(key)] if files.exists(key) else []
            found = [one for one in alone if withdirs or not one.is_dir]
        shown = sorted((_shown(one, bucket) for one in found), key=_by_name)
        out = {one["name"]: one for one in shown}
        return out if detail else list(out)

    def modified(self, path: str) -> datetime:
        """Raises BadPath for a directory: it has no such time."""
        files, key, _ = self._at(path)
        found = files.info(key)
        if found.mtime is None:
            raise BadPath(f"{path!r} is a directory, which has no time")
        return found.mtime

    def checksum(self, path: str) -> str:
        """The ETag of a file."""
        return str(self.info(path)["etag"])

    ukey = checksum

    # --- reading and writing ------------------------------------------------------------

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **_: Any
    ) -> bytes:
        files, key, _bucket = self._at(path)
        return files.read(key, start, end)

    def pipe_file(self, path: str, value: bytes, mode: str = "overwrite", **_: Any) -> None:
        files, key, _bucket = self._at(path, writes=True)
        files.write(key, bytes(value), exclusive=mode == "create")

    def get_file(
        self,
        rpath: str,
        lpath: Any = None,
        callback: Any = DEFAULT_CALLBACK,
        outfile: IO[bytes] | None = None,
        **_: Any,
    ) -> None:
        """A local file is there once all of it has come."""
        sink = lpath if outfile is None and isfilelike(lpath) else outfile
        files, key, _bucket = self._at(rpath)
        found = files.info(key)
        if sink is None and found.is_dir:
            Path(lpath).mkdir(parents=True, exist_ok=True)
            return
        callback.set_size(found.size)
        if sink is not None:
            files.download(key, sink, etag=found.etag, on_bytes=callback.relative_update)
            return
        with disk.whole(Path(stringify_path(lpath))) as file:
            files.download(key, file, etag=found.etag, on_bytes=callback.relative_update)

    def put_file(
        self,
        lpath: Any,
        rpath: str,
        callback: Any = DEFAULT_CALLBACK,
        mode: str = "overwrite",
        **_: Any,
    ) -> None:
        source = Path(stringify_path(lpath))
        files, key, _bucket = self._at(rpath, writes=True)
        if source.is_dir():
            files.mkdir(key, exist_ok=True)
            return
        callback.set_size(source.stat().st_size)
        files.upload(
            key, source, exclusive=mode == "create", on_bytes=_counted(callback.relative_update)
        )

    def cp_file(self, path1: str, path2: str, **_: Any) -> None:
        files, key, bucket = self._at(path1)
        target, goal, other = self._at(path2, writes=True)
        found = files.info(key)
        if found.is_dir:
            target.mkdir(goal, exist_ok=True)
        elif bucket == other:
            files.copy(found, goal)
        else:
            with files.open(key) as source, target.open(goal, "wb") as sink:
                shutil.copyfileobj(source, sink, CHUNK)

    def _open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        autocommit: bool = True,
        cache_options: dict[str, Any] | None = None,
        cache_type: str = "readahead",
        emulate: bool | None = None,
        **_: Any,
    ) -> Any:
        files, key, _bucket = self._at(path, writes=mode != "rb")
        if mode == "rb":
            found = files.info(key)
            if found.is_dir:
                raise files.no_file(key)
            options = {"cache_type": cache_type, "cache_options": cache_options}
            return ReadFile(self, path, files, found, block_size=block_size, **options)
        staged = files.open(key, mode, emulate=emulate, autocommit=autocommit)
        if isinstance(staged, StagedFile):
            staged.failed = block_failed
        return staged

    def open(
        self,
        path: str,
        mode: str = "rb",
        block_size: int | None = None,
        cache_options: dict[str, Any] | None = None,
        compression: str | None = None,
        **kwargs: Any,
    ) -> Any:
        """As fsspec's; text and compressed files, too, leave nothing when their block fails."""
        if "b" not in mode:
            text = {k: kwargs.pop(k) for k in ("encoding", "errors", "newline") if k in kwargs}
            binary = self.open(
                path, mode.replace("t", "") + "b", block_size, cache_options, compression, **kwargs
            )
            return Text(binary, **text)
        file = super().open(path, mode, block_size, cache_options, **kwargs)
        named = get_compression(path, compression)
        if named is None:
            return file
        compressed = compr[named](file, mode=mode[0])
        return Compressed(compressed, file) if isinstance(file, StagedFile) else compressed

    def truncate(self, path: str, size: int) -> None:
        """Raises NotSupported unless the filesystem emulates."""
        files, key, _bucket = self._at(path, writes=True)
        files.truncate(key, size)

    # --- directories, removals, renames -------------------------------------------------

    def mkdir(
        self, path: str, create_parents: bool = True, exist_ok: bool = False, **_: Any
    ) -> None:
        """A bucket is never made."""
        files, key, _bucket = self._at(path, writes=True)
        files.mkdir(key, parents=create_parents, exist_ok=exist_ok)

    def makedirs(self, path: str, exist_ok: bool = False) -> None:
        self.mkdir(path, exist_ok=exist_ok)

    def rmdir(self, path: str) -> None:
        files, key, _bucket = self._at(path, writes=True)
        files.rmdir(key)

    def rm_file(self, path: str) -> None:
        self.rm(path)

    _rm = rm_file

    def rm(self, path: Any, recursive: bool = False, maxdepth: int | None = None) -> None:
        """Globs and lists as fsspec has them; `maxdepth` leaves directories where they are."""
        if maxdepth is not None:
            for one in self.expand_path(path, recursive=recursive, maxdepth=maxdepth):
                if self.isfile(one):
                    self.rm(one)
        elif isinstance(path, str) and not _MAGIC & set(path):
            files, key, _bucket = self._at(path, writes=True)
            files.remove(key, recursive=recursive)
        else:
            for one in self.expand_path(path):
                if self.exists(one):
                    files, key, _bucket = self._at(one, writes=True)
                    files.remove(key, recursive=recursive)

    def mv(self, path1: Any, path2: Any, recursive: bool = False, **kwargs: Any) -> None:
        """Into a directory that is there or ends with a slash, as `mv` does; else to that name.

        A directory moves whole, with or without `recursive`. See `Files.rename`.
        """
        if not isinstance(path1, str) or not isinstance(path2, str) or _MAGIC & set(path1):
            super().mv(path1, path2, recursive=recursive, **kwargs)
            return
        into = path2.endswith("/") or self.isdir(path2)
        if into:
            path2 = f"{path2.rstrip('/')}/{names.name_of(path1.rstrip('/'))}"
        files, key, bucket = self._at(path1, writes=True)
        _target, goal, other = self._at(path2, writes=True)
        if bucket == other:
            files.rename(key, goal)
        else:
            super().mv(path1, path2, recursive=True, **kwargs)

    # --- how ----------------------------------------------------------------------------

    def _at(self, path: Any, *, writes: bool = False) -> tuple[Files, str, str]:
        """The files of the bucket, the key in it, the bucket. A slash at the end stays."""
        text = stringify_path(path)
        bucket, _, key = self._strip_protocol(text).partition("/")
        files = self.files(bucket)
        if writes and self._opener is not None:
            self._opener.check(bucket, key)
        if key and text.endswith("/"):
            key += "/"
        return files, key, bucket

    def _is_a(self, path: str, asked: Callable[[Files, str], bool]) -> bool:
        try:
            files, key, _bucket = self._at(path)
            return asked(files, key)
        except BadPath:
            return False


def _shown(found: FileInfo, bucket: str) -> dict[str, Any]:
    name = f"{bucket}/{found.path}" if found.path else bucket
    shown: dict[str, Any] = {"name": name, "size": found.size, "type": found.kind}
    if found.mtime is not None:
        shown |= {"mtime": found.mtime.timestamp(), "etag": found.etag}
    return shown


def _by_name(shown: dict[str, Any]) -> tuple[str, str]:
    return shown["name"], shown["type"]


def _counted(tell: Callable[[int], None]) -> Callable[[int], None]:
    """For callbacks that know nothing of threads."""
    lock = threading.Lock()

    def told(count: int) -> None:
        with lock:
            tell(count)

    return told
