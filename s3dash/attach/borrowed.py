"""For one command: the owner's engine when there is an owner, else one of our own."""

from collections.abc import Callable
from typing import TYPE_CHECKING, cast

from s3dash.attach import place
from s3dash.core.settings import Datastore

if TYPE_CHECKING:
    from s3dash.engine.api import EngineApi


def borrowed(settings: Datastore, opener: "Callable[[], EngineApi]") -> "EngineApi":
    """The engine to work with. Who only wants to look opens one beside the owner's.

    Without an owner that answers it is what `opener` makes: that only reads when the cache
    belongs to somebody else.
    """
    if settings.readonly or place.address(settings.state_dir) is None:
        return opener()
    from s3dash.attach.lender import attach  # late: most caches have no owner

    return cast("EngineApi", attach(settings, opener))
