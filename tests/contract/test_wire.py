"""The connections under the small calls: kept, encrypted, through a proxy, and never redirected."""

import gc
import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from botocore import exceptions as sdk
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from s3dash.errors import ConfigError
from s3dash.objectstore.s3_http import Request, Wire
from s3dash.objectstore.s3_signers import Keys
from tests.contract.endpoint import Asked, Reply, answering
from tests.servers import free_port


def wire(endpoint: str, **more: Any) -> Wire:
    usual = {"in_host": False, "region": "us-east-1", "connect_s": 5.0, "idle": 4}
    return Wire(endpoint, "bucket", **{**usual, **more})


def ask(line: Wire, key: str = "k", *, read_s: float = 10.0, **query: str) -> bytes:
    request = Request("GET", key, query, {})
    return line.exchange(request, keys=Keys("id", "secret", None), read_s=read_s).body


def certificate(directory: Path) -> tuple[Path, Path]:
    """A certificate of 127.0.0.1 that nobody trusts yet, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    shown, secret = directory / "cert.pem", directory / "key.pem"
    shown.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return shown, secret


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok")

    def log_message(self, *args: object) -> None:
        """Nobody reads it."""


@pytest.fixture
def encrypted(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """The URL of a server that speaks TLS, and the certificate that it shows."""
    shown, secret = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(shown, secret)
    server = HTTPServer(("127.0.0.1", 0), Handler)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    yield f"https://127.0.0.1:{server.server_port}", shown
    server.shutdown()
    server.server_close()
    thread.join()


def test_who_proves_who_it_is_is_spoken_to(encrypted: tuple[str, Path]) -> None:
    url, shown = encrypted
    line = wire(url, ca_bundle=shown)
    assert ask(line) == b"ok"
    line.close()


def test_who_does_not_is_not(encrypted: tuple[str, Path]) -> None:
    line = wire(encrypted[0])
    with pytest.raises(sdk.SSLError):
        ask(line)


def test_certificates_that_cannot_be_read_are_a_matter_of_the_configuration(
    tmp_path: Path,
) -> None:
    with pytest.raises(ConfigError, match="certificates"):
        ask(wire("https://127.0.0.1:9", ca_bundle=tmp_path / "none.pem"))


def test_a_connection_serves_one_request_after_another() -> None:
    with answering(lambda asked: Reply(body=b"ok")) as endpoint:
        line = wire(endpoint.url)
        for _ in range(5):
            ask(line)
        assert len({asked.port for asked in endpoint.asked}) == 1
        line.close()
        ask(line)
        assert len({asked.port for asked in endpoint.asked}) == 2
        line.close()


def test_a_body_does_not_wait_until_its_headers_are_acknowledged() -> None:
    with answering(lambda asked: Reply(body=b"ok")) as endpoint:
        line = wire(endpoint.url)
        ask(line)
        ours = [
            one
            for one in gc.get_objects()
            if isinstance(one, socket.socket) and one.fileno() >= 0 and _leads_to(one, endpoint.url)
        ]
        assert [one.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY) for one in ours] == [1]
        line.close()


def _leads_to(one: socket.socket, url: str) -> bool:
    try:
        return url.endswith(f":{one.getpeername()[1]}")
    except (OSError, IndexError):
        return False


def test_what_is_asked_is_encoded_once_and_signed() -> None:
    with answering(lambda asked: Reply(body=b"ok")) as endpoint:
        line = wire(endpoint.url + "/base/")
        ask(line, "a b/ü+~%.txt", prefix="x y&z", delimiter="/")
        ask(line, "")
        line.close()
    first, second = endpoint.asked
    assert first.path == "/base/bucket/a%20b/%C3%BC%2B~%25.txt?delimiter=%2F&prefix=x%20y%26z"
    assert second.path == "/base/bucket"
    assert "Credential=id/" in first.headers["authorization"]
    assert "secret" not in str(first.headers)


@pytest.mark.parametrize("endpoint", ["", "s3.test", "ftp://s3.test", "http://", "http://h:99999"])
def test_an_endpoint_that_is_no_url_is_a_matter_of_the_configuration(endpoint: str) -> None:
    with pytest.raises(ConfigError, match="no URL"):
        wire(endpoint)


def test_no_answer_is_told_by_how_far_it_got() -> None:
    with pytest.raises(sdk.EndpointConnectionError):
        ask(wire(f"http://127.0.0.1:{free_port()}"))
    silent = threading.Event()

    def reply(_: Asked) -> Reply:
        silent.wait(20)
        return Reply()

    with answering(reply) as endpoint:
        with pytest.raises(sdk.ReadTimeoutError):
            ask(wire(endpoint.url), read_s=0.2)
        silent.set()
    with (
        answering(lambda _: Reply(body=b"half", length=8)) as endpoint,
        pytest.raises(sdk.IncompleteReadError),
    ):
        ask(wire(endpoint.url))


def test_a_proxy_that_the_environment_names_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with answering(lambda asked: Reply(body=b"by proxy")) as proxy:
        address = proxy.url.replace("http://", "http://me:secret@")
        monkeypatch.setenv("http_proxy", address)
        monkeypatch.delenv("no_proxy", raising=False)
        line = wire("http://s3.test:9000")
        assert ask(line) == b"by proxy"
        (asked,) = proxy.asked
        assert asked.path == "http://s3.test:9000/bucket/k"
        assert asked.headers["host"] == "s3.test:9000"
        assert asked.headers["proxy-authorization"].startswith("Basic ")
        line.close()
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with answering(lambda asked: Reply(body=b"at once")) as endpoint:
        line = wire(endpoint.url)
        assert ask(line) == b"at once"
        line.close()
