"""When boto3 sends a request again: our patience in the place of botocore's own retries.

So a wait is visible, honours `Retry-After`, and is over at once when the operation is cancelled.
"""

from collections.abc import Mapping
from typing import Any

from s3dash.errors import S3DashError
from s3dash.objectstore.meter import http_date
from s3dash.objectstore.patience import Patience
from s3dash.objectstore.s3_errors import Answer, Place, from_boto, is_stale, refused
from s3dash.objectstore.s3_signers import Signers


class Again:
    """Botocore asks it after every answer whether the request is to be sent again.

    With `steady` whatever may pass is waited out; else only a refusal of credentials that have
    been renewed since: what was refused was not applied.
    """

    def __init__(self, signers: Signers, patience: Patience, place: Place, *, steady: bool) -> None:
        self._signers = signers
        self._patience = patience
        self._place = place
        self._steady = steady

    def __call__(
        self,
        attempts: int = 1,
        response: tuple[Any, dict[str, Any]] | None = None,
        caught_exception: Exception | None = None,
        **_: object,
    ) -> float | None:
        """Seconds to wait, 0: it was waited for already. None: leave it."""
        if response is None:
            error = from_boto(caught_exception or Exception(), self._place)
            return self._wait(attempts, error, None)
        answer = _answer(response[1])
        if answer.status < 400:
            if answer.status < 300:
                self._patience.answered()
            return None
        error = refused(answer, self._place)
        bare = answer.code in ("400", "403")  # a HEAD's answer has no body that says why
        if bare or is_stale(error):
            return 0.0 if attempts == 1 and self._signers.renew() else None
        asked = retry_after_s(response[1]["ResponseMetadata"].get("HTTPHeaders", {}))
        return self._wait(attempts, error, asked)

    def _wait(self, attempts: int, error: S3DashError, asked: float | None) -> float | None:
        if not self._steady:
            return None
        return 0.0 if self._patience.again(attempts, error, after_s=asked) else None


def _answer(parsed: dict[str, Any]) -> Answer:
    status = int(parsed.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return Answer(status, str(parsed.get("Error", {}).get("Code") or status))


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """What the answer asks to wait, in seconds; a date counts by the answer's own clock."""
    asked = headers.get("retry-after", "").strip()
    if asked.isdecimal():
        return float(asked)
    until, now = http_date(asked), http_date(headers.get("date"))
    return max(0.0, (until - now).total_seconds()) if until and now else None
