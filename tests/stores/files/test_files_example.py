"""The example of the files runs as it stands, on SeaweedFS."""

import subprocess
import sys
from pathlib import Path

from tests.cli.test_real import Desk
from tests.servers import Server

EXAMPLE = Path(__file__).parents[3] / "examples" / "files.py"


def test_the_example_runs(weed: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path, weed, bucket=weed.shared_bucket(), prefix="file-example", kind="files")
    done = subprocess.run(
        [sys.executable, str(EXAMPLE), "--config", str(tmp_path / "s3dash.toml")],
        env=desk.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "{'Earth': 1, 'Mars': 2}",
        "29 bytes as before",
        "['example-moved/planets.csv']",
        "name,moons",
        "'example-moved/planets.csv' is there already",
        "b'Jupiter,97\\r\\n'",
        "2 removed",  # the directory, which fsspec made, and the file
    ]
