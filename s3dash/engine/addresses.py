"""Where a place in a bucket keeps its state on this machine."""

import hashlib
from pathlib import Path

from s3dash.core.settings import Datastore


def state_file(settings: Datastore) -> Path:
    """One database per cache and bucket address: a base is never mixed up with another's."""
    address = "\n".join(
        (settings.endpoint or "", settings.bucket, settings.prefix, settings.namespace or "")
    )
    return settings.state_dir / f"{hashlib.sha256(address.encode()).hexdigest()[:16]}.sqlite"
