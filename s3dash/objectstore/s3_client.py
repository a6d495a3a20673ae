"""Clients that obey the settings and nothing else, and count what they send.

The small calls do without boto3; it is loaded when a client of its own is first asked for, or
when its chain is to say who we are.

With explicit credentials neither the environment nor `~/.aws` has a say. Without, they say who
we are (boto3's default chain, the profile of the settings), and nothing more: endpoint, region,
addressing, retries and checksums are always ours.
"""

import ipaddress
import os
import re
import threading
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from s3dash.core.settings import CredentialSource, Datastore
from s3dash.errors import ConfigError, InvalidResponse
from s3dash.objectstore import s3_spans
from s3dash.objectstore.body import SliceBody
from s3dash.objectstore.gate import MOST
from s3dash.objectstore.meter import Meter, http_date
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.s3_again import Again
from s3dash.objectstore.s3_errors import Place, boto_translated
from s3dash.objectstore.s3_http import Wire
from s3dash.objectstore.s3_signers import Signers, sign_with

if TYPE_CHECKING:
    import boto3
    from botocore.config import Config
    from botocore.loaders import Loader
    from botocore.session import Session
    from mypy_boto3_s3 import S3Client

DEFAULT_REGION = "us-east-1"
CONNECT_S = 5.0
ONCE_READ_S = 10.0
COMPLETE_READ_S = 120.0
SPARE_CONNECTIONS = 16
_COMMON = re.compile(r"(?!us-gov-)(us|eu|ap|sa|ca|me|af|il|mx)-[a-z]+-\d")
"""Regions of the public AWS, whose endpoints all have one form."""

Role = Literal["steady", "once", "part", "complete"]
"""`steady` is patient. `once` never sends again: lock and CAS calls, answered soon or read back.
Nor does `part`, which carries a large body: whoever sends it says when it goes again. `complete`
does not either, but waits long: an endpoint may take a minute to join parts."""


@cache
def _models() -> "Loader":
    """What botocore knows of S3, read from its own files once in a process: 60 ms each time."""
    from botocore.loaders import create_loader

    return create_loader()


class Clients:
    """Creates each client when it is first asked for; safe to call from any thread."""

    def __init__(
        self,
        settings: Datastore,
        credentials: CredentialSource,
        meter: Meter,
        patience: Patience | None = None,
    ) -> None:
        self._settings = settings
        self._credentials = credentials
        self._meter = meter
        self._patience = patience or Patience(retries=0)
        self._lock = threading.Lock()
        self._core: Session | None = None
        self._session: boto3.Session | None = None
        self._wire: Wire | None = None
        self._signers: Signers | None = None
        self._clients: dict[Role, S3Client] = {}
        self.region = settings.region or DEFAULT_REGION
        self.place = Place(settings.address, settings.bucket, self.region)

    def get(self, role: Role) -> "S3Client":
        """Raises ConfigError when the profile, the endpoint or the credentials are no good."""
        with self._lock:
            client = self._clients.get(role)
            if client is None:
                client = self._clients[role] = self._create(role)
            return client

    @property
    def endpoint(self) -> str:
        """The URL that requests go to, without the bucket."""
        if self._settings.endpoint:
            return self._settings.endpoint
        if _COMMON.fullmatch(self.region):
            return f"https://s3.{self.region}.amazonaws.com"
        return str(self.get("steady").meta.endpoint_url)

    @property
    def ca_bundle(self) -> Path | None:
        """Roots that this machine trusts in the place of the usual ones, as boto3 knows them."""
        if self._credentials is not None:  # then no file of boto3's has a say
            found = os.environ.get("AWS_CA_BUNDLE")
        else:
            with self._lock, boto_translated(self.place):
                found = self._own_core().get_config_variable("ca_bundle")
        return Path(found) if found else None

    def wire(self) -> Wire:
        """Connections for the small calls, which do without boto3. Raises ConfigError."""
        endpoint, bundle = self.endpoint, self.ca_bundle
        with self._lock:
            if self._wire is None:
                self._wire = Wire(
                    endpoint,
                    self._settings.bucket,
                    in_host=virtual_hosted(self._settings),
                    region=self.region,
                    connect_s=connect_s(self._settings),
                    idle=_connections(self._settings),
                    ca_bundle=bundle,
                )
            return self._wire

    def identity(self) -> str:
        """See `Identified`."""
        key, how = self.signers().described
        if self._credentials is not None:
            return f"key {key}"
        profile = self._settings.profile
        return f"profile {profile}, {key}" if profile else f"default chain, {key} ({how})"

    def signers(self) -> Signers:
        """Who signs, for those who do not use boto3. Raises ConfigError: there is nobody."""
        with self._lock:
            return self._who()

    def close(self) -> None:
        with self._lock:
            for client in self._clients.values():
                client.close()
            self._clients.clear()
            if self._wire is not None:
                self._wire.close()

    def _create(self, role: Role) -> "S3Client":
        signers = self._who()
        with boto_translated(self.place):
            try:
                client = self._open_session().client(
                    "s3",
                    region_name=self.region,
                    endpoint_url=self._settings.endpoint,
                    config=_config(self._settings, role),
                )
            except ValueError as error:
                raise ConfigError(f"`endpoint` is no URL: {self._settings.endpoint}") from error
        _watch(client, self._meter, self.place)
        again = Again(signers, self._patience, self.place, steady=role == "steady")
        # the stubs believe that a handler returns nothing
        client.meta.events.register_first("needs-retry.s3", again)  # type: ignore[arg-type]
        return client

    def _who(self) -> Signers:
        """The caller has the lock."""
        if self._signers is None:
            self._signers = Signers(self._credentials, self._fresh, self.place)
        return self._signers

    def _own_core(self) -> "Session":
        """The caller has the lock."""
        if self._core is None:
            self._core = self._fresh()
        return self._core

    def _open_session(self) -> "boto3.Session":
        """One session, so that the clients share its loaded models. The caller has the lock."""
        if self._session is None:
            import boto3  # late: it takes longer to load than most runs to do their work

            core = self._own_core()
            sign_with(core, self._who())
            self._session = boto3.Session(botocore_session=core)
        return self._session

    def _fresh(self) -> "Session":
        """A session that has read nothing yet."""
        import botocore.session

        session = botocore.session.Session(session_vars=self._session_vars())
        session.register_component("data_loader", _models())
        if self._credentials is None and self._settings.profile is not None:
            session.set_config_variable("profile", self._settings.profile)
        return session

    def _session_vars(self) -> dict[str, Any]:
        """Where botocore may look; nowhere, when the credentials are given."""
        if self._credentials is None:
            return {}
        nothing = (None, None, os.devnull, None)
        return {
            "profile": (None, None, None, None),
            "config_file": nothing,
            "credentials_file": nothing,
        }


def read_s(settings: Datastore, role: Role) -> float:
    """How long an endpoint may be silent, in seconds."""
    wanted = settings.request_timeout_ms / 1000
    if role == "once":
        return min(wanted, ONCE_READ_S)
    return max(wanted, COMPLETE_READ_S) if role == "complete" else wanted


def connect_s(settings: Datastore) -> float:
    return min(settings.request_timeout_ms / 1000, CONNECT_S)


def _connections(settings: Datastore) -> int:
    most = max(settings.pull_concurrency, settings.push_concurrency, MOST)
    return most + SPARE_CONNECTIONS


def _config(settings: Datastore, role: Role) -> "Config":
    from botocore.config import Config

    options: dict[str, Any] = {
        "signature_version": "s3v4",
        "s3": {"addressing_style": "virtual" if virtual_hosted(settings) else "path"},
        "connect_timeout": connect_s(settings),
        "read_timeout": read_s(settings, role),
        "retries": {"mode": "standard", "total_max_attempts": 1},  # see Again
        "max_pool_connections": _connections(settings),
        "request_checksum_calculation": "when_required",
        "response_checksum_validation": "when_required",
        "use_dualstack_endpoint": False,
        "use_fips_endpoint": False,
        "ignore_configured_endpoint_urls": True,
        "tcp_keepalive": True,
        "user_agent_appid": "s3dash",
    }
    return Config(**options)


def virtual_hosted(settings: Datastore) -> bool:
    """Whether the bucket goes into the host name. An address that is an IP has no subdomains."""
    if settings.force_path_style or "." in settings.bucket:
        return False
    host = urlsplit(settings.endpoint or "").hostname or ""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return host != "localhost"
    return False


def _watch(client: "S3Client", meter: Meter, place: Place) -> None:
    events = client.meta.events
    events.register("before-send.s3", partial(_sent, meter))
    events.register("response-received.s3", partial(_answered, meter))
    events.register_last("before-parameter-build.s3", _stay_here)
    events.register("response-received.s3.ListObjectsV2", partial(_check_listing, place))
    events.register("response-received.s3.DeleteObject", partial(_check_deletion, place))
    s3_spans.watch(client)


def _stay_here(context: dict[str, Any], **_: object) -> None:
    """Botocore follows a redirect to another region, and one that redirects again for ever.

    A wrong region is the user's to mend: obstore would not find the way either.
    """
    context.setdefault("s3_redirect", {})["redirected"] = True


def _sent(meter: Meter, request: object = None, **_: object) -> None:
    body = getattr(request, "body", None)
    meter.request(timed=not isinstance(body, SliceBody))
    if isinstance(body, SliceBody):
        body.sending()  # until here it was only signed


def _answered(meter: Meter, response_dict: dict[str, Any] | None = None, **_: object) -> None:
    if response_dict is not None:
        date = http_date(response_dict["headers"].get("date"))
        meter.answer(int(response_dict["status_code"]), date)


def _check_listing(place: Place, response_dict: dict[str, Any] | None = None, **_: object) -> None:
    """A success that is no listing would look like an empty or a short one."""
    if response_dict is None or not 200 <= int(response_dict["status_code"]) < 300:
        return
    if b"<ListBucketResult" not in bytes(response_dict["body"])[:1024]:
        raise InvalidResponse(
            f"{place} answered a listing with something that is none",
            hint="check `endpoint`: is it an S3 server, without a proxy or login page before it?",
        )


def _check_deletion(place: Place, response_dict: dict[str, Any] | None = None, **_: object) -> None:
    """A success that has something to say is not S3's: it says nothing there."""
    if response_dict is None or not 200 <= int(response_dict["status_code"]) < 300:
        return
    if bytes(response_dict["body"]).strip():
        raise InvalidResponse(f"{place} answered a deletion with something that is no answer")
