"""What can be asked of an engine from another process: all that its facade declares.

Read from the annotations of `EngineApi` and of the parts that hang on it, so that a part that is
added there can be called from another process without a word here.
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from functools import cache
from typing import Any, Unpack, get_args, get_origin, get_type_hints, is_typeddict

import msgspec

from s3dash.core import events
from s3dash.core.cancel import CancelToken
from s3dash.core.events import Event
from s3dash.core.settings import Datastore
from s3dash.core.snapshot import Snapshot
from s3dash.engine.api import EngineApi

PROTOCOL = 1
HERE = frozenset({"settings", "start", "stop", "snapshot", "subscribe"})
"""What every process answers for itself."""
LOOKS = frozenset(
    {
        "status", "refresh", "plan", "conflicts", "trash", "locks", "namespaces", "history",
        "census.look", "census.count", "census.adopt", "endpoint.look", "endpoint.uploads",
        "endpoint.claims", "endpoint.adopt", "contents.read", "contents.writers",
        "transfers.limits", "control.get", "control.list", "fleet.look", "catalogs.read",
        "catalogs.read_all", "foreign.look", "hydration.below", "index_care.verify",
        "migration.plan", "registry.details", "registry.leftovers", "registry.standings",
    }
)  # fmt: skip
"""Calls that change nothing: asked twice they do no harm, and who only looks may make them."""
ALONE = frozenset({"migration.run"})
"""Calls after which the owner would stand in another place than it was started for."""


class Call(msgspec.Struct, frozen=True):
    """One function of the facade, or one value of a part. `takes` are its parameters by name,
    without the token that `cancellable` ones have; `gives` is the type of what it returns."""

    name: str
    takes: Mapping[str, Any]
    gives: Any
    cancellable: bool = False
    is_value: bool = False
    shape: inspect.Signature | None = None

    @property
    def path(self) -> tuple[str, ...]:
        return tuple(self.name.split("."))

    def arguments(
        self, args: tuple[Any, ...], options: Mapping[str, Any]
    ) -> tuple[dict[str, Any], CancelToken | None]:
        """Arguments by name, and the token apart. Raises TypeError as the function would."""
        if self.shape is None:
            return {}, None
        given = dict(self.shape.bind(None, *args, **options).arguments)
        given.pop("self", None)
        for name, parameter in self.shape.parameters.items():
            if parameter.kind is parameter.VAR_KEYWORD:
                given.update(given.pop(name, {}))
        return given, given.pop("cancel", None)


def only_looks(name: str, arguments: Mapping[str, Any]) -> bool:
    """Whether a call changes nothing. What is not known here is taken for one that does."""
    call = catalog().get(name)
    may_be_dry = call is not None and "dry_run" in call.takes
    return name in LOOKS or (may_be_dry and arguments.get("dry_run") is True)


@cache
def catalog(facade: type = EngineApi) -> Mapping[str, Call]:
    """All of them by dotted name."""
    return {call.name: call for call in _of(facade, "") if call.name not in HERE}


def _of(protocol: type, prefix: str) -> list[Call]:
    found: list[Call] = []
    for name, member in _members(protocol).items():
        if isinstance(member, property) and member.fget is not None:
            kind = get_type_hints(member.fget)["return"]
            if getattr(kind, "_is_protocol", False):
                found += _of(kind, f"{prefix}{name}.")
            else:
                found.append(Call(prefix + name, {}, kind, is_value=True))
        elif inspect.isfunction(member):
            found.append(_call(prefix + name, member))
    return found


def _members(protocol: type) -> dict[str, Any]:
    """Public ones, with those that it inherits."""
    return {
        name: member
        for base in reversed(protocol.__mro__)
        if getattr(base, "_is_protocol", False)
        for name, member in vars(base).items()
        if not name.startswith("_")
    }


def _call(name: str, function: Callable[..., Any]) -> Call:
    hints = get_type_hints(function)
    gives = hints.pop("return")
    shape = inspect.signature(function)
    for parameter in shape.parameters.values():
        if parameter.kind is parameter.VAR_KEYWORD:
            hint = hints.pop(parameter.name)
            hints |= get_type_hints(get_args(hint)[0] if get_origin(hint) is Unpack else hint)
    cancellable = hints.pop("cancel", None) is not None
    return Call(name, hints, gives, cancellable=cancellable, shape=shape)


# --- which version the other side is -----------------------------------------------------------


@cache
def fingerprint() -> str:
    """The same on both sides when they mean the same by every call, snapshot and event."""
    seen: set[type] = set()
    words = [f"{PROTOCOL}"]
    for name, call in sorted(catalog().items()):
        takes = ",".join(f"{n}:{_word(kind, seen)}" for n, kind in call.takes.items())
        words.append(f"{name}({takes}){_word(call.gives, seen)}")
    words += [_word(kind, seen) for kind in (Snapshot, Datastore, *happenings().values())]
    return hashlib.sha256("\n".join(words).encode()).hexdigest()[:32]


@cache
def happenings() -> Mapping[str, type[Event]]:
    """The events by name."""
    known = (kind for kind in vars(events).values() if isinstance(kind, type))
    return {kind.__name__: kind for kind in known if issubclass(kind, Event)}


def _word(kind: Any, seen: set[type]) -> str:
    """A type in words, with the fields of what it is made of when it is met first."""
    args = get_args(kind)
    if args:
        told = ",".join(_word(arg, seen) for arg in args)
        return f"{get_origin(kind)}[{told}]"
    if not isinstance(kind, type):
        return repr(kind)
    name = kind.__qualname__
    if kind in seen:
        return name
    if issubclass(kind, Enum):
        return f"{name}{[member.value for member in kind]}"
    if is_dataclass(kind) or issubclass(kind, msgspec.Struct) or is_typeddict(kind):
        seen.add(kind)
        hints = get_type_hints(kind)
        names = [f.name for f in fields(kind)] if is_dataclass(kind) else sorted(hints)
        return f"{name}({','.join(f'{n}:{_word(hints[n], seen)}' for n in names)})"
    return name
