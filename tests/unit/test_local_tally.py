"""Counting what lies below a directory of the cache, without a look at content."""

import os
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.errors import Cancelled, LocalError
from s3dash.local.tally import directories, sizes


def put(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x" * size)


def test_data_files_are_counted_by_path_and_nothing_else_is(tmp_path: Path) -> None:
    put(tmp_path / "a", 3)
    put(tmp_path / "data/m/i/1/raw", 5)
    put(tmp_path / ".namespace.json", 9)
    put(tmp_path / "_index/_meta.json", 9)
    put(tmp_path / "data/m/i/.lock", 9)
    put(tmp_path.parent / "outside/secret", 9)
    (tmp_path / "link").symlink_to(tmp_path.parent / "outside")
    (tmp_path / "link-to-file").symlink_to(tmp_path / "a")
    os.mkfifo(tmp_path / "pipe")
    assert dict(sizes(tmp_path, CancelToken())) == {"a": 3, "data/m/i/1/raw": 5}


def test_what_is_missing_or_a_link_counts_nothing(tmp_path: Path) -> None:
    put(tmp_path / "real/a", 3)
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert dict(sizes(tmp_path / "none", CancelToken())) == {}
    assert dict(sizes(tmp_path / "link", CancelToken())) == {}


def test_counting_can_be_stopped(tmp_path: Path) -> None:
    put(tmp_path / "a", 3)
    token = CancelToken()
    token.cancel()
    with pytest.raises(Cancelled):
        dict(sizes(tmp_path, token))


def test_directories_are_those_that_are_no_links(tmp_path: Path) -> None:
    put(tmp_path / "web/a", 1)
    put(tmp_path / "file", 1)
    (tmp_path / "link").symlink_to(tmp_path / "web")
    assert directories(tmp_path) == ["web"]
    assert directories(tmp_path / "none") == []
    with pytest.raises(LocalError):
        directories(tmp_path / "file")
