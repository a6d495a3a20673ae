"""Opening the datastores that kubo's configuration describes."""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

from s3dash.core.settings import Credentials, CredentialSource
from s3dash.core.settings import Datastore as Settings
from s3dash.errors import ConfigError, Unreachable
from s3dash.objectstore.patience import Patience
from s3dash.stores.kv.config import read
from s3dash.stores.kv.contract import KeyStore
from s3dash.stores.kv.datastore import Datastore
from s3dash.stores.kv.measure import Measure
from s3dash.stores.kv.mount import Mount
from s3dash.stores.kv.specs import LocalSpec, MeasureSpec, S3Spec, Spec, check_spec
from s3dash.stores.opened import Opened

SPEC_FILE = "datastore_spec"
MOST = 1 << 20
ANSWER_S = 5.0

Told = Callable[[str], None]

_DIRECTLY = urllib.request.build_opener(urllib.request.ProxyHandler({}))
"""Such an endpoint is on this machine or beside it."""


def open_file(
    path: Path, *, patience: Patience, readonly: bool = False, note: Told = lambda _: None
) -> KeyStore:
    """The datastores of a kubo configuration; `note` is told of those that lie on its own disk.

    Nothing is sent yet. A `datastore_spec` beside the file must fit. Raises ConfigError.
    """
    spec = read(_text(path), where=str(path))
    beside = path.parent / SPEC_FILE
    if beside.is_file():
        check_spec(spec, _text(beside), where=str(beside))
    found = open_spec(spec, patience=patience, readonly=readonly, note=note)
    if found is None:
        raise ConfigError(f"{path}: no datastore of it is in a bucket")
    return found


def open_spec(
    spec: Spec, *, patience: Patience, readonly: bool = False, note: Told = lambda _: None
) -> KeyStore | None:
    """None for a store on kubo's own disk: in a mount it is left out."""
    if isinstance(spec, LocalSpec):
        note(f"a store of kind {spec.kind} lies on kubo's own disk and is left out")
        return None
    if isinstance(spec, S3Spec):
        return _bucket(spec, patience, readonly)
    if isinstance(spec, MeasureSpec):
        child = open_spec(spec.child, patience=patience, readonly=readonly, note=note)
        return None if child is None else Measure(child, prefix=spec.prefix)
    found = {
        at: open_spec(one, patience=patience, readonly=readonly, note=note)
        for at, one in spec.mounts.items()
    }
    mounted = {at: one for at, one in found.items() if one is not None}
    return Mount(mounted) if mounted else None


def settings_of(spec: S3Spec, *, readonly: bool = False) -> Settings:
    """The bucket of a store as settings; there is no cache."""
    return Settings(
        name=spec.bucket,
        bucket=spec.bucket,
        cache=Path(),
        state_dir=Path(),
        kind="keys",
        prefix=spec.root,
        region=spec.region,
        endpoint=spec.endpoint,
        force_path_style=spec.endpoint is not None,
        pull_concurrency=spec.workers,
        push_concurrency=spec.workers,
        readonly=readonly,
    )


def credentials_of(spec: S3Spec) -> CredentialSource:
    """Those that are written down, else those that the endpoint gives, else the default chain."""
    if spec.credentials is not None or spec.credentials_endpoint is None:
        return spec.credentials
    endpoint = spec.credentials_endpoint
    return lambda: fetched(endpoint)


def fetched(endpoint: str) -> Credentials:
    """What an endpoint of the kind that AWS's containers have answers.

    Raises Unreachable, and ConfigError where the answer holds no credentials; it quotes nothing.
    """
    request = urllib.request.Request(endpoint, headers={"Accept": "application/json"})  # noqa: S310 - checked when it was read
    try:
        with _DIRECTLY.open(request, timeout=ANSWER_S) as answer:
            body = json.loads(answer.read(MOST))
    except (OSError, urllib.error.URLError) as error:
        raise Unreachable(f"{endpoint} gives no credentials ({type(error).__name__})") from None
    except ValueError:
        body = None
    return _credentials(body, endpoint)


def _credentials(body: Any, endpoint: str) -> Credentials:
    names = ("AccessKeyId", "SecretAccessKey", "Token")
    found = [body.get(name) or "" if isinstance(body, dict) else "" for name in names]
    if not all(isinstance(one, str) for one in found) or not (found[0] and found[1]):
        raise ConfigError(f"{endpoint} answers without AccessKeyId and SecretAccessKey")
    return Credentials(found[0], found[1], found[2] or None)


def _bucket(spec: S3Spec, patience: Patience, readonly: bool) -> KeyStore:
    from s3dash.objectstore.opening import open_store

    settings = settings_of(spec, readonly=readonly)
    store = open_store(settings, credentials_of(spec), patience=patience)
    return Datastore(Opened(settings, store, patience))


def _text(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MOST)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}") from error
