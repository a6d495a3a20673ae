"""The tables `[screen]` and `[themes.NAME]`: what they take, and all that is wrong at once."""

from pathlib import Path

import pytest

from s3dash.config.load import Loaded, describe, load
from s3dash.config.screen_schema import ScreenTable, ThemeTable
from s3dash.core.screen import NIGHT, Palette, ScreenSettings
from s3dash.errors import ConfigError

ROOT = Path(__file__).parents[2]
STORE = "[datastores.team]\nbucket = 'shared'\n"


def read(tmp_path: Path, text: str, *, problems: tuple[str, ...] = ()) -> Loaded:
    (tmp_path / "s3dash.toml").write_text(STORE + text)
    return load(
        config=None,
        datastore=None,
        namespace=None,
        environ={"HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")},
        cwd=tmp_path,
        state_home=tmp_path / "state",
        check_screen=lambda _: problems,
    )


def screen(tmp_path: Path, text: str) -> ScreenSettings:
    return read(tmp_path, text).screen


def refused(tmp_path: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    return caught.value.message.splitlines()


def test_nothing_said_is_the_screen_as_it_is_built(tmp_path: Path) -> None:
    assert screen(tmp_path, "") == ScreenSettings()
    assert screen(tmp_path, "[screen]\n") == ScreenSettings()
    assert ScreenSettings().theme == NIGHT


def test_every_field_arrives(tmp_path: Path) -> None:
    text = """
        [screen]
        theme = "acme"
        mouse = false
        accessible = true
        no_color = true
        notifyAfterS = 2.5
        [screen.keys]
        push = "f5"
        "transfers.pause" = ["t", "ctrl+t"]
        suspend = false
        auto = []
        [themes.acme]
        primary = "#fff"
        dark = false
        """
    assert screen(tmp_path, text) == ScreenSettings(
        theme="acme",
        mouse=False,
        accessible=True,
        no_color=True,
        notify_after_s=2.5,
        keys={"push": ("f5",), "transfers.pause": ("t", "ctrl+t"), "suspend": (), "auto": ()},
        themes={"acme": Palette(primary="#fff", dark=False)},
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[screen]\nmuose = true", "[screen]: muose: unknown key; did you mean mouse?"),
        ("[screen]\nmouse = 1", "[screen]: mouse: must be a valid boolean"),
        ("[screen]\nnotify_after_s = -1", "[screen]: notify_after_s: "),
        ("[screen]\ntheme = 'no such/name'", "[screen]: theme: must be the name of a theme"),
        ("[screen]\nkeys = 3", "[screen]: keys: "),
        ("[screen.keys]\nPush = 'x'", "[screen]: keys: a name in it is none of a command"),
        ("[screen.keys]\npush = true", "[screen]: keys: push: must be a key, a list"),
        ("[screen.keys]\npush = [1]", "[screen]: keys: push: must be a key, a list"),
        ("[screen.keys]\npush = ''", "[screen]: keys: push: a key must be its name"),
        ("[screen.keys]\npush = \"\\u001b\"", "[screen]: keys: push: a key must be its name"),
        ("[screen.keys]\ntransfers.pause = 't'", "[screen]: keys: transfers: must be a key"),
        ("[themes.a]\ndark = true", "[themes.a]: primary: missing"),
        ("[themes.a]\nprimary = 'red'", "[themes.a]: primary: must be a colour like"),
        ("[themes.a]\nprimary = '#12345'", "[themes.a]: primary: must be a colour like"),
        ("[themes.a]\nprimary = '#fff'\nglow = '#fff'", "[themes.a]: glow: unknown key"),
        ("[themes.'a b']\nprimary = '#fff'", "[themes.a b]: the name must be letters"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_file_and_table(tmp_path: Path, text: str, told: str) -> None:
    (line,) = refused(tmp_path, text)
    assert line.startswith(f"s3dash.toml: {told}")


def test_no_table_at_all_is_told(tmp_path: Path) -> None:
    (tmp_path / "s3dash.toml").write_text("screen = 3\nthemes = 4\n" + STORE)
    with pytest.raises(ConfigError) as caught:
        load(config=None, datastore=None, namespace=None, environ={}, cwd=tmp_path)
    assert caught.value.message.splitlines()[1:] == [
        "s3dash.toml: [screen]: must be a table",
        "s3dash.toml: [themes]: must be tables [themes.NAME]",
    ]


def test_problems_of_datastores_screen_and_themes_come_at_once(tmp_path: Path) -> None:
    text = "[screen]\nmouse = 1\n[themes.a]\n[datastores.b]\n"
    (tmp_path / "s3dash.toml").write_text(STORE + text)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text, problems=("[screen]: keys: p: both push and pull",))
    lines = caught.value.message.splitlines()
    assert lines[0].startswith("4 problems")
    assert "s3dash.toml: [screen]: keys: p: both push and pull" in lines


def test_no_value_is_ever_shown(tmp_path: Path) -> None:
    for text in (
        "theme = 'hush hush'",
        "[screen.keys]\npush = ['hush\\nhush', 3]",
        "mouse = 'hush'",
    ):
        assert "hush" not in "\n".join(refused(tmp_path, f"[screen]\n{text}"))


def test_what_is_in_force_can_be_shown_as_json(tmp_path: Path) -> None:
    loaded = read(tmp_path, "[screen.keys]\npush = 'f5'\n[themes.a]\nprimary = '#fff'\n")
    shown = describe(loaded)["screen"]
    assert shown["keys"] == {"push": ("f5",)}
    assert shown["themes"]["a"]["primary"] == "#fff"


def test_the_example_shows_every_field() -> None:
    text = (ROOT / "config.example.toml").read_text()
    fields = [*ScreenTable.model_fields, *ThemeTable.model_fields]
    assert [name for name in fields if f"{name} = " not in text and f".{name}]" not in text] == []


@pytest.mark.parametrize("table", [ScreenTable, ThemeTable])
def test_the_readme_documents_every_field(table: type[ScreenTable] | type[ThemeTable]) -> None:
    readme = (ROOT / "README.md").read_text()
    found = table.model_fields.items()
    assert [name for name, field in found if f"| `{name}` | " not in readme] == []
    assert [name for name, field in found if f"| {field.description} |" not in readme] == []
