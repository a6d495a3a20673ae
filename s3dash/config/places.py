"""Where configuration, caches and state live. Nothing here is created."""

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from s3dash.errors import ConfigError

APP = "s3dash"


def user_dir(kind: Literal["config", "cache", "state"], environ: Mapping[str, str]) -> Path:
    """The user's directory of this kind for s3dash: XDG when set, else the platform's own."""
    home = environ.get(f"XDG_{kind.upper()}_HOME", "")
    if home and Path(home).is_absolute():
        return Path(home) / APP
    import platformdirs

    dirs = platformdirs.PlatformDirs(APP, appauthor=False)
    return {
        "config": dirs.user_config_path,
        "cache": dirs.user_cache_path,
        "state": dirs.user_state_path,
    }[kind]


def home(environ: Mapping[str, str]) -> Path:
    """Raises ConfigError when nothing says where it is."""
    if environ.get("HOME"):
        return Path(environ["HOME"])
    try:
        return Path.home()
    except RuntimeError:
        raise ConfigError("$HOME: not set, and this user has no home directory") from None


def expand(text: str, *, base: Path, environ: Mapping[str, str]) -> Path:
    """A path as the user wrote it: `~` and `$HOME` at its start, else relative to `base`."""
    for start in ("~", "$HOME", "${HOME}"):
        rest = text.removeprefix(start)
        if text.startswith(start) and (not rest or rest.startswith("/")):
            return home(environ) / rest.lstrip("/")
    return base / text


def real(path: Path) -> Path:
    """The path without symlinks; one in a circle of them stays as it is, and is no error here."""
    return Path(os.path.realpath(path))


def state_dir(cache: Path, *, state_home: Path | None, environ: Mapping[str, str]) -> Path:
    """Where s3dash keeps its state of a cache: one directory per real path of a cache."""
    root = state_home / APP if state_home else user_dir("state", environ)
    digest = hashlib.sha256(os.fsencode(real(cache))).hexdigest()
    return root / "caches" / digest[:16]


def shown(path: Path, *, cwd: Path) -> str:
    """A path for messages: relative when it is below `cwd`."""
    return str(path.relative_to(cwd)) if path.is_relative_to(cwd) else str(path)
