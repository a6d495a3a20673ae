"""A configured datastore whose bucket is open: where the stores begin."""

import msgspec

from s3dash.core.settings import Datastore
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.port import ObjectStore
from s3dash.stores.steady import Steady


class Opened(msgspec.Struct, frozen=True):
    """The settings, the store below their prefix, and the patience that the store was given."""

    settings: Datastore
    store: ObjectStore
    patience: Patience

    @property
    def steady(self) -> Steady:
        return Steady(self.store, self.patience)
