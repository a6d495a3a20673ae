"""All interleavings of the requests of some clients, by running the clients themselves.

A state is the bucket and, for each client, the answers that it has got: nothing else can decide
what happens next, for a client is deterministic given its answers (checked on every run). Two
schedules that lead to equal states have the same future, so each state is gone on from once; the
schedules themselves are counted, not listed. That is the only reduction, and it is sound because
nothing that differs is left out of the comparison.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from s3dash.objectstore.memory import Kept, MemoryBucket, MemoryStore
from tests.engine.clocks import TestClock
from tests.reliability.replay import Answer, Request

Objects = Mapping[str, Kept]
Watcher = Callable[[MemoryBucket, str], MemoryBucket]
"""From a bucket and a client's name to the bucket as that client is to see it."""


class Client(Protocol):
    """A program that talks to a store, and nothing else.

    `ours`: it may crash, and what it writes is watched.
    """

    ours: bool

    @property
    def name(self) -> str: ...

    def next(self, answers: Sequence[Answer]) -> tuple[Request | None, tuple[str, ...]]:
        """What it asks after these answers (None: it has ended), and all that it asked."""
        ...


@dataclass(eq=False, slots=True)
class Node:
    """A client with the answers that it has got so far."""

    client: Client
    answers: tuple[Answer, ...] = ()
    told: tuple[str, ...] = ()
    request: Request | None = None
    after: dict[object, "Node"] = field(default_factory=dict)

    def __post_init__(self) -> None:
        before = self.told
        self.request, self.told = self.client.next(self.answers)
        story = f"{self.client.name} is not deterministic: {before} then {self.told}"
        assert self.told[: len(before)] == before, story

    def then(self, answer: Answer) -> "Node":
        found = self.after.get(answer.identity)
        if found is None:
            found = self.after[answer.identity] = Node(
                self.client, (*self.answers, answer), self.told
            )
        return found


@dataclass(frozen=True, slots=True)
class Runner:
    """A client in a state. `dead`: its plug was pulled; its request may have got through."""

    at: Node
    dead: bool = False

    @property
    def request(self) -> Request | None:
        return None if self.dead else self.at.request


@dataclass(frozen=True, slots=True)
class End:
    """All clients have ended or died. `story` is one schedule that leads here."""

    objects: Objects
    runners: tuple[Runner, ...]
    story: tuple[str, ...]


class Explorer:
    """Explores from one state of the bucket; `ends` are the distinct final states.

    `crashes` is how many clients may die, each before or after any request that it sends.
    Raises what `watch` raises, with the schedule.
    """

    def __init__(
        self, clients: Sequence[Client], objects: Objects, *, crashes: int, watch: Watcher
    ) -> None:
        self.ends: list[End] = []
        self.states = 0
        self._watch = watch
        self._known: dict[object, int] = {}
        self._trail: list[str] = []
        start = tuple(Runner(Node(client)) for client in clients)
        try:
            self.schedules = self._from(dict(objects), start, crashes)
        except AssertionError as error:
            raise AssertionError("\n".join([*self._trail, str(error)])) from error

    def _from(self, objects: Objects, runners: tuple[Runner, ...], crashes: int) -> int:
        """The number of schedules from here on."""
        key = (frozenset((k, o.etag) for k, o in objects.items()), runners, crashes)
        known = self._known.get(key)
        if known is not None:
            return known
        self.states += 1
        total = 0
        for at, runner in enumerate(runners):
            if runner.request is not None:
                total += self._step(objects, runners, at, runner.request, crashes)
        if total == 0:
            self.ends.append(End(objects, runners, tuple(self._trail)))
            total = 1
        self._known[key] = total
        return total

    def _step(
        self,
        objects: Objects,
        runners: tuple[Runner, ...],
        at: int,
        request: Request,
        crashes: int,
    ) -> int:
        client, node = runners[at].at.client, runners[at].at
        bucket = MemoryBucket(clock=TestClock(), objects=objects)
        self._trail.append(f"{client.name}: {request}")
        seen = self._watch(bucket, client.name) if client.ours else bucket
        answer = request.send(MemoryStore(seen))
        self._trail[-1] += f" -> {type(answer.error).__name__ if answer.error else 'ok'}"
        after = bucket.objects() if request.writes else objects
        total = self._from(after, _with(runners, at, Runner(node.then(answer))), crashes)
        if crashes and client.ours:
            dead = _with(runners, at, Runner(node, dead=True))
            for what, left in _outcomes(objects, after):
                self._trail[-1] = f"{client.name}: dies {what} {request}"
                total += self._from(left, dead, crashes - 1)
        self._trail.pop()
        return total


def _outcomes(before: Objects, after: Objects) -> list[tuple[str, Objects]]:
    """What a request of a client that dies at it may have come to."""
    return [("before", before)] + ([("after", after)] if after is not before else [])


def _with(runners: tuple[Runner, ...], at: int, runner: Runner) -> tuple[Runner, ...]:
    return (*runners[:at], runner, *runners[at + 1 :])
