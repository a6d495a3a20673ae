"""What one run of the command line carries: options, both streams, services, signals."""

import os.path
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

from s3dash.cli.diagnostics import Diagnostics
from s3dash.cli.interrupts import Interrupts
from s3dash.cli.options import Options
from s3dash.cli.output import Output
from s3dash.cli.wiring import Services
from s3dash.core.cancel import CancelToken
from s3dash.errors import Cancelled, UsageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import typer

    from s3dash.core.settings import Datastore, Kind
    from s3dash.engine.api import EngineApi
    from s3dash.stores.opened import Opened

T = TypeVar("T")

POLL_S = 0.25
GRACE_S = 5.0
"""How long a cancelled operation may take to end cleanly before we go without it."""
HEED_S = 0.5
"""Python heeds a signal in its main thread only, and when that runs."""


class Session:
    """Handed to every command. A command asks, then writes once, then returns its exit code."""

    def __init__(
        self,
        *,
        output: Output,
        diagnostics: Diagnostics,
        services: Services,
        interrupts: Interrupts,
        cwd: Path,
    ) -> None:
        self.options = Options()
        self.output = output
        self.diagnostics = diagnostics
        self.services = services
        self._interrupts = interrupts
        self._cwd = cwd

    @classmethod
    def of(cls, context: "typer.Context") -> "Session":
        """The session of the run that this command belongs to."""
        session = context.find_object(cls)
        if session is None:
            raise AssertionError("commands run inside a session")
        return session

    @contextmanager
    def engine(self, options: Options | None = None) -> "Iterator[EngineApi]":
        """The engine that the options mean; stopped on the way out, its lock released.

        Those of the run, unless others are given. Raises UsageError when they name several
        namespaces.
        """
        engine = self.services.engine((options or self.options).single())
        try:
            self.diagnostics.detail(_about(engine.settings))
            yield engine
        finally:
            engine.stop()

    @contextmanager
    def store(
        self, kind: "Kind", *, writes: bool, options: Options | None = None
    ) -> "Iterator[Opened]":
        """The bucket that the options mean, as files, keys or blobs; closed on the way out.

        Those of the run, unless others are given. A signal stops what waits for the endpoint; a
        loop asks `patience.cancel` by itself. Raises Cancelled that names the signal.
        """
        opened = self.services.store((options or self.options).single(), kind, writes=writes)
        cancel = CancelToken()
        opened.patience.begin(cancel)
        try:
            self.diagnostics.detail(_about(opened.settings))
            with self._interrupts.leading_to(cancel.cancel):
                yield opened
        except Cancelled as error:
            if not self._interrupts.received:
                raise
            raise self._interrupts.error() from error
        finally:
            opened.store.close()

    def ask(self, question: "Callable[[EngineApi], T]") -> T:
        """One blocking question to the engine, which a signal can cut short."""
        with self.engine() as engine:
            return self.work(engine, lambda _cancel: question(engine))

    def apart(self, job: Callable[[CancelToken], T]) -> T:
        """Do what needs no engine, here and now; a signal cancels its token."""
        cancel = CancelToken()
        with self._interrupts.leading_to(cancel.cancel):
            return job(cancel)

    def work(self, engine: "EngineApi", job: Callable[[CancelToken], T]) -> T:
        """Do `job` in a thread, show how it goes, and let a signal cancel it.

        Raises what the job raises, and Cancelled when it was stopped.
        """
        running = _Running(job)
        with (
            self._interrupts.leading_to(running.cancel.cancel),
            self.diagnostics.progress() as show,
        ):
            running.thread.start()
            while not running.ended.wait(POLL_S):
                if running.cancel.cancelled:
                    self.diagnostics.note("stopping; once more to quit at once")
                    running.ended.wait(GRACE_S)
                    break
                show(engine.snapshot())
        if not running.ended.is_set() or (running.cancel.cancelled and running.failed):
            raise self._interrupts.error()
        return running.result()

    def until_stopped(self, job: Callable[[CancelToken], T]) -> tuple[T, str]:
        """Do `job` in a thread until a signal cancels its token: its answer, and which signal.

        Raises what the job raises; Cancelled names the signal.
        """
        running = _Running(job)
        with self._interrupts.leading_to(running.cancel.cancel):
            running.thread.start()
            while not running.ended.wait(HEED_S):
                pass  # a signal that came to another thread, or just before the wait, ends none
        if running.cancel.cancelled and isinstance(running.failed, Cancelled):
            raise self._interrupts.error()
        return running.result(), self._interrupts.received

    def absolute(self, path: str) -> Path:
        """A path of this machine, from where the user stands."""
        return self._cwd.absolute() / path

    def selection(self, given: "Sequence[str]", settings: "Datastore") -> tuple[str, ...]:
        """PATH arguments relative to the datastore, as the engine wants them.

        A path that leads into the cache from where the user stands counts from there, any other
        is taken as a path of the datastore. The cache itself selects everything.
        """
        root = settings.cache / settings.namespace if settings.namespace else settings.cache
        roots = (root, root.resolve())
        chosen = tuple(_relative(path, roots, self._cwd.resolve()) for path in given)
        return () if "" in chosen else chosen


class _Running(Generic[T]):
    """A job in a thread of its own: whether it ended, and how."""

    def __init__(self, job: Callable[[CancelToken], T]) -> None:
        self.cancel = CancelToken()
        self.ended = threading.Event()
        self.failed: BaseException | None = None
        self.thread = threading.Thread(target=self._run, name="s3dash-command", daemon=True)
        self._job = job
        self._results: list[T] = []

    def result(self) -> T:
        if self.failed is not None:
            raise self.failed
        return self._results[0]

    def _run(self) -> None:
        try:
            self._results.append(self._job(self.cancel))
        except BaseException as error:  # noqa: BLE001 - raised again by `result`
            self.failed = error
        finally:
            self.ended.set()


def _relative(path: str, roots: "Sequence[Path]", cwd: Path) -> str:
    if not path:
        raise UsageError("an empty PATH selects nothing")
    absolute = _plain(cwd / path)
    for root in roots:
        if absolute.is_relative_to(root):
            rel = absolute.relative_to(root).as_posix()
            return "" if rel == "." else rel
    parts = [part for part in path.split("/") if part not in ("", ".")]
    if path.startswith("/") or ".." in parts:
        raise UsageError(
            f"{path} is not in the cache",
            hint=f"the cache is {roots[0]}; paths are relative to it",
        )
    return "/".join(parts)


def _plain(path: Path) -> Path:
    """Without `.` and `..`, but with symbolic links below the cache left as they are."""
    return Path(os.path.normpath(path))


def _about(settings: "Datastore") -> str:
    place = "/".join(part for part in (settings.bucket, settings.prefix) if part)
    return f"{settings.name}: {place} at {settings.address}, cache {settings.cache}"
