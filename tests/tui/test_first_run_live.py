"""The first run's live test: against SeaweedFS, in an environment of nobody's."""

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from s3dash.cli.setup import Setup, look_at_cache
from s3dash.config.draft import Draft
from s3dash.errors import AccessDenied, BucketNotFound, ConfigError, InvalidResponse, Unreachable
from s3dash.tui.setup.known import Answer
from tests.servers import Server, free_port
from tests.tui.fake_scout import Guide, guide


def draft(server: Server, **fields: object) -> Draft:
    return Draft(
        endpoint=server.endpoint,
        region="us-east-1",
        force_path_style=True,
        **fields,  # type: ignore[arg-type] # names and values of a draft
    )


@pytest.fixture
def setup(sealed: Path, tmp_path: Path) -> Setup:
    return Setup({**os.environ}, cwd=tmp_path)


def profile(home: Path, server: Server, *, secret: str | None = None) -> None:
    (home / ".aws").mkdir()
    (home / ".aws/credentials").write_text(
        f"[team]\naws_access_key_id = {server.access_key}\n"
        f"aws_secret_access_key = {secret or server.secret_key}\n"
    )


def test_the_profiles_are_those_of_boto3(setup: Setup, sealed: Path, weed: Server) -> None:
    assert setup.profiles() == ()
    profile(sealed, weed)
    assert setup.profiles() == ("team",)


def test_a_knock_needs_no_credentials(setup: Setup, weed: Server) -> None:
    assert setup.knock(draft(weed)).ok


def test_a_closed_port_is_unreachable(setup: Setup) -> None:
    with pytest.raises(Unreachable, match="no answer from"):
        setup.knock(Draft(endpoint=f"http://127.0.0.1:{free_port()}"))


def test_who_we_are_names_the_key_shortened_and_lists_the_buckets(
    setup: Setup, sealed: Path, weed: Server
) -> None:
    profile(sealed, weed)
    bucket = weed.make_bucket()
    finding, buckets = setup.who(draft(weed, profile="team"))
    assert finding.detail == "te… from shared-credentials-file"
    assert weed.access_key not in finding.detail
    assert buckets is not None
    assert bucket in buckets


def test_no_credentials_wrong_ones_and_no_such_profile_are_told_apart(
    setup: Setup, sealed: Path, weed: Server
) -> None:
    with pytest.raises(ConfigError, match="no credentials were found"):
        setup.who(draft(weed))
    profile(sealed, weed, secret="wrong")
    with pytest.raises(AccessDenied, match="does not take these credentials"):
        setup.who(draft(weed, profile="team"))
    with pytest.raises(ConfigError, match="nobody"):
        setup.who(draft(weed, profile="nobody"))


def test_what_is_in_a_bucket(setup: Setup, sealed: Path, weed: Server) -> None:
    profile(sealed, weed)
    bucket = weed.make_bucket()
    put = weed.client().put_object
    here = draft(weed, profile="team", bucket=bucket)
    assert "empty" in setup.place(here).sentence
    put(Bucket=bucket, Key="loose.txt", Body=b"x")
    assert "no index" in setup.place(here).sentence
    put(Bucket=bucket, Key="prod/_index/_meta.json", Body=b'{"version":2,"partitions":[]}')
    put(Bucket=bucket, Key="shared/infra/.namespace.json", Body=b'{"namespace":"infra"}')
    assert setup.places(here) == ("prod", "shared")
    prod = setup.place(draft(weed, profile="team", bucket=bucket, prefix="prod"))
    assert prod.sentence == "a datastore, index v2 with 0 entries"
    shared = setup.place(draft(weed, profile="team", bucket=bucket, prefix="shared"))
    assert shared.namespaces == ("infra",)
    with pytest.raises(BucketNotFound):
        setup.place(draft(weed, profile="team", bucket="no-such-bucket"))


def test_locks_are_proved_and_nothing_stays(setup: Setup, sealed: Path, weed: Server) -> None:
    profile(sealed, weed)
    bucket = weed.make_bucket()
    assert setup.locks(draft(weed, profile="team", bucket=bucket)).ok
    assert weed.client().list_objects_v2(Bucket=bucket)["KeyCount"] == 0


def test_a_cache_is_only_looked_at(tmp_path: Path) -> None:
    assert "will be made" in look_at_cache(tmp_path / "a/b").detail
    assert not (tmp_path / "a").exists()
    assert "is empty" in look_at_cache(tmp_path).detail
    (tmp_path / "file").write_text("x")
    assert "holds 1 entry" in look_at_cache(tmp_path).detail
    with pytest.raises(ConfigError, match="is no directory"):
        look_at_cache(tmp_path / "file" / "below")


def test_a_web_page_is_no_endpoint(setup: Setup, page: str) -> None:
    with pytest.raises(InvalidResponse, match="not as an S3 endpoint does"):
        setup.knock(Draft(endpoint=page))


@pytest.mark.parametrize("size", [(80, 24), (40, 10)])
def test_the_whole_way_on_a_real_endpoint(
    setup: Setup, sealed: Path, weed: Server, size: tuple[int, int]
) -> None:
    profile(sealed, weed)
    bucket = weed.make_bucket()

    async def script(hands: Guide) -> None:
        await hands.choose("Set up")
        await hands.on("Endpoint")
        await hands.choose("MinIO")
        await hands.on("Address")
        await hands.fill(endpoint=weed.endpoint)
        await hands.press("enter", "enter", "enter")
        await hands.on("Credentials")
        await hands.choose("team")
        await hands.on("Bucket")
        await hands.choose(bucket)
        await hands.on("Prefix")
        await hands.choose("no prefix")
        await hands.on("On this machine")
        await hands.press("enter", "enter")
        await hands.on("Locks")
        await hands.choose("Prove")
        await hands.on("The file")
        assert "locks can be trusted" in hands.about
        assert not (sealed / ".config").exists()
        await hands.choose("Write it for you")
        await hands.until(lambda: hands.app.answer)

    path = sealed / ".config/s3dash/config.toml"
    assert guide(script, setup, size=size) == Answer("dashboard", path)
    assert weed.secret_key not in path.read_text()
    assert 'profile = "team"' in path.read_text()


@pytest.fixture
def page() -> Iterator[str]:
    """An HTTP server that serves web pages."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<!doctype html><html><body>console</body></html>")

        def log_message(self, format: str, *args: object) -> None:
            """Not on the terminal of the tests."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
