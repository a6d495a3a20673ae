"""The facade of an engine that is somewhere else: every call of `EngineApi`, by its name."""

from collections.abc import Mapping
from typing import Any

from s3dash.attach.calls import HERE, Call, catalog


class Facade:
    """Has all that `EngineApi` declares but `calls.HERE`, which its heirs say themselves."""

    def ask(self, call: Call, args: tuple[Any, ...], options: Mapping[str, Any]) -> Any:
        """Make one call, wherever that is done."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in HERE:
            raise AttributeError(name)
        return _named(self, name)


def _named(facade: Facade, name: str) -> Any:
    """A value is asked for at once; a function, or a part with more, when it is called."""
    known = catalog()
    call = known.get(name)
    if call is not None:
        return facade.ask(call, (), {}) if call.is_value else _Function(facade, call)
    if any(other.startswith(f"{name}.") for other in known):
        return _Part(facade, name)
    raise AttributeError(name)


class _Part:
    def __init__(self, facade: Facade, name: str) -> None:
        self._facade = facade
        self._name = name

    def __getattr__(self, name: str) -> Any:
        return _named(self._facade, f"{self._name}.{name}")


class _Function:
    def __init__(self, facade: Facade, call: Call) -> None:
        self._facade = facade
        self._call = call

    def __call__(self, *args: Any, **options: Any) -> Any:
        return self._facade.ask(self._call, args, options)
