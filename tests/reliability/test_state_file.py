"""A state file with damage of every kind: a sync joins both sides or says why not; nothing is lost.

Scenario 12 at length. The damaged machine has edits of its own, a deletion and an unfinished
push; the other one has edited as well. Whatever the file says now: every content that a user
wrote stays readable, nothing is deleted but what the user deleted, and all agree in the end.
"""

import random
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from s3dash.engine.open import state_file
from s3dash.errors import Integrity, LocalError, S3DashError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from tests.engine.ends import data, entries
from tests.engine.faults import machine
from tests.engine.world import Machine, contents, digest
from tests.tally import Effort

PAGE = 4096
TRIES = 3
"""Syncs until all is said: one may meet the damage, the last pushes what the first put aside."""

Damage = Callable[[random.Random, Path], str]


def flip(dice: random.Random, path: Path) -> str:
    """Bits of bytes that mean something; most of a page is often empty."""
    body = bytearray(path.read_bytes())
    used = [at for at, byte in enumerate(body) if byte]
    places = dice.sample(used, dice.choice((1, 1, 1, 2, 5, 50)))
    for at in places:
        body[at] ^= 1 << dice.randrange(8)
    path.write_bytes(body)
    return f"bits flipped at {places}"


def scribble(dice: random.Random, path: Path) -> str:
    body = bytearray(path.read_bytes())
    at, size = dice.randrange(len(body)), dice.choice((1, 8, 100, PAGE))
    body[at : at + size] = dice.randbytes(min(size, len(body) - at))
    path.write_bytes(body)
    return f"{size} random bytes at {at}"


def forget_page(dice: random.Random, path: Path) -> str:
    body = bytearray(path.read_bytes())
    at = dice.randrange(len(body) // PAGE) * PAGE
    body[at : at + PAGE] = bytes(PAGE)
    path.write_bytes(body)
    return f"page at {at} is empty"


def mistake_page(dice: random.Random, path: Path) -> str:
    body = bytearray(path.read_bytes())
    one, other = (dice.randrange(len(body) // PAGE) * PAGE for _ in range(2))
    body[one : one + PAGE] = body[other : other + PAGE]
    path.write_bytes(body)
    return f"page at {one} is that at {other}"


def cut(dice: random.Random, path: Path) -> str:
    left = dice.randrange(path.stat().st_size)
    with path.open("r+b") as file:
        file.truncate(left)
    return f"cut to {left} bytes"


def bad_log(dice: random.Random, path: Path) -> str:
    path.with_name(path.name + "-wal").write_bytes(dice.randbytes(dice.randrange(1, 3 * PAGE)))
    return "a log of random bytes"


DAMAGES: tuple[Damage, ...] = (flip, scribble, forget_page, mistake_page, cut, bad_log)


class World:
    """Two machines; `bob`'s state file is to be damaged. `alive`: what may not be lost."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.bucket = MemoryBucket()
        ada, bob = machine(home / "ada", self.bucket), self.bob()
        for number in range(40):
            ada.write(f"files/{number:02}", f"base {number}")
        ada.push()
        bob.pull()
        ada.write("files/01", "edited by ada")
        ada.write("files/02", "edited by ada, too")
        ada.write("files/new of ada", "new of ada")
        ada.push()
        bob.write("files/02", "edited by bob")
        bob.write("files/03", "edited by bob, too")
        bob.write("files/new of bob", "new of bob")
        (bob.cache / "files/04").unlink()
        self._start_a_push()
        kept = [f"base {number}" for number in range(5, 40)]
        edits = ["edited by ada", "edited by ada, too", "edited by bob", "edited by bob, too"]
        self.alive = {*kept, *edits, "new of ada", "new of bob"}

    def _start_a_push(self) -> None:
        """Uploaded, and noted in the journal; never committed."""

        def fail(op: str, key: str) -> None:
            if (op, key) == ("put", ".datastore.lock"):
                raise Integrity("the plug was pulled")

        with pytest.raises(Integrity):
            machine(self.home / "bob", self.bucket, before=fail).push()

    def bob(self) -> Machine:
        return machine(self.home / "bob", self.bucket)

    def copy(self, home: Path) -> "World":
        world = World.__new__(World)
        shutil.copytree(self.home, home)
        world.home, world.bucket, world.alive = home, MemoryBucket(), self.alive
        for key, body in contents(MemoryStore(self.bucket)).items():
            MemoryStore(world.bucket).put(key, body)
        return world

    def readable(self) -> set[str]:
        found = set(contents(MemoryStore(self.bucket)).values())
        for place in ("ada/cache", "bob/cache", "bob/state/trash"):
            found |= {p.read_bytes() for p in (self.home / place).rglob("*") if p.is_file()}
        return {body.decode(errors="replace") for body in found}

    def agree(self) -> None:
        """All have the same, and what the index says; only what bob deleted may be gone."""
        ada, bob = machine(self.home / "ada", self.bucket), self.bob()
        bob.sync(policy="local")  # whose unfinished push it was nobody remembers: the user decides
        have = bob.files()
        assert ada.sync(max_delete=1).conflicts == []
        assert ada.files() == have
        assert data(lambda: MemoryStore(self.bucket)) == have
        assert entries(lambda: MemoryStore(self.bucket)) == {r: digest(b) for r, b in have.items()}
        names = {f"files/{n:02}" for n in range(40)} | {"files/new of ada", "files/new of bob"}
        assert names - have.keys() <= {"files/04"}


def synced(bob: Machine) -> list[str]:
    """What a user does: again, when it says so. Anything but our own errors is a bug."""
    told = []
    for _ in range(TRIES):
        try:
            bob.sync(policy="keep-both")
        except S3DashError as error:
            told.append(f"{type(error).__name__}: {error.message}")
    return told


@pytest.fixture(scope="module")
def start(tmp_path_factory: pytest.TempPathFactory) -> World:
    return World(tmp_path_factory.mktemp("start") / "home")


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_costs_time_and_nothing_else(
    start: World, tmp_path: Path, effort: Effort, damage: Damage
) -> None:
    dice = effort.dice()
    for number in range(effort.pick(4, 90)):
        world = start.copy(tmp_path / str(number))
        bob = world.bob()
        story = f"seed {effort.seed}, try {number}: {damage(dice, state_file(bob.settings))}"
        try:
            told = synced(bob)
            assert len(told) <= 1, told
            world.agree()
        except Exception as error:
            raise AssertionError(story) from error
        effort.lost(world.alive - world.readable(), story)
        effort.count("damaged state files survived")
        shutil.rmtree(world.home)


def test_each_page_in_turn(start: World, tmp_path: Path, effort: Effort) -> None:
    pages = state_file(start.bob().settings).stat().st_size // PAGE
    dice = effort.dice()
    for page in range(0, pages, effort.pick(3, 1)):
        world = start.copy(tmp_path / str(page))
        bob = world.bob()
        with state_file(bob.settings).open("r+b") as file:
            file.seek(page * PAGE)
            file.write(dice.randbytes(PAGE))
        story = f"seed {effort.seed}: page {page} of {pages}"
        assert len(synced(bob)) <= 1, story
        world.agree()
        effort.lost(world.alive - world.readable(), story)
        effort.count("damaged state files survived")


def test_a_lost_state_file_is_a_first_sync(start: World, tmp_path: Path, effort: Effort) -> None:
    world = start.copy(tmp_path / "lost")
    state_file(world.bob().settings).unlink()
    assert synced(world.bob()) == []
    world.agree()
    effort.lost(world.alive - world.readable())


def test_a_directory_in_its_place_is_told(start: World, tmp_path: Path) -> None:
    world = start.copy(tmp_path / "directory")
    path = state_file(world.bob().settings)
    path.unlink()
    path.mkdir()
    before = world.readable()
    with pytest.raises(LocalError, match="cannot be opened"):
        world.bob().sync()
    assert world.readable() == before


def test_any_value_that_is_no_text_costs_one_try(start: World, tmp_path: Path) -> None:
    """Whoever reads it first: the cache is let go of, and the next try finds a fresh state."""
    with closing(sqlite3.connect(state_file(start.bob().settings))) as db:
        names = [name for (name,) in db.execute("SELECT key FROM facts")]
    assert "last:pull" in names
    for number, name in enumerate(names):
        world = start.copy(tmp_path / str(number))
        with closing(sqlite3.connect(state_file(world.bob().settings))) as db, db:
            db.execute("UPDATE facts SET value = CAST(x'ff' AS TEXT) WHERE key = ?", (name,))
        assert len(synced(world.bob())) <= 1, name
        world.agree()


@pytest.mark.parametrize("damage", ["etag = etag || '0'", "body = zeroblob(99)"])
@pytest.mark.parametrize("commits", [0, 1])
def test_a_damaged_document_of_the_index_is_fetched_again(
    start: World, tmp_path: Path, damage: str, commits: int
) -> None:
    """Also when it is not the latest version any more, which nobody can fetch."""
    world = start.copy(tmp_path / "home")
    world.bob().status()
    with closing(sqlite3.connect(state_file(world.bob().settings))) as db, db:
        assert db.execute(f"UPDATE docs SET {damage}").rowcount == 2
    for number in range(commits):
        ada = machine(world.home / "ada", world.bucket)
        ada.write(f"files/later {number}", "later")
        ada.push()
    assert synced(world.bob()) == []
    world.agree()
    assert world.alive <= world.readable()
