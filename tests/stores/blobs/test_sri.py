"""Integrities: which are valid, which one decides, and what happens to other bytes."""

import base64
import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3dash.errors import Integrity, UsageError
from s3dash.stores.blobs import sri

BODY = b"hello world"


def digest(algorithm: str, body: bytes = BODY) -> str:
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, body).digest()).decode()}"


@pytest.mark.parametrize(("algorithm", "length"), [("sha256", 44), ("sha384", 64), ("sha512", 88)])
def test_bl_03_a_digest_has_one_length_for_each_algorithm(
    algorithm: sri.Algorithm, length: int
) -> None:
    text = digest(algorithm)
    (found,) = sri.parse(text)
    assert (found.algorithm, len(found.value), str(found)) == (algorithm, length, text)
    assert sri.of(BODY, algorithm) == text
    sri.check(text, BODY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00=",
        "sha512-AbC+/def==",
        digest("sha512")[:-1],
        digest("sha512") + "=",
        digest("sha512").replace("sha512", "sha256"),
        digest("sha256").replace("sha256", "SHA256"),
        digest("sha256").replace("-", ""),
        digest("sha256")[:-2] + "9=",  # the same bytes, written with stray bits
        "sha384-" + "-" * 64,
        "sha256-" + "=" * 44,
    ],
)
def test_bl_03_what_is_no_digest_is_refused(text: str) -> None:
    assert sri.parse(text) == ()
    with pytest.raises(UsageError):
        sri.check(text, BODY)


def test_bl_03_the_strongest_alternative_wins() -> None:
    weak, strong = digest("sha256", b"other"), digest("sha512")
    assert [str(one) for one in sri.parse(f"{weak}\n {strong}\t")] == [strong, weak]
    sri.check(f"{weak} {strong}", BODY)
    with pytest.raises(Integrity):
        sri.check(f"{digest('sha256')} {digest('sha512', b'other')}", BODY)


def test_bl_03_one_of_several_as_strong_is_enough() -> None:
    sri.check(f"{digest('sha512', b'other')} {digest('sha512')}", BODY)


def test_bl_03_an_unknown_algorithm_beside_a_digest_is_passed_over() -> None:
    sri.check(f"sha1-qvTGHdzF6KLavt4PO0gs2a6pQ00= {digest('sha256')}", BODY)


def test_bl_03_a_digest_gone_wrong_beside_a_weaker_one_is_refused() -> None:
    with pytest.raises(UsageError, match="sha512-x"):
        sri.check(f"{digest('sha256')} sha512-x", BODY)


def test_bl_06_other_bytes_are_told_with_expected_and_actual() -> None:
    checker = sri.Checker(digest("sha384"))
    checker.update(b"hello")
    checker.update(memoryview(b" worle"))
    with pytest.raises(Integrity) as caught:
        checker.finish()
    assert caught.value.expected == digest("sha384")
    assert caught.value.actual == digest("sha384", b"hello worle")
    assert caught.value.expected in caught.value.message
    assert caught.value.actual in caught.value.message


def test_digests_are_found_anywhere_in_a_text() -> None:
    one, two, three = digest("sha512"), digest("sha256"), digest("sha384")
    text = f'{{"integrity": "{one} {two}"}}, x:{three}; sha512-short, {one}A, xsha256-{two[7:]}'
    assert sri.mentioned(text) == [one, two, three]


@given(st.binary(max_size=200), st.sampled_from(sri.ALGORITHMS))
def test_what_is_made_is_valid(body: bytes, algorithm: sri.Algorithm) -> None:
    sri.check(sri.of(body, algorithm), body)
