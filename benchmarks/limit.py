"""The limit of the server: the same work by the bare load generator."""

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode, urlsplit
from xml.sax.saxutils import escape

from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from benchmarks.load import FORMS
from benchmarks.peers import WORKERS
from benchmarks.runs import PATIENCE_S, RunFailed, Spent
from tests.servers import Server

HOUR_S = 3600
FORMS_FOR_SMALL = tuple(FORMS)
BULK = 1000
"""Keys that one bulk deletion may name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """Signed requests, each with `body`, else with `size` random bytes. `after`: what follows."""

    heads: Sequence[str]
    size: int = 0
    body: str = ""
    after: Sequence["Load"] = ()


class Signer:
    """Requests to one bucket, signed before they are needed (version 4, as everybody's are)."""

    def __init__(self, server: Server, bucket: str) -> None:
        keys = Credentials(server.access_key, server.secret_key)
        self._auth = S3SigV4QueryAuth(keys, "s3", "us-east-1", expires=HOUR_S)
        self._bucket = f"{server.endpoint}/{bucket}"

    def head(
        self,
        method: str,
        key: str = "",
        *,
        query: Mapping[str, str] | None = None,
        size: int = 0,
        signed: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> str:
        """A request without its body. The signature covers the headers `signed`, not `more`."""
        url = f"{self._bucket}/{quote(key)}" if key else self._bucket
        request = AWSRequest(
            method=method,
            url=f"{url}?{urlencode(query)}" if query else url,
            headers=dict(signed or {}),
        )
        self._auth.add_auth(request)
        parts = urlsplit(str(request.url))
        headers = {"Host": parts.netloc, "Content-Length": size, **(signed or {}), **(more or {})}
        lines = [f"{method} {parts.path}?{parts.query} HTTP/1.1"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines) + "\r\n\r\n"


def puts(server: Server, bucket: str, keys: Sequence[str], size: int) -> Load:
    signer = Signer(server, bucket)
    return Load(heads=[signer.head("PUT", key, size=size) for key in keys], size=size)


def gets(server: Server, bucket: str, keys: Sequence[str]) -> Load:
    signer = Signer(server, bucket)
    return Load(heads=[signer.head("GET", key) for key in keys])


def pieces(server: Server, bucket: str, keys: Sequence[str], size: int, piece: int) -> Load:
    """The same bytes by ranges."""
    signer = Signer(server, bucket)
    ranges = [f"bytes={at}-{min(at + piece, size) - 1}" for at in range(0, size, piece)]
    return Load(
        heads=[signer.head("GET", key, more={"Range": part}) for key in keys for part in ranges]
    )


def listing(server: Server, bucket: str, prefix: str) -> Load:
    query = {"list-type": "2", "prefix": prefix}
    return Load(heads=[Signer(server, bucket).head("GET", query=query)])


def moves(
    server: Server, bucket: str, pairs: Sequence[tuple[str, str]], *, bulk: bool = False
) -> Load:
    """A copy on the server for each pair, then a deletion of each source, or one of all."""
    signer = Signer(server, bucket)
    copies = [
        signer.head("PUT", new, signed={"x-amz-copy-source": f"/{bucket}/{quote(old)}"})
        for old, new in pairs
    ]
    olds = [old for old, _ in pairs]
    if bulk:
        after = [_bulk(signer, olds[at : at + BULK]) for at in range(0, len(olds), BULK)]
    else:
        after = [Load(heads=[signer.head("DELETE", old) for old in olds])]
    return Load(heads=copies, after=after)


def _bulk(signer: Signer, keys: Sequence[str]) -> Load:
    names = "".join(f"<Object><Key>{escape(key)}</Key></Object>" for key in keys)
    body = f"<Delete><Quiet>true</Quiet>{names}</Delete>"
    return Load(heads=[signer.head("POST", query={"delete": ""}, size=len(body))], body=body)


def sent(server: Server, load: Load, form: str) -> Spent:
    """Send it all. Raises RunFailed when an answer was not a good one."""
    address = urlsplit(server.endpoint)
    order = {
        "host": address.hostname,
        "port": address.port,
        "connections": WORKERS,
        "form": form,
        "heads": list(load.heads),
        "size": load.size,
        "body": load.body,
    }
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.load"],
        input=json.dumps(order),
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    if done.returncode != 0:
        raise RunFailed(f"the bare generator: {done.stderr.strip()}")
    found = json.loads(done.stdout)
    rest = [sent(server, after, form) for after in load.after]
    return Spent(
        seconds=found["seconds"] + sum(part.seconds for part in rest),
        processor_s=found["processor_s"] + sum(part.processor_s for part in rest),
        peak_mb=0.0,
    )
