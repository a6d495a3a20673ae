"""A store of blobs from environment variables alone, as the servers of checkstack name them."""

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import replace

from s3dash.config import places
from s3dash.config.check import check, report
from s3dash.core.settings import Credentials, Datastore
from s3dash.objectstore.opening import open_store
from s3dash.objectstore.patience import Patience
from s3dash.stores.opened import Opened

START = "CHECKSTACK_SCRIPT_PACKAGES_S3_"
FIELDS = ("ENDPOINT", "BUCKET", "REGION")
SECRETS = ("ACCESS_KEY_ID", "SECRET_ACCESS_KEY")
PATH_STYLE = "FORCE_PATH_STYLE"
NAMES = (*FIELDS, *SECRETS, PATH_STYLE)
_FLAGS = {"": False, "false": False, "0": False, "true": True, "1": True}


@dataclass(frozen=True, slots=True)
class Environment:
    """What the variables say. The credentials are in no `repr`."""

    settings: Datastore
    credentials: Credentials


def configured(environ: Mapping[str, str]) -> Environment | None:
    """The store that the variables name; None when none of them is set, or all are empty.

    All are needed but FORCE_PATH_STYLE (`true` or `1`, `false` or `0`). Raises ConfigError that
    names every one that is missing or invalid, and no value.
    """
    given = {name: environ.get(START + name, "") for name in NAMES}
    if not any(given.values()):
        return None
    problems = [f"{START}{name}: missing" for name in (*FIELDS, *SECRETS) if not given[name]]
    for name in FIELDS:
        if given[name]:
            lines = list[str]()
            check({name.lower(): given[name]}, where="", problems=lines)
            problems += [START + name + line.partition(name.lower())[2] for line in lines]
    problems += [
        f"{START}{name}: must be one line of printable characters"
        for name in SECRETS
        if not given[name].isprintable()
    ]
    if given[PATH_STYLE].lower() not in _FLAGS:
        problems.append(f"{START}{PATH_STYLE}: must be true, 1, false or 0")
    report(problems)
    return Environment(_settings(given, environ), _credentials(given))


def opened(environment: Environment, *, readonly: bool = False) -> Opened:
    """The bucket, open; whoever asks closes the store. Nothing is sent yet."""
    settings = replace(environment.settings, readonly=readonly)
    patience = Patience()
    return Opened(
        settings, open_store(settings, environment.credentials, patience=patience), patience
    )


def _settings(given: Mapping[str, str], environ: Mapping[str, str]) -> Datastore:
    home = places.user_dir("cache", environ) / "environment"
    return Datastore(
        name="environment",
        kind="blobs",
        bucket=given["BUCKET"],
        endpoint=given["ENDPOINT"].rstrip("/"),
        region=given["REGION"],
        force_path_style=_FLAGS[given[PATH_STYLE].lower()],
        cache=home,
        state_dir=home,
    )


def _credentials(given: Mapping[str, str]) -> Credentials:
    return Credentials(given["ACCESS_KEY_ID"], given["SECRET_ACCESS_KEY"])
