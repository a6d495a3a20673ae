"""Who signs: the newest credentials that the settings, or boto3's chain, lead to.

Credentials that ran out are read again where they came from (a file, the environment, a
profile), and the request that was refused goes once more: refused is not applied.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, NamedTuple, Protocol

from s3dash.core.settings import Credentials, CredentialSource
from s3dash.errors import ConfigError, S3DashError
from s3dash.objectstore.s3_errors import Place, boto_translated

if TYPE_CHECKING:
    from botocore.session import Session

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


class Keys(NamedTuple):
    """The credentials that sign one request."""

    access_key: str
    secret_key: str
    token: str | None

    def __repr__(self) -> str:
        return "Keys(***)"


class _Frozen(Protocol):
    """Credentials of one moment."""

    @property
    def access_key(self) -> str | None: ...

    @property
    def secret_key(self) -> str | None: ...

    @property
    def token(self) -> str | None: ...


class _Source(Protocol):
    """What boto3 calls credentials: `method` tells where they were found."""

    @property
    def method(self) -> str | None: ...

    def get_frozen_credentials(self) -> _Frozen: ...


class Signers:
    """What all requests are signed with; each asks anew. `fresh` makes a session of boto3's chain.

    Raises ConfigError when there are no credentials at all.
    """

    def __init__(
        self, given: CredentialSource, fresh: "Callable[[], Session]", place: Place
    ) -> None:
        self._given = given
        self._fresh = fresh
        self._place = place
        self._renewing = threading.Lock()
        self._mine = threading.local()
        self._inner = self._load()

    def __repr__(self) -> str:
        return "Signers(***)"

    @property
    def method(self) -> str:
        """Where they were found, in boto3's words."""
        return str(self._inner.method or "")

    def get_frozen_credentials(self) -> Keys:
        """Called in the thread whose request is signed, by botocore too."""
        now = self._inner.get_frozen_credentials()
        self._mine.used = (now.access_key or "", now.token)
        return Keys(now.access_key or "", now.secret_key or "", now.token)

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

    def _load(self) -> _Source:
        given = self._given() if callable(self._given) else self._given
        if given is not None:
            return _Given(given)
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


class _Given:
    """Credentials that the settings name."""

    method = "explicit"

    def __init__(self, given: Credentials) -> None:
        self._keys = Keys(given.access_key_id, given.secret_access_key, given.session_token)

    def get_frozen_credentials(self) -> Keys:
        return self._keys


def sign_with(session: "Session", signers: Signers) -> None:
    """Every client of this session is to sign with these, wherever botocore would look."""
    from botocore import credentials as boto  # late: it loads boto3

    class Newest(boto.Credentials):
        def get_frozen_credentials(self) -> boto.ReadOnlyCredentials:
            return boto.ReadOnlyCredentials(*signers.get_frozen_credentials())

    class Provider(boto.CredentialProvider):
        METHOD = "s3dash"

        def load(self) -> boto.Credentials:
            now = signers.get_frozen_credentials()
            return Newest(now.access_key, now.secret_key, now.token, signers.method)

    session.lazy_register_component(
        "credential_provider", lambda: boto.CredentialResolver([Provider()])
    )
