"""A control plane in memory, and a fleet that a test sets."""

import hashlib
from dataclasses import dataclass, field

from s3dash.core.cancel import CancelToken
from s3dash.core.control import Content, Record, Written, content_of, is_own
from s3dash.core.fleet import FleetView
from s3dash.errors import NotFound, PreconditionFailed

AT = "2026-03-14T14:02:09.000Z"


@dataclass
class FakeControl:
    """Implements ControlApi. `error` is raised by every call."""

    bodies: dict[str, bytes] = field(default_factory=dict)
    error: Exception | None = None

    def _record(self, key: str) -> Record:
        if self.error is not None:
            raise self.error
        if key not in self.bodies:
            raise NotFound(f"there is no record {key}")
        body = self.bodies[key]
        return Record(key, len(body), AT, hashlib.md5(body, usedforsecurity=False).hexdigest())

    def get(self, key: str, *, cancel: CancelToken | None = None) -> Content:
        return content_of(self._record(key), self.bodies[key])

    def list(
        self, prefix: str = "", *, own: bool = False, cancel: CancelToken | None = None
    ) -> tuple[Record, ...]:
        keys = sorted(k for k in self.bodies if k.startswith(prefix) and (own or not is_own(k)))
        return tuple(self._record(key) for key in keys)

    def put(
        self,
        key: str,
        body: bytes,
        *,
        if_absent: bool = False,
        if_match: str | None = None,
        force: bool = False,
        cancel: CancelToken | None = None,
    ) -> Written:
        if self.error is not None:
            raise self.error
        created = key not in self.bodies
        if (if_absent and not created) or (if_match and self._record(key).etag != if_match):
            raise PreconditionFailed(f"{key} is there already")
        self.bodies[key] = body
        return Written(key, self._record(key).etag, len(body), created)

    def delete(
        self,
        key: str,
        *,
        if_match: str | None = None,
        force: bool = False,
        cancel: CancelToken | None = None,
    ) -> Record:
        record = self._record(key)
        if if_match is not None and record.etag != if_match:
            raise PreconditionFailed(f"{key} is another version")
        del self.bodies[key]
        return record


@dataclass
class FakeFleet:
    """Implements FleetApi."""

    seen: FleetView = field(default_factory=FleetView)
    error: Exception | None = None
    looks: int = 0

    def look(self, *, cancel: CancelToken | None = None) -> FleetView:
        self.looks += 1
        if self.error is not None:
            raise self.error
        return self.seen
