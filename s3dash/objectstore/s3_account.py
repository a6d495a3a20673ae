"""What can be asked of an endpoint before a bucket is chosen: who we are, and which there are."""

from contextlib import suppress
from typing import NamedTuple

import botocore.session
from botocore.exceptions import ClientError

from s3dash.core.settings import Credentials, CredentialSource, Datastore
from s3dash.errors import AccessDenied, InvalidResponse, ServerFault, Unreachable
from s3dash.objectstore.meter import Meter
from s3dash.objectstore.s3_client import Clients
from s3dash.objectstore.s3_errors import Place, boto_translated
from s3dash.objectstore.s3_faults import answer_of

NOBODY = Credentials("s3dash-knocks", "and-knows-no-secret")
"""Signs a request whose refusal proves that an S3 endpoint answers; no one has these keys."""
_NO_LISTING = ("AccessDenied", "AllAccessDisabled", "NotImplemented", "MethodNotAllowed")


class Identity(NamedTuple):
    """Where the credentials come from, and their access key, shortened: `AKIA…WXYZ`."""

    source: str
    key: str


def profiles() -> list[str]:
    """The profiles of boto3's own files, by name. Raises ConfigError when they make no sense."""
    with boto_translated(Place("~/.aws", "", "", "read")):
        return sorted(botocore.session.Session().available_profiles)


class Account:
    """An endpoint and an identity; the bucket of the settings is not looked at. Close it."""

    def __init__(self, settings: Datastore, credentials: CredentialSource) -> None:
        self._meter = Meter()
        self._clients = Clients(settings, credentials, self._meter)
        self._place = Place(settings.address, "", self._clients.region, "list the buckets of")

    @property
    def latency_ms(self) -> float | None:
        return self._meter.usage.latency_ms

    def identity(self) -> Identity:
        """Raises ConfigError when no credentials are found. Nothing is sent, unless to get them."""
        signers = self._clients.signers()
        return Identity(str(signers.method or ""), shortened(signers.signer().access_key_id))

    def buckets(self) -> list[str] | None:
        """The names of the buckets, sorted; None: they may not be listed.

        Raises AccessDenied when the endpoint does not know these credentials, and Unreachable.
        """
        try:
            with boto_translated(self._place):
                return self._listed()
        except AccessDenied as error:
            raise AccessDenied(
                f"{self._place.endpoint} does not take these credentials ({error.brief})",
                hint=error.hint,
            ) from error
        except Unreachable as error:
            raise Unreachable(f"no answer from {self._place.endpoint}", hint=error.hint) from error

    def _listed(self) -> list[str] | None:
        try:
            found = self._clients.get("steady").list_buckets()
        except ClientError as error:
            if answer_of(error).code in _NO_LISTING:
                return None
            raise
        if "Buckets" not in found and "Owner" not in found:
            raise _no_s3(self._place)
        return sorted(bucket["Name"] for bucket in found.get("Buckets", []) if "Name" in bucket)

    def close(self) -> None:
        self._clients.close()


def knock(settings: Datastore) -> float:
    """Milliseconds until the endpoint answered somebody whom it does not know.

    Raises Unreachable, or what says that it is no S3 endpoint. No credentials are sent.
    """
    account = Account(settings, NOBODY)
    try:
        with suppress(AccessDenied):  # so it is one, and at work
            account.buckets()
    except (InvalidResponse, ServerFault):
        raise _no_s3(Place(settings.address, "", "")) from None
    finally:
        account.close()
    return account.latency_ms or 0.0


def _no_s3(place: Place) -> InvalidResponse:
    return InvalidResponse(
        f"{place.endpoint} answers, but not as an S3 endpoint does, or with a failure",
        hint="is it the address of its web page, or of a proxy? S3 may have a port of its own",
    )


def shortened(key: str) -> str:
    """Enough of an access key to tell it from others, and no more."""
    return f"{key[:4]}…{key[-4:]}" if len(key) >= 16 else f"{key[:2]}…"
