"""A store that answers a client from a script, and stops it at the first request beyond the script.

So the state of a running client is the list of answers that it has got: run again with these, it
asks the same next question. What two clients ask can then be put in any order, without threads.
"""

import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO

from s3dash.errors import S3DashError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.port import Downloaded, ObjectInfo, Uploaded, Usage
from s3dash.objectstore.source import Held
from tests.engine.clocks import START, TestClock
from tests.engine.world import digest

WRITES = ("put", "upload", "delete", "delete_many", "copy")
PROBES = "_control/s3dash/probe/"


class Stopped(BaseException):
    """The client has asked what the script lacks. No `except` of the product takes it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request came to: a value, or an error."""

    value: Any = None
    error: S3DashError | None = None

    @property
    def identity(self) -> object:
        """Equal for answers that no client can tell apart."""
        error = self.error
        return self.value if error is None else (type(error).__name__, error.message)

    def give(self) -> Any:
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(frozen=True, slots=True)
class Request:
    """One request that is about to be sent; `act` carries it out on a store."""

    op: str
    key: str
    act: Callable[[MemoryStore], Any]
    what: str = ""

    @property
    def writes(self) -> bool:
        return self.op in WRITES

    def __str__(self) -> str:
        return f"{self.op} {self.key}{self.what}"

    def send(self, store: MemoryStore) -> Answer:
        try:
            return Answer(self.act(store))
        except S3DashError as error:
            return Answer(error=error)


class Replay:
    """An `ObjectStore` for one run of one client.

    Keys below `private` prefixes, and the endpoint's probes, are answered at once from a bucket
    of the client's own: a lock there keeps nobody out. `on_stop` is called where the client
    stands when it is stopped, before anything of it is unwound: as kill -9 would leave it.
    """

    def __init__(
        self,
        answers: Sequence[Answer],
        *,
        private: tuple[str, ...] = (),
        on_stop: Callable[[], object] | None = None,
    ) -> None:
        self.etag_quotes = True
        self.usage = Usage()
        self.asked: Request | None = None
        self.log: list[str] = []
        self._answers = iter(answers)
        self._mine = MemoryStore(MemoryBucket(clock=TestClock()))
        self._private = (*private, PROBES)
        self._on_stop = on_stop

    def _ask(self, request: Request) -> Any:
        if self.asked is None:
            if request.key.startswith(self._private):
                return request.act(self._mine)
            answer = next(self._answers, None)
            self.log.append(str(request))
            if answer is not None:
                return answer.give()
            self.asked = request
            if self._on_stop is not None:
                self._on_stop()
        raise Stopped

    def run(self, program: Callable[[], object], *, takes: type[Exception]) -> None:
        """Run the client until it ends, fails with `takes`, or asks what the script lacks."""
        with contextlib.suppress(Stopped, takes):  # a failed command has ended as well
            program()

    def server_time(self) -> datetime | None:
        return START

    def close(self) -> None:
        """Nothing is held open."""

    def list(self, prefix: str = "", *, start_after: str = "") -> Iterator[ObjectInfo]:
        found = self._ask(
            Request("list", prefix, lambda s: tuple(s.list(prefix, start_after=start_after)))
        )
        return iter(found)

    def get(self, key: str, **conditions: Any) -> Any:
        return self._ask(Request("get", key, lambda s: s.get(key, **conditions), _told(conditions)))

    def head(self, key: str) -> Any:
        return self._ask(Request("head", key, lambda s: s.head(key)))

    def put(self, key: str, body: bytes, **conditions: Any) -> Any:
        what = f" {digest(body)[:8]}{_told(conditions)}"
        return self._ask(Request("put", key, lambda s: s.put(key, body, **conditions), what))

    def delete(self, key: str, *, if_match: str | None = None) -> Any:
        what = _told({"if_match": if_match})
        return self._ask(Request("delete", key, lambda s: s.delete(key, if_match=if_match), what))

    def delete_many(self, keys: Iterable[str]) -> None:
        """One step, as it is one request."""
        each = list(keys)
        self._ask(Request("delete_many", each[0], lambda s: s.delete_many(each), f" +{len(each)}"))

    def copy(self, source: str, target: str, *, if_match: str | None = None, **unused: Any) -> Any:
        what = f" of {source}{_told({'if_match': if_match})}"
        act = partial(MemoryStore.copy, source=source, target=target, if_match=if_match)
        return self._ask(Request("copy", target, act, what))

    def upload(
        self,
        key: str,
        source: Path | Held,
        *,
        if_match: str | None = None,
        if_none_match: bool = False,
        **unused: Any,
    ) -> Uploaded:
        body = source.body if isinstance(source, Held) else source.read_bytes()
        stored = self.put(key, body, if_match=if_match, if_none_match=if_none_match)
        return Uploaded(stored.etag, len(body), digest(body))

    def download(
        self, key: str, sink: BinaryIO, *, if_match: str | None = None, on_bytes: Any = None
    ) -> Downloaded:
        def act(store: MemoryStore) -> tuple[Downloaded, bytes]:
            body = BytesIO()
            return store.download(key, body, if_match=if_match), body.getvalue()

        got, body = self._ask(Request("download", key, act, _told({"if_match": if_match})))
        sink.write(body)
        done: Downloaded = got
        return done


def _told(conditions: dict[str, Any]) -> str:
    if conditions.get("if_none_match") is True:
        return " if absent"
    version = conditions.get("if_match")
    return f" if {version[:8]}" if version else ""
