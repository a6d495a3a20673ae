"""The owner's snapshot in the process of a guest: kept up by what the owner tells."""

from collections.abc import Mapping
from typing import Any

from msgspec.structs import fields, replace

from s3dash.attach import countdown
from s3dash.attach.deltas import kinds, row_fields
from s3dash.attach.frames import Facts, Splice
from s3dash.attach.values import unpacked
from s3dash.clock import Clock
from s3dash.core.progress import Progress, Transfer
from s3dash.core.snapshot import Snapshot

_FIELDS = tuple(field.name for field in fields(Transfer))


class Mirror:
    """Fed by one thread, read by any. Fields that do not change stay the same objects.

    `always` are fields that are said here, whatever the owner says of itself.
    """

    def __init__(self, clock: Clock, always: Mapping[str, Any]) -> None:
        self._clock = clock
        self._always = dict(always)
        self._fields: dict[str, Any] = dict.fromkeys(row_fields(), ())
        self._open: dict[str, list[Any]] = {}
        self._transfers: dict[int, Transfer] = {}
        self._moved = False
        self._bare = self._progress = Progress()
        self._now: Snapshot | None = None

    def snapshot(self) -> Snapshot | None:
        """As it is now; None before the first is whole. Takes microseconds."""
        found = self._now
        return None if found is None else countdown.as_spans(found, self._clock.monotonic())

    def take(self, facts: Facts) -> bool:
        """True when the snapshot is whole again. Raises one of `values.FAULTS` for nonsense."""
        for name, value in facts.fields.items():
            self._fields[name] = unpacked(value, kinds()[name])
        for splice in facts.splices:
            self._splice(splice)
        if facts.rows or facts.gone or facts.order is not None:
            self._move(facts)
        if facts.whole:
            self._close()
        return facts.whole

    def _splice(self, splice: Splice) -> None:
        name = splice.field
        if name not in self._open:
            self._open[name] = list(self._fields[name])
        end = splice.start + splice.removed
        self._open[name][splice.start : end] = unpacked(splice.rows, kinds()[name])

    def _move(self, facts: Facts) -> None:
        """Rows that are known are changed in place: whoever holds one sees it live."""
        self._moved = True
        for id in facts.gone:
            self._transfers.pop(id, None)
        for packed in facts.rows:
            for row in unpacked(packed, list[Transfer]):
                known = self._transfers.setdefault(row.id, row)
                for name in _FIELDS:
                    setattr(known, name, getattr(row, name))
        if facts.order is not None:
            self._transfers = {id: self._transfers[id] for id in facts.order}

    def _close(self) -> None:
        for name, rows in self._open.items():
            self._fields[name] = tuple(rows)
        self._open = {}
        told = self._fields.get("progress", self._bare)
        if self._moved or told is not self._bare:
            self._moved, self._bare = False, told
            self._progress = replace(told, transfers=list(self._transfers.values()))
        self._now = Snapshot(**{**self._fields, "progress": self._progress, **self._always})
