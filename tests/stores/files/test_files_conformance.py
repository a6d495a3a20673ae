"""The exported contract, on memory, moto and SeaweedFS."""

import uuid

import pytest

from s3dash.stores.files.filesystem import S3DashFileSystem
from s3dash.testing.filesystem import FileSystemTests
from tests.stores.files.conftest import Place


class TestFileSystem(FileSystemTests):
    @pytest.fixture
    def fs(self, place: Place) -> S3DashFileSystem:
        return place.filesystem()

    @pytest.fixture
    def root(self) -> str:
        return f"bucket/{uuid.uuid4().hex[:8]}"
