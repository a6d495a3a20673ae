"""Moving a datastore between the solo layout and a namespace: what is planned, what was done. Pure.

Sizes are bytes, times ISO. A `Record` is what lies in the place that is left, so that the next
run goes on where the last one ended, and clients of the old place learn where it went.
"""

from typing import Any, Literal

import msgspec

from s3dash.core.report import PlanRow

Phase = Literal["copying", "committed", "done"]
"""Nothing is deleted while «copying»; once «committed» the new place's index rules."""

SOLO = "the solo layout"


def place_name(namespace: str | None) -> str:
    """A place as people call it."""
    return f"namespace {namespace}" if namespace else SOLO


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """`_control/s3dash/moved.json` of the place that is left. `to` is empty for the solo layout."""

    version: int = 1
    phase: Phase
    to: str
    by: str
    at: str

    @property
    def target(self) -> str | None:
        return self.to or None


_RECORD = msgspec.json.Decoder(Record)


def decode_record(raw: bytes) -> Record | None:
    """None for what is no such record."""
    try:
        return _RECORD.decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None


def encode_record(record: Record) -> bytes:
    return msgspec.json.format(msgspec.json.encode(record), indent=2)


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """What stays where it was, and why."""

    path: str
    reason: str


class MigrationPlan(msgspec.Struct, frozen=True, kw_only=True):
    """What a migration would do now.

    `rows` are the objects that are not in the new place yet or still in the old one, by path;
    `resumed`: an earlier run began it. `cache_files` is how many files of this cache move.
    """

    namespace: str
    to_solo: bool
    resumed: bool = False
    registers: bool = False
    rows: tuple[PlanRow, ...] = ()
    kept: tuple[Kept, ...] = ()
    cache_files: int = 0

    @property
    def size(self) -> int:
        return sum(row.size for row in self.rows if row.action == "copy")

    @property
    def nothing(self) -> bool:
        return not (self.rows or self.kept or self.cache_files or self.registers)

    def as_result(self) -> "Migrated":
        """The plan as the outcome of a dry run."""
        return Migrated(
            namespace=self.namespace,
            to_solo=self.to_solo,
            dry_run=True,
            resumed=self.resumed,
            cache_files=self.cache_files,
            kept=self.kept,
            plan=self.rows,
        )


class Migrated(msgspec.Struct, frozen=True, kw_only=True):
    """What a migration did. `objects` is how many the new place's index names in the end."""

    namespace: str
    to_solo: bool
    dry_run: bool = False
    resumed: bool = False
    registered: bool = False
    objects: int = 0
    copied: int = 0
    bytes_copied: int = 0
    unchanged: int = 0
    deleted: int = 0
    cache_files: int = 0
    kept: tuple[Kept, ...] = ()
    commit_seq: int | None = None
    requests: int = 0
    seconds: float = 0.0
    plan: tuple[PlanRow, ...] | None = None

    @property
    def exit_code(self) -> int:
        """0 fine; 3 something stays in the old place, and a user has to look at it."""
        return 3 if self.kept and not self.dry_run else 0

    def document(self) -> dict[str, Any]:
        """The JSON shape; `plan` only after a dry run."""
        out: dict[str, Any] = {"action": "migrate", **msgspec.to_builtins(self)}
        if self.plan is None:
            del out["plan"]
        return out
