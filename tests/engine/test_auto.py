"""Auto-sync: when it starts, what it starts unasked, and how it is stopped."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.engine import auto
from s3dash.engine.engine import Engine
from s3dash.errors import Cancelled, GuardTripped
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.test_live import PATIENCE_S, paths, started, until
from tests.engine.world import Machine, contents


class Hold:
    """Stops the first upload of a path in its tracks until it is let go."""

    def __init__(self) -> None:
        self.path = ""
        self.inside = threading.Event()
        self.go = threading.Event()

    def __call__(self, op: str, key: str) -> None:
        if self.path and op == "upload" and key.endswith(self.path):
            self.path = ""
            self.inside.set()
            assert self.go.wait(PATIENCE_S)


@pytest.fixture
def bucket() -> MemoryBucket:
    return MemoryBucket()


@pytest.fixture
def hold() -> Iterator[Hold]:
    hold = Hold()
    yield hold
    hold.go.set()


@pytest.fixture
def ada(tmp_path: Path, bucket: MemoryBucket, hold: Hold) -> Machine:
    machine = Machine(
        tmp_path / "ada", lambda: MemoryStore(bucket, before=hold), poll_interval_s=3600
    )
    machine.write("files/a", "a")
    for name in ("gone", "kept", "last"):
        machine.write(f"files/{name}", name)
    machine.push()
    return machine


def there(bucket: MemoryBucket) -> dict[str, bytes]:
    return contents(MemoryStore(bucket), "files/")


def watching(engine: Engine) -> None:
    until(engine, lambda s: s.watch.mode == "native" and s.checked_at != "")


def test_a_change_waits_for_no_round(ada: Machine, bucket: MemoryBucket) -> None:
    with started(ada) as engine:
        engine.set_auto(True)
        watching(engine)
        until(engine, lambda s: (s.auto.next_in_s or 0) > 3000)
        ada.write("files/new", "n")
        seen = until(engine, lambda s: (s.auto.next_in_s or 0) <= auto.QUIET_S)
        assert (seen.auto.quiet_s, seen.auto.longest_s) == (auto.QUIET_S, auto.LONGEST_S)
        until(engine, lambda s: not s.dirty)
        assert there(bucket)["files/new"] == b"n"


def cancelled_run(
    engine: Engine,
    hold: Hold,
    left_out: tuple[str, ...] = (),
    meanwhile: Callable[[], object] = lambda: None,
) -> None:
    """The user lets a plan run and cancels it in its first upload: nothing was deleted yet."""
    shown = engine.plan("sync")
    token, errors = CancelToken(), []

    def run() -> None:
        try:
            engine.run(shown.without(left_out), cancel=token)
        except Cancelled as error:
            errors.append(error)

    hold.path = "files/a"
    thread = threading.Thread(target=run)
    thread.start()
    assert hold.inside.wait(PATIENCE_S)
    meanwhile()
    token.cancel()
    hold.go.set()
    thread.join(PATIENCE_S)
    assert len(errors) == 1


def test_a_deletion_that_was_shown_and_let_run_is_finished(
    ada: Machine, bucket: MemoryBucket, hold: Hold
) -> None:
    ada.write("files/a", "edit")
    for name in ("gone", "kept"):
        (ada.cache / f"files/{name}").unlink()
    with started(ada) as engine:
        until(engine, lambda s: len(s.dirty) == 3)
        cancelled_run(engine, hold, left_out=("files/kept",))
        (ada.cache / "files/last").unlink()
        until(engine, lambda s: len(s.dirty) == 4)
        engine.set_auto(True)
        seen = until(engine, lambda s: "files/gone" not in paths(s))
        assert set(paths(seen)) == {"files/kept", "files/last"}
        until(engine, lambda s: s.auto.suspended == "2 deletions wait for you")
    assert there(bucket) == {"files/a": b"edit", "files/kept": b"kept", "files/last": b"last"}


def test_a_deletion_that_the_user_took_back_is_not_started(
    ada: Machine, bucket: MemoryBucket, hold: Hold
) -> None:
    ada.write("files/a", "edit")
    (ada.cache / "files/gone").unlink()
    with started(ada) as engine:
        until(engine, lambda s: len(s.dirty) == 2)
        cancelled_run(engine, hold)
        engine.auto.withhold(["files/gone"])
        engine.set_auto(True)
        until(engine, lambda s: s.auto.suspended == "1 deletion waits for you")
    assert there(bucket)["files/gone"] == b"gone"


def test_what_was_shown_counts_for_that_version_alone(
    tmp_path: Path, ada: Machine, bucket: MemoryBucket, hold: Hold
) -> None:
    ada.write("files/a", "edit")
    (ada.cache / "files/gone").unlink()
    with started(ada) as engine:
        until(engine, lambda s: len(s.dirty) == 2)
        cancelled_run(engine, hold)
        ada.write("files/gone", "back with other content")
        assert engine.push().pushed == 2
        (ada.cache / "files/gone").unlink()
        engine.set_auto(True)
        until(engine, lambda s: s.auto.suspended == "1 deletion waits for you")
    assert there(bucket)["files/gone"] == b"back with other content"


@pytest.fixture
def halted(ada: Machine, hold: Hold) -> Iterator[Engine]:
    """An engine whose auto-sync was cancelled in its first upload."""
    ada.write("files/a", "edit")
    hold.path = "files/a"
    with started(ada) as engine:
        watching(engine)
        engine.set_auto(True)
        assert hold.inside.wait(PATIENCE_S)
        assert until(engine, lambda s: s.auto.running_s is not None).state == "pushing"
        assert engine.auto.cancel()
        hold.go.set()
        seen = until(engine, lambda s: s.auto.running_s is None)
        assert seen.auto.suspended == auto.CANCELLED
        assert not engine.auto.cancel()
        yield engine


def edit_another(ada: Machine, engine: Engine, bucket: MemoryBucket, tmp_path: Path) -> None:
    ada.write("files/new", "n")


def edit_the_same(ada: Machine, engine: Engine, bucket: MemoryBucket, tmp_path: Path) -> None:
    ada.write("files/a", "tide")


def look_again(ada: Machine, engine: Engine, bucket: MemoryBucket, tmp_path: Path) -> None:
    engine.refresh()


def turn_on_again(ada: Machine, engine: Engine, bucket: MemoryBucket, tmp_path: Path) -> None:
    engine.set_auto(False)
    engine.set_auto(True)


def change_the_bucket(ada: Machine, engine: Engine, bucket: MemoryBucket, tmp_path: Path) -> None:
    bob = Machine(tmp_path / "bob", lambda: MemoryStore(bucket))
    bob.pull()
    bob.write("files/b", "bob's")
    bob.push()
    engine._live.poke()


@pytest.mark.parametrize(
    "wake", [edit_another, edit_the_same, look_again, turn_on_again, change_the_bucket]
)
def test_a_cancelled_one_waits_for_a_change_or_a_key(
    wake: Callable[[Machine, Engine, MemoryBucket, Path], None],
    halted: Engine,
    ada: Machine,
    bucket: MemoryBucket,
    tmp_path: Path,
) -> None:
    looked = halted.snapshot().checked_at
    halted._live.poke()  # a round as time brings it: it looks, and starts nothing
    until(halted, lambda s: s.checked_at > looked and (s.auto.next_in_s or 0) > 3000)
    assert there(bucket)["files/a"] == b"a"
    assert halted.snapshot().auto.suspended == auto.CANCELLED
    wake(ada, halted, bucket, tmp_path)
    until(halted, lambda s: not s.dirty and not s.behind and not s.auto.suspended)
    assert there(bucket)["files/a"] in (b"edit", b"tide")


def test_what_the_user_cancelled_is_not_started_again_unasked(
    ada: Machine, bucket: MemoryBucket, hold: Hold
) -> None:
    ada.write("files/a", "edit")
    (ada.cache / "files/gone").unlink()
    with started(ada) as engine:
        watching(engine)
        until(engine, lambda s: len(s.dirty) == 2)
        cancelled_run(engine, hold, meanwhile=lambda: engine.set_auto(True))
        looked = until(engine, lambda s: s.auto.suspended == auto.CANCELLED).checked_at
        engine._live.poke()  # a round as time brings it
        until(engine, lambda s: s.checked_at > looked and (s.auto.next_in_s or 0) > 3000)
        assert engine.snapshot().auto.suspended == auto.CANCELLED
        assert there(bucket) == {f"files/{n}": n.encode() for n in ("a", "gone", "kept", "last")}


def test_a_deletion_left_out_while_another_plan_is_let_run_stays_left_out(
    ada: Machine,
) -> None:
    """The user's thread and the operation's change what is agreed at the same time."""
    for name in ("gone", "kept"):
        (ada.cache / f"files/{name}").unlink()
    engine = ada.engine()
    plan = engine.plan("sync")
    one, other = (plan.only(f"files/{name}") for name in ("gone", "kept"))
    engine.auto.agreed(one)

    class Slow(dict[str, object]):
        """Lets another thread in while the deletions are gone through."""

        def items(self) -> object:  # type: ignore[override]  # no view: it is gone through once
            for n, item in enumerate(list(super().items())):
                if not n:
                    thread.start()
                    thread.join(0.2)
                yield item

    thread = threading.Thread(target=engine.auto.agreed, args=(other,))
    engine.auto._agreed = Slow(engine.auto._agreed)  # type: ignore[assignment]  # a dict that dawdles
    engine.auto.withhold(["files/gone"])
    thread.join(PATIENCE_S)
    assert set(engine.auto._agreed) == {"files/kept"}
    engine.stop()


def test_what_the_guard_refused_the_user_was_not_agreed_to(
    ada: Machine, bucket: MemoryBucket
) -> None:
    """A plan that trips the guard deletes nothing, now or later by itself."""
    for name in ("gone", "kept", "last"):
        (ada.cache / f"files/{name}").unlink()
    with started(ada) as engine:
        until(engine, lambda s: len(s.dirty) == 3)
        with pytest.raises(GuardTripped):
            engine.run(engine.plan("sync"))
        engine.set_auto(True)
        until(engine, lambda s: s.auto.suspended != "" or not s.dirty)
        until(engine, lambda s: s.auto.suspended == "3 deletions wait for you")
    assert len(there(bucket)) == 4
