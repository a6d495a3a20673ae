"""View 5: the namespaces of the datastore, whose they are, and what this machine has of them."""

from collections.abc import Sequence

from s3dash.core.tenants import Survey, Tenant
from s3dash.tui import copying
from s3dash.tui.cells import Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.format import age, between, count, moment, percent, safe, size
from s3dash.tui.glyphs import Sign
from s3dash.tui.look import Look
from s3dash.tui.views.base import Badge, View, field, head, joined, row_of

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


def _hydrated(row: Tenant, _: Look) -> Cell:
    if row.size is None or row.held is None:
        return one(UNKNOWN, "faint")
    return one(percent(row.held, row.size), _dated(row))


def _dated(row: Tenant) -> str:
    """Sums that are older than the index are dim."""
    return "dim" if row.index_at > row.counted_at else ""


def _left(row: Tenant, _: Look) -> Cell:
    if not row.left_files:
        return one("")
    return one(f"{count(row.left_files, 'file')}, {size(row.left_size or 0)}", "warn")


def _name(row: Tenant, _: Look) -> Cell:
    return one(safe(row.slug), "strong" if row.mine else "")


class NamespacesView(View[Tenant]):
    name = "namespaces"
    number = "5"
    title = "Namespaces"
    markable = True
    copies = "namespace"
    columns = (
        Column(title="STATE", width=13, least=46, cell=lambda r, _: sign(r).cell),
        Column(title="NAMESPACE", middle=True, cell=_name),
        Column(title="INDEX", width=7, right=True, least=30, cell=_index_age),
        Column(title="OBJECTS", width=9, right=True, least=56, cell=_objects),
        Column(title="BYTES", width=9, right=True, least=66, cell=_bytes),
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
        left = sum(1 for row in rows if row.left_files)
        return joined(
            [
                one(count(len(rows), "namespace"), "strong"),
                _progress(survey),
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
        return [
            head(safe(row.slug)),
            one(""),
            row_of("state", sign(row).cell),
            *_owner(row, look),
            one(""),
            *_sums(row, look),
            *_here(row, look),
            *_warnings(row),
            one(""),
            *_keys(row),
        ]


def _progress(survey: Survey) -> Cell:
    if survey.state == "asking":
        return one(f"reading {survey.read:,} of {survey.total:,} …", "accent")
    if survey.state == "failed":
        return one(f"✖ as known before: {safe(survey.message)}", "bad")
    return ()


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


def _sums(row: Tenant, look: Look) -> list[Cell]:
    if row.busy:
        return [one(f"{row.busy} …", "accent")]
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
    where = safe(str(look.settings.cache / row.slug))
    return [
        field("left here", f"{count(row.left_files, 'file')}, {size(row.left_size or 0)}", "warn"),
        one(where, "dim"),
        one("no operation of another namespace touches them", "dim"),
    ]


def _warnings(row: Tenant) -> list[Cell]:
    lines: list[Cell] = []
    if row.says:
        lines.append(one(f"⚠ its manifest calls it «{safe(row.says)}»", "warn"))
    if row.problem:
        lines.append(one(f"✖ {safe(row.problem)}", "bad"))
    return [one(""), *lines] if lines else []


_AGAIN: Cell = (("r", "key"), (" asks again", "dim"))


def _keys(row: Tenant) -> list[Cell]:
    if not row.in_bucket:
        return []
    pull: Cell = (("p", "key"), (" pull it, after a plan  ", "dim"))
    counted: Cell = (("u", "key"), (" index only", "dim"))
    if row.mine:
        return [(*pull, *counted)]
    return [(("enter", "key"), (" work in it", "dim")), (*pull, *counted)]
