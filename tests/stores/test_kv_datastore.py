"""The contract of a datastore of keys, on memory, moto and SeaweedFS."""

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from s3dash.stores.kv.contract import KeyStore
from s3dash.stores.kv.datastore import Datastore
from s3dash.stores.opened import Opened
from s3dash.testing.datastore import DATA, DatastoreTests, fill
from tests.servers import Server
from tests.stores.opening import Recalling, in_memory, opened


class TestInMemory(DatastoreTests):
    @pytest.fixture
    def datastore(self) -> Datastore:
        return in_memory(prefix="a/root")


class OnServer(DatastoreTests):
    """What many queries look at is asked of the server once, and is in its order."""

    opened: Opened

    def unchanged(self, datastore: KeyStore) -> KeyStore:
        return recalling(self.opened)


class TestOnMoto(OnServer):
    @pytest.fixture
    def datastore(self, moto: Server, tmp_path: Path) -> Iterator[Datastore]:
        self.opened = on(moto, tmp_path)
        with Datastore(self.opened) as found:
            yield found

    @pytest.fixture
    def full(self, moto_full: Datastore) -> Datastore:
        return moto_full


class TestOnWeed(OnServer):
    @pytest.fixture
    def datastore(self, weed: Server, tmp_path: Path) -> Iterator[Datastore]:
        self.opened = on(weed, tmp_path)
        with Datastore(self.opened) as found:
            yield found

    @pytest.fixture
    def full(self, weed_full: Datastore) -> Datastore:
        return weed_full


@pytest.fixture(scope="module")
def moto_full(moto: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Datastore]:
    yield from _filled(moto, tmp_path_factory)


@pytest.fixture(scope="module")
def weed_full(weed: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Datastore]:
    yield from _filled(weed, tmp_path_factory)


def on(server: Server, tmp_path: Path) -> Opened:
    """An empty one, below a prefix of its own in a bucket that the tests share."""
    prefix = f"root/{uuid.uuid4().hex[:10]}"
    bucket = server.shared_bucket()
    return opened(server.store(bucket, tmp_path, prefix=prefix), prefix=prefix)


def recalling(found: Opened) -> Datastore:
    return Datastore(replace(found, store=Recalling(found.store)))


def _filled(server: Server, factory: pytest.TempPathFactory) -> Iterator[Datastore]:
    """Holds the example; what is asked of the server is asked once."""
    found = on(server, factory.mktemp("full"))
    with recalling(found) as view:
        fill(Datastore(found), DATA)
        yield view


@pytest.mark.parametrize("kind", ["moto", "weed"])
def test_kv_20_in_a_bucket_of_its_own(
    kind: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """Without a root directory, every key there; the server is asked behind our back."""
    server: Server = request.getfixturevalue(kind)
    bucket = server.make_bucket()
    with Datastore(opened(server.store(bucket, tmp_path))) as found:
        doomed = {f"/{n % 7}/{n}": b"" for n in range(1001)}
        fill(found, {**doomed, "/kept": b"x"})
        with found.batch() as batch:
            for key in doomed:
                batch.delete(key)
    listed = server.client().list_objects_v2(Bucket=bucket)["Contents"]
    assert [one["Key"] for one in listed] == ["kept"]


def test_key_06_without_an_order_keys_come_as_s3_lists_them(moto: Server, tmp_path: Path) -> None:
    with Datastore(on(moto, tmp_path)) as found:
        fill(found, dict.fromkeys(["/a/b", "/a", "/a-b"], b""))
        assert list(found) == ["/a", "/a-b", "/a/b"]
