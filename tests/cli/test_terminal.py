"""`s3dash` in a real terminal: the dashboard on configured datastores."""

from pathlib import Path

from tests.e2e.terminal import Terminal
from tests.servers import Server


def test_the_dashboard_opens_on_all_datastores_that_it_can(weed: Server, tmp_path: Path) -> None:
    table = f"""
bucket = "{weed.make_bucket()}"
endpoint = "{weed.endpoint}"
region = "us-east-1"
force_path_style = true
"""
    good = 'credentials = {access_key_id = "env:K", secret_access_key = "env:S"}\n'
    broken = good.replace("env:S", "env:MISSING")
    (tmp_path / "s3dash.toml").write_text(
        f"[datastores.one]\ncache = 'one'\n{table}{good}"
        f"[datastores.two]\ncache = 'two'\nprefix = 'two'\n{table}{good}"
        f"[datastores.broken]\ncache = 'broken'\nprefix = 'broken'\n{table}{broken}"
    )
    (tmp_path / "two").mkdir()
    (tmp_path / "two/new.txt").write_text("new\n")
    keys = {"K": weed.access_key, "S": weed.secret_key, "XDG_STATE_HOME": str(tmp_path / "state")}
    terminal = Terminal("--datastore", "two", cwd=tmp_path, environ=keys)
    try:
        terminal.wait_for("2 datastores", "one", "Dirty 1", "online")
        terminal.press("q")
        assert terminal.end() == 0
        assert "broken is not shown: " in terminal.written
        assert "env:MISSING" in terminal.written
    finally:
        terminal.close()
