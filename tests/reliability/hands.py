"""Two machines that sync while somebody pauses, resumes, cancels and reorders at any moment."""

import random
import threading
from pathlib import Path

from s3dash.engine.engine import Engine
from s3dash.engine.open import open_engine
from s3dash.errors import S3DashError, Unreachable
from s3dash.local.fsio import staging_dir
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.patience import Patience
from tests.engine.clocks import QuickClock
from tests.engine.ends import all_have
from tests.engine.moving import Moving
from tests.engine.world import Machine

PART = 4000
SIZES = (0, 1, 300, PART, 3 * PART + 1, 9 * PART, (1 << 20) + 5, (2 << 20) + 1)
"""In one request, in parts, and what a download takes several goes for."""
FAULTS = 0.02


class Hand:
    """Acts on the engine's transfers before every n-th request, n by the dice."""

    def __init__(self, dice: random.Random, log: list[str]) -> None:
        self.dice, self.log = dice, log
        self.engine: Engine | None = None
        self.acts = 0
        self._lock = threading.Lock()

    def __call__(self, op: str, key: str) -> None:
        engine = self.engine
        if engine is None:
            return
        with self._lock:
            self._act(engine, f"{op} {key}")
            lost = op in ("upload", "send_part", "download", "head") and self._chance(FAULTS)
        if lost:
            raise Unreachable("lost on its way")

    def _chance(self, share: float) -> bool:
        return self.dice.random() < share

    def _act(self, engine: Engine, at: str) -> None:
        if not self._chance(0.3):
            return
        rows = engine.snapshot().progress.transfers
        ids = [row.id for row in self.dice.sample(rows, self.dice.randint(0, min(3, len(rows))))]
        moves = engine.transfers
        name = self.dice.choice(("pause", "pause", "resume", "cancel", "raise", "lower", "allow"))
        done: object
        if name == "allow":
            done = moves.allow(up=self.dice.randint(1, 6), down=self.dice.randint(1, 6))
        elif name == "pause" and self._chance(0.1):
            done = moves.pause()
        elif name in ("raise", "lower"):
            done = getattr(moves, f"{name}_priority")(ids)
        else:
            done = getattr(moves, name)(ids)
        self.acts += bool(done)
        self.log.append(f"  before {at}: {name} {ids} → {done}")


class Desk(Machine):
    def __init__(self, home: Path, bucket: MemoryBucket, hand: Hand) -> None:
        super().__init__(
            home,
            lambda: MemoryStore(bucket, before=hand, multipart_above=PART, part_size=PART),
            push_concurrency=3,
            max_concurrency=128,
            pull_concurrency=3,
        )

    def engine(self) -> Engine:
        clock = QuickClock()
        patience = Patience(clock)
        return open_engine(self.settings, store=self.store(), clock=clock, patience=patience)


class Town:
    """The bucket, two desks, and what has to be there at the end."""

    def __init__(self, root: Path, dice: random.Random) -> None:
        self.dice = dice
        self.bucket = MemoryBucket()
        self.log: list[str] = []
        self.hand = Hand(dice, self.log)
        self.desks = [Desk(root / name, self.bucket, self.hand) for name in ("ada", "bob")]
        self.want: dict[str, bytes] = {}
        self.ever: set[bytes] = set()

    @property
    def story(self) -> str:
        return "\n".join(self.log)

    def rage(self, rounds: int) -> None:
        for nth in range(rounds):
            desk = self.dice.choice(self.desks)
            for _ in range(self.dice.randint(1, 6)):
                self._edit(desk, nth)
            direction = self.dice.choice(("push", "pull", "sync"))
            told = self._run(desk, direction)
            self.log.append(f"{desk.home.name} {direction}: {told}")
            self._check()

    def _edit(self, desk: Desk, nth: int) -> None:
        """Each machine edits its own files, so that nothing is in conflict."""
        rel = f"files/{desk.home.name}-{self.dice.randrange(8)}"
        if rel in self.want and self.dice.random() < 0.2:
            (desk.cache / rel).unlink()
            del self.want[rel]
            self.log.append(f"{desk.home.name} deletes {rel}")
            return
        body = random.Random(f"{nth} {rel}").randbytes(self.dice.choice(SIZES))
        desk.write(rel, body)
        self.want[rel] = body
        self.ever.add(body)
        self.log.append(f"{desk.home.name} writes {len(body)} bytes to {rel}")

    def _run(self, desk: Desk, direction: str) -> str:
        engine = desk.engine()
        self.hand.engine = engine
        going = Moving(engine, direction, max_delete=100)
        stop = self.dice.random() < 0.1
        try:
            going.until(lambda: going.is_over or self._lets_go(going, stop=stop))
            return f"{going.end()}"
        except S3DashError as error:
            return f"{type(error).__name__}: {error.message}"
        finally:
            self.hand.engine = None
            engine.stop()

    def _lets_go(self, going: Moving, *, stop: bool) -> bool:
        """When all that is left is paused, it goes on, or all of it is cancelled."""
        counts = going.engine.snapshot().progress.counts
        if counts.paused and not counts.active + counts.queued:
            if stop:
                self.log.append("  the whole operation is cancelled")
                going.cancel.cancel()
            else:
                going.engine.transfers.resume()
        return False

    def _check(self) -> None:
        """No file anywhere that nobody wrote; nothing staged is left."""
        for desk in self.desks:
            for rel, body in desk.files().items():
                assert body in self.ever, f"TORN {rel}\n{self.story}"
            left = [p for p in staging_dir(desk.cache).glob("*") if p.is_file()]
            assert not left, f"LEFT {left}\n{self.story}"

    def calm(self) -> list[str]:
        """What is missing once everybody was left in peace."""
        for desk in (*self.desks, *self.desks):
            result = desk.sync(max_delete=100)
            self.log.append(f"{desk.home.name} at last: {result}")
        held = self.desks[0].files()
        missing = [rel for rel, body in self.want.items() if held.get(rel) != body]
        if not missing:
            try:
                all_have(lambda: MemoryStore(self.bucket), self.want, *self.desks)
                assert not self.bucket.uploads(), "AN UPLOAD STAYED OPEN"
            except AssertionError as error:
                raise AssertionError(f"{error}\n{self.story}") from error
        return missing
