"""Subresource integrity: names of bytes by their digest. Pure.

`sha256`, `sha384` or `sha512`, a dash, and the digest in base64; alternatives stand side by side,
parted by white space, and the strongest algorithm that is named decides. Source: W3C SRI.
"""

import base64
import binascii
import hashlib
import re
from typing import Literal, Protocol, get_args

import msgspec

from s3dash.errors import Integrity, UsageError

Algorithm = Literal["sha256", "sha384", "sha512"]
ALGORITHMS: tuple[Algorithm, ...] = get_args(Algorithm)
"""From the weakest to the strongest."""
USUAL: Algorithm = "sha512"

_LENGTHS = {"sha256": 44, "sha384": 64, "sha512": 88}
_OURS = re.compile(r"(sha256|sha384|sha512)-(.*)", re.DOTALL)
_ANYWHERE = re.compile(
    r"(?<![0-9A-Za-z])(?:sha256-[0-9A-Za-z+/]{43}=|sha384-[0-9A-Za-z+/]{64}"
    r"|sha512-[0-9A-Za-z+/]{86}==)(?![0-9A-Za-z+/=])"
)


class Digest(msgspec.Struct, frozen=True):
    """One digest: its algorithm, and its value in base64."""

    algorithm: Algorithm
    value: str

    def __str__(self) -> str:
        return f"{self.algorithm}-{self.value}"


class Hash(Protocol):
    """What this module needs of hashlib's."""

    def update(self, piece: bytes | memoryview, /) -> None: ...

    def digest(self) -> bytes: ...


def new(algorithm: Algorithm) -> Hash:
    return hashlib.new(algorithm)


def told(algorithm: Algorithm, hashed: Hash) -> Digest:
    """The digest of what was hashed so far."""
    return Digest(algorithm, base64.b64encode(hashed.digest()).decode())


def of(body: bytes, algorithm: Algorithm = USUAL) -> str:
    """The integrity of these bytes."""
    hashed = new(algorithm)
    hashed.update(body)
    return str(told(algorithm, hashed))


def parse(text: str) -> tuple[Digest, ...]:
    """The digests among the alternatives, the strongest first; none when no valid one is there."""
    found = [digest for one in text.split() if (digest := _digest(one)) is not None]
    return tuple(sorted(found, key=lambda digest: -ALGORITHMS.index(digest.algorithm)))


def decisive(text: str) -> tuple[Digest, ...]:
    """Those of the strongest algorithm: the bytes have to match one of them.

    Raises UsageError where there is none, and where an alternative is a digest gone wrong: what
    was meant to be checked would not be.
    """
    wrong = [one for one in text.split() if _OURS.fullmatch(one) and _digest(one) is None]
    found = parse(text)
    if wrong or not found:
        raise UsageError(
            f"{wrong[0] if wrong else text or 'an empty text'} is no valid integrity",
            hint="sha256-, sha384- or sha512- and the digest in base64: 44, 64 or 88 characters",
        )
    return tuple(digest for digest in found if digest.algorithm == found[0].algorithm)


def mentioned(text: str) -> list[str]:
    """Every valid digest that stands anywhere in a text, in its order."""
    return [one for one in _ANYWHERE.findall(text) if _digest(one) is not None]


class Checker:
    """Hashes bytes as they come, and compares them with an integrity in the end.

    Raises UsageError when that names no valid digest.
    """

    def __init__(self, integrity: str) -> None:
        self._wanted = decisive(integrity)
        self._hash = new(self._wanted[0].algorithm)

    def update(self, piece: bytes | memoryview) -> None:
        self._hash.update(piece)

    def finish(self) -> None:
        """Raises Integrity, with what was expected and what the bytes are."""
        actual = told(self._wanted[0].algorithm, self._hash)
        if actual not in self._wanted:
            raise mismatch(" ".join(map(str, self._wanted)), str(actual))


def check(integrity: str, body: bytes) -> None:
    """Raises Integrity when these are other bytes, UsageError when it names no valid digest."""
    checker = Checker(integrity)
    checker.update(body)
    checker.finish()


def mismatch(expected: str, actual: str) -> Integrity:
    """Both as integrities; they are also told as `expected` and `actual` of the error."""
    error = Integrity(f"the bytes are not {expected}, they are {actual}")
    error.expected, error.actual = expected, actual
    return error


def _digest(text: str) -> Digest | None:
    """Only the one way to write a digest: base64 has others, with stray bits at the end."""
    match = _OURS.fullmatch(text)
    if match is None or len(match[2]) != _LENGTHS[match[1]]:
        return None
    try:
        raw = base64.b64decode(match[2], validate=True)
    except (binascii.Error, ValueError):
        return None
    algorithm = next(name for name in ALGORITHMS if name == match[1])
    if len(raw) != hashlib.new(algorithm).digest_size or base64.b64encode(raw).decode() != match[2]:
        return None
    return Digest(algorithm, match[2])
