"""fsspec's own suite: all of it, none left out; on SeaweedFS, and with `--full` on moto too.

moto takes a minute for it, nearly all of that its own.
"""

import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fsspec.tests import abstract

from s3dash.stores.files.filesystem import S3DashFileSystem
from tests.servers import Server
from tests.stores.files.conftest import place_on

CASES = 137
"""Copy, Get, Put, Pipe and Open, as fsspec counts its parameters."""


def servers(config: pytest.Config) -> list[str]:
    return ["weed", "moto"] if config.getoption("full") else ["weed"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "filesystem" in metafunc.fixturenames:
        metafunc.parametrize("filesystem", servers(metafunc.config), indirect=True, scope="module")


@pytest.fixture(scope="module")
def filesystem(
    request: pytest.FixtureRequest,
    file_buckets: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[S3DashFileSystem]:
    server: Server = request.getfixturevalue(request.param)
    place = place_on(server, file_buckets, tmp_path_factory.mktemp("place"))
    yield place.filesystem()
    for store in place.opened:
        store.close()


class Fixtures(abstract.AbstractFixtures):  # type: ignore[misc] # fsspec has no types
    @pytest.fixture
    def fs(self, filesystem: S3DashFileSystem) -> S3DashFileSystem:
        return filesystem

    @pytest.fixture
    def fs_path(self) -> str:
        return f"bucket/{uuid.uuid4().hex[:10]}"

    @pytest.fixture
    def fs_join(self) -> Callable[..., str]:
        return lambda *parts: "/".join(parts)


class TestCopy(abstract.AbstractCopyTests, Fixtures):  # type: ignore[misc]
    pass


class TestGet(abstract.AbstractGetTests, Fixtures):  # type: ignore[misc]
    pass


class TestPut(abstract.AbstractPutTests, Fixtures):  # type: ignore[misc]
    pass


class TestPipe(abstract.AbstractPipeTests, Fixtures):  # type: ignore[misc]
    pass


class TestOpen(abstract.AbstractOpenTests, Fixtures):  # type: ignore[misc]
    pass


def test_all_of_the_suite_is_here(request: pytest.FixtureRequest) -> None:
    """On each server; a run of a part of the file has nothing to count."""
    here = [item for item in request.session.items if item.path == request.node.path]
    counted = Counter(_server(item) for item in here if item is not request.node)
    options = request.config.option
    if options.keyword or options.deselect or any("::" in one for one in request.config.args):
        return
    assert counted == dict.fromkeys(servers(request.config), CASES)
    assert not [item for item in here if item.get_closest_marker("skip")]


def _server(item: Any) -> str:
    return str(item.callspec.params["filesystem"])
