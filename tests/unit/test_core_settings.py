"""Which namespace of a cache is at home there, and which is a guest."""

from pathlib import Path

import pytest

from s3dash.config.load import load
from s3dash.core.settings import Datastore


def chosen(home: Path, namespace: str | None, *, configured: str = "infra") -> Datastore:
    """As the command line gets it, with or without `--namespace`."""
    line = f'namespace = "{configured}"\n' if configured else ""
    file = home / "s3dash.toml"
    file.write_text(f'[datastores.one]\nbucket = "bucket"\ncache = "c"\n{line}')
    environ = {"HOME": str(home)}
    return load(config=file, datastore=None, namespace=namespace, environ=environ, cwd=home).pick()


@pytest.mark.parametrize(
    ("namespace", "configured", "guest", "below"),
    [
        (None, "infra", False, None),
        ("infra", "infra", False, None),
        ("web", "infra", True, "web"),
        ("web", "", False, None),
        (None, "", False, None),
    ],
)
def test_another_namespace_than_the_configured_one_is_a_guest_in_the_cache(
    tmp_path: Path, namespace: str | None, configured: str, guest: bool, below: str | None
) -> None:
    found = chosen(tmp_path, namespace, configured=configured)
    assert found.namespace == (namespace or configured or None)
    assert (found.is_guest, found.sidecar_below) == (guest, below)


def test_whoever_comes_home_is_no_guest(tmp_path: Path) -> None:
    own = chosen(tmp_path, None)
    assert own.within("infra") == own
    away = own.within("web").within("api")
    assert (away.namespace, away.home, away.is_guest) == ("api", "infra", True)
    back = away.within("infra")
    assert (back.namespace, back.is_guest, back.sidecar_below) == ("infra", False, None)
