"""The example of the keys runs as it stands, on SeaweedFS."""

import subprocess
import sys
from pathlib import Path

from s3dash.stores.configured import open_configured
from s3dash.stores.kv.datastore import Datastore
from tests.cli.test_real import Desk
from tests.servers import Server

EXAMPLE = Path(__file__).parents[2] / "examples" / "kv.py"


def test_the_example_runs(weed: Server, tmp_path: Path) -> None:
    desk = Desk(tmp_path, weed, bucket=weed.shared_bucket(), prefix="example", kind="keys")
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
        "b'countess' False b'?'",
        'SELECT keys,vals FROM "/squares" FILTER [KEY > "/squares/89"] ORDER [KEY]',
        "[8100, 8281, 8464, 8649, 8836, 9025, 9216, 9409, 9604, 9801]",
        "/blocks/CIQCZ4SNXJP3BIYOE3UDWKWFXHRJ4GYWDZOB7J2CLZZQIM3CSOFZQJA 104",
    ]
    with Datastore(open_configured("keys", config=config, environ=desk.environ)) as store:
        assert not store
