"""What is not hydrated is never a deletion: random lives of lazy caches, and commands killed."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from tests.reliability.lazy_life import LazyLife
from tests.reliability.shared_files import Bucket, User
from tests.reliability.zygote import Ended, Zygote
from tests.servers import Server
from tests.tally import Effort

STEPS = 30
MODELS = 25
STEPS_OF_ONE = 160
"""About how many a command takes."""
LIVES = (2, 40)
"""Of each kind, in the short form and in full."""


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("version", [1, 2])
@pytest.mark.parametrize("namespace", [None, "infra"])
def test_what_is_not_here_is_never_deleted(
    tmp_path: Path, effort: Effort, namespace: str | None, version: int
) -> None:
    dice = effort.dice()
    for number in range(effort.pick(*LIVES)):
        life = LazyLife(tmp_path / str(number), dice, namespace=namespace, version=version)
        life.note(f"seed {effort.seed}, life {number} of {namespace} on version {version}")
        life.begin()
        for _ in range(STEPS):
            life.something()
            life.check()
        life.calm()
        effort.count("lives of lazy caches")
        effort.count("their operations", sum(life.done.values()))
        effort.count("of them broken off", life.done["killed"])


KILLED = (("pull", "--lazy"), ("hydrate", "data"), ("push",), ("pull", "--full"))


@pytest.mark.timeout(1800)
def test_a_command_on_a_lazy_cache_is_killed_at_any_moment(
    weed: Server, tmp_path: Path, effort: Effort
) -> None:
    """Each is killed, then run to its end. What is not here, whole or half, deletes nothing."""
    with (
        Zygote(tmp_path) as zygote,
        closing(Bucket(weed, tmp_path)) as bucket,
    ):
        life = KilledLife(tmp_path, weed, zygote, bucket, effort)
        for _ in range(effort.pick(1, 25)):
            for command in KILLED:
                life.edit()
                life.killed(*command)
                life.check()


class KilledLife:
    """Ben works in a lazy cache on what Ada has pushed; `want` is what the bucket is to have."""

    def __init__(
        self, home: Path, server: Server, zygote: Zygote, bucket: Bucket, effort: Effort
    ) -> None:
        self.dice = effort.dice()
        self.effort = effort
        self.zygote = zygote
        self.bucket = bucket
        self.story = [f"seed {effort.seed}"]
        ada, self.ben = (User(home / name, server, bucket.name) for name in ("ada", "ben"))
        self.want: dict[str, bytes] = {}
        for number in range(MODELS):
            for name in ("raw", "metadata.yaml"):
                self.want[f"data/t/id{number % 5}/n/{number}/{name}"] = f"{number} {name}".encode()
        for rel, body in self.want.items():
            write(ada, rel, body)
        self.run(ada, "push")
        self._edits = 0

    def edit(self) -> None:
        """Content is edited where it is, and taken away while that is no deletion."""
        here = sorted(rel for rel in self.ben.files() if rel.endswith("/raw"))
        for rel in self.dice.sample(here, len(here) // 3):
            self._edits += 1
            self.want[rel] = f"edit {self._edits} of {rel}".encode()
            write(self.ben, rel, self.want[rel])
        pushed = [r for r in here if self.bucket.get(r) == self.want[r]]
        sidecar = self.ben.cache / ".datastore-sync-state.json"
        if sidecar.exists() and json.loads(sidecar.read_text())["lazyPullActive"]:
            for rel in self.dice.sample(pushed, len(pushed) // 2):
                (self.ben.cache / rel).unlink()

    def killed(self, *command: str) -> None:
        ended = self.run(self.ben, *command, die_at=self.dice.randrange(1, STEPS_OF_ONE))
        self.effort.count("kills on a lazy cache survived", ended.killed)
        self.bucket.release_dead_lock()
        missing = sorted(self.want.keys() - self.bucket.bodies().keys())
        self.effort.lost(missing, "\n".join(self.story))
        ended = self.run(self.ben, *command)
        assert ended.code == 0, "\n".join([*self.story, ended.output])

    def run(self, user: User, *command: str, **end: int) -> Ended:
        ended = self.zygote.run(*command, "--json", cwd=user.home, environ=user.environ, **end)
        self.story.append(f"{user.name} {command} {end}: {ended.code} {ended.output}")
        return ended

    def check(self) -> None:
        """What is here is whole; what Ben edited is in the bucket once it was pushed."""
        told = "\n".join(self.story)
        self.run(self.ben, "push")
        assert self.bucket.differs(self.want) == [], told
        here = self.ben.files()
        assert {r for r, body in here.items() if body != self.want[r]} == set(), told
        assert {r for r in self.want if r.endswith("yaml")} <= here.keys(), told


def write(user: User, rel: str, body: bytes) -> None:
    path = user.cache / rel
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(body)
