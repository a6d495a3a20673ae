"""The example of the blobs runs as it stands, on SeaweedFS."""

import subprocess
import sys
from pathlib import Path

from s3dash.stores.blobs.store import BlobStore
from s3dash.stores.configured import open_configured
from tests.cli.test_real import Desk
from tests.servers import Server

EXAMPLE = Path(__file__).parents[3] / "examples" / "blobs.py"


def test_the_example_runs(weed: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path, weed, bucket=weed.shared_bucket(), prefix="blob-example", kind="blobs")
    config = tmp_path / "s3dash.toml"
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--config", str(config)],
        env=desk.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "sha512-MJ7MSJwS1utMx created there",
        "b'hello world' None",
        "refused: sha512-/IBrsnbos3lXg",
        "15000000 b'bigbig'",
        "2 verified",
        "1 kept, 1 deleted: True",
    ]
    opened = open_configured("blobs", config=config, environ=desk.environ)
    assert len(BlobStore(opened, prefix="example/blobs")) == 0
    opened.store.close()
