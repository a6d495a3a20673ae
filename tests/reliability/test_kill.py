"""kill −9 at random points of push, pull and sync of 300 files, on SeaweedFS.

Real commands in real processes. Most ends are by count (the n-th step or request of the command,
see `zygote`), some by time, from outside; now and then the recovery is killed as well. Two users
take turns: one pushes, the other edits and syncs, the first pulls; each of the three dies.
"""

import hashlib
import json
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.reliability.shared_files import FILES, Bucket, Truth, User
from tests.reliability.zygote import Ended, Zygote
from tests.servers import Server
from tests.tally import Effort

CHAINS = 3
KILLS = (10, 67)
"""Of one chain, in the short form and in full."""

CHANGING = ("pushed", "pulled", "copied", "deleted_remote", "deleted_local")
STEPS = {"push": 1.4, "pull": 12.0, "sync": 12.0}
"""About how many there are for each file that moves; `sync` mostly pulls here."""

COMMIT_STEPS = 40
REQUESTS = 26
"""About how many boto3 sends: the looks, the lock, the commit and the first deletions."""


class Chain:
    """Commands one after the other, each of which is killed, recovered and proved."""

    def __init__(self, home: Path, server: Server, zygote: Zygote, effort: Effort) -> None:
        self.effort = effort
        self.dice = effort.dice()
        self.zygote = zygote
        self.bucket = Bucket(server, home)
        self.users = [User(home / name, server, self.bucket.name) for name in ("ada", "bob")]
        self.truth = Truth(self.dice)
        self.seconds = 1.0
        self.story = [f"seed {effort.seed}"]
        self.kills = 0
        self.waited = False

    def live(self, kills: int) -> None:
        ada, bob = self.users
        self.truth.first(ada)
        self.command(ada, "push", FILES)
        self.command(bob, "pull", FILES)
        while self.kills < kills:
            edited = self.truth.edit(ada, big=self.dice.random() < 0.4)
            self.command(ada, "push", len(edited))
            also = self.truth.edit(bob, big=self.dice.random() < 0.2, conflicts_with=edited)
            self.command(bob, "sync", len(edited))
            self.command(ada, "pull", len(also))
            ada, bob = bob, ada

    # --- one command --------------------------------------------------------------------

    def command(self, user: User, what: str, files: int) -> None:
        """Kill it, perhaps twice, then let it run to its end."""
        for _ in range(self.dice.choice((1, 1, 1, 2))):
            ended = self.run(user, what, **self.end_of(what, files))
            if not ended.killed:
                break
            self.kills += 1
            self.effort.count(f"kills of a {what} survived")
            self.nothing_is_lost(user)
            self.free_the_lock()
        else:
            ended = self.run(user, what)
        self.finish(user, what, ended)
        self.nothing_is_lost(user)
        self.all_is_well(user)

    def end_of(self, what: str, files: int) -> dict[str, Any]:
        lot = self.dice.random()
        if lot < 0.25:
            return {"die_after_s": round(0.02 + self.dice.random() * self.seconds, 3)}
        if lot < 0.65 and what != "pull":
            return {"die_at_request": self.dice.randrange(1, REQUESTS)}
        return {"die_at": self.dice.randrange(1, COMMIT_STEPS + int(STEPS[what] * files))}

    def run(self, user: User, what: str, **end: Any) -> Ended:
        extra = ["--conflict", "keep-both"] if what == "sync" else []
        begun = time.monotonic()
        ended = self.zygote.run(what, "--json", *extra, cwd=user.home, environ=user.environ, **end)
        if not ended.killed and what != "status":
            self.seconds = time.monotonic() - begun
        self.story.append(f"{user.name} {what} {end or ''}: {ended.code}, {ended.steps} steps")
        return ended

    def finish(self, user: User, what: str, ended: Ended) -> None:
        """A sync that put files aside has them to push in the next one."""
        self.result(ended)
        if what == "sync" and self.fresh_copies(user):
            self.result(self.run(user, what))
        self.truth.files.update({rel: user.files()[rel] for rel in self.fresh_copies(user)})

    def result(self, ended: Ended) -> dict[str, Any]:
        assert ended.code == 0, self.told(ended.output)
        *_, last = ended.output.splitlines()  # what it waited for may stand before it
        result: dict[str, Any] = json.loads(last)
        return result

    def fresh_copies(self, user: User) -> list[str]:
        return [r for r in user.files() if ".conflict-" in r and r not in self.truth.files]

    def free_the_lock(self) -> None:
        """Its holder is dead. In full, once, it is waited out as nobody came to release it."""
        if self.effort.full and not self.waited:
            self.waited = ".datastore.lock" in self.bucket.etags()
            self.effort.count("locks of the dead waited out", self.waited)
        elif self.bucket.release_dead_lock():
            self.effort.count("locks of the dead released")

    # --- what must hold -----------------------------------------------------------------

    def nothing_is_lost(self, user: User) -> None:
        """None lost, none torn: whatever is where, it is whole and what somebody wrote."""
        mine, theirs = (u.files() for u in self.users)
        torn = [r for f in (mine, theirs) for r, b in f.items() if b not in self.truth.written]
        assert not torn, self.told(f"torn: {torn}")
        have = {*mine.values(), *theirs.values()}
        alive = {*self.truth.files.values(), *self.truth.copies} - have
        if alive:
            alive -= {*self.bucket.bodies().values(), *self.users[0].trashed()}
            alive -= {*self.users[1].trashed()}
        self.effort.lost([body[:60] for body in alive], self.told(""))

    def all_is_well(self, user: User) -> None:
        """The cache, the bucket and the index are the truth; nothing is left, nothing to do."""
        want = self.truth.files
        have = user.files()
        apart = sorted(r for r in have.keys() | want.keys() if have.get(r) != want.get(r))
        assert not apart, self.told(f"{user.name}'s cache differs: {apart}")
        copies = Counter(body for rel, body in want.items() if ".conflict-" in rel)
        assert copies == self.truth.copies, self.told("conflict copies are lost or doubled")
        assert not self.bucket.differs(want), self.told(f"objects: {self.bucket.differs(want)}")
        hashes = {rel: hashlib.sha256(body).hexdigest() for rel, body in want.items()}
        assert self.bucket.entries() == hashes, self.told("the index differs")
        assert self.bucket.uploads() == [], self.told("an upload is open")
        assert user.litter() == [], self.told("temporary files")
        assert ".datastore.lock" not in self.bucket.etags(), self.told("a lock is left")
        if self.effort.full or self.dice.random() < 0.6:
            self.nothing_to_do(user)

    def nothing_to_do(self, user: User) -> None:
        again = self.result(self.run(user, "sync"))
        assert not any(again[what] for what in CHANGING), self.told(str(again))
        assert again["requests"] <= 2, self.told(str(again))
        if self.dice.random() < 0.6:
            return
        status = self.result(self.run(user, "status"))
        left = (status["local"]["dirty"], status["remote"]["changed"])
        assert left == ([], []), self.told(str(status))
        assert (status["conflicts"], status["blocked"]) == ([], []), self.told(str(status))

    def told(self, end: str) -> str:
        return "\n".join([*self.story, end])


@pytest.fixture(scope="module")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    with Zygote(tmp_path_factory.mktemp("zygote")) as started:
        yield started


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("number", range(CHAINS))
def test_a_command_is_killed_at_any_moment(
    weed: Server, tmp_path: Path, zygote: Zygote, effort: Effort, number: int
) -> None:
    chain = Chain(tmp_path, weed, zygote, effort)
    with closing(chain.bucket):
        chain.live(effort.pick(*KILLS))
