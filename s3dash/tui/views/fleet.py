"""Who else is here, as rows and as the detail of one writer. Pure."""

from collections.abc import Callable, Sequence

from s3dash.core.fleet import Commit, FleetView, Place, Writer
from s3dash.core.lock import LockInfo
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import age, between, count, moment, safe
from s3dash.tui.glyphs import lock_sign
from s3dash.tui.look import Look
from s3dash.tui.views.base import field, head, joined, row_of
from s3dash.tui.views.locks import place

PLAIN = "a plain client"
WHOLE = "whole datastore"
COMMITS = 10
PATHS = 20
_MARKS = {"+": "add", "~": "mod", "-": "del"}


def name(writer: Writer) -> str:
    return safe(writer.holder) or "somebody"


def client(writer: Writer) -> str:
    return safe(writer.client) if writer.client else PLAIN


def where(writer: Writer) -> str:
    return ", ".join(safe(slug) for slug in writer.namespaces) or WHOLE


def changes(commit: Commit) -> Cell:
    """`+3 ~1 -2`; of what a plain client changed nothing is known."""
    if commit.added is None:
        return one("not on record", "dim")
    counts = (("+", commit.added), ("~", commit.modified), ("-", commit.deleted))
    parts = [(f"{mark}{number:,}", _MARKS[mark]) for mark, number in counts if number]
    return joined([(part,) for part in parts], " ") or one("nothing", "dim")


def lock_cell(lock: LockInfo) -> Cell:
    """As it was at the time of the look."""
    return lock_sign(lock, left_s=lock.expires_in_s).cell


def _who(writer: Writer, _: Look) -> Cell:
    me = (("  you", "good"),) if writer.mine else ()
    return ((name(writer), "strong" if writer.holder else "dim"), *me)


def _lock(writer: Writer, _: Look) -> Cell:
    return lock_cell(writer.lock) if writer.lock else one("–", "dim")


def _last(writer: Writer, look: Look) -> Cell:
    return one(moment(writer.last.at, look.now) if writer.last else "?", "dim")


def _changed(writer: Writer, _: Look) -> Cell:
    return changes(writer.last) if writer.last else one("–", "dim")


COLUMNS: tuple[Column[Writer], ...] = (
    Column(title="WHO", cell=_who),
    Column(title="LOCK", width=8, cell=_lock),
    Column(title="LAST COMMIT", width=12, least=44, cell=_last),
    Column(title="CHANGED", width=16, least=64, cell=_changed),
    Column(title="WHERE", width=20, least=84, cell=lambda w, _: one(where(w))),
    Column(title="CLIENT", width=16, least=104, cell=lambda w, _: one(client(w), "dim")),
)
FIELDS: dict[str, Callable[[Writer], str]] = {
    "ns": lambda writer: " ".join(writer.namespaces),
    "client": client,
    "lock": lambda writer: writer.lock.scope if writer.lock else "none",
}


def text(writer: Writer) -> str:
    """What the filter looks for words in."""
    paths = " ".join(path for commit in writer.commits for path in commit.paths)
    return f"{writer.holder} {writer.hostname} {client(writer)} {where(writer)} {paths}"


def summary(seen: FleetView) -> Cell:
    holding = sum(1 for writer in seen.writers if writer.locks)
    named = sum(1 for found in seen.places if found.namespace)
    wrong = [found for found in seen.places if found.problem]
    return joined(
        [
            one(count(len(seen.writers), "writer"), "strong"),
            one(f"{holding} holding a lock", "warn") if holding else (),
            one(f"in {count(named, 'namespace')}", "dim") if named else (),
            one(f"{count(seen.skipped, 'namespace')} not looked at", "warn")
            if seen.skipped
            else (),
            one(f"⚠ {safe(wrong[0].namespace or WHOLE)}: {safe(wrong[0].problem)}", "bad")
            if wrong
            else (),
        ]
    )


def note(writer: Writer, look: Look, *, commits: int) -> list[Cell]:
    """A writer in a few lines: who, its locks, its latest commits."""
    seconds = between(writer.last.at, look.now) if writer.last else None
    ago = f", {age(seconds)} ago" if seconds is not None and seconds >= 0 else ""
    host = f" on {safe(writer.hostname)}" if writer.hostname else ""
    lines: list[Cell] = [((name(writer), "strong"), (f"{host}  {client(writer)}{ago}", "dim"))]
    lines += [_lock_line(lock) for lock in writer.locks[:2]]
    lines += [commit_line(commit, look) for commit in writer.commits[:commits]]
    return lines


def detail(writer: Writer, places: Sequence[Place], look: Look) -> list[Cell]:
    """All that is known of a writer, line by line."""
    lines = [
        head(name(writer)),
        one(""),
        field("host", safe(writer.hostname) or "?"),
        field("client", client(writer)),
        field("writes to", where(writer)),
    ]
    if writer.mine:
        lines.append(field("you", "this s3dash commits under the same name", "good"))
    lines += [row_of("lock", _lock_line(lock)) for lock in writer.locks]
    lines += _repositories(writer, places)
    for commit in writer.commits[:COMMITS]:
        lines += [one(""), commit_line(commit, look), *_paths(commit)]
    if not writer.commits:
        lines += [one(""), one("No commit of it is on record.", "dim")]
    return lines


def _lock_line(lock: LockInfo) -> Cell:
    return (*lock_cell(lock), (f"  {place(lock)}, pid {lock.pid}", ""))


def commit_line(commit: Commit, look: Look) -> Cell:
    number = f"  commit {commit.seq:,}" if commit.seq is not None else ""
    at = moment(commit.at, look.now)
    lead = (f"{at}  {safe(commit.namespace or WHOLE)}{number}  ", "")
    return (lead, *changes(commit))


def _paths(commit: Commit) -> list[Cell]:
    known = (commit.added or 0) + (commit.modified or 0) + (commit.deleted or 0)
    lines = [one(f"  {safe(path)}", _MARKS.get(path[:1], "")) for path in commit.paths[:PATHS]]
    if known > len(lines):
        lines.append(one(f"  … and {known - len(lines):,} more", "dim"))
    return lines


def _repositories(writer: Writer, places: Sequence[Place]) -> list[Cell]:
    owned = [found for found in places if found.namespace in writer.namespaces and found.repo_id]
    return [
        field(
            "namespace", f"{safe(found.namespace or '')} of repository {safe(found.repo_id)}", "dim"
        )
        for found in owned
    ]
