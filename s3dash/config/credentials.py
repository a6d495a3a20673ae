"""Credential references, and how they become credentials at the last moment.

A reference is `env:VARIABLE`, `file:PATH` or `keychain:SERVICE/ACCOUNT` (the service ends at
the first slash). Messages name references, never what they stand for.
"""

import importlib
import stat
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec

from s3dash.config import files, places
from s3dash.core.settings import Credentials
from s3dash.errors import ConfigError

Keychain = Callable[[str, str], str | None]
"""Asks for the password of `(service, account)`; None when there is none."""

_MAX_FILE_BYTES = 64 * 1024


class CredentialRefs(msgspec.Struct, frozen=True, kw_only=True):
    """The references of one datastore; all None means boto3's own chain.

    `where` names file and table for messages; `base` is what file references are relative to.
    """

    where: str
    base: Path
    access_key_id: str | None = None
    secret_access_key: str | None = None
    session_token: str | None = None

    def items(self) -> dict[str, str]:
        """The references that are set, by field."""
        fields = ("access_key_id", "secret_access_key", "session_token")
        return {name: ref for name in fields if (ref := getattr(self, name)) is not None}


def resolve(
    refs: CredentialRefs, environ: Mapping[str, str], *, keychain: Keychain | None = None
) -> Credentials | None:
    """The credentials, or None when none are configured and boto3's chain decides.

    Raises ConfigError that names every missing field and every reference that leads nowhere.
    """
    given = refs.items()
    if not given:
        return None
    values: dict[str, str] = {}
    problems: list[str] = []
    for field in ("access_key_id", "secret_access_key", "session_token"):
        try:
            if field in given:
                values[field] = _value(given[field], refs.base, environ, keychain or _ask_keyring)
            elif field != "session_token":
                problems.append(f"credentials.{field}: missing")
        except _Unresolved as error:
            problems.append(f"credentials.{field}: {given[field]}: {error}")
    if problems:
        raise ConfigError("\n".join(f"{refs.where}: {line}" for line in problems))
    return Credentials(**values)


def warnings(refs: CredentialRefs, environ: Mapping[str, str]) -> tuple[str, ...]:
    """What is allowed but unwise: files with secrets that every user of the machine can read."""
    out = []
    for field, ref in refs.items().items():
        if not ref.startswith("file:"):
            continue
        path = places.expand(ref.removeprefix("file:"), base=refs.base, environ=environ)
        if files.is_there(path) and path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            out.append(f"{refs.where}: credentials.{field}: {ref}: every user can read this file")
    return tuple(out)


class _Unresolved(Exception):
    """Why a reference leads nowhere, without any value."""


def _value(ref: str, base: Path, environ: Mapping[str, str], keychain: Keychain) -> str:
    kind, _, rest = ref.partition(":")
    if kind == "env":
        value = environ.get(rest, "")
        reason = "this variable is not set, or empty"
    elif kind == "file":
        value = _read(places.expand(rest, base=base, environ=environ))
        reason = "this file is empty"
    elif kind == "keychain":
        service, _, account = rest.partition("/")
        value = keychain(service, account) or ""
        reason = "the keychain has no such entry"
    else:
        raise _Unresolved("no reference of a known kind")
    if not value:
        raise _Unresolved(reason)
    if not value.isprintable():
        raise _Unresolved("holds more than one line, or control characters")
    return value


def _read(path: Path) -> str:
    try:
        raw = files.read(path, limit=_MAX_FILE_BYTES)
    except files.TooLong:
        raise _Unresolved("this file is too long for a secret") from None
    except files.Unreadable as error:
        raise _Unresolved(str(error)) from None
    text = raw.decode(errors="replace")
    if text.encode() != raw:
        raise _Unresolved("this file is no text")
    return text.rstrip("\r\n")


def _ask_keyring(service: str, account: str) -> str | None:
    """Ask the system's keychain. Raises ConfigError when the `keyring` extra is absent."""
    try:
        keyring = importlib.import_module("keyring")
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"keychain:{service}/{account} needs the keyring package",
            hint="pip install s3dash[keyring]",
        ) from error
    try:
        value: str | None = keyring.get_password(service, account)
    except keyring.errors.KeyringError as error:
        raise _Unresolved(f"the keychain failed ({type(error).__name__})") from None
    return value
