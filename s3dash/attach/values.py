"""Values on their way between two processes: MessagePack, by the annotations of the facade."""

from collections.abc import Collection, Mapping
from pathlib import PurePath
from typing import Any

import msgspec

from s3dash import errors
from s3dash.errors import S3DashError, UsageError

Fact = str | int | float | bool | None | list[str]
FAULTS = (msgspec.MsgspecError, ValueError, TypeError, RecursionError, OverflowError)
"""What bytes that are no such value are refused with."""


class Failure(msgspec.Struct, frozen=True):
    """An error of `s3dash.errors`, by its name there. `facts` is what else it carries."""

    kind: str
    message: str
    hint: str = ""
    brief: str = ""
    facts: dict[str, Fact] = {}


def packed(value: object) -> bytes:
    """Names that are no text come out with a `?` for what is not; raises UsageError for a value
    that cannot be sent at all."""
    try:
        return msgspec.msgpack.encode(value, enc_hook=_plain)
    except UnicodeEncodeError:
        plain = msgspec.to_builtins(value, builtin_types=(bytes,), enc_hook=_plain)
        return msgspec.msgpack.encode(_legible(plain))


def packed_exactly(value: object) -> bytes:
    """As `packed`; a name that is no text is refused: it would mean another path."""
    try:
        return msgspec.msgpack.encode(value, enc_hook=_plain)
    except UnicodeEncodeError as error:
        raise UsageError(
            "a name that is no text cannot be told to the process that owns this cache",
            hint="stop that one, then do it here",
        ) from error


def unpacked(data: bytes | msgspec.Raw, kind: Any) -> Any:
    """Raises one of FAULTS for what is no value of this type."""
    return msgspec.msgpack.decode(data, type=kind, dec_hook=_rich)


def failure_of(error: S3DashError) -> Failure:
    own: dict[str, Fact] = {
        name: value
        for name, value in vars(error).items()
        if name not in ("message", "hint", "brief") and isinstance(value, str | int | float | None)
    }
    return Failure(type(error).__name__, error.message, error.hint, error.brief, own)


def error_of(failure: Failure) -> S3DashError:
    """The same error, to be raised here; one of a class that is not known here is a plain one."""
    found = getattr(errors, failure.kind, None)
    kind = found if isinstance(found, type) and issubclass(found, S3DashError) else S3DashError
    error = kind.__new__(kind)
    S3DashError.__init__(error, failure.message, hint=failure.hint, brief=failure.brief)
    vars(error).update(failure.facts)
    return error


def _plain(value: object) -> object:
    if isinstance(value, PurePath):
        return str(value)
    if isinstance(value, Collection):
        return list(value)
    raise UsageError(f"a {type(value).__name__} cannot be sent to another process")


def _rich(kind: Any, value: object) -> object:
    if isinstance(kind, type) and issubclass(kind, PurePath) and isinstance(value, str):
        return kind(value)
    raise ValueError("no such value")


def _legible(value: Any) -> Any:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, Mapping):
        return {_legible(key): _legible(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_legible(one) for one in value]
    return value
