"""All there is to say about one thing in a bucket: facts, whether it is whole, and a look at it."""

from s3dash.core.settings import Datastore
from s3dash.stores.explore.entry import Entry, Verdict
from s3dash.stores.explore.preview import Preview
from s3dash.stores.explore.shapes import refusal, shape_of
from s3dash.tui import halfblocks
from s3dash.tui.cells import Cell, one
from s3dash.tui.exploring import Exploring, Looked
from s3dash.tui.format import moment, safe, size
from s3dash.tui.look import Look
from s3dash.tui.views.base import field, head

_OUTCOMES = {
    "verified": ("✔ verified", "good"),
    "damaged": ("✖ DAMAGED", "bad"),
    "unproved": ("? not proved", "warn"),
}
_WORDS = {
    "file": "file",
    "key": "key",
    "block": "IPFS block",
    "blob": "blob",
    "foreign": "no blob: its key is no digest",
    "marker": "directory's marker",
}


def lines(row: Entry, place: Exploring, look: Look) -> list[Cell]:
    if row.kind == "datastore":
        settings = place.settings_of(row)
        return [] if settings is None else _datastore(settings)
    if row.is_dir:
        return [
            head(safe(row.name)),
            one(""),
            field("key", safe(row.key), "dim"),
            one(""),
            (("enter", "key"), (" opens it  ", "dim"), ("v", "key"), (" verifies all", "dim")),
        ]
    return [
        head(safe(row.name)),
        one(""),
        *_facts(row, look),
        *_verdict(place.verdicts.of(row)),
        one(""),
        *_look(row, place.looked),
    ]


def _datastore(settings: Datastore) -> list[Cell]:
    closed = refusal(settings, shape_of(settings))
    where = "/".join(part for part in (settings.bucket, settings.prefix) if part)
    return [
        head(safe(settings.name)),
        one(""),
        field("holds", "a shared cache" if settings.kind == "cache" else settings.kind),
        field("endpoint", safe(settings.address)),
        field("bucket", safe(where)),
        *([one(""), one(f"⊘ look only: {closed}", "dim")] if closed else []),
    ]


def _facts(row: Entry, look: Look) -> list[Cell]:
    return [
        field("kind", _WORDS.get(row.kind, row.kind)),
        field("size", f"{size(row.size)}  ({row.size:,} bytes)"),
        field("modified", moment(row.modified, look.now) if row.modified else "?"),
        field("ETag", safe(row.etag), "dim"),
        *([field("key", safe(row.key), "dim")] if row.kind == "blob" else []),
    ]


def _verdict(verdict: Verdict | None) -> list[Cell]:
    if verdict is None:
        return []
    word, style = _OUTCOMES[verdict.outcome]
    against = f", held against the {verdict.by}" if verdict.by else ""
    told: list[Cell] = [one(""), one(f"{word}{against}", style)]
    if verdict.reason:
        told.append(one(safe(verdict.reason), "dim" if verdict.outcome == "unproved" else "bad"))
    if verdict.outcome == "damaged" and verdict.actual:
        told += [
            field("expected", safe(verdict.expected), "dim"),
            field("actual", safe(verdict.actual), "bad"),
        ]
    elif verdict.outcome == "unproved" and verdict.actual:
        told.append(field("SHA-256", safe(verdict.actual), "dim"))
    return told


def _look(row: Entry, looked: Looked | None) -> list[Cell]:
    if looked is None or (looked.key, looked.etag) != (row.key, row.etag):
        return [one("reading …", "dim")] if row.size else [one("empty: no bytes at all", "dim")]
    if looked.found is None:
        return [one(f"✖ {safe(looked.problem)}", "bad")]
    return _shown(looked.found)


def _shown(found: Preview) -> list[Cell]:
    title = one(f"{found.what}{': ' * bool(found.note)}{found.note}", "dim")
    if found.what == "image":
        return [title, *halfblocks.lines(found.pixels)]
    style = "dim" if found.what == "hex" else ""
    return [title, *(one(safe(line), style) for line in found.lines)]
