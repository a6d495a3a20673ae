"""Who signs: the newest credentials that the settings, or boto3's chain, lead to.

Credentials that ran out are read again where they came from (a file, the environment, a
profile), and the request that was refused goes once more: refused is not applied.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore import credentials as boto
from botocore.session import Session

from s3dash.core.settings import Credentials, CredentialSource
from s3dash.errors import ConfigError, S3DashError
from s3dash.objectstore.s3_errors import Place, boto_translated

CREDENTIAL_TTL = timedelta(minutes=4)
SHOWN_WHOLE = 12
"""Characters of a key id from which on its ends say little about the rest."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Credentials of this moment; None never expires."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    token: str | None = field(repr=False)
    expires_at: datetime | None


class Signers(boto.Credentials):
    """What botocore signs with; each request asks anew. `fresh` makes a session of boto3's chain.

    Raises ConfigError when there are no credentials at all.
    """

    def __init__(self, given: CredentialSource, fresh: Callable[[], Session], place: Place) -> None:
        self._given = given
        self._fresh = fresh
        self._place = place
        self._renewing = threading.Lock()
        self._mine = threading.local()
        self._inner = self._load()
        now = self._inner.get_frozen_credentials()
        super().__init__(now.access_key or "", now.secret_key or "", now.token, self._inner.method)

    def __repr__(self) -> str:
        return "Signers(***)"

    def get_frozen_credentials(self) -> Any:
        """Called by botocore in the thread whose request it signs."""
        now = self._inner.get_frozen_credentials()
        self._mine.used = (now.access_key or "", now.token)
        return now

    @property
    def described(self) -> tuple[str, str]:
        """The key id, shortened, and where boto3's chain found it."""
        return shortened(self._now()[0]), str(self._inner.method or "given")

    def signer(self) -> Signer:
        """For those who do not ask for every request."""
        now = self._inner.get_frozen_credentials()
        # What was given changes only when it is renewed, the chain's may at any time.
        expires = None if self._given is not None else datetime.now(UTC) + CREDENTIAL_TTL
        return Signer(now.access_key or "", now.secret_key or "", now.token, expires)

    def renew(self, refused: Signer | None = None) -> bool:
        """True when there are others now than those that were refused.

        None: those that signed this thread's latest request.
        """
        used = (
            (refused.access_key_id, refused.token)
            if refused is not None
            else getattr(self._mine, "used", None)
        )
        with self._renewing:
            if self._now() == used:
                try:
                    self._inner = self._load()
                except S3DashError:
                    return False  # the refusal is the error to tell
            return self._now() != used

    def _now(self) -> tuple[str, str | None]:
        now = self._inner.get_frozen_credentials()
        return now.access_key or "", now.token

    def _load(self) -> boto.Credentials:
        given = self._given() if callable(self._given) else self._given
        if given is not None:
            return _static(given)
        with boto_translated(self._place):
            found = self._fresh().get_credentials()
        if found is None:
            raise ConfigError(
                f"no credentials were found for {self._place}",
                hint="set `credentials` or `profile`, or AWS_ACCESS_KEY_ID and its secret",
            )
        return found


def shortened(key_id: str) -> str:
    """A key id by its ends, so that a user knows it again and nobody else learns it."""
    if len(key_id) >= SHOWN_WHOLE:
        return f"{key_id[:4]}…{key_id[-4:]}"
    return f"{key_id[:2]}…" if key_id else "no key"


class _Provider(boto.CredentialProvider):
    METHOD = "s3dash"

    def __init__(self, signers: Signers) -> None:
        super().__init__()
        self._signers = signers

    def load(self) -> Signers:
        return self._signers


def sign_with(session: Session, signers: Signers) -> None:
    """Every client of this session is to sign with these, wherever botocore would look."""
    session.lazy_register_component(
        "credential_provider", lambda: boto.CredentialResolver([_Provider(signers)])
    )


def _static(given: Credentials) -> boto.Credentials:
    return boto.Credentials(given.access_key_id, given.secret_access_key, given.session_token)
