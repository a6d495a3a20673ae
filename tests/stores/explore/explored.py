"""An Explorer over a store, for the tests of it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from s3dash.core.settings import Datastore, Kind
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectStore
from s3dash.objectstore.sealed import Sealed
from s3dash.stores.explore.entry import Entry, Shape, Verdict
from s3dash.stores.explore.explorer import Explorer
from s3dash.stores.explore.job import Job
from s3dash.stores.explore.shapes import shape_of
from s3dash.stores.opened import Opened

NOWHERE = Path("/nowhere")


def explorer(store: ObjectStore, kind: Kind = "files", **options: Any) -> Explorer:
    """Sealed as the command line does it."""
    fields: dict[str, Any] = {"cache": NOWHERE, "state_dir": NOWHERE, **options}
    given = Datastore(name="it", bucket="b", kind=kind, **fields)
    sealed = kind == "cache" or given.readonly
    return Explorer(Opened(given, Sealed(store) if sealed else store, Patience()))


def fill(store: ObjectStore, objects: dict[str, bytes]) -> None:
    for key, body in objects.items():
        store.put(key, body)


def level(found: Explorer, prefix: str = "", shape: Shape | None = None) -> dict[str, Entry]:
    """All entries of a level, by name."""
    pages = found.pages(prefix, shape or shape_of(found.settings))
    return {entry.name: entry for page in pages for entry in page}


def verified(
    found: Explorer, entries: Iterable[Entry], shape: Shape | None = None
) -> dict[str, Verdict]:
    """What verifying these tells, by key."""
    told = found.verify(list(entries), shape or shape_of(found.settings), Job("verifying"))
    return {entry.key: verdict for entry, verdict in told}


def outcomes(verdicts: dict[str, Verdict]) -> dict[str, str]:
    return {key: verdict.outcome for key, verdict in verdicts.items()}
