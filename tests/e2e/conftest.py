"""A world of the demo for each test module, on a server of its own."""

from collections.abc import Iterator

import pytest

from s3dash.clock import SystemClock
from s3dash.demo.server import Server
from s3dash.demo.world import World, found


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    root = tmp_path_factory.mktemp("world")
    with Server(root / "server") as server:
        world = World(root, server.endpoint, server.credentials)
        found(world, SystemClock())
        yield world
