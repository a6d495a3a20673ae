"""Blocks of IPFS: the key of a block is the hash of its bytes. Pure.

A key is the unpadded upper-case base32 of the multihash: a number for the hash function, the
length of the digest (both as unsigned varints), the digest. Codes: the multicodec table.
"""

import hashlib
from base64 import b32decode, b32encode
from collections.abc import Callable

from s3dash.errors import Integrity
from s3dash.stores.kv.layouts import SUFFIX

SHA2_256 = 0x12
SHORTEST = 20
"""Bytes of the shortest digest that is trusted, which is IPFS's own bound."""

_BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"
_HASHES: dict[int, Callable[[bytes], bytes]] = {
    0x11: lambda body: hashlib.sha1(body, usedforsecurity=False).digest(),
    SHA2_256: lambda body: hashlib.sha256(body).digest(),
    0x13: lambda body: hashlib.sha512(body).digest(),
    0x14: lambda body: hashlib.sha3_512(body).digest(),
    0x15: lambda body: hashlib.sha3_384(body).digest(),
    0x16: lambda body: hashlib.sha3_256(body).digest(),
    0x17: lambda body: hashlib.sha3_224(body).digest(),
    0x20: lambda body: hashlib.sha384(body).digest(),
    0x56: lambda body: hashlib.sha256(hashlib.sha256(body).digest()).digest(),
    0x1013: lambda body: hashlib.sha224(body).digest(),
}
_BLAKE2B, _BLAKE2S = 0xB200, 0xB240
"""One code for each length of the digest in bytes, from 1 on."""


def block_key(body: bytes) -> str:
    """The name of a block in IPFS's datastore, without a slash: `CIQ…`, of its SHA-256."""
    return key_of(bytes((SHA2_256, 32)) + hashlib.sha256(body).digest())


def key_of(multihash: bytes) -> str:
    return b32encode(multihash).decode().rstrip("=")


def key_of_cid(cid: str) -> str:
    """The name of the block that a CID names: `Qm…`, `b…` (base32) or `z…` (base58).

    Raises ValueError for what is no such CID.
    """
    if cid.startswith("Qm") and len(cid) == 46:
        return key_of(_checked(_from_base58(cid)))
    if cid.startswith("b"):
        whole = _from_base32(cid[1:].upper())
    elif cid.startswith("z"):
        whole = _from_base58(cid[1:])
    else:
        raise ValueError(f"{cid!r} is no CID of a known kind")
    version, rest = _varint(whole)
    if version != 1:
        raise ValueError(f"{cid!r} is no CID of version 1")
    _codec, multihash = _varint(rest)
    return key_of(_checked(multihash))


def is_block_key(key: str) -> bool:
    """Whether a key's last name, or the name of its object, can be that of a block."""
    try:
        _parted(key)
    except ValueError:
        return False
    return True


def verify(key: str, body: bytes) -> None:
    """Raises Integrity when `body` is not the block that `key` names, with what it was instead.

    `key` may be a whole key or an object's name, `QJ/CIQ….data`. Raises ValueError where nothing
    can be said: the key names no block, or one of a hash that is not known here.
    """
    code, digest = _parted(key)
    found = _digest(code, body, len(digest))
    if found != digest:
        raise Integrity(
            f"{key} is not what its name says: expected {digest.hex()}, got {found.hex()}"
        )


def _parted(key: str) -> tuple[int, bytes]:
    """The code of the hash and the digest."""
    name = key.rpartition("/")[2].removesuffix(SUFFIX)
    code, rest = _varint(_checked(_from_base32(name)))
    return code, _varint(rest)[1]


def _checked(multihash: bytes) -> bytes:
    """The same. Raises ValueError unless it is a whole multihash."""
    code, rest = _varint(multihash)
    length, digest = _varint(rest)
    if length != len(digest) or (code and length < SHORTEST):
        raise ValueError("this is no multihash")
    return multihash


def _digest(code: int, body: bytes, length: int) -> bytes:
    """A digest may be cut short; the code 0 stands for the bytes themselves."""
    if code == 0:
        return body
    if code in _HASHES:
        return _HASHES[code](body)[:length]
    if 1 <= code - _BLAKE2B <= 64:
        return hashlib.blake2b(body, digest_size=code - _BLAKE2B).digest()[:length]
    if 1 <= code - _BLAKE2S <= 32:
        return hashlib.blake2s(body, digest_size=code - _BLAKE2S).digest()[:length]
    raise ValueError(f"the hash function {code:#x} is not known here")


def _varint(data: bytes) -> tuple[int, bytes]:
    """The number at the start, and what follows it. Raises ValueError where it has no end."""
    number = 0
    for at, byte in enumerate(data[:9]):
        number |= (byte & 0x7F) << 7 * at
        if byte < 0x80:
            return number, data[at + 1 :]
    raise ValueError("a number has no end")


def _from_base32(text: str) -> bytes:
    """Raises ValueError also for what decodes but is not how it would be written."""
    body = b32decode(text + "=" * (-len(text) % 8))
    if key_of(body) != text:
        raise ValueError("this is no base32")
    return body


def _from_base58(text: str) -> bytes:
    number = 0
    for char in text:
        number = number * 58 + _BASE58.index(char)
    zeros = len(text) - len(text.lstrip(_BASE58[0]))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8)
