"""Every dialog of the screen, found by itself and filled with names that mean harm.

A new dialog is made from the names of its arguments: teach `_argument` what is new. One that
fills later is filled by `_FILL`.
"""

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import s3dash.tui
from s3dash.core.catalog import Catalog, CatalogEntry, Unread
from s3dash.core.content import Content
from s3dash.core.control import Record
from s3dash.core.diff import Verdict
from s3dash.core.endpoint import UploadRow
from s3dash.core.fleet import Commit, FleetView, Place, Writer
from s3dash.core.hydration import Below
from s3dash.core.plan import make_plan
from s3dash.core.report import TrashItem
from s3dash.errors import S3DashError
from s3dash.objectstore.port import ObjectInfo
from s3dash.stores.explore.entry import Doomed
from s3dash.tui import hints
from s3dash.tui.app import DashApp
from s3dash.tui.care_rows import CareRow
from s3dash.tui.cells import one
from s3dash.tui.format import safe
from s3dash.tui.screens.asking import AskingDialog
from s3dash.tui.screens.ignore import Offer
from s3dash.tui.screens.listed import ListDialog
from s3dash.tui.screens.modal import Modal
from s3dash.tui.screens.moving import MoveRow, Shown
from tests.tui.fake_engine import HOSTILE, NOW, change, conflict, lock

HARMLESS = {
    "CatalogsScreen": "enter fetches a new file and never over another",
    "BandwidthScreen": "what enter takes is what was typed, or nothing",
    "ExportScreen": "enter writes a new file and never over another",
    "HydrateScreen": "it names what to bring; the plan comes next",
    "IgnoreScreen": "a line in the configuration: it deletes nothing and can be taken out again",
    "NamespaceScreen": "going over to another namespace is undone by going back",
    "RecordsScreen": "enter reads a record",
    "RegisterScreen": "one small object, written only where nobody was first",
}
"""Dialogs that enter may answer, and why nothing is lost by it."""


OURS = {
    "DecideScreen": ("title", "yes"),
    "ExportScreen": ("view",),
    "HelpScreen": ("title",),
    "ShownScreen": ("why",),
}
"""Arguments whose texts are s3dash's own: nobody else has a say in them."""


BASES = (AskingDialog, ListDialog)
"""What others derive from: no dialogs by themselves."""


def kinds() -> dict[str, type[Modal[Any]]]:
    """Every dialog that the screen has, by name."""
    for module in pkgutil.walk_packages(s3dash.tui.__path__, "s3dash.tui."):
        importlib.import_module(module.name)
    found = {kind.__qualname__: kind for kind in _below(Modal) if kind not in BASES}
    return {name: kind for name, kind in sorted(found.items()) if "compose" in _own(kind)}


def _below(kind: type[Any]) -> Iterator[type[Modal[Any]]]:
    for sub in kind.__subclasses__():
        if sub.__module__.startswith("s3dash."):
            yield sub
        yield from _below(sub)


def _own(kind: type[Any]) -> set[str]:
    ours = [base for base in kind.__mro__ if base.__module__.startswith("s3dash.")]
    return {name for base in ours for name in vars(base)}


def make(kind: type[Any], app: DashApp, acted: list[object]) -> Modal[Any]:
    """One that is not on the screen yet; what it does while it is open goes into `acted`."""
    wanted = inspect.signature(kind.__init__).parameters.values()
    given = {
        p.name: _argument(kind, p.name, app, acted)
        for p in wanted
        if p.name != "self" and p.kind not in (p.VAR_KEYWORD, p.VAR_POSITIONAL)
    }
    made: Modal[Any] = kind(**given)
    return made


def _argument(kind: type[Any], name: str, app: DashApp, acted: list[object]) -> object:
    """What a dialog is given for an argument of this name."""

    async def do(wish: object) -> None:
        acted.append(wish)

    async def again() -> None:
        acted.append("again")

    async def look_up(start: str) -> Below:
        return Below(1, 1, (f"{start}{HOSTILE}",))

    def stop() -> bool:
        acted.append("stop")
        return False

    def read(side: Any, _: object) -> Content:
        body = f"{HOSTILE}\n{side}\n".encode("utf-8", "surrogateescape")
        return Content(side=side, body=body, size=len(body))

    known: dict[str, object] = {
        "clock": app.clock, "look": lambda: app.look, "pane": app.main.pane, "ask": app.ask,
        "read": read, "do": do, "again": again, "now": NOW, "direction": "push", "verb": "push",
        "take": "local", "file": HOSTILE, "offers": [Offer(HOSTILE, (HOSTILE,), (f"+ {HOSTILE}",))],
        "asked": lock(HOSTILE, stale=True, hostname=HOSTILE), "pair": ("local", "remote"),
        "conflicts": [conflict(HOSTILE)] * 3, "lines": [one(safe(HOSTILE))],
        "commands": hints.live(app.main, app.why_not), "fields": ["ns", "state"],
        "stop": stop, "look_up": look_up, "paint": lambda: [one(safe(HOSTILE))],
        "stays": "", "refused": "",
    }  # fmt: skip
    if (kind.__name__, name) == ("BandwidthScreen", "now"):
        return 1 << 20
    if name in OURS.get(kind.__name__, ()):
        return "dirty"
    if name in known:
        return known[name]
    texts = (
        "title", "where", "what", "names", "datastore", "yes", "text", "why", "path", "view",
        "name", "owner", "promise", "about", "given", "word",
    )  # fmt: skip
    if name in texts:
        return HOSTILE
    raise AssertionError(f"tests/tui/dialogs.py knows no argument {name} of {kind.__name__}")


def _plan(screen: Any) -> None:
    verdicts = (Verdict.LOCAL_DELETED, Verdict.LOCAL_MODIFIED, Verdict.BOTH_MODIFIED)
    changes = [change(f"{n} {HOSTILE}", verdict) for n, verdict in enumerate(verdicts)]
    screen.ready(make_plan(changes, direction="push", blocked={HOSTILE: HOSTILE}, known=3))


def _uploads(screen: Any) -> None:
    screen.ready([UploadRow(key=HOSTILE, upload_id="1", ours=True)])
    screen.action_mark_all()


def _catalogs(screen: Any) -> None:
    entries = (CatalogEntry(HOSTILE, 5, HOSTILE, HOSTILE),)
    screen.begin(2)
    screen.take(Catalog(namespace=HOSTILE, source="index", entries=entries, note=HOSTILE))
    screen.unread([Unread(namespace=HOSTILE, problem=HOSTILE)])


def _care(screen: Any) -> None:
    screen.plan("repair", one(safe(HOSTILE)), [CareRow("zombie", "warn", HOSTILE, HOSTILE)])


def _fleet(screen: Any) -> None:
    last = Commit(namespace=HOSTILE, at=HOSTILE, seq=1, added=1, paths=(f"+ {HOSTILE}",))
    held = lock(HOSTILE, hostname=HOSTILE, model=HOSTILE, scope="model")
    one_of = Writer(
        holder=HOSTILE, hostname=HOSTILE, client=HOSTILE, commits=(last,), locks=(held,)
    )
    place = Place(namespace=HOSTILE, repo_id=HOSTILE, problem=HOSTILE)
    screen.ready(FleetView(at=HOSTILE, writers=(one_of,), places=(place,)))


def _moving(screen: Any) -> None:
    row = MoveRow(action=HOSTILE, path=HOSTILE, reason=HOSTILE, size=5, look="del")
    screen.ready(Shown(rows=[row], totals=one(safe(HOSTILE)), yes="moves it all"))


_FILL: dict[str, Callable[[Any], None]] = {
    "PlanScreen": _plan,
    "ReleaseScreen": lambda s: s.ready(lock(HOSTILE, stale=True, hostname=HOSTILE, nonce=HOSTILE)),
    "NamespaceScreen": lambda s: s.ready([HOSTILE, "web"]),
    "TrashScreen": lambda s: s.ready([TrashItem("1", HOSTILE, "a" * 64, 5, "", HOSTILE, False)]),
    "UploadsScreen": _uploads,
    "IndexScreen": _care,
    "CatalogsScreen": _catalogs,
    "FleetScreen": _fleet,
    "MovingScreen": _moving,
    "DeletionScreen": lambda s: s.ready(
        Doomed(objects=tuple(ObjectInfo(f"{n} {HOSTILE}", 5, "") for n in range(30)), bytes=150)
    ),
    "RecordsScreen": lambda s: s.ready([Record(HOSTILE, 5, HOSTILE, HOSTILE)]),
}  # fmt: skip


def fill(screen: Modal[Any]) -> None:
    """Give it what it waits for, as a flow would."""
    if type(screen).__name__ in _FILL:
        _FILL[type(screen).__name__](screen)


def fails(screen: Any) -> None:
    """What it waits for does not come, with a reason that means harm."""
    if hasattr(screen, "failed"):
        screen.failed(S3DashError(HOSTILE, hint=HOSTILE))
