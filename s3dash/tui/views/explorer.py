"""View 8: what the buckets hold, as files, keys or blobs."""

from collections.abc import Mapping, Sequence

from s3dash.stores.explore.entry import Entry
from s3dash.stores.explore.job import Job
from s3dash.stores.explore.shapes import refusal, shape_of
from s3dash.tui import copying
from s3dash.tui.cells import EMPTY, Cell, one
from s3dash.tui.columns import Column
from s3dash.tui.exploring import Exploring
from s3dash.tui.format import count, moment, percent, safe, size
from s3dash.tui.glyphs import Sign
from s3dash.tui.look import Look
from s3dash.tui.shelves import Shelves
from s3dash.tui.views import explorer_detail
from s3dash.tui.views.base import Badge, View, joined

VERIFIED = Sign("✔", "verified", "good")
DAMAGED = Sign("✖", "DAMAGED", "alarm")
UNPROVED = Sign("?", "no digest", "dim")
DAMAGE_BELOW = Sign("✖", "DAMAGE in", "alarm")
LOOK_ONLY = Sign("⊘", "look only", "dim")
SIGNS = {"verified": VERIFIED, "damaged": DAMAGED, "unproved": UNPROVED}


class ExplorerView(View[Entry]):
    name = "explorer"
    number = "8"
    title = "Explorer"
    markable = True
    copies = "key"
    cached = False

    def __init__(self, place: Exploring | None = None) -> None:
        self._place = place or Exploring(Shelves())
        self.fields = {"kind": lambda r: r.kind, "state": self._word}
        self.columns = (
            Column[Entry](title="NAME", middle=True, cell=_name),
            Column[Entry](title="STATE", width=11, least=48, cell=self._state),
            Column[Entry](title="KIND", width=9, least=66, cell=self._kind),
            Column[Entry](title="BYTES", width=9, right=True, least=36, cell=_bytes),
            Column[Entry](title="MODIFIED", width=12, right=True, least=60, cell=_modified),
        )

    def rows(self, _look: Look) -> Sequence[Entry]:
        return self._place.rows

    def version(self, _look: Look) -> object:
        return self._place.version

    def key(self, row: Entry) -> str:
        return row.key

    def text(self, row: Entry) -> str:
        return row.name

    def path(self, row: Entry, _look: Look) -> str:
        return row.name if row.kind in ("datastore", "blob") else row.key

    def uri(self, row: Entry, _look: Look) -> str:
        settings = self._place.settings_of(row)
        if settings is None:
            return ""
        return copying.uri_of_key(settings, "" if row.kind == "datastore" else row.key)

    def raw(self, row: Entry, look: Look) -> Mapping[str, object]:
        verdict = self._place.verdicts.of(row)
        return {
            "key": row.key,
            "name": row.name,
            "kind": row.kind,
            "size": None if row.size < 0 else row.size,
            "modified": row.modified,
            "etag": row.etag,
            "uri": self.uri(row, look),
            "outcome": verdict.outcome if verdict else None,
        }

    def badge(self, _look: Look) -> Badge:
        damaged = self._place.verdicts.damaged
        return Badge(damaged, damaged > 0)

    # --- cells --------------------------------------------------------------------------

    def _word(self, row: Entry) -> str:
        verdict = self._place.verdicts.of(row)
        return SIGNS[verdict.outcome].word if verdict else ""

    def _state(self, row: Entry, _: Look) -> Cell:
        verdict = self._place.verdicts.of(row)
        if verdict is not None:
            return SIGNS[verdict.outcome].cell
        if row.is_dir and self._place.verdicts.has_damage(row):
            return DAMAGE_BELOW.cell
        settings = self._place.settings_of(row) if row.kind == "datastore" else None
        if settings is not None and refusal(settings, shape_of(settings)):
            return LOOK_ONLY.cell
        return EMPTY

    def _kind(self, row: Entry, _: Look) -> Cell:
        settings = self._place.settings_of(row) if row.kind == "datastore" else None
        kind = settings.kind if settings is not None else row.kind
        return one("directory" if kind == "dir" else kind, "dim")

    def summary(self, _look: Look) -> Cell:
        place = self._place
        if place.at is None:
            return joined([one(count(len(place.rows), "datastore"), "strong"), *_work(place.job)])
        closed = refusal(place.at, place.shape)
        return joined(
            [
                one(safe(place.crumbs), "strong"),
                *_work(place.job),
                one(f"as {place.shape}", "accent"),
                one(_counted(place), "dim"),
                one(f"by {place.order}", "dim") if place.order != "name" else (),
                LOOK_ONLY.cell if closed else (),
            ]
        )

    def empty(self, _look: Look) -> list[Cell]:
        place = self._place
        if place.problem is not None:
            error = place.problem
            again: Cell = (("r", "key"), (" lists again", "dim"))
            return [one(f"✖ {safe(error.message)}", "bad"), one(safe(error.hint), "dim"), again]
        if place.state == "listing":
            return [one("Listing …", "dim")]
        if place.at is None:
            return [one("No datastore can be explored here.", "dim")]
        return [
            one("Nothing lies here.", "good"),
            (("backspace", "key"), (" goes up", "dim")),
        ]

    def detail(self, row: Entry, look: Look) -> list[Cell]:
        return explorer_detail.lines(row, self._place, look)


def _name(row: Entry, _: Look) -> Cell:
    look = "accent" if row.is_dir else "strong" if row.kind == "datastore" else ""
    return one(safe(row.name), "dim" if row.kind in ("foreign", "marker") else look)


def _bytes(row: Entry, _: Look) -> Cell:
    return one("", "") if row.size < 0 else one(size(row.size), "dim")


def _modified(row: Entry, look: Look) -> Cell:
    return one(moment(row.modified, look.now) if row.modified else "", "dim")


def _counted(place: Exploring) -> str:
    told = count(len(place.rows), "entry", "entries")
    if place.state == "listing":
        return f"{told} so far …"
    return f"the first {len(place.rows):,}, there are more" if place.state == "cut" else told


def _work(job: Job | None) -> list[Cell]:
    """What is being done, as far as it is."""
    if job is None:
        return []
    parts = [f"▶ {job.what}", f"{job.done:,}" + (f" of {job.of:,}" if job.of else "")]
    parts.append(percent(job.bytes, job.of_bytes) if job.of_bytes else size(job.bytes))
    return [((" ".join(parts), "accent"), ("  x", "key"), (" stops", "dim"))]
