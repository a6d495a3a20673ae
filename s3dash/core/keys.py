"""Object keys of one datastore, relative to its prefix."""

import msgspec

from s3dash.core import paths
from s3dash.core.partitions import is_shard_name


class Keys(msgspec.Struct, frozen=True):
    """The keys of a datastore in solo mode (`namespace` None) or of one namespace."""

    namespace: str | None = None

    @property
    def root(self) -> str:
        """What stands before every key of ours: empty, or `<namespace>/`."""
        return f"{self.namespace}/" if self.namespace else ""

    def data(self, rel: str) -> str:
        return self.root + rel

    @property
    def monolith(self) -> str:
        return self.root + paths.INDEX_FILE

    @property
    def index_dir(self) -> str:
        return f"{self.root}{paths.INDEX_DIR}/"

    @property
    def meta(self) -> str:
        return f"{self.index_dir}{paths.META_NAME}.json"

    def shard(self, partition: str) -> str:
        return f"{self.index_dir}{partition}.json"

    def partition_of(self, key: str) -> str | None:
        """The shard whose object has this key; None for meta and for foreign keys."""
        if not key.startswith(self.index_dir) or not key.endswith(".json"):
            return None
        name = key[len(self.index_dir) : -len(".json")]
        return name if is_shard_name(name) else None

    @property
    def lock(self) -> str:
        """The global lock: of the datastore in solo mode, else of the namespace."""
        if self.namespace:
            return f"{paths.LOCKS_DIR}/{self.namespace}.lock"
        return paths.GLOBAL_LOCK

    @property
    def manifest(self) -> str:
        return self.root + paths.NAMESPACE_MANIFEST

    @property
    def catalog(self) -> str:
        """What a namespace tells those who do not work in it; solo mode has none."""
        return self.root + paths.CATALOG_EXPORT

    @property
    def control(self) -> str:
        """Where s3dash keeps its own records."""
        return f"{self.root}{paths.CONTROL_DIR}/s3dash/"

    @property
    def commits(self) -> str:
        return f"{self.control}commits/"
