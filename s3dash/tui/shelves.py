"""What the Explorer is given: loaded before the screen is, so it loads nothing."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import msgspec

from s3dash.core.settings import Datastore

if TYPE_CHECKING:  # the screen's first line comes before these are loaded
    from s3dash.stores.opened import Opened


class Shelves(msgspec.Struct, frozen=True, kw_only=True):
    """The datastores that can be explored, and how one is opened; that blocks. `first` names the
    one to begin with, empty: the user chooses."""

    stores: Sequence[Datastore] = ()
    open: "Callable[[Datastore], Opened] | None" = None
    first: str = ""
