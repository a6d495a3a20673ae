"""A datastore that is about to be configured, as its table in the file will say it."""

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec.structs import fields

from s3dash.config.credentials import CredentialRefs
from s3dash.config.load import load
from s3dash.config.write import table
from s3dash.core.settings import Datastore

UNNAMED, NO_BUCKET = "datastore", "not-chosen-yet"
_NO_NAME = re.compile(r"[^A-Za-z0-9_-]+")


class Draft(msgspec.Struct, frozen=True, kw_only=True):
    """What was chosen so far; empty is not chosen. The credential fields hold references only."""

    name: str = ""
    bucket: str = ""
    prefix: str = ""
    region: str = ""
    endpoint: str = ""
    force_path_style: bool = False
    profile: str = ""
    namespace: str = ""
    cache: str = ""
    access_key_id: str = ""
    secret_access_key: str = ""
    session_token: str = ""

    @property
    def given_name(self) -> str:
        return self.name or proposed_name(self.prefix, self.bucket)

    def fields(self) -> dict[str, object]:
        """The table's fields in the order in which they are written, without what is not set."""
        references = ("access_key_id", "secret_access_key", "session_token")
        values = {f.name: getattr(self, f.name) for f in fields(self)}
        credentials = {name: values.pop(name) for name in references if values[name]}
        values.pop("name")
        chosen = {name: value for name, value in values.items() if value}
        return {**chosen, "credentials": credentials} if credentials else chosen


def proposed_name(prefix: str, bucket: str) -> str:
    """A name for a datastore at this place: the end of its prefix, else its bucket."""
    last = prefix.strip("/").rpartition("/")[2] or bucket
    return _NO_NAME.sub("-", last).strip("-")[:60] or UNNAMED


def settings_of(
    draft: Draft, *, base: Path, environ: Mapping[str, str]
) -> tuple[Datastore, CredentialRefs]:
    """What an engine would be given, as if the draft stood in a file of the directory `base`.

    What is not chosen yet has a stand-in. Raises ConfigError with all that cannot be so; no
    message shows a value.
    """
    given = {"bucket": NO_BUCKET, **draft.fields()}
    loaded = load(
        config=base / "draft.toml",
        datastore=None,
        namespace=None,
        environ=environ,
        cwd=base,
        content=table(draft.given_name, given),
        told_as=f"{draft.given_name}",
    )
    return loaded.pick(), loaded.credentials[loaded.default]
