"""View 5: the namespaces of the datastore, whose they are, and what this machine has of them."""

from collections.abc import Sequence

from s3dash.core.tenants import Survey, Tenant
from s3dash.tui import copying
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import age, between, count, percent, safe, size
from s3dash.tui.glyphs import Sign
from s3dash.tui.look import Look
from s3dash.tui.views.base import Badge, View, joined
from s3dash.tui.views.namespace_detail import Waits, called, detail

OWN = Sign("●", "own", "good")
FOREIGN = Sign("○", "foreign", "")
UNREGISTERED = Sign("◌", "no manifest", "warn")
LEFTOVER = Sign("⊘", "leftover", "warn")
UNREAD = Sign("…", "not read", "dim")
PROBLEM = Sign("✖", "problem", "bad")
UNKNOWN = "–"


def sign(row: Tenant) -> Sign:
    """Whose it is; what is wrong with it outweighs that."""
    if row.mine:
        return OWN
    if not row.in_bucket:
        return LEFTOVER
    if not row.read:
        return UNREAD
    if row.problem:
        return PROBLEM
    return FOREIGN if row.registered else UNREGISTERED


def _index_age(row: Tenant, look: Look) -> Cell:
    seconds = between(row.index_at, look.now) if row.index_at else None
    if seconds is not None:
        return one(age(seconds), "dim")
    return one("none" if row.read and row.in_bucket and not row.problem else UNKNOWN, "faint")


def _objects(row: Tenant, _: Look) -> Cell:
    if row.busy:
        return one("…", "accent")
    return one(UNKNOWN, "faint") if row.objects is None else one(f"{row.objects:,}", _dated(row))


def _bytes(row: Tenant, _: Look) -> Cell:
    return one(UNKNOWN, "faint") if row.size is None else one(size(row.size), _dated(row))


def _hydrated(row: Tenant, look: Look) -> Cell:
    """For our own namespace as it is now, while content comes in."""
    here = look.snapshot.hydrated
    if row.mine and here.of and look.snapshot.lazy:
        return one(percent(here.bytes, here.of_bytes))
    if row.size is None or row.held is None:
        return one(UNKNOWN, "faint")
    return one(percent(row.held, row.size), _dated(row))


def _dated(row: Tenant) -> str:
    """Sums that are older than the index are dim."""
    return "dim" if row.index_at > row.counted_at else ""


def _stands(row: Tenant, look: Look) -> Cell:
    """What waits to be pushed and pulled; for our own as it is now."""
    up, down, clash = standing(row, look)
    if up is None:
        return one("not here" if row.here is False else UNKNOWN, "faint")
    numbers = ((clash, "clash", "clash"), (up, "up", "up"), (down, "down", "down"))
    told = [(f"{number:,} {what}", style) for number, what, style in numbers if number]
    if not told:
        return one("in sync" if down is not None else UNKNOWN, "good")
    return tuple(part for n, one_ in enumerate(told) for part in ([(" ", "")] * bool(n) + [one_]))


def standing(row: Tenant, look: Look) -> Waits:
    """What waits; for our own namespace as it is now."""
    snap = look.snapshot
    if row.mine and snap.checked_at:
        return len(snap.dirty), len(snap.behind), len(snap.conflicts)
    return row.dirty, row.behind, row.conflicts


def _left(row: Tenant, _: Look) -> Cell:
    if not row.left_files:
        return one("")
    return one(f"{count(row.left_files, 'file')}, {size(row.left_size or 0)}", "warn")


def _name(row: Tenant, _: Look) -> Cell:
    return one(called(row), "strong" if row.mine else "")


class NamespacesView(View[Tenant]):
    name = "namespaces"
    number = "5"
    title = "Namespaces"
    markable = True
    copies = "namespace"
    columns = (
        Column(title="STATE", width=13, least=46, cell=lambda r, _: sign(r).cell),
        Column(title="NAMESPACE", middle=True, cell=_name),
        Column(title="WAITS", width=16, least=66, cell=_stands),
        Column(title="INDEX", width=7, right=True, least=30, cell=_index_age),
        Column(title="OBJECTS", width=9, right=True, least=56, cell=_objects),
        Column(title="BYTES", width=9, right=True, least=88, cell=_bytes),
        Column(title="HERE", width=5, right=True, least=56, cell=_hydrated),
        Column(title="LEFT HERE", width=20, least=106, cell=_left),
        Column(
            title="REPO",
            width=14,
            least=128,
            middle=True,
            cell=lambda r, _: one(safe(r.repo_id), "dim"),
        ),
    )

    def __init__(self) -> None:
        self.fields = {
            "state": lambda r: sign(r).word,
            "ns": lambda r: r.slug,
            "repo": lambda r: r.repo_id,
        }

    def rows(self, look: Look) -> Sequence[Tenant]:
        return look.snapshot.tenants.rows

    def key(self, row: Tenant) -> str:
        return row.slug

    def text(self, row: Tenant) -> str:
        return f"{row.slug} {row.repo_id}"

    def path(self, row: Tenant, _look: Look) -> str:
        return row.slug

    def uri(self, row: Tenant, look: Look) -> str:
        return copying.uri_of_key(look.settings, f"{row.slug}/") if row.in_bucket else ""

    def badge(self, look: Look) -> Badge:
        rows = look.snapshot.tenants.rows
        return Badge(len(rows), any(row.problem for row in rows))

    def summary(self, look: Look) -> Cell:
        survey = look.snapshot.tenants
        rows = survey.rows
        if not rows:
            return one("namespaces", "dim")
        unread = sum(1 for row in rows if not row.read) if survey.state == "asked" else 0
        wrong = sum(1 for row in rows if row.problem)
        own = next((row for row in rows if row.mine and row.read and not row.registered), None)
        left = sum(1 for row in rows if row.left_files and not row.here)
        return joined(
            [
                one(count(sum(1 for row in rows if row.slug), "namespace"), "strong"),
                _progress(survey),
                one(f"{safe(own.slug)} is not registered: R", "warn") if own else (),
                one(f"{unread:,} not read: u reads them", "dim") if unread else (),
                one(f"✖ {wrong} with a problem", "bad") if wrong else (),
                one(f"⊘ {left} with leftovers here", "warn") if left else (),
            ]
        )

    def empty(self, look: Look) -> list[Cell]:
        survey = look.snapshot.tenants
        if survey.state == "failed":
            return [one(f"✖ {safe(survey.message)}", "bad"), one(safe(survey.hint), "dim"), _AGAIN]
        if survey.state != "asked":
            return [one("Asking the bucket for its namespaces …", "dim")]
        return [
            one("This datastore has no namespaces.", "good"),
            one("All its files belong to one repository, and that is fine.", "dim"),
        ]

    def detail(self, row: Tenant, look: Look) -> list[Cell]:
        return detail(row, look, sign(row), standing(row, look))


def _progress(survey: Survey) -> Cell:
    if survey.state == "asking":
        return one(f"reading {survey.read:,} of {survey.total:,} …", "accent")
    if survey.state == "failed":
        return one(f"✖ as known before: {safe(survey.message)}", "bad")
    return ()


_AGAIN: Cell = (("r", "key"), (" asks again", "dim"))
