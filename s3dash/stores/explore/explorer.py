"""The Explorer: one bucket, looked at as files, keys or blobs. Calls block; none needs a screen."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from s3dash.core.cancel import CancelToken
from s3dash.engine.jobs import each, retrying
from s3dash.errors import Cancelled, ReadOnly, S3DashError
from s3dash.objectstore.port import ObjectInfo
from s3dash.stores.blobs.store import BlobStore
from s3dash.stores.explore import changing, fetching, picture
from s3dash.stores.explore.entry import Doomed, Entry, Removed, Shape, Verdict, local_name
from s3dash.stores.explore.fetching import Fetched
from s3dash.stores.explore.indexed import Indexed
from s3dash.stores.explore.job import Job
from s3dash.stores.explore.preview import MOST, Preview, preview
from s3dash.stores.explore.proving import Proving
from s3dash.stores.explore.shapes import Naming, dir_of, refusal
from s3dash.stores.files.files import Files
from s3dash.stores.opened import Opened

VERIFIERS = 8
"""Objects that are read side by side to be verified."""


class Explorer:
    """Raises what the store raises. One job at a time has the store's patience; see `working`."""

    def __init__(self, opened: Opened) -> None:
        self.opened = opened
        self.settings = opened.settings

    def close(self) -> None:
        self.opened.patience.cancel.cancel()
        self.opened.store.close()

    @contextmanager
    def working(self, job: Job) -> Iterator[None]:
        """What waits for the endpoint meanwhile gives up when the job is cancelled."""
        self.opened.patience.begin(job.cancel)
        try:
            yield
        finally:
            self.opened.patience.begin(CancelToken())

    # --- looking ------------------------------------------------------------------------

    def pages(self, prefix: str, shape: Shape) -> Iterator[list[Entry]]:
        """What lies directly below a prefix, a page at a time; the next is fetched when asked for.

        The directory's own marker is left out.
        """
        naming = Naming(self.settings, shape)
        for level in self.opened.store.levels(prefix):
            here = (naming.entry(o, prefix) for o in level.objects if o.key != prefix)
            yield [*(dir_of(name, prefix) for name in level.dirs), *here]

    def preview(self, entry: Entry, *, most: int = MOST, pictures: bool = False) -> Preview:
        """The first bytes of an object, of the version that was listed; with `pictures` an image
        that is not too large as such."""
        if not entry.size:
            return preview(b"", total=0)
        body = self._first(entry, most)
        if pictures and picture.may_be(body) and entry.size <= picture.MOST:
            whole = body if len(body) >= entry.size else self._first(entry, picture.MOST)
            if (found := picture.picture(whole)) is not None:
                return found
        return preview(body, total=entry.size)

    def _first(self, entry: Entry, most: int) -> bytes:
        length = min(entry.size, most)
        return self.opened.store.get_range(entry.key, start=0, length=length, if_match=entry.etag)

    def verify(
        self, entries: Iterable[Entry], shape: Shape, job: Job
    ) -> Iterator[tuple[Entry, Verdict]]:
        """Read these, and all that lies below directories, and hold each against its digest.

        They come as they end, in any order. What seems damaged is read once more before it is
        told; what could not be read is unproved. Raises Cancelled.
        """
        proving = Proving(self.opened, self._index())
        work = partial(self._verdict, proving, job)
        objects = self._all(entries, shape)
        for entry, outcome in each(
            work, objects, workers=VERIFIERS, cancel=job.cancel, name="s3dash-verify"
        ):
            job.cancel.check()
            job.finished()
            if isinstance(outcome, S3DashError):
                outcome = Verdict(outcome="unproved", reason=outcome.message)
            yield entry, outcome

    def _verdict(self, proving: Proving, job: Job, entry: Entry) -> Verdict:
        job.begin(entry.name)
        for _ in range(2):
            verdict = retrying(
                lambda _attempt: proving(entry, on_bytes=job.moved), patience=self.opened.patience
            )
            if verdict.outcome != "damaged":
                break
        return verdict

    def _index(self) -> Indexed | None:
        if self.settings.kind != "cache":
            return None
        return Indexed(self.opened.store, namespaced=self.settings.namespace is not None)

    def _all(self, entries: Iterable[Entry], shape: Shape) -> Iterator[Entry]:
        """The objects among these and below them; of a directory below in it."""
        naming = Naming(self.settings, shape)
        for entry in entries:
            if not entry.is_dir:
                yield entry
                continue
            for info in self.opened.store.list(entry.key):
                if not info.key.endswith("/"):
                    yield naming.entry(info, entry.key)

    # --- bringing here ------------------------------------------------------------------

    def download(self, entry: Entry, to: Path, job: Job, *, replace: bool = False) -> Fetched:
        """An object as a file, or a directory as one that is new."""
        if entry.is_dir:
            return fetching.fetch_tree(self.opened, entry.key, to, job)
        job.of, job.of_bytes = 1, entry.size
        info = ObjectInfo(entry.key, entry.size, entry.etag)
        return fetching.fetch_file(self.opened, info, to, job, replace=replace)

    def download_into(self, entries: Sequence[Entry], to: Path, job: Job) -> Fetched:
        """Several ones into a directory that is there, each under its own name; one that fails is
        told, and the others come."""
        files, total, failed = 0, 0, list[str]()
        for entry in entries:
            try:
                done = self.download(entry, to / local_name(entry), job)
            except Cancelled:
                raise
            except S3DashError as error:
                failed.append(f"{entry.name}: {error.message}")
            else:
                files, total = files + done.files, total + done.bytes
                failed += done.failed
        return Fetched(files=files, bytes=total, failed=tuple(failed))

    # --- changing -----------------------------------------------------------------------

    def must_write(self, shape: Shape) -> None:
        """Raises ReadOnly where nothing can be written."""
        if reason := refusal(self.settings, shape):
            raise ReadOnly(f"{self.settings.name} cannot be changed: {reason}")

    def key_for(self, typed: str, prefix: str) -> str:
        return changing.key_for(self.settings.prefix, typed, prefix)

    def found(self, key: str) -> ObjectInfo | None:
        return changing.found(self.opened, key)

    def mkdir(self, key: str) -> None:
        """A directory that stays when it is empty. Raises FileThere, NoDirectory."""
        self.must_write("files")
        Files(self.opened).mkdir(key)

    def copy(self, entry: Entry, target: str, shape: Shape) -> None:
        self.must_write(shape)
        changing.copy(self.opened, entry, target)

    def rename(self, entry: Entry, target: str, shape: Shape, job: Job) -> None:
        """An object to where nothing is; a directory too, as the store of files does it: what was
        cut short is continued by the same call."""
        self.must_write(shape)
        if not entry.is_dir:
            changing.rename(self.opened, entry, target)
            return
        self.must_write("files")

        def moved(files: int, size: int) -> None:
            job.done, job.bytes = files, size

        Files(self.opened).rename(entry.key, target, on_moved=moved)

    def doomed(self, entries: Sequence[Entry], shape: Shape) -> Doomed:
        self.must_write(shape)
        return changing.doomed(self.opened, entries)

    def remove(self, doomed: Doomed, shape: Shape, job: Job) -> Removed:
        self.must_write(shape)
        return changing.remove(self.opened, doomed, job)

    def upload(
        self, source: Path, prefix: str, shape: Shape, job: Job, *, over: ObjectInfo | None
    ) -> str:
        """A file into a level: under its own name, where nothing is or over the version that was
        shown; a blob under its digest. The key."""
        self.must_write(shape)
        job.of = 1
        if shape == "blobs":
            job.begin(source.name)
            return BlobStore(self.opened).put_file(source, on_bytes=job.moved).key
        key = self.key_for(source.name, prefix)
        changing.send(self.opened, source, key, job, over=over)
        return key
