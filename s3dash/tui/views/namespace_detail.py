"""What is told of one namespace: whose it is, what waits, and what this machine has of it."""

from s3dash.core.tenants import Tenant
from s3dash.tui.cells import Cell, one
from s3dash.tui.format import age, between, count, moment, percent, safe, size
from s3dash.tui.glyphs import Sign
from s3dash.tui.look import Look
from s3dash.tui.views.base import field, head, row_of

Waits = tuple[int | None, int | None, int | None]
"""Paths that are dirty, behind and in conflict; None is what was not looked at."""


def detail(row: Tenant, look: Look, sign: Sign, waits: Waits) -> list[Cell]:
    return [
        head(called(row)),
        one(""),
        row_of("state", sign.cell),
        *_owner(row, look),
        *_commit(row, look),
        *_waiting(row, look, waits),
        one(""),
        *_sums(row, look),
        *_here(row, look),
        *_warnings(row),
        one(""),
        *_keys(row),
    ]


def called(row: Tenant) -> str:
    return safe(row.slug) or "(solo)"


def _owner(row: Tenant, look: Look) -> list[Cell]:
    if not row.in_bucket:
        return [one("not in the bucket: only this cache has it", "warn")]
    registered = "yes" if row.registered else "no" if row.read else "not read yet"
    if row.registered and row.registered_at:
        registered = f"yes, {moment(row.registered_at, look.now)}"
    seconds = between(row.index_at, look.now) if row.index_at else None
    written = "none" if row.read else "not read yet"
    if seconds is not None:
        written = f"written {age(seconds)} ago (server's clock)"
    return [
        field("repoId", safe(row.repo_id) or "unknown"),
        field("manifest", registered, "" if row.registered or not row.read else "warn"),
        field("index", written),
    ]


def _commit(row: Tenant, look: Look) -> list[Cell]:
    """What a look at all of them told of its last commit and its lock."""
    if not row.stood_at:
        return []
    seq = f"{row.commit_seq:,}, " if row.commit_seq is not None else ""
    at = moment(row.committed_at, look.now) if row.committed_at else "none yet"
    by = f" by {safe(row.committed_by)}" if row.committed_by else ""
    held = (safe(row.holder), "warn") if row.holder else ("free", "dim")
    return [field("commit", f"{seq}{at}{by}"), field("lock", *held)]


def _waiting(row: Tenant, look: Look, waits: Waits) -> list[Cell]:
    up, down, clash = waits
    if up is None:
        return [field("here", "not here: nothing of it was pulled", "dim")] if row.stood_at else []
    lines = [field("dirty", f"{up:,}", "up" if up else "dim")]
    if down is not None:
        lines.append(field("behind", f"{down:,}", "down" if down else "dim"))
    if clash:
        lines.append(field("conflicts", f"{clash:,}", "clash"))
    if not row.mine:
        lines.append(field("looked at", moment(row.stood_at, look.now), "dim"))
    return lines


def _sums(row: Tenant, look: Look) -> list[Cell]:
    if row.busy:
        return [one(f"{row.busy} …", "accent")]
    if not row.in_bucket:
        return []
    if row.objects is None or row.size is None or row.held is None:
        return [(("objects and bytes unknown: ", "dim"), ("u", "key"), (" counts them", "dim"))]
    lines = [
        field("objects", f"{row.objects:,}"),
        field("bytes", f"{size(row.size)}  ({row.size:,})"),
        field("hydrated", f"{percent(row.held, row.size)}, {size(row.held)} are here"),
        field("counted", moment(row.counted_at, look.now), "dim"),
    ]
    if row.index_at > row.counted_at:
        note: Cell = (("the index changed since: ", "warn"), ("u", "key"), (" counts again", "dim"))
        lines.append(note)
    return lines


def _here(row: Tenant, look: Look) -> list[Cell]:
    if not row.left_files:
        return []
    where = safe(str(look.settings.cache / row.slug if row.slug else look.settings.cache))
    return [
        field("left here", f"{count(row.left_files, 'file')}, {size(row.left_size or 0)}", "warn"),
        one(where, "dim"),
        one(_UNTOUCHED if row.slug else _SOLO, "dim"),
    ]


def _warnings(row: Tenant) -> list[Cell]:
    lines: list[Cell] = []
    if row.says:
        lines.append(one(f"⚠ its manifest calls it «{safe(row.says)}»", "warn"))
    if row.problem:
        lines.append(one(f"✖ {safe(row.problem)}", "bad"))
    return [one(""), *lines] if lines else []


_UNTOUCHED = "no operation of another namespace touches them"
_SOLO = "of the layout without namespaces; nothing touches them"


def _keys(row: Tenant) -> list[Cell]:
    if not row.in_bucket:
        return []
    moved: Cell = (
        ("p", "key"),
        (" pull  ", "dim"),
        ("P", "key"),
        (" push it, after a plan", "dim"),
    )
    looks: Cell = (
        ("u", "key"), (" index only  ", "dim"), ("S", "key"), (" status of all", "dim"),
    )  # fmt: skip
    lines = [moved, looks]
    if row.read and not row.registered:
        lines.append((("R", "key"), (" register it", "dim")))
    return lines if row.mine else [(("enter", "key"), (" work in it", "dim")), *lines]
