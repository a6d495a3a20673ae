"""A configured datastore whose bucket is open: where the stores begin."""

from collections.abc import Mapping

import msgspec

from s3dash.core.settings import Datastore, Kind
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectStore
from s3dash.stores.steady import Steady

SIZES: Mapping[Kind, Mapping[str, int]] = {
    "files": {"multipart_above": 8 << 20, "part_size": 5 << 20},
}
"""Of the kinds that send in parts of their own size: see `S3Store`."""


class Opened(msgspec.Struct, frozen=True):
    """The settings, the store below their prefix, and the patience that the store was given."""

    settings: Datastore
    store: ObjectStore
    patience: Patience

    @property
    def steady(self) -> Steady:
        return Steady(self.store, self.patience)
