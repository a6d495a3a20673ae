"""What was found out about an index, and what is done to it, as rows. Pure."""

from collections.abc import Iterator

import msgspec

from s3dash.core.index_care import IndexMigrated, Repaired, Verified, WrongObject
from s3dash.tui.format import short_hash, size


class CareRow(msgspec.Struct, frozen=True):
    """`name` is a path, a shard or a document, `look` that of the word before it. All foreign."""

    what: str
    look: str
    name: str
    detail: str

    @property
    def key(self) -> str:
        return f"{self.what}\n{self.name}\n{self.detail}"


def of_verified(found: Verified) -> Iterator[CareRow]:
    """The worst first."""
    for name, facts in (("_meta.json", found.meta), ("monolith", found.monolith)):
        if facts.problem:
            yield CareRow("broken", "bad", name, facts.problem)
    for shard in found.corrupt_shards:
        yield CareRow("corrupt", "bad", shard.name, shard.reason)
    for name in found.missing_shards:
        yield CareRow("no shard", "bad", name, "meta names it, and it is not there")
    for name in found.dropped_shards:
        yield CareRow("dropped", "warn", name, "it is there, and meta does not name it")
    for gone in found.missing:
        yield CareRow("missing", "bad", gone.path, gone.reason)
    for wrong in found.wrong:
        yield CareRow("wrong", "bad", wrong.path, f"{wrong.reason}{_apart(wrong)}")
    for zombie in found.zombies:
        yield CareRow("zombie", "warn", zombie.path, zombie.reason)
    for orphan in found.orphans:
        yield CareRow("orphan", "warn", orphan.path, f"{size(orphan.size)}, and no entry names it")


def _apart(wrong: WrongObject) -> str:
    if isinstance(wrong.expected, int) and isinstance(wrong.found, int):
        return f": {size(wrong.expected)} in the index, {size(wrong.found)} in the bucket"
    if not (wrong.expected or wrong.found):
        return ""
    return f": {short_hash(str(wrong.expected))} in the index, {short_hash(str(wrong.found))}"


def of_repaired(done: Repaired) -> Iterator[CareRow]:
    for step in done.done:
        yield CareRow(step.what, "accent" if done.dry_run else "good", step.name, step.reason)
    for left in done.left:
        yield CareRow("left", "warn", left.path, left.reason)


def of_migrated(done: IndexMigrated) -> Iterator[CareRow]:
    for dropped in done.dropped:
        yield CareRow("left", "warn", dropped.path, dropped.reason)
