"""Every key of the screen, in one table. Widgets take their bindings from here by section."""

from textual.binding import Binding, BindingType

from s3dash.tui.keytable.catalogs import CATALOGS, SEARCH
from s3dash.tui.keytable.dialogs import (
    DECIDE,
    EXPORT,
    FILTER,
    LEAVE,
    MODAL,
    MOVING,
    PLAN,
    READ,
    RELEASE,
    RELOAD,
    UPLOADS,
)
from s3dash.tui.keytable.dirty import DIRTY
from s3dash.tui.keytable.everywhere import APP, GLOBAL
from s3dash.tui.keytable.explorer import EXPLORER
from s3dash.tui.keytable.fleet import FLEET, RECORDS
from s3dash.tui.keytable.index_care import INDEX, OVERVIEW
from s3dash.tui.keytable.key import Key
from s3dash.tui.keytable.lists import MARK, MOVE, OPEN, PICK
from s3dash.tui.keytable.setup import SETUP, SETUP_APP
from s3dash.tui.keytable.versions import CONFLICTS, DIFF, DIRTY_DIFF, TRASH
from s3dash.tui.keytable.views import (
    ENDPOINTS,
    LOCKS,
    LOG,
    NAMESPACES,
    TRANSFERS,
    VIEWS,
)

__all__ = [
    "ALL", "APP", "BY_NAME", "CATALOGS", "CONFLICTS", "DECIDE", "DIFF", "DIRTY", "DIRTY_DIFF",
    "ENDPOINTS", "EXPLORER", "EXPORT", "FILTER", "FLEET", "GLOBAL", "INDEX", "LEAVE", "LOCKS",
    "LOG", "MARK", "MODAL", "MOVE", "MOVING", "NAMESPACES", "OPEN", "OVERVIEW", "PICK", "PLAN",
    "READ", "RECORDS", "RELEASE", "RELOAD", "SEARCH", "SETUP", "SETUP_APP", "TRANSFERS", "TRASH",
    "UPLOADS", "VIEWS", "Key", "bindings",
]  # fmt: skip

ALL = (
    *MOVE, *OPEN, *MARK, *GLOBAL, *APP, *VIEWS, *OVERVIEW, *INDEX, *TRANSFERS, *LOCKS, *NAMESPACES,
    *CONFLICTS, *DIRTY, *DIRTY_DIFF, *DIFF, *TRASH, *SEARCH, *FLEET, *RECORDS, *CATALOGS,
    *ENDPOINTS, *EXPLORER, *LOG, *FILTER, *EXPORT, *MODAL, *READ, *PLAN, *DECIDE, *MOVING,
    *UPLOADS, *RELEASE, *RELOAD, *LEAVE, *SETUP, *SETUP_APP,
)  # fmt: skip
BY_NAME = {key.name: key for key in ALL}


def bindings(*sections: tuple[Key, ...]) -> list[BindingType]:
    """Textual's bindings of some sections; their ids are our names."""
    return [
        Binding(
            key.keys.replace("\\", "backslash"),
            key.action,
            key.text,
            show=bool(key.footer),
            key_display=key.shown or None,
            priority=key.priority,
            id=key.name,
        )
        for section in sections
        for key in section
    ]
