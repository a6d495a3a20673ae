"""Changing a configuration file: shown before it is done, comments and order kept, all or nothing.

A change is checked as a whole: what comes out must be a configuration that can be loaded, and
may differ from what was there in nothing but what was asked for.
"""

import contextlib
import difflib
import os
import re
import stat
import uuid
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from s3dash.config import files, toml_file
from s3dash.config.load import Loaded, load
from s3dash.core.paths import is_namespace
from s3dash.errors import ConfigError

if TYPE_CHECKING:
    from tomlkit.items import Array

_INDENT = re.compile(r"\n([ \t]*)[\"']")
HEAD = """\
# The configuration of s3dash; see `s3dash config check`, and config.example.toml for every field.
# Secrets never stand in this file: credentials are references (env:, file:, keychain:).

"""


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """What a file will hold. `before` is what it holds now, None when there is no file."""

    path: Path
    before: bytes | None
    after: str

    @property
    def creates(self) -> bool:
        return self.before is None

    def lines(self) -> list[str]:
        """The exact change as lines that begin with `+`, `-` or a space, with a little around."""
        old = (self.before or b"").decode(errors="replace").splitlines()
        diff = difflib.unified_diff(old, self.after.splitlines(), lineterm="", n=2)
        return [line for line in list(diff)[2:] if not line.startswith("@@")]

    def write(self) -> None:
        """Carry it out at once or not at all. Raises ConfigError when the file changed meanwhile.

        A file that is made is the user's alone (mode 0600), another one keeps its mode. Behind a
        symbolic link the file that it leads to is changed.
        """
        try:
            self._write(Path(os.path.realpath(self.path)))
        except FileExistsError:
            raise _moved(self.path) from None
        except OSError as error:
            why = error.strerror or type(error).__name__
            raise ConfigError(f"{self.path} cannot be written: {why}; it is as it was") from None

    def _write(self, target: Path) -> None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = target.with_name(f".{target.name}.{uuid.uuid4().hex[:8]}")
        mode = 0o600 if self.creates else stat.S_IMODE(target.stat().st_mode)
        number = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(number, "wb") as file:
                file.write(self.after.encode())
                os.fchmod(number, mode)
                file.flush()
                os.fsync(number)
            self._install(aside, target)
        finally:
            with contextlib.suppress(FileNotFoundError):  # it was renamed: that is the good end
                aside.unlink()

    def _install(self, aside: Path, target: Path) -> None:
        """A new file never replaces one that somebody made meanwhile: that link would fail."""
        if self.creates:
            os.link(aside, target)
            return
        if _read(target) != self.before:
            raise _moved(self.path)
        aside.replace(target)


def add_datastore(path: Path, name: str, fields: Mapping[str, object]) -> Change:
    """The file with another datastore at its end. Raises ConfigError for a name that is taken.

    `fields` hold references where they hold credentials; nothing in them is a secret.
    """
    if not is_namespace(name):
        raise ConfigError("the name must be letters, digits, '.', '_' and '-'")
    before = _read(path)
    text = HEAD if before is None else _text(before, path)
    known = toml_file.parse(text.encode(), str(path)).get("datastores", {})
    if not isinstance(known, dict):
        raise ConfigError(f"{path}: datastores: must be a table")
    if name in known:
        raise ConfigError(
            f"{path}: there is a datastore {name} already; nothing was written",
            hint="choose another name with --name, or change that one in the file",
        )
    gap = "" if text == HEAD or text.endswith("\n\n") or not text else "\n"
    after = text + ("" if not text or text.endswith("\n") else "\n") + gap + table(name, fields)
    _check_only(path, text, after, lambda was: _with(was, name, _plain(fields)))
    return Change(path=path, before=before, after=after)


def add_excludes(path: Path, name: str, patterns: Sequence[str]) -> Change:
    """The file with more patterns in the `exclude` of a datastore; those that are there stay.

    A datastore without an `exclude` of its own has that of `[defaults]`, which is taken over.
    """
    before = _read(path)
    if before is None:
        raise ConfigError(f"{path}: there is no such file")
    text = _text(before, path)
    was = toml_file.parse(before, str(path))
    one = was.get("datastores", {}).get(name)
    if not isinstance(one, dict):
        raise ConfigError(f"{path}: there is no datastore {name}")
    shared = was.get("defaults", {}).get("exclude", [])
    wanted = [*one.get("exclude", shared)]
    fresh = [pattern for pattern in dict.fromkeys(patterns) if pattern not in wanted]
    after = _excluding(text, path, name, shared, fresh)
    _check_only(path, text, after, lambda old: _with(old, name, {"exclude": [*wanted, *fresh]}))
    return Change(path=path, before=before, after=after)


def verified(change: Change, *, environ: Mapping[str, str], cwd: Path) -> Loaded:
    """What would be loaded after the change. Raises ConfigError: then it must not be written."""
    return load(
        config=change.path,
        datastore=None,
        namespace=None,
        environ=environ,
        cwd=cwd,
        content=change.after,
    )


def table(name: str, fields: Mapping[str, object]) -> str:
    """`[datastores.NAME]` and its fields as TOML; a mapping becomes an inline table."""
    import tomlkit  # late, as few commands write

    document = tomlkit.document()
    inner = tomlkit.table()
    for key, value in fields.items():
        inner.add(key, _inline(value) if isinstance(value, Mapping) else value)
    outer = tomlkit.table(is_super_table=True)
    outer.add(name, inner)
    document.add("datastores", outer)
    return tomlkit.dumps(document)


def _inline(value: Mapping[str, object]) -> object:
    import tomlkit

    made = tomlkit.inline_table()
    made.update(value)
    return made


def _excluding(text: str, path: Path, name: str, shared: list[str], fresh: Sequence[str]) -> str:
    import tomlkit
    from tomlkit.exceptions import TOMLKitError
    from tomlkit.items import Array

    try:
        document = tomlkit.parse(text)
        one: Any = document["datastores"][name]
        if "exclude" not in one:
            one["exclude"] = [*shared, *fresh]
        elif isinstance(one["exclude"], Array):
            for pattern in fresh:
                _append(one["exclude"], pattern)
        else:
            raise _by_hand(path)
        return tomlkit.dumps(document)
    except TOMLKitError:
        raise _by_hand(path) from None


def _append(array: "Array", pattern: str) -> None:
    """On a line of its own where the array has lines, as far in as those are."""
    lines = _INDENT.search(array.as_string())
    if lines:
        array.add_line(pattern, indent=lines[1])
    else:
        array.append(pattern)


def _check_only(path: Path, text: str, after: str, wanted: Any) -> None:
    """Raises ConfigError unless the new text means what was there, with what was asked for."""
    was = toml_file.parse(text.encode(), str(path))
    try:
        now = toml_file.parse(after.encode(), str(path))
    except ConfigError:
        raise _by_hand(path) from None
    if now != wanted(was):
        raise _by_hand(path)


def _with(was: Mapping[str, Any], name: str, fields: Mapping[str, object]) -> dict[str, Any]:
    tables = was.get("datastores", {})
    return {**was, "datastores": {**tables, name: {**tables.get(name, {}), **fields}}}


def _plain(fields: Mapping[str, object]) -> dict[str, object]:
    return {k: dict(v) if isinstance(v, Mapping) else v for k, v in fields.items()}


def _read(path: Path) -> bytes | None:
    """The file as it is; None when there is none. Raises ConfigError when it cannot be read."""
    if not os.path.lexists(path):
        return None
    try:
        return files.read(path)
    except files.Unreadable as error:
        raise ConfigError(f"{path}: {error}") from None


def _text(raw: bytes, path: Path) -> str:
    try:
        return raw.decode()
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: byte {error.start}: this is no UTF-8 text") from None


def _moved(path: Path) -> ConfigError:
    return ConfigError(f"{path} changed meanwhile; nothing was written", hint="try again")


def _by_hand(path: Path) -> ConfigError:
    return ConfigError(
        f"{path} is laid out in a way that cannot be changed safely; nothing was written",
        hint="add it by hand",
    )
