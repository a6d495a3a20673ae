"""One request and its answer: signed and sent by botocore's own signer and connections.

Its client, whose description of S3 takes longer to load than most runs take, is left out. Sent
once, answered as it is: no redirect is followed, so that no signature goes to another host.
"""

import socket
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

from s3dash.errors import ConfigError

if TYPE_CHECKING:
    from botocore.httpsession import URLLib3Session

    from s3dash.objectstore.s3_signers import Keys

_SCHEMES = ("http", "https")
AGENT = "s3dash"


class Raw(NamedTuple):
    """An answer: names of headers in lower case, the body whole."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Request(NamedTuple):
    """What is asked: `key` below the bucket, empty for the bucket itself; nothing is encoded.

    Header names are in lower case.
    """

    method: str
    key: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes = b""


class Wire:
    """Kept connections to one bucket, by way of the proxy that the environment names for it.

    `endpoint` is `http(s)://host[:port][/path]`; the bucket stands `in_host`, or in the path.
    At most `idle` connections are kept. `ca_bundle`: PEM file with the roots that are trusted
    instead of the usual ones. Raises ConfigError for an endpoint that is no URL.
    """

    def __init__(
        self,
        endpoint: str,
        bucket: str,
        *,
        in_host: bool,
        region: str,
        connect_s: float,
        idle: int,
        ca_bundle: Path | None = None,
    ) -> None:
        at = _parts(endpoint)
        host = f"{bucket}.{at.netloc}" if in_host else at.netloc
        self._base = f"{at.scheme}://{host}{at.path.rstrip('/')}"
        self._path = "" if in_host else f"/{quote(bucket, safe='~')}"
        self._region = region
        self._connect_s = connect_s
        self._most = idle
        self._ca_bundle = ca_bundle
        self._lock = threading.Lock()
        self._sessions: dict[float, URLLib3Session] = {}

    def exchange(self, request: Request, *, keys: "Keys", read_s: float) -> Raw:
        """Raises what botocore raises when no whole answer comes. Any thread may ask.

        `read_s` is how long the endpoint may be silent.
        """
        # late: together they take as long to load as all else that a short run needs
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials

        headers = {"user-agent": AGENT, **request.headers}
        asked = AWSRequest(
            method=request.method, url=self._url(request), headers=headers, data=request.body
        )
        S3SigV4Auth(Credentials(*keys), "s3", self._region).add_auth(asked)
        answer = self._session(read_s).send(asked.prepare())
        told = {name.lower(): value for name, value in answer.headers.items()}
        _need_whole(request.method, told.get("content-length", ""), len(answer.content))
        return Raw(answer.status_code, told, answer.content)

    def close(self) -> None:
        """Closes what is idle; the next request opens anew."""
        with self._lock:
            for session in self._sessions.values():
                session.close()
            self._sessions.clear()

    def _url(self, request: Request) -> str:
        path = f"{self._path}/{quote(request.key, safe='/~')}" if request.key else self._path
        pairs = sorted((quote(k, safe="~"), quote(v, safe="~")) for k, v in request.query.items())
        query = "&".join(f"{name}={value}" for name, value in pairs)
        return f"{self._base}{path or '/'}{'?' if query else ''}{query}"

    def _session(self, read_s: float) -> "URLLib3Session":
        from botocore.httpsession import URLLib3Session
        from botocore.utils import get_environ_proxies

        with self._lock:
            if read_s not in self._sessions:
                if self._ca_bundle is not None and not self._ca_bundle.is_file():
                    raise ConfigError(f"{self._ca_bundle}: no certificates can be read there")
                self._sessions[read_s] = URLLib3Session(
                    verify=str(self._ca_bundle) if self._ca_bundle else True,  # type: ignore[arg-type] # a path, too
                    proxies=get_environ_proxies(self._base),
                    timeout=(self._connect_s, read_s),  # type: ignore[arg-type] # both of them
                    max_pool_connections=self._most,
                    # or the kernel holds a body back until its headers are acknowledged: 40 ms
                    socket_options=[(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)],  # type: ignore[list-item] # urllib3's
                )
            return self._sessions[read_s]


def _need_whole(method: str, said: str, came: int) -> None:
    """Raises IncompleteReadError, as botocore does where it reads a body piece by piece."""
    if method != "HEAD" and said.isdecimal() and int(said) != came:
        from botocore.exceptions import IncompleteReadError

        raise IncompleteReadError(actual_bytes=came, expected_bytes=int(said))


def _parts(endpoint: str) -> SplitResult:
    try:
        parts = urlsplit(endpoint)
        valid = parts.scheme in _SCHEMES and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if not valid:
        raise ConfigError(f"`endpoint` is no URL: {endpoint}")
    return parts
