"""Kubo's JSON configuration of its datastores, read as it is. Scenarios CF-1 to CF-3.

A whole configuration (`{"Datastore": {"Spec": …}}`), a `Spec` alone, or one store alone is taken:
`s3ds` as go-ds-s3 writes it, or with the names of qri's (`path`, `accessSecret`, `accessToken`).
No message shows a value.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any

from s3dash.core.settings import Credentials
from s3dash.errors import ConfigError
from s3dash.stores.kv.specs import WORKERS, LocalSpec, MeasureSpec, MountSpec, S3Spec, Spec

S3 = ("s3ds", "s3")
LOCAL: Mapping[str, tuple[str, ...]] = {
    "levelds": ("path",),
    "badgerds": ("path",),
    "pebbleds": ("path",),
    "flatfs": ("path", "shardFunc"),
    "mem": (),
}
"""Stores on kubo's own disk, with what its `datastore_spec` tells of each. They are not opened."""

_QRI = {"path": "rootDirectory", "accessSecret": "secretKey", "accessToken": "sessionToken"}
_TRANSFORMS = ("", "default")


def read(text: str | bytes, *, where: str) -> Spec:
    """The store that the JSON describes. Raises ConfigError with every problem and its field."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        at = f": line {error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ConfigError(f"{where}{at}: this is no JSON") from None
    found = _Fields(document, where=where, path="", problems=[])
    for name in ("Datastore", "Spec"):
        if found.has(name):
            found = found.table(name)
    try:
        spec = _spec(found)
    except RecursionError:
        raise ConfigError(f"{where}: nested too deeply") from None
    if found.problems or spec is None:
        raise ConfigError("\n".join(found.problems))
    return spec


class _Fields:
    """A JSON object that is taken field by field, every problem written down with its path."""

    def __init__(self, raw: object, *, where: str, path: str, problems: list[str]) -> None:
        self.where = where
        self.path = path
        self.problems = problems
        if not isinstance(raw, dict):
            self.problem("", "must be an object")
            raw = {}
        self.raw: dict[str, Any] = raw

    def has(self, name: str) -> bool:
        return name in self.raw

    def problem(self, name: str, text: str) -> None:
        parts = [part for part in (self.path, name) if part]
        self.problems.append(f"{self.where}: {'.'.join(parts)}: {text}".replace(": : ", ": "))

    def below(self, raw: object, name: str) -> "_Fields":
        path = f"{self.path}.{name}" if self.path else name
        return _Fields(raw, where=self.where, path=path, problems=self.problems)

    def table(self, name: str) -> "_Fields":
        return self.below(self.raw.get(name), name)

    def text(self, name: str, *, needed: bool = False) -> str:
        value = self.raw.get(name)
        if value is None:
            value = ""
            if needed:
                self.problem(name, "missing")
        elif not isinstance(value, str):
            self.problem(name, "must be a text")
            value = ""
        elif needed and not value:
            self.problem(name, "must not be empty")
        elif not value.isprintable():
            self.problem(name, "must not hold control characters")
        return value

    def renamed(self, names: Mapping[str, str]) -> "_Fields":
        """With other names for some fields; a problem where both are given."""
        raw = dict(self.raw)
        for other, name in names.items():
            if other in raw:
                if name in raw:
                    self.problem(other, f"given twice: {name} is the same")
                raw[name] = raw.pop(other)
        return _Fields(raw, where=self.where, path=self.path, problems=self.problems)


def _spec(fields: _Fields) -> Spec | None:
    kind = fields.raw.get("type")
    if kind is None and fields.has("mounts"):
        kind = "mount"
    if kind is None and fields.has("bucket"):
        kind = S3[0]
    if isinstance(kind, str):
        if kind in _KINDS:
            return _KINDS[kind](fields)
        if kind in LOCAL:
            return LocalSpec(kind, {name: fields.text(name) for name in LOCAL[kind]})
    fields.problem("type", "must be mount, measure, log, s3ds or one of " + ", ".join(LOCAL))
    return None


def _mount(fields: _Fields) -> Spec | None:
    raw = fields.raw.get("mounts")
    if not isinstance(raw, list) or not raw:
        fields.problem("mounts", "must be a list of stores")
        return None
    mounts: dict[str, Spec] = {}
    for number, one in enumerate(raw):
        below = fields.below(one, f"mounts[{number}]")
        at = below.text("mountpoint", needed=True)
        if at in mounts:
            below.problem("mountpoint", "something else is mounted there")
        if at and not at.startswith("/"):
            below.problem("mountpoint", "must begin with a slash")
        if (child := _spec(below)) is not None:
            mounts[at] = child
    return MountSpec(mounts)


def _measure(fields: _Fields) -> Spec | None:
    child = _spec(fields.table("child"))
    prefix = fields.text("prefix")
    return None if child is None else MeasureSpec(prefix, child)


def _log(fields: _Fields) -> Spec | None:
    """What kubo logs of a store is its own affair."""
    return _spec(fields.table("child"))


def _s3(fields: _Fields) -> Spec | None:
    fields = fields.renamed(_QRI)
    key, secret = fields.text("accessKey"), fields.text("secretKey")
    token = fields.text("sessionToken")
    if bool(key) != bool(secret):
        fields.problem("secretKey" if key else "accessKey", "missing, and the other one is there")
    if fields.text("keyTransform") not in _TRANSFORMS:
        fields.problem("keyTransform", "only `default` is known here")
    return S3Spec(
        bucket=fields.text("bucket", needed=True),
        region=fields.text("region", needed=True),
        root_directory=fields.text("rootDirectory"),
        endpoint=_url(fields, "regionEndpoint"),
        credentials=Credentials(key, secret, token or None) if key and secret else None,
        credentials_endpoint=_url(fields, "credentialsEndpoint"),
        workers=_workers(fields),
    )


def _url(fields: _Fields, name: str) -> str | None:
    """A host alone is meant by HTTPS, as the AWS SDKs take it."""
    value = fields.text(name)
    if not value:
        return None
    url = value if "://" in value else f"https://{value}"
    if not url.startswith(("http://", "https://")) or "@" in url:
        fields.problem(name, "must be a URL or a host, without a user in it")
    return url.rstrip("/")


def _workers(fields: _Fields) -> int:
    value = fields.raw.get("workers")
    if value is None:
        return WORKERS
    if isinstance(value, bool) or not isinstance(value, int | float):
        fields.problem("workers", "must be a number")
    elif value != value or value in (float("inf"),) or value < 1 or value != int(value):
        fields.problem("workers", "must be a positive whole number")
    else:
        return int(value)
    return WORKERS


_KINDS: dict[str, Callable[[_Fields], Spec | None]] = {
    "mount": _mount,
    "measure": _measure,
    "log": _log,
    **dict.fromkeys(S3, _s3),
}
