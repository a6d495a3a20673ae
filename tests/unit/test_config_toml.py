"""Reading TOML: the order of places, defaults, limits, and all problems told at once."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from s3dash.config.load import Loaded, describe, load
from s3dash.config.schema import Table
from s3dash.core.settings import Datastore
from s3dash.errors import ConfigError

ROOT = Path(__file__).parents[2]
EXAMPLE = ROOT / "config.example.toml"


def read(
    tmp_path: Path,
    text: str,
    *,
    datastore: str | None = None,
    namespace: str | None = None,
    environ: Mapping[str, str] | None = None,
) -> Loaded:
    (tmp_path / "s3dash.toml").write_text(text)
    return load(
        config=None,
        datastore=datastore,
        namespace=namespace,
        environ=environ or home(tmp_path),
        cwd=tmp_path,
        state_home=tmp_path / "state",
    )


def home(tmp_path: Path) -> dict[str, str]:
    return {
        "HOME": str(tmp_path / "home"),
        "XDG_CONFIG_HOME": str(tmp_path / "xdg-config"),
        "XDG_CACHE_HOME": str(tmp_path / "xdg-cache"),
    }


def refused(tmp_path: Path, text: str) -> list[str]:
    """The lines of the error that this configuration ends in."""
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, text)
    assert caught.value.exit_code == 2
    return caught.value.message.splitlines()


def one(field: str) -> str:
    return f"[datastores.x]\nbucket = 'bucket'\n{field}\n"


def test_one_bucket_is_a_whole_configuration(tmp_path: Path) -> None:
    loaded = read(tmp_path, "[datastores.team]\nbucket = 'shared'\n")
    settings = loaded.pick()
    assert (loaded.default, loaded.source, settings.name) == ("team", "s3dash.toml", "team")
    assert settings.bucket == "shared"
    assert settings.cache == tmp_path / "xdg-cache/s3dash/team"
    assert settings.state_dir.parent == tmp_path / "state/s3dash/caches"
    assert (settings.pull_concurrency, settings.push_concurrency) == (50, 25)
    assert (settings.request_timeout_ms, settings.conflict, settings.locking) == (
        30_000,
        "ask",
        "safe",
    )
    assert loaded.credentials["team"].items() == {}


def test_every_default_is_the_one_of_the_settings(tmp_path: Path) -> None:
    read_in = read(tmp_path, "[datastores.x]\nbucket = 'bucket'\n").pick()
    bare = Datastore(name="x", bucket="bucket", cache=read_in.cache, state_dir=read_in.state_dir)
    assert read_in == bare


def test_a_table_wins_over_the_defaults_and_keeps_the_rest_of_them(tmp_path: Path) -> None:
    text = """
        [defaults]
        bucket = "common"
        region = "eu-central-1"
        pull_concurrency = 7
        [datastores.a]
        pull_concurrency = 9
        [datastores.b]
        bucket = "other"
        """
    loaded = read(tmp_path, text)
    a, b = loaded.pick("a"), loaded.pick("b")
    assert (a.bucket, a.region, a.pull_concurrency) == ("common", "eu-central-1", 9)
    assert (b.bucket, b.region, b.pull_concurrency) == ("other", "eu-central-1", 7)


def test_camel_case_names_are_the_same_fields(tmp_path: Path) -> None:
    text = one("forcePathStyle = true\npullConcurrency = 3\nhydrationStrategy = 'lazy'")
    settings = read(tmp_path, text).pick()
    assert (settings.force_path_style, settings.pull_concurrency) == (True, 3)
    assert settings.hydration == "lazy"


def test_a_field_in_two_spellings_is_refused(tmp_path: Path) -> None:
    lines = refused(tmp_path, one("forcePathStyle = true\nforce_path_style = false"))
    assert lines == ["s3dash.toml: [datastores.x]: force_path_style: given twice, in two spellings"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("prefix = '/a/b/'", ("prefix", "a/b")),
        ("endpoint = 'http://127.0.0.1:9000/'", ("endpoint", "http://127.0.0.1:9000")),
        ("endpoint = 'https://[::1]:9000'", ("endpoint", "https://[::1]:9000")),
        ("bandwidth_limit = 4096", ("bandwidth_limit", 4096)),
        ("bandwidth_limit = '10MiB/s'", ("bandwidth_limit", 10 * 2**20)),
        ("bandwidth_limit = '1.5 MB/s'", ("bandwidth_limit", 1_500_000)),
        ("bandwidth_limit = '200k'", ("bandwidth_limit", 200_000)),
        ("bandwidth_limit = '3KB/s'", ("bandwidth_limit", 3_000)),
        ("bandwidth_limit = '3KiB'", ("bandwidth_limit", 3 * 2**10)),
        ("bandwidth_limit = '2GB'", ("bandwidth_limit", 2_000_000_000)),
        ("bandwidth_limit = '2GiB/s'", ("bandwidth_limit", 2 * 2**30)),
        ("bandwidth_limit = '77'", ("bandwidth_limit", 77)),
        ("trash_max_size = '10GiB'", ("trash_max_size", 10 * 2**30)),
        ("trash_max_size = '1.5 TB'", ("trash_max_size", 1_500_000_000_000)),
        ("trash_max_size = 0", ("trash_max_size", 0)),
        ("trash_max_age_days = 0.5", ("trash_max_age_days", 0.5)),
        ("exclude = ['*.tmp', '!keep.tmp']", ("exclude", ("*.tmp", "!keep.tmp"))),
        ("poll_interval_s = 5", ("poll_interval_s", 5.0)),
        ("layout = 'flatfs'", ("layout", "flatfs")),
        ("layout = 'flat'", ("layout", "flat")),
        ("request_timeout_ms = 1000", ("request_timeout_ms", 1000)),
        ("request_timeout_ms = 600000", ("request_timeout_ms", 600_000)),
        ("pull_concurrency = 1000", ("pull_concurrency", 1000)),
        ("region = 'auto'", ("region", "auto")),
        ("blob_prefix = '/a/b/'", ("blob_prefix", "a/b")),
        ("blobPrefix = ''", ("blob_prefix", "")),
        ("", ("blob_prefix", "script-packages/blobs")),
    ],
)
def test_a_good_value_arrives_in_its_plain_form(
    tmp_path: Path, field: str, value: tuple[str, object]
) -> None:
    assert getattr(read(tmp_path, one(field)).pick(), value[0]) == value[1]


@pytest.mark.parametrize(
    "name", ["abc", "a-b.c", "1x9", "a" * 63], ids=["short", "dots", "digits", "long"]
)
def test_a_bucket_name_within_the_limits_is_taken(tmp_path: Path, name: str) -> None:
    assert read(tmp_path, f"[datastores.x]\nbucket = '{name}'").pick().bucket == name


@pytest.mark.parametrize("name", ["ab", "a" * 64, "Abc", "-abc", "abc.", "a_b", "a/b", "", "ä-b-c"])
def test_a_bucket_name_outside_the_limits_is_refused(tmp_path: Path, name: str) -> None:
    (line,) = refused(tmp_path, f"[datastores.x]\nbucket = '{name}'")
    assert line.startswith("s3dash.toml: [datastores.x]: bucket: must be 3 to 63 characters")


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("endpoint = 'minio:9000'", "endpoint: must be a URL"),
        ("endpoint = 'ftp://host'", "endpoint: must be a URL"),
        ("endpoint = 'http://'", "endpoint: must be a URL"),
        ("endpoint = 'http://h:99999'", "endpoint: must be a URL"),
        ("endpoint = 'http://h:0'", "endpoint: must be a URL"),
        ("endpoint = 'http://a b'", "endpoint: must be a URL"),
        ("endpoint = 'http://h/?a=b'", "endpoint: must not carry a query"),
        ("pull_concurrency = 0", "pull_concurrency: must be from 1 to 1000"),
        ("push_concurrency = 1001", "push_concurrency: must be from 1 to 1000"),
        ("request_timeout_ms = 999", "request_timeout_ms: must be from 1000 to 600000"),
        ("lock_timeout_ms = 600001", "lock_timeout_ms: must be from 1000 to 600000"),
        ("pull_concurrency = '5'", "pull_concurrency: must be a valid integer"),
        ("pull_concurrency = true", "pull_concurrency: must be a valid integer"),
        ("force_path_style = 'yes'", "force_path_style: must be a valid boolean"),
        ("bandwidth_limit = 'fast'", "bandwidth_limit: must be a number of bytes"),
        ("bandwidth_limit = -1", "bandwidth_limit: must be from 0"),
        ("trash_max_size = '10GiB/s'", "trash_max_size: must be a number of bytes"),
        ("trash_max_size = '9e99'", "trash_max_size: must be a number of bytes"),
        ("trash_max_age_days = -1", "trash_max_age_days: "),
        ("prefix = 'a/../b'", "prefix: cannot be the start of a key: path segment '..'"),
        ("prefix = 'a//b'", "prefix: cannot be the start of a key"),
        ("blob_prefix = 'a/./b'", "blob_prefix: cannot be the start of a key"),
        ('prefix = "a\\u001bb"', "prefix: cannot be the start of a key: control character"),
        ("namespace = '../up'", "namespace: must be one path segment"),
        ("namespace = ''", "namespace: must be one path segment"),
        ("region = 'us east'", "region: must be a region's name"),
        ("profile = ''", "profile: must not be empty"),
        ('cache = "a\\u0000b"', "cache: must not be empty or hold control characters"),
        ("exclude = '*.tmp'", "exclude: must be a valid list"),
        ("exclude = ['ok', '!']", "exclude: pattern 2 is no gitignore pattern"),
        ("conflict = 'mine'", "conflict: must be 'ask', 'keep-both', 'local' or 'remote'"),
        ("locking = 'maybe'", "locking: must be 'safe' or 'unsafe'"),
        ("poll_interval_s = 0", "poll_interval_s: must be greater than or equal to 1"),
        ("pul_concurrency = 5", "pul_concurrency: unknown key; did you mean pull_concurrency?"),
        ("zzz = 1", "zzz: unknown key"),
        ('"a\\u001b[2J" = 1', "something that is no name: unknown key"),
        ('"wJalrXUtnFEMI/K7MDENG" = 1', "something that is no name: unknown key"),
    ],
)
def test_a_wrong_field_is_told_with_file_table_and_reason(
    tmp_path: Path, field: str, text: str
) -> None:
    (line,) = refused(tmp_path, one(field))
    assert line.startswith(f"s3dash.toml: [datastores.x]: {text}")


def test_every_problem_of_every_table_is_told_in_one_go(tmp_path: Path) -> None:
    text = """
        [defaults]
        push_concurrency = 0
        [datastores.a]
        endpoint = "nowhere"
        request_timeout_ms = 1
        [datastores.b]
        bucket = "NO"
        colour = "red"
        [elsewhere]
        """
    head, *lines = refused(tmp_path, text)
    assert head == "7 problems in the configuration:"
    assert sorted(line.removeprefix("s3dash.toml: ").rsplit(": ", 1)[0] for line in lines) == [
        "[datastores.a]: bucket",
        "[datastores.a]: endpoint",
        "[datastores.a]: request_timeout_ms",
        "[datastores.b]: bucket",
        "[datastores.b]: colour",
        "[defaults]: push_concurrency",
        "[elsewhere]",
    ]


def test_a_missing_bucket_is_named_once_in_each_table(tmp_path: Path) -> None:
    lines = refused(tmp_path, "[datastores.a]\n[datastores.b]\nregion = 'auto'\n")
    assert lines[1:] == [
        "s3dash.toml: [datastores.a]: bucket: missing",
        "s3dash.toml: [datastores.b]: bucket: missing",
    ]


@pytest.mark.parametrize("text", ["", "[defaults]\n", "datastores = 3\n", "[datastores]\n"])
def test_a_file_without_a_datastore_says_so(tmp_path: Path, text: str) -> None:
    assert refused(tmp_path, text) == ["s3dash.toml: there is no table [datastores.NAME]"]


def test_a_table_that_is_none_is_refused(tmp_path: Path) -> None:
    assert refused(tmp_path, "[datastores]\nx = 3\n") == [
        "s3dash.toml: [datastores.x]: must be a table"
    ]


def test_broken_toml_is_told_with_line_and_column(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, "[datastores.x]\nbucket = = 'a'\n")
    assert line.startswith("s3dash.toml: line 2, column 10: ")


def test_a_file_that_is_nested_beyond_reason_is_told(tmp_path: Path) -> None:
    (line,) = refused(tmp_path, "a = " + "[" * 100_000)
    assert line.startswith("s3dash.toml: ")
    assert "nested" in line or "depth" in line or "line 1" in line


@pytest.mark.parametrize("name", ["a b", "../up", "", "a/b"])
def test_a_datastores_name_is_one_plain_segment(tmp_path: Path, name: str) -> None:
    (line,) = refused(tmp_path, f"[datastores.'{name}']\nbucket = 'bucket'\n")
    assert line.endswith("the name must be letters, digits, '.', '_' and '-'")


def test_a_name_never_reaches_the_terminal_raw(tmp_path: Path) -> None:
    text = '[datastores."a\\u001b[2J"]\nbucket = "bucket"\nzzz = 1\n["t\\u001b[2J"]\n'
    lines = refused(tmp_path, text)
    assert len(lines) == 4
    assert all(line.isprintable() for line in lines)


def test_a_file_that_is_no_text_is_told(tmp_path: Path) -> None:
    (tmp_path / "s3dash.toml").write_bytes(b"a = '\xff'")
    with pytest.raises(ConfigError, match=r"^s3dash\.toml: byte 5: this is no UTF-8 text$"):
        load(config=None, datastore=None, namespace=None, environ=home(tmp_path), cwd=tmp_path)


def test_the_datastore_that_is_meant_can_be_named(tmp_path: Path) -> None:
    text = "[datastores.a]\nbucket='aaa'\n[datastores.b]\nbucket='bbb'\n"
    loaded = read(tmp_path, text, datastore="b", namespace="infra")
    assert loaded.default == "b"
    assert loaded.pick().namespace == "infra"
    assert loaded.pick("a").namespace is None
    with pytest.raises(ConfigError, match="there is no datastore c") as caught:
        read(tmp_path, text, datastore="c")
    assert caught.value.hint == "there are: a, b"
    with pytest.raises(ConfigError, match="--namespace: must be one path segment"):
        read(tmp_path, text, namespace="a/b")


def test_paths_start_at_the_file_and_know_the_home(tmp_path: Path) -> None:
    def cache(text: str) -> Path:
        return read(tmp_path, one(f"cache = '{text}'")).pick().cache

    assert cache("here") == tmp_path / "here"
    assert cache("~/there") == tmp_path / "home/there"
    assert cache("$HOME/there") == tmp_path / "home/there"
    assert cache("${HOME}") == tmp_path / "home"
    assert cache("$HOMER/x") == tmp_path / "$HOMER/x"
    assert cache("/abs") == Path("/abs")


def test_the_state_belongs_to_the_real_path_of_the_cache(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    real = read(tmp_path, one("cache = 'real'")).pick().state_dir
    assert read(tmp_path, one("cache = 'link'")).pick().state_dir == real
    assert read(tmp_path, one("cache = 'other'")).pick().state_dir != real


def test_a_relative_xdg_directory_does_not_count(tmp_path: Path) -> None:
    found = read(tmp_path, one(""), environ={**home(tmp_path), "XDG_CACHE_HOME": "relative"})
    assert found.pick().cache.is_absolute()
    assert "relative" not in found.pick().cache.parts


def test_two_datastores_with_overlapping_caches_are_refused(tmp_path: Path) -> None:
    text = "[datastores.a]\nbucket='aaa'\ncache='c'\n[datastores.b]\nbucket='{}'\ncache='{}'\n{}\n"
    for bucket, cache, more in (("bbb", "c", ""), ("aaa", "c/inner", ""), ("aaa", "c", "")):
        (line,) = refused(tmp_path, text.format(bucket, cache, more))
        assert line == "s3dash.toml: [datastores.b]: cache: overlaps with the cache of a"
    assert len(read(tmp_path, text.format("aaa", "d", "")).datastores) == 2


def test_namespaces_of_one_place_may_share_a_cache(tmp_path: Path) -> None:
    text = "[defaults]\nbucket='aaa'\ncache='c'\n" + "".join(
        f"[datastores.{ns}]\nnamespace='{ns}'\n" for ns in ("infra", "web")
    )
    loaded = read(tmp_path, text)
    assert loaded.pick("infra").cache == loaded.pick("web").cache


def test_the_places_are_searched_in_order(tmp_path: Path) -> None:
    def found(config: Path | None, environ: Mapping[str, str]) -> str:
        loaded = load(
            config=config, datastore=None, namespace=None, environ=environ, cwd=tmp_path / "work"
        )
        return loaded.default

    environ = home(tmp_path)
    user = tmp_path / "xdg-config/s3dash/config.toml"
    for path in (tmp_path / "work/s3dash.toml", user, tmp_path / "given.toml", tmp_path / "v.toml"):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"[datastores.{path.stem}-{path.parent.name}]\nbucket='aaa'\n")
    variable = {**environ, "S3DASH_CONFIG": "../v.toml"}
    assert found(tmp_path / "given.toml", variable) == f"given-{tmp_path.name}"
    assert found(None, variable) == f"v-{tmp_path.name}"
    assert found(None, {**environ, "S3DASH_CONFIG": ""}) == "s3dash-work"
    (tmp_path / "work/s3dash.toml").unlink()
    assert found(None, environ) == "config-s3dash"
    user.unlink()
    with pytest.raises(ConfigError, match="there is no configuration") as caught:
        found(None, environ)
    assert "s3dash demo" in caught.value.hint


@pytest.mark.parametrize("how", ["--config", "$S3DASH_CONFIG"])
def test_a_file_that_was_asked_for_must_exist(tmp_path: Path, how: str) -> None:
    (tmp_path / "s3dash.toml").write_text(one(""))
    missing = tmp_path / "missing.toml"
    config = missing if how == "--config" else None
    environ = home(tmp_path) | ({} if config else {"S3DASH_CONFIG": str(missing)})
    with pytest.raises(ConfigError) as caught:
        load(config=config, datastore=None, namespace=None, environ=environ, cwd=tmp_path)
    assert caught.value.message == f"{how}: missing.toml: there is no such file"


def test_the_example_is_valid_and_shows_every_field(tmp_path: Path) -> None:
    loaded = load(
        config=EXAMPLE, datastore=None, namespace=None, environ=home(tmp_path), cwd=tmp_path
    )
    assert list(loaded.datastores) == ["team", "minio"]
    assert loaded.pick("minio").bandwidth_limit == 10 * 2**20
    text = EXAMPLE.read_text()
    assert [name for name in Table.model_fields if name not in text] == []


def test_the_readme_documents_every_field_as_the_schema_does() -> None:
    readme = (ROOT / "README.md").read_text()
    rows = {name: f"| `{name}` | " for name in Table.model_fields}
    assert [name for name, row in rows.items() if row not in readme] == []
    missing = [
        name
        for name, field in Table.model_fields.items()
        if f"| {field.description} |" not in readme
    ]
    assert missing == []


def test_the_description_is_plain_json_with_references_only(tmp_path: Path) -> None:
    text = one("[datastores.x.credentials]\naccess_key_id='env:K'\nsecret_access_key='file:s'")
    (tmp_path / "s").write_text("hush-hush")
    shown = describe(read(tmp_path, text, environ={**home(tmp_path), "K": "key-value"}))
    assert shown["datastores"]["x"]["credentials"] == {
        "access_key_id": "env:K",
        "secret_access_key": "file:s",
    }
    assert shown["datastores"]["x"]["cache"] == str(tmp_path / "xdg-cache/s3dash/x")
    assert "hush" not in repr(shown)
    assert "key-value" not in repr(shown)
