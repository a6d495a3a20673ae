"""Lock bodies and places, golden and hostile."""

import json
from pathlib import Path

import pytest

from s3dash.core.lock import LockBody, LockPlace, decode_lock, encode_lock, place

BUCKETS = json.loads((Path(__file__).parents[1] / "golden/buckets.json").read_text())
LOCKS: dict[str, dict[str, str]] = BUCKETS["gold-locks"]
UUID = "7b0e3a52-0c1e-4f0a-9a4e-1f2d3c4b5a69"


def test_the_golden_locks_have_their_places() -> None:
    assert {key: place(key) for key in LOCKS} == {
        ".datastore.lock": LockPlace("global", None, None),
        f"data/@acme/server/{UUID}/.lock": LockPlace("model", None, f"@acme/server/{UUID}"),
        "infra/data/short/model-a/.lock": LockPlace("model", "infra", "short/model-a"),
    }


@pytest.mark.parametrize("key", LOCKS)
def test_a_golden_lock_is_read_and_written_back_as_it_was(key: str) -> None:
    raw = LOCKS[key]["text"].encode()
    body = decode_lock(raw)
    assert (body.holder, body.hostname, body.pid) == ("ada@vm", "vm", 20948)
    assert body.ttlMs in (15000, 30000)
    assert encode_lock(body) == raw


@pytest.mark.parametrize(
    ("key", "want"),
    [
        (".locks/web.lock", LockPlace("namespace", "web", None)),
        (".locks/a.b.lock", LockPlace("namespace", "a.b", None)),
        ("data/t/id/.lock", LockPlace("model", None, "t/id")),
        ("data/a/b/c/d/.lock", LockPlace("model", None, "a/b/c/d")),
        ("web/data/a/b/c/.lock", LockPlace("model", "web", "a/b/c")),
        (".locks/.lock", None),
        (".locks/a/b.lock", None),
        (".locks/web.json", None),
        ("data/t/.lock", None),
        ("web/data/t/.lock", None),
        (".lock", None),
        ("files/a/b/.lock", None),
        ("web/.datastore.lock", None),
        ("data/t/id/x.lock", None),
        ("", None),
    ],
)
def test_a_locks_key_says_where_it_belongs(key: str, want: LockPlace | None) -> None:
    assert place(key) == want


def test_our_own_fields_follow_those_of_the_peers() -> None:
    body = LockBody(
        holder="a@b", hostname="b", pid=1, acquiredAt="t", ttlMs=45000, nonce="n", client="c", seq=2
    )
    raw = encode_lock(body)
    assert decode_lock(raw) == body
    assert list(json.loads(raw)) == [
        "holder", "hostname", "pid", "acquiredAt", "ttlMs", "nonce", "client", "seq",
    ]  # fmt: skip
    assert raw.startswith(b'{\n  "holder"')


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"[]", b"null", b'{"pid":"x"}', b"\xff", b"[" * 200_000]
)
def test_a_lock_that_cannot_be_read_is_somebodys(raw: bytes) -> None:
    body = decode_lock(raw)
    assert (body.holder, body.nonce, body.ttlMs) == ("(unreadable lock)", "", 30000)


@pytest.mark.parametrize("ttl", [0, -1, 24 * 3600 * 1000 + 1, 10**18])
def test_a_time_to_live_that_makes_no_sense_is_the_peers_default(ttl: int) -> None:
    body = decode_lock(json.dumps({"holder": "x", "ttlMs": ttl, "nonce": "n"}).encode())
    assert (body.ttlMs, body.holder, body.nonce) == (30000, "x", "n")


def test_fields_that_a_later_client_adds_do_no_harm() -> None:
    body = decode_lock(b'{"holder":"x","nonce":"n","ttlMs":1000,"future":[1]}')
    assert (body.holder, body.ttlMs) == ("x", 1000)
