"""From settings to a store."""

from typing import Any

from s3dash.core.settings import CredentialSource, Datastore
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectStore
from s3dash.objectstore.sealed import Sealed


def open_store(
    settings: Datastore,
    credentials: CredentialSource,
    *,
    patience: Patience | None = None,
    **sizes: Any,
) -> ObjectStore:
    """The bucket of a datastore; nothing is sent yet. None: boto3's default chain.

    That of a `readonly` one refuses to write. `sizes`: see `S3Store`.
    """
    from s3dash.objectstore.s3 import S3Store  # late: the SDKs take a while to import

    store = S3Store(settings, credentials, patience=patience, **sizes)
    return Sealed(store) if settings.readonly else store
