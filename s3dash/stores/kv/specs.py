"""The datastores that a kubo configuration describes, and what kubo writes down of them.

Scenarios CF-4 and CF-5. No secret ever enters what is written down.
"""

import json
from dataclasses import dataclass, field
from typing import Any

import msgspec

from s3dash.core.settings import Credentials
from s3dash.errors import ConfigError, OtherDatastore
from s3dash.stores.kv.keys import cleaned

WORKERS = 100
"""What kubo's plugin takes when nothing is said."""


@dataclass(frozen=True, slots=True, kw_only=True)
class S3Spec:
    """A store in a bucket. `root` has no slash around it; an `endpoint` implies path style.

    Without `credentials` they come from `credentials_endpoint`, else from the default chain.
    """

    bucket: str
    region: str
    root_directory: str = ""
    endpoint: str | None = None
    credentials: Credentials | None = field(default=None, repr=False)
    credentials_endpoint: str | None = None
    workers: int = WORKERS

    @property
    def root(self) -> str:
        return cleaned(self.root_directory)[1:]

    def disk(self) -> dict[str, Any]:
        names = {"bucket": self.bucket, "region": self.region}
        return {**names, "rootDirectory": self.root_directory}


class LocalSpec(msgspec.Struct, frozen=True):
    """A store that lies on kubo's own disk."""

    kind: str
    fields: dict[str, str]

    def disk(self) -> dict[str, Any]:
        return {**self.fields, "type": self.kind}


class MeasureSpec(msgspec.Struct, frozen=True):
    """A store whose calls are counted under the name `prefix`."""

    prefix: str
    child: "Spec"

    def disk(self) -> dict[str, Any]:
        return self.child.disk()


class MountSpec(msgspec.Struct, frozen=True):
    """Stores by the key that they are mounted at."""

    mounts: dict[str, "Spec"]

    def disk(self) -> dict[str, Any]:
        found = sorted(self.mounts.items(), reverse=True)
        return {
            "mounts": [{**child.disk(), "mountpoint": at} for at, child in found],
            "type": "mount",
        }


Spec = S3Spec | LocalSpec | MeasureSpec | MountSpec


def datastore_spec(spec: Spec) -> str:
    """What kubo writes beside its configuration to know the same store again: compact JSON."""
    return json.dumps(spec.disk(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def check_spec(spec: Spec, written: str | bytes, *, where: str) -> None:
    """Raises OtherDatastore with the difference unless `written` is the `datastore_spec` of `spec`.

    What kubo wrote when it made the store must be what the configuration says now: with another
    bucket or root directory its keys would seem to be gone.
    """
    import difflib

    try:
        was = json.loads(written)
    except (ValueError, RecursionError):
        raise ConfigError(f"{where}: this is no JSON") from None
    now = json.loads(datastore_spec(spec))
    if was == now:
        return
    old, new = (json.dumps(one, indent=1, sort_keys=True).splitlines() for one in (was, now))
    diff = list(difflib.unified_diff(old, new, n=0, lineterm=""))[2:]
    lines = [line for line in diff if not line.startswith("@@")]
    raise OtherDatastore(
        "\n".join([f"{where}: not the store that the configuration describes:", *lines]),
        hint="- is what kubo wrote down, + is what the configuration says now",
    )
