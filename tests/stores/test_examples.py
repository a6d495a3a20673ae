"""The examples run as they stand, on SeaweedFS, and leave nothing behind."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_real import Desk
from tests.servers import Server

EXAMPLES = Path(__file__).parents[2] / "examples"
SAID = {
    "keys": [
        "b'countess' False b'?'",
        'SELECT keys,vals FROM "/squares" FILTER [KEY > "/squares/89"] ORDER [KEY]',
        "[8100, 8281, 8464, 8649, 8836, 9025, 9216, 9409, 9604, 9801]",
        "/blocks/CIQCZ4SNXJP3BIYOE3UDWKWFXHRJ4GYWDZOB7J2CLZZQIM3CSOFZQJA 104",
    ],
    "files": [
        "{'Earth': 1, 'Mars': 2}",
        "29 bytes as before",
        "['example-moved/planets.csv']",
        "name,moons",
        "'example-moved/planets.csv' is there already",
        "b'Jupiter,97\\r\\n'",
        "2 removed",  # the directory, which fsspec made, and the file
    ],
    "blobs": [
        "sha512-MJ7MSJwS1utMx created there",
        "b'hello world' None",
        "refused: sha512-/IBrsnbos3lXg",
        "15000000 b'bigbig'",
        "2 verified",
        "1 kept, 1 deleted: True",
    ],
}
SCRIPTS = {"keys": "kv.py", "files": "files.py", "blobs": "blobs.py"}


@pytest.mark.parametrize("kind", SAID)
def test_the_example_runs(kind: str, weed: Server, tmp_path: Path) -> None:
    prefix = f"example-of-{kind}"
    desk = Desk(tmp_path, weed, bucket=weed.shared_bucket(), prefix=prefix, kind=kind)
    config = str(tmp_path / "s3dash.toml")
    done = subprocess.run(
        [sys.executable, str(EXAMPLES / SCRIPTS[kind]), "--config", config],
        env=desk.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == SAID[kind]
    left = weed.client().list_objects_v2(Bucket=weed.shared_bucket(), Prefix=f"{prefix}/")
    keys = [one["Key"] for one in left.get("Contents", [])]
    assert [key for key in keys if key != f"{prefix}/"] == []  # the top, as a directory, may stay
