"""The keys of blobs: there and back, and nothing else is taken for one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3dash.core.settings import BLOB_PREFIX as PREFIX
from s3dash.errors import UsageError
from s3dash.stores.blobs.keys import decode, encode

HEX = "7368613531322d4162432b2f6465663d3d"


def test_bl_01_the_key_is_the_prefix_and_the_integrity_in_hex() -> None:
    assert encode("sha512-AbC+/def==") == f"script-packages/blobs/{HEX}"
    assert decode(f"script-packages/blobs/{HEX}") == "sha512-AbC+/def=="


def test_bl_01_the_prefix_is_configurable() -> None:
    assert encode("sha512-AbC+/def==", "a/b") == f"a/b/{HEX}"
    assert decode(f"a/b/{HEX}", "a/b") == "sha512-AbC+/def=="
    assert encode("sha512-AbC+/def==", "") == HEX
    assert decode(HEX, "") == "sha512-AbC+/def=="


@pytest.mark.parametrize(
    "key",
    [
        f"script-packages/blob/{HEX}",
        f"other/{HEX}",
        HEX,
        f"{PREFIX}{HEX}",
        f"{PREFIX}/zzz",
        f"{PREFIX}/{HEX[:-1]}",
        f"{PREFIX}/{HEX.upper()}",
        f"{PREFIX}/",
        f"{PREFIX}/ff",
        f"{PREFIX}/{HEX}\n",
        f"{PREFIX}/{HEX}/{HEX}",
        f"{PREFIX}/٠٠",
        "",
    ],
)
def test_bl_02_decoding_gives_none_for_any_other_key(key: str) -> None:
    assert decode(key) is None


@given(st.text(min_size=1, max_size=100).filter(lambda text: _utf8(text)))
def test_bl_02_what_is_encoded_is_decoded(text: str) -> None:
    assert decode(encode(text)) == text


@pytest.mark.parametrize("text", ["", "\ud800", "x" * 502])
def test_an_integrity_that_can_be_no_key_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        encode(text)


def _utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
