"""Documents of others on this disk: a copy that is gone or damaged is fetched again."""

import hashlib
from pathlib import Path
from typing import BinaryIO

from s3dash.local.kept import Kept

BODY = b"what the document says"


class Bucket:
    """Counts how often the document was fetched."""

    def __init__(self) -> None:
        self.fetched = 0

    def __call__(self, sink: BinaryIO) -> str:
        self.fetched += 1
        sink.write(BODY)
        return hashlib.sha256(BODY).hexdigest()


def test_a_copy_is_read_until_it_is_damaged(tmp_path: Path) -> None:
    kept, bucket = Kept(tmp_path), Bucket()
    for _ in range(2):
        with kept.opened("web", "v1", fetch=bucket) as file:
            assert file.read() == BODY
    assert bucket.fetched == 1
    (copy,) = tmp_path.iterdir()
    copy.write_bytes(b"something else")
    with kept.opened("web", "v1", fetch=bucket) as file:
        assert file.read() == BODY
    assert bucket.fetched == 2


def test_a_copy_that_another_thread_replaced_meanwhile_is_fetched(tmp_path: Path) -> None:
    """It was listed, and is gone when it is opened: as a link that leads nowhere is."""
    kept, bucket = Kept(tmp_path), Bucket()
    with kept.opened("web", "v1", fetch=bucket):
        pass
    (copy,) = tmp_path.iterdir()
    copy.unlink()
    copy.symlink_to(tmp_path / "gone")
    with kept.opened("web", "v1", fetch=bucket) as file:
        assert file.read() == BODY
    assert bucket.fetched == 2
