"""The watcher, on real directories; only the limits of the machine are played."""

import errno
import logging
import queue
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from watchdog.events import FileCreatedEvent, FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer
from watchdog.observers.api import ObservedWatch

from s3dash.clock import SystemClock
from s3dash.local.watch import MAX_PATHS, EventSource, Watcher

PATIENCE_S = 20.0
Told = set[str] | None
Start = Callable[..., "Watched"]


class Watched:
    """A watcher, and what it told."""

    def __init__(self, base: Path, *, poll_s: float, factory: Callable[[], EventSource]) -> None:
        self.told: queue.Queue[Told] = queue.Queue()
        self.watcher = Watcher(
            base,
            on_paths=self.told.put,
            clock=SystemClock(),
            quiet_s=0.05,
            longest_s=1.0,
            poll_s=poll_s,
            observer_factory=factory,
        )

    def next(self) -> Told:
        return self.told.get(timeout=PATIENCE_S)

    def until(self, wanted: str) -> set[str]:
        """All that is told until `wanted` is among it; «everything» counts as nothing."""
        seen: set[str] = set()
        while wanted not in seen:
            seen |= self.next() or set()
        return seen

    def until_everything(self) -> None:
        while self.next() is not None:
            pass

    def until_mode(self, mode: str) -> str:
        """Wait for a state; its detail. Each change of state is told as «everything»."""
        while self.watcher.state.mode != mode:
            self.next()
        return self.watcher.state.detail


@pytest.fixture
def base(tmp_path: Path) -> Path:
    base = tmp_path / "cache"
    base.mkdir()
    return base


@pytest.fixture
def start(base: Path) -> Iterator[Start]:
    """Starts a watcher and waits until it is on; stops it at the end."""
    begun: list[Watched] = []

    def start(
        where: Path = base,
        *,
        poll_s: float = 60.0,
        factory: Callable[[], EventSource] = Observer,
        wait: bool = True,
    ) -> Watched:
        watched = Watched(where, poll_s=poll_s, factory=factory)
        begun.append(watched)
        watched.watcher.start()
        if wait:
            assert watched.next() is None, "the first thing told is: look at everything"
        return watched

    yield start
    for watched in begun:
        watched.watcher.stop()


# --- native events ----------------------------------------------------------------------


def test_writing_renaming_and_deleting_a_file_marks_it(base: Path, start: Start) -> None:
    (base / "dir").mkdir()
    watched = start()
    assert watched.watcher.state.mode == "native"
    (base / "dir/a").write_bytes(b"1")
    assert "dir/a" in watched.until("dir/a")
    (base / "dir/a").rename(base / "b")
    assert watched.until("b") >= {"dir/a", "b"}
    (base / "b").unlink()
    assert "b" in watched.until("b")


def test_an_atomic_replacement_marks_the_file(base: Path, start: Start) -> None:
    (base / "a").write_bytes(b"old")
    (base.parent / "new").write_bytes(b"new")
    watched = start()
    (base.parent / "new").replace(base / "a")
    assert watched.until("a") == {"a"}


def test_files_in_new_directories_are_noticed(base: Path, start: Start) -> None:
    watched = start()
    (base / "x/y").mkdir(parents=True)
    assert "x" in watched.until("x")
    (base / "x/y/deep").write_bytes(b"1")
    watched.until("x/y/deep")


def test_reading_and_internal_files_mark_nothing(base: Path, start: Start) -> None:
    (base / "read").write_bytes(b"1")
    (base / "_control").mkdir()
    watched = start()
    (base / "read").read_bytes()
    (base / "_control/x").write_bytes(b"1")
    (base / ".datastore-sync-state.json").write_bytes(b"{}")
    (base / "last").write_bytes(b"1")
    assert watched.until("last") == {"last"}


def test_a_moved_directory_means_everything(base: Path, start: Start) -> None:
    (base / "old/sub").mkdir(parents=True)
    (base / "old/sub/a").write_bytes(b"1")
    watched = start()
    (base / "old").rename(base / "new")
    watched.until_everything()
    (base / "new/sub/a").write_bytes(b"2")
    watched.until("new/sub/a")


def test_a_cache_behind_a_symlink_is_watched(base: Path, start: Start) -> None:
    link = base.parent / "link"
    link.symlink_to(base)
    watched = start(link)
    (base / "a").write_bytes(b"1")
    watched.until("a")


def test_a_directory_that_is_removed_and_made_again_is_watched_again(
    base: Path, start: Start
) -> None:
    (base / "a").write_bytes(b"1")
    watched = start()
    shutil.rmtree(base)
    base.mkdir()
    watched.until_everything()
    told: Told = None
    while told is None or "b" not in told:
        (base / "b").write_bytes(b"1")
        told = watched.next()


def test_a_directory_that_is_missing_is_told_and_found_when_it_appears(
    base: Path, start: Start
) -> None:
    watched = start(poll_s=0.05)
    base.rename(base.parent / "away")
    watched.until_everything()
    detail = watched.until_mode("off")
    assert "missing" in detail
    base.mkdir()
    watched.until_mode("native")
    (base / "b").write_bytes(b"1")
    watched.until("b")


def test_a_queue_overflow_means_everything(start: Start) -> None:
    watched = start()
    log = logging.getLogger("watchdog.observers.inotify_c")
    log.warning("Inotify queue overflowed; filesystem events were lost")
    assert watched.next() is None


def test_nothing_is_told_after_the_end(base: Path, start: Start) -> None:
    watched = start()
    before = threading.active_count()
    watched.watcher.stop()
    watched.watcher.stop()
    assert watched.watcher.state.mode == "off"
    (base / "late").write_bytes(b"1")
    assert watched.told.empty()
    assert threading.active_count() < before


def test_the_watcher_can_be_stopped_from_its_own_thread(base: Path) -> None:
    done = threading.Event()

    def stop(_: Told) -> None:
        watcher.stop()
        done.set()

    watcher = Watcher(base, on_paths=stop, clock=SystemClock())
    watcher.start()
    assert done.wait(PATIENCE_S)
    watcher.stop()


# --- limits -----------------------------------------------------------------------------


class Limited:
    """An event source on a machine that allows `room` watches and never sends an event."""

    def __init__(self, number: int, *, room: int) -> None:
        self._number = number
        self._room = room
        self.stopped = False

    def schedule(
        self,
        event_handler: FileSystemEventHandler,
        path: str,
        *,
        recursive: bool = False,
        event_filter: list[type[FileSystemEvent]] | None = None,
    ) -> ObservedWatch:
        if recursive:
            self.handler = event_handler
        if self._room == 0:
            raise OSError(self._number, "limit reached")
        self._room -= 1
        return ObservedWatch(path, recursive=recursive)

    def unschedule(self, watch: ObservedWatch) -> None:
        """The watch is given back, the room is not: others take it."""

    def start(self) -> None:
        """Nothing comes of it."""

    def stop(self) -> None:
        self.stopped = True

    def is_alive(self) -> bool:
        return False

    def join(self) -> None:
        raise RuntimeError("cannot join a thread before it is started")


class Frozen(SystemClock):
    """Monotonic time stands still until it is set."""

    def __init__(self) -> None:
        self.at = 100.0

    def monotonic(self) -> float:
        return self.at


@pytest.mark.parametrize(("count", "everything"), [(MAX_PATHS, False), (MAX_PATHS + 1, True)])
def test_a_huge_burst_means_everything(base: Path, count: int, everything: bool) -> None:
    source, clock = Limited(errno.ENOSPC, room=9), Frozen()
    told: queue.Queue[Told] = queue.Queue()
    watcher = Watcher(base, on_paths=told.put, clock=clock, observer_factory=lambda: source)
    watcher.start()
    assert told.get(timeout=PATIENCE_S) is None
    for number in range(count):
        source.handler.dispatch(FileCreatedEvent(str(base / str(number))))
    assert told.empty()
    clock.at += 2.0
    source.handler.dispatch(FileCreatedEvent(str(base / "0")))
    burst = told.get(timeout=PATIENCE_S)
    watcher.stop()
    assert burst == (None if everything else {str(number) for number in range(count)})


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EMFILE])
@pytest.mark.parametrize("room", [0, 1])
def test_at_the_limit_it_polls_and_says_what_to_raise(start: Start, number: int, room: int) -> None:
    source = Limited(number, room=room)
    watched = start(poll_s=0.05, factory=lambda: source)
    assert watched.watcher.state.mode == "polling"
    assert "fs.inotify.max_user_watches" in watched.watcher.state.detail
    assert source.stopped
    assert [watched.next() for _ in range(3)] == [None] * 3


def test_a_limit_that_is_reached_later_is_noticed(start: Start) -> None:
    watched = start(poll_s=0.02, factory=lambda: Limited(errno.ENOSPC, room=2))
    watched.until_mode("polling")


def test_events_come_back_when_there_is_room_again(base: Path, start: Start) -> None:
    sources: list[Callable[[], EventSource]] = [lambda: Limited(errno.ENOSPC, room=0)]
    watched = start(poll_s=0.02, factory=lambda: (sources.pop() if sources else Observer)())
    watched.until_mode("native")
    (base / "a").write_bytes(b"1")
    watched.until("a")


def test_without_inotify_instances_it_polls(start: Start) -> None:
    def none() -> EventSource:
        raise OSError(errno.EMFILE, "inotify instance limit reached")

    watched = start(poll_s=0.05, factory=none)
    assert "fs.inotify.max_user_instances" in watched.watcher.state.detail
    assert watched.next() is None


def test_while_events_come_everything_is_looked_at_now_and_then(start: Start) -> None:
    watched = start(poll_s=0.02)
    assert watched.next() is None
    assert watched.watcher.state.mode == "native"


def test_a_directory_that_never_was_is_waited_for(base: Path, start: Start) -> None:
    watched = start(base / "later", poll_s=0.05, wait=False)
    (base / "later").mkdir()
    watched.until_mode("native")
    (base / "later/a").write_bytes(b"1")
    watched.until("a")
