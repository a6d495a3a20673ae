"""One cache, many screens that come and go, each pushing: it is always somebody's, once."""

import random
import threading
import time
from collections.abc import Callable
from pathlib import Path

from s3dash.attach.held import owner_of
from s3dash.attach.link import linked
from s3dash.attach.served import served
from s3dash.engine.api import EngineApi
from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine
from s3dash.errors import CacheBusy, Cancelled, OwnerGone, S3DashError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.world import Machine
from tests.tally import Effort

PATIENCE_S = 60.0
EXPECTED = (OwnerGone, Cancelled, CacheBusy)
"""What a push may end with when its owner goes, or is not there yet."""


class Owners:
    """Counts the engines that own the cache."""

    def __init__(self, machine: Machine, bucket: MemoryBucket) -> None:
        self._machine = machine
        self._bucket = bucket
        self._lock = threading.Lock()
        self.now = self.most = self.ever = 0

    def open(self) -> EngineApi:
        engine = open_engine(self._machine.settings, store=MemoryStore(self._bucket))
        if not owner_of(engine):
            with self._lock:
                self.now += 1
                self.ever += 1
                self.most = max(self.most, self.now)
            self._count_its_end(engine)
        return engine

    def _count_its_end(self, engine: Engine) -> None:
        release = engine._owner.release

        def released() -> None:
            with self._lock:
                self.now -= engine._owner._handle is not None
            release()

        engine._owner.release = released  # type: ignore[method-assign]  # a hook on this one


class House:
    def __init__(self, home: Path, dice: random.Random) -> None:
        self.dice = dice
        self.bucket = MemoryBucket()
        self.machine = Machine(home, lambda: MemoryStore(self.bucket), poll_interval_s=3600)
        self.machine.cache.mkdir(parents=True, exist_ok=True)
        self.owners = Owners(self.machine, self.bucket)
        self.screens: list[EngineApi] = []
        self.watch: EngineApi | None = None
        self.threads: list[threading.Thread] = []
        self.wrong: list[str] = []
        self.story: list[str] = []
        self.pushed = self.broken = self.number = 0

    def step(self) -> None:
        moves: list[Callable[[], None]] = [self.edit, self.push, self.push]
        moves += [self.come] if len(self.screens) < 4 else []
        moves += [self.go] if len(self.screens) > 1 else []
        moves += [self.rise if self.watch is None else self.fall]
        move = self.dice.choice(moves)
        self.story.append(move.__name__)
        move()

    def come(self) -> None:
        screen = linked(self.machine.settings, self.owners.open)
        screen.start()
        self.screens.append(screen)

    def go(self) -> None:
        self.screens.pop(self.dice.randrange(len(self.screens))).stop()

    def rise(self) -> None:
        """A watch starts: it gets the cache, or is told that somebody is at work on it."""
        try:
            engine = served(self.machine.settings, self.owners.open, name="watch")
        except CacheBusy:
            return
        if owner_of(engine):
            engine.stop()
            return
        self.watch = engine
        self.watch.start()

    def fall(self) -> None:
        if self.watch is not None:
            self.watch.stop()
            self.watch = None

    def edit(self) -> None:
        self.number += 1
        name = f"files/{self.dice.randrange(20):02}"
        self.machine.write(name, f"version {self.number}")

    def push(self) -> None:
        if not self.screens:
            return
        screen = self.dice.choice(self.screens)
        thread = threading.Thread(target=self._push, args=(screen,), daemon=True)
        self.threads.append(thread)
        thread.start()
        if self.dice.random() < 0.5:
            thread.join(PATIENCE_S)

    def _push(self, screen: EngineApi) -> None:
        try:
            result = screen.push()
        except EXPECTED:
            self.broken += 1
        except S3DashError as error:
            self.wrong.append(f"{type(error).__name__}: {error.message}")
        else:
            self.pushed += result.pushed

    def end(self) -> None:
        """One screen alone, when all others have gone, pushes what is left."""
        self.fall()
        for thread in self.threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive(), "a push never ended"
        if not self.screens:
            self.come()
        while len(self.screens) > 1:
            self.go()
        [last] = self.screens
        end = time.monotonic() + PATIENCE_S
        while not self._has_pushed(last):
            assert time.monotonic() < end, last.snapshot()
            time.sleep(0.01)
        self.go_all()

    def _has_pushed(self, last: EngineApi) -> bool:
        """It may not have noticed yet that the cache was somebody's, and is free again."""
        now = last.snapshot()
        if now.attached or now.read_only:
            return False
        try:
            assert last.push().failed == []
        except CacheBusy:
            return False
        return True

    def go_all(self) -> None:
        self.fall()
        for screen in self.screens:
            screen.stop()
        self.screens = []


def test_a_cache_that_changes_hands_is_never_two_owners_and_loses_nothing(
    tmp_path: Path, effort: Effort
) -> None:
    for case in range(effort.pick(3, 60)):
        dice = random.Random(f"{effort.seed} {case}")
        house = House(tmp_path / str(case) / "ada", dice)
        try:
            for _ in range(25):
                house.step()
            house.end()
            assert house.wrong == []
            assert house.owners.most == 1
            assert house.owners.now == 0
            peer = Machine(tmp_path / str(case) / "bob", house.machine.store)
            peer.pull()
            effort.lost({*house.machine.files().items()} ^ {*peer.files().items()})
        except BaseException as error:
            error.add_note(f"seed {effort.seed}, case {case}: {' '.join(house.story)}")
            raise
        finally:
            house.go_all()
        effort.count("owners of caches that changed hands", house.owners.ever)
        effort.count("pushes cut short by that", house.broken)
