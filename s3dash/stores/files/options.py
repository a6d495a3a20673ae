"""From the storage options of a URL, or our own configuration, to opened buckets."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from msgspec.structs import replace

from s3dash.config import credentials, places
from s3dash.config.credentials import CredentialRefs
from s3dash.config.load import load
from s3dash.core.settings import CredentialSource, Datastore
from s3dash.errors import ConfigError, ReadOnly
from s3dash.objectstore.opening import open_store
from s3dash.objectstore.patience import Patience
from s3dash.stores.files import names
from s3dash.stores.opened import SIZES, Opened

WHERE = "storage options"
_REFERENCES = ("env:", "file:", "keychain:")


class Options(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The storage options of `s3dash://bucket/key`.

    Either `datastore`, a name in our configuration (`config`: the file, else where it is looked
    for), or `endpoint_url`, `region`, `profile` and references for `key`, `secret` and `token`:
    `env:VARIABLE`, `file:PATH`, `keychain:SERVICE/ACCOUNT`; without them boto3's own chain. Bytes:
    a file of more than `multipart_above` goes in parts of `part_size`. `emulate`: see `Files`.
    """

    endpoint_url: str | None = None
    region: str | None = None
    key: str | None = None
    secret: str | None = None
    token: str | None = None
    profile: str | None = None
    force_path_style: bool | None = None
    datastore: str | None = None
    config: str | None = None
    emulate: bool = False
    readonly: bool = False
    multipart_above: int = SIZES["files"]["multipart_above"]
    part_size: int = SIZES["files"]["part_size"]
    max_concurrency: int = 32

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Options":
        """Raises ConfigError, which names the option and never shows its value."""
        for name in ("key", "secret", "token"):
            value = given.get(name)
            if value is not None and not str(value).startswith(_REFERENCES):
                raise ConfigError(
                    f"{WHERE}: {name}: a secret must not be written out",
                    hint="give a reference: env:VARIABLE, file:PATH or keychain:SERVICE/ACCOUNT",
                )
        unknown = sorted(set(given) - set(cls.__struct_fields__))
        if unknown:
            known = ", ".join(cls.__struct_fields__)
            raise ConfigError(f"{WHERE}: unknown: {', '.join(unknown)}", hint=f"known: {known}")
        plain = {k: os.fspath(v) if isinstance(v, Path) else v for k, v in given.items()}
        try:
            return msgspec.convert(plain, cls)
        except msgspec.ValidationError as error:
            raise ConfigError(f"{WHERE}: {error}") from None


class Opener:
    """Opens buckets by their names, each on its own; nothing is sent yet."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self._settings, self._refs, self._root = _meant(options)

    def open(self, bucket: str) -> Opened:
        """Raises ConfigError for credentials that are partly there."""
        settings, refs = self._settings(bucket), self._refs
        patience, environ = Patience(), os.environ
        credentials.resolve(refs, environ)
        source: CredentialSource = lambda: credentials.resolve(refs, environ)  # noqa: E731 - typed
        store = open_store(
            settings,
            source,
            patience=patience,
            multipart_above=self.options.multipart_above,
            part_size=self.options.part_size,
        )
        return Opened(settings, store, patience)

    def check(self, bucket: str, key: str) -> None:
        """Raises ReadOnly for what lies outside of a configured datastore: it is only read."""
        if self._root is None:
            return
        own, prefix = self._root
        if bucket != own or not f"{key}/".startswith(prefix):
            raise ReadOnly(
                f"{bucket}/{key} is not in the datastore: it can only be read",
                hint=f"files are written below {own}/{prefix}",
            )


def _meant(
    options: Options,
) -> tuple[Callable[[str], Datastore], CredentialRefs, tuple[str, str] | None]:
    """The settings of any bucket, the references, and bucket and prefix that may be written."""
    if options.datastore is None and options.config is None:
        refs = CredentialRefs(
            where=WHERE,
            base=Path.cwd(),
            access_key_id=options.key,
            secret_access_key=options.secret,
            session_token=options.token,
        )
        return lambda bucket: _plain(options, bucket), refs, None
    loaded = load(
        config=Path(options.config) if options.config else None,
        datastore=options.datastore,
        namespace=None,
        environ=os.environ,
        cwd=Path.cwd(),
    )
    chosen = loaded.pick()
    refs, root = loaded.credentials[chosen.name], (chosen.bucket, names.below(chosen.prefix))
    return lambda bucket: _configured(options, chosen, bucket), refs, root


def _plain(options: Options, bucket: str) -> Datastore:
    cache = places.user_dir("cache", os.environ) / "files" / bucket
    path_style = options.force_path_style
    return Datastore(
        name=bucket,
        kind="files",
        bucket=bucket,
        cache=cache,
        state_dir=places.state_dir(cache, state_home=None, environ=os.environ),
        region=options.region,
        endpoint=options.endpoint_url,
        profile=options.profile,
        force_path_style=bool(options.endpoint_url) if path_style is None else path_style,
        readonly=options.readonly,
        pull_concurrency=options.max_concurrency,
        push_concurrency=options.max_concurrency,
    )


def _configured(options: Options, chosen: Datastore, bucket: str) -> Datastore:
    """Keys are whole ones; what is written there is only the bucket of a datastore of files."""
    writable = chosen.kind == "files" and bucket == chosen.bucket
    readonly = options.readonly or chosen.readonly or not writable
    return replace(chosen, bucket=bucket, prefix="", readonly=readonly)
