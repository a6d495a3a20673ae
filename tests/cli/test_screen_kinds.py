"""Which datastores the screen gets: shared caches as engines, all of them to explore."""

from pathlib import Path

import pytest

from s3dash.cli.options import Options
from s3dash.cli.wiring import Wiring
from s3dash.errors import ReadOnly, UsageError

FILE = """
[defaults]
endpoint = "http://127.0.0.1:9"
bucket = "team"
[datastores.docs]
kind = "files"
prefix = "docs"
[datastores.blocks]
kind = "keys"
prefix = "blocks"
"""
CACHE = """
[datastores.team]
cache = "cache"
prefix = "team"
"""


@pytest.fixture
def wiring(tmp_path: Path) -> Wiring:
    (tmp_path / "cache").mkdir()
    environ = {"AWS_ACCESS_KEY_ID": "id", "AWS_SECRET_ACCESS_KEY": "hidden"}
    return Wiring(environ, cwd=tmp_path)


def configured(wiring: Wiring, tmp_path: Path, text: str, **options: str) -> tuple[list[str], str]:
    """The names of the engines and of what is explored first; all datastores can be explored."""
    (tmp_path / "s3dash.toml").write_text(text)
    given = Options(**options)  # type: ignore[arg-type] # names of options
    found = wiring._configured(wiring._load(given), given)
    assert len(found.shelves.stores) == text.count("[datastores.")
    return [one.name for one in found.datastores], found.shelves.first


def test_a_cache_has_an_engine_and_the_others_are_explored(wiring: Wiring, tmp_path: Path) -> None:
    assert configured(wiring, tmp_path, FILE + CACHE, datastore="team") == (["team"], "")
    assert configured(wiring, tmp_path, FILE + CACHE, datastore="docs") == (["team"], "docs")


def test_without_any_cache_the_screen_opens_at_the_explorer(wiring: Wiring, tmp_path: Path) -> None:
    assert configured(wiring, tmp_path, FILE, datastore="blocks") == (["blocks"], "blocks")
    options = Options(datastore="blocks")
    found = wiring._configured(wiring._load(options), options)
    engine = found.open_engine(found.datastores[0])
    engine.start()
    assert engine.snapshot().state == "no cache"
    assert list(engine.history()) == []
    with pytest.raises(UsageError, match="blocks holds keys"):
        engine.push()
    with pytest.raises(UsageError, match="holds keys") as refused:
        engine.endpoint.look()
    assert "view 8" in refused.value.hint
    engine.stop()


def test_a_shared_cache_is_opened_to_be_read_only(wiring: Wiring, tmp_path: Path) -> None:
    (tmp_path / "s3dash.toml").write_text(FILE + CACHE)
    options = Options(datastore="team")
    found = wiring._configured(wiring._load(options), options)
    assert found.shelves.open is not None
    for settings in found.shelves.stores:
        opened = found.shelves.open(settings)
        if settings.kind == "cache":
            with pytest.raises(ReadOnly):
                opened.store.put("k", b"")
        assert opened.settings.kind == settings.kind
        opened.store.close()
