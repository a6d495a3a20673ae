"""Requests that can be lost, raced or refused, on any store: the real ones have no hooks."""

from collections.abc import Callable
from typing import Any, cast

from s3dash.objectstore.memory import Hook
from s3dash.objectstore.port import ObjectStore
from tests.engine.world import Stores

REQUESTS = frozenset(
    {
        "list", "list_dirs", "head", "get", "get_range", "put", "delete", "delete_many", "copy",
        "upload", "download",
    }
)  # fmt: skip


class Hooked:
    """Calls `before(op, key)` and `after(op, key)` around each request, as `MemoryStore` does.

    A listing of many pages is one request here.
    """

    def __init__(self, inner: ObjectStore, *, before: Hook | None, after: Hook | None) -> None:
        self.__dict__.update(_inner=inner, _before=before, _after=after)

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name not in REQUESTS:
            return found

        def request(*args: Any, **options: Any) -> Any:
            keys = _keys(name, args)
            self._tell(self._before, name, keys)
            if name == "upload":
                options = self._while_sending(options, keys)
            answer = found(*args, **options)
            answer = iter(list(answer)) if name == "list" else answer
            self._tell(self._after, name, keys)
            return answer

        return request

    def __setattr__(self, name: str, value: Any) -> None:
        setattr(self._inner, name, value)

    def _while_sending(self, options: dict[str, Any], keys: list[str]) -> dict[str, Any]:
        """`sending` is told of each piece, while the file is open."""
        told = options.get("on_bytes")

        def on_bytes(count: int) -> None:
            self._tell(self._before, "sending", keys)
            if told is not None:
                told(count)

        return {**options, "on_bytes": on_bytes}

    def _tell(self, hook: Hook | None, name: str, keys: list[str]) -> None:
        if hook is not None:
            for key in keys:
                hook(name, key)


def _keys(name: str, args: tuple[Any, ...]) -> list[str]:
    """The keys that a hook is told of: all that are deleted, the target of a copy."""
    if name == "delete_many":
        return list(args[0])
    return [args[1] if name == "copy" else args[0] if args else ""]


def hooked(
    store: Callable[[], ObjectStore], before: Hook | None, after: Hook | None
) -> Callable[[], ObjectStore]:
    """A factory of stores with hooks, out of one of stores without."""
    if before is None and after is None:
        return store

    def make() -> ObjectStore:
        return cast(ObjectStore, Hooked(store(), before=before, after=after))

    return Stores(make, store.proved) if isinstance(store, Stores) else make
