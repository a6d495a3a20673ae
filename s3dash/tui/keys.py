"""Every key of the screen, in one table. Widgets take their bindings from here by section."""

from textual.binding import Binding, BindingType

from s3dash.tui.keytable.dialogs import DECIDE, FILTER, LEAVE, MODAL, PLAN, READ, RELEASE
from s3dash.tui.keytable.everywhere import APP, GLOBAL
from s3dash.tui.keytable.key import Key
from s3dash.tui.keytable.lists import MARK, MOVE, OPEN
from s3dash.tui.keytable.views import CONFLICTS, LOCKS, LOG, TRANSFERS, VIEWS

__all__ = [
    "ALL", "APP", "BY_NAME", "CONFLICTS", "DECIDE", "FILTER", "GLOBAL", "LEAVE", "LOCKS", "LOG",
    "MARK", "MODAL", "MOVE", "OPEN", "PLAN", "READ", "RELEASE", "TRANSFERS", "VIEWS", "Key",
    "bindings",
]  # fmt: skip

ALL = (
    *MOVE, *OPEN, *MARK, *GLOBAL, *APP, *VIEWS, *TRANSFERS, *LOCKS, *CONFLICTS, *LOG, *FILTER,
    *MODAL, *READ, *PLAN, *DECIDE, *RELEASE, *LEAVE,
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
