"""A store of blobs that environment variables name."""

import pytest

from s3dash.errors import ConfigError
from s3dash.stores.blobs import environment, sri
from s3dash.stores.blobs.environment import START, configured
from s3dash.stores.blobs.store import BlobStore
from tests.contract.endpoint import Asked, Reply, answering, error
from tests.servers import Server

ALL = {
    "ENDPOINT": "http://127.0.0.1:9000",
    "BUCKET": "packages",
    "REGION": "us-east-1",
    "ACCESS_KEY_ID": "the-key-id",
    "SECRET_ACCESS_KEY": "the-secret",
    "FORCE_PATH_STYLE": "true",
}


def variables(**over: str) -> dict[str, str]:
    return {"HOME": "/home/ada"} | {START + name: value for name, value in {**ALL, **over}.items()}


@pytest.mark.parametrize("environ", [{}, {START + name: "" for name in ALL}])
def test_bl_08_nothing_set_is_unconfigured(environ: dict[str, str]) -> None:
    assert configured(environ) is None


def test_bl_08_all_set_is_fine() -> None:
    found = configured(variables())
    assert found is not None
    settings = found.settings
    assert (settings.endpoint, settings.bucket) == ("http://127.0.0.1:9000", "packages")
    assert (settings.region, settings.kind) == ("us-east-1", "blobs")
    assert found.credentials.secret_access_key == "the-secret"
    assert "the-secret" not in repr(found)
    assert "the-key-id" not in repr(found)


@pytest.mark.parametrize(
    ("value", "forced"),
    [("true", True), ("1", True), ("TRUE", True), ("false", False), ("0", False), ("", False)],
)
def test_bl_08_path_style_is_true_or_1(value: str, forced: bool) -> None:
    found = configured(variables(FORCE_PATH_STYLE=value))
    assert found is not None
    assert found.settings.force_path_style is forced


def test_bl_08_partly_set_names_every_missing_field() -> None:
    with pytest.raises(ConfigError) as caught:
        configured({START + "BUCKET": "packages", START + "SECRET_ACCESS_KEY": "the-secret"})
    lines = caught.value.message.splitlines()[1:]
    assert lines == [
        START + "ENDPOINT: missing",
        START + "REGION: missing",
        START + "ACCESS_KEY_ID: missing",
    ]
    assert "the-secret" not in caught.value.message


def test_bl_08_an_empty_variable_counts_as_unset() -> None:
    with pytest.raises(ConfigError) as caught:
        configured(variables(BUCKET=""))
    assert caught.value.message == START + "BUCKET: missing"


def test_bl_08_every_invalid_field_is_named_and_no_value() -> None:
    wrong = {
        "ENDPOINT": "ftp://user:pass@host",
        "BUCKET": "No Such Name",
        "REGION": "hush hush",
        "ACCESS_KEY_ID": "line\nbreak",
        "SECRET_ACCESS_KEY": "sec\tret",
        "FORCE_PATH_STYLE": "perhaps",
    }
    with pytest.raises(ConfigError) as caught:
        configured(variables(**wrong))
    told = caught.value.message
    for name, value in wrong.items():
        assert f"{START}{name}: must" in told
        assert value not in told


@pytest.mark.parametrize(
    ("forced", "url"),
    [
        ("true", "http://s3.example.org:9000/packages/"),
        ("1", "http://s3.example.org:9000/packages/"),
        ("", "http://packages.s3.example.org:9000/"),
    ],
)
def test_bl_09_path_style_reaches_the_request(
    monkeypatch: pytest.MonkeyPatch, forced: str, url: str
) -> None:
    """A proxy listens: it is told the whole URL that is asked for."""

    def missing(_: Asked) -> Reply:
        return Reply(404, error("NoSuchKey"))

    with answering(missing) as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        given = variables(ENDPOINT="http://s3.example.org:9000/", FORCE_PATH_STYLE=forced)
        found = configured(given)
        assert found is not None
        opened = environment.opened(found)
        blobs = BlobStore(opened)
        assert blobs.get(sri.of(b"x")) is None
        opened.store.close()
        (asked,) = proxy.asked
        assert asked.path == url + blobs.key(sri.of(b"x"))


def test_bl_08_what_the_environment_names_works(weed: Server) -> None:
    given = {
        "ENDPOINT": weed.endpoint,
        "BUCKET": weed.make_bucket(),
        "ACCESS_KEY_ID": weed.access_key,
        "SECRET_ACCESS_KEY": weed.secret_key,
    }
    found = configured(variables(**given))
    assert found is not None
    opened = environment.opened(found)
    blobs = BlobStore(opened)
    put = blobs.put(b"x")
    assert blobs.get(put.integrity) == b"x"
    opened.store.close()
