"""How requests are tried again: bounded, visible, over at once when cancelled; who signs them."""

import hashlib
import io
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from s3dash.core.cancel import CancelToken
from s3dash.errors import (
    Cancelled,
    LocalChanged,
    S3DashError,
    ServerFault,
    Throttled,
    Unreachable,
)
from s3dash.objectstore.gate import Gate
from s3dash.objectstore.patience import LONGEST_S, RETRIES, STRANGER_RETRIES, Patience, Wait
from s3dash.objectstore.s3_again import retry_after_s
from tests.contract.endpoint import CREDENTIALS, Asked, Reply, answering, error
from tests.engine.clocks import QuickClock

SLOW = Throttled("slow down", brief="503 SlowDown from the endpoint")


def told_by(patience: Patience) -> list[Wait]:
    waits: list[Wait] = []

    @contextmanager
    def tell(wait: Wait) -> Iterator[None]:
        waits.append(wait)
        yield

    patience.told = tell
    return waits


def quick(**options: int) -> tuple[Patience, QuickClock]:
    clock = QuickClock()
    return Patience(clock, **options), clock


def test_waits_grow_are_bounded_and_have_jitter() -> None:
    lengths = []
    for _ in range(50):
        patience, clock = quick()
        patience.answered()
        tries = 1
        while patience.again(tries, SLOW):
            tries += 1
        assert tries == RETRIES + 1
        assert 10 < sum(clock.waits) < 20
        lengths.append(clock.waits)
    for nth in range(RETRIES):
        middle = 0.5 * 2**nth
        column = [waits[nth] for waits in lengths]
        assert all(0.74 * middle < wait < 1.26 * middle for wait in column)
        assert len(set(column)) > 40


def test_a_wait_is_told_in_one_line() -> None:
    patience, _ = quick()
    waits = told_by(patience)
    assert patience.again(2, SLOW, after_s=4.0)
    assert waits[0].sentence == "503 SlowDown from the endpoint, waiting 4 s, retry 2 of 5"


@pytest.mark.parametrize(("asked", "waited"), [(7.0, 7.0), (86_400.0, LONGEST_S)])
def test_what_the_endpoint_asks_for_is_honoured_within_bounds(asked: float, waited: float) -> None:
    patience, clock = quick()
    assert patience.again(1, SLOW, after_s=asked)
    assert clock.waits == [waited]


def test_after_one_request_was_given_up_the_others_fail_at_once_until_one_succeeds() -> None:
    patience, clock = quick()
    patience.answered()
    assert not patience.again(RETRIES + 1, SLOW)
    assert not patience.again(1, SLOW)
    assert clock.waits == []
    patience.answered()
    assert patience.again(1, SLOW)
    assert not patience.again(RETRIES + 1, SLOW)
    patience.begin(CancelToken())
    assert patience.again(1, SLOW)


def test_an_endpoint_that_never_answered_is_given_up_sooner() -> None:
    nobody = Unreachable("no answer")
    patience, _ = quick()
    assert patience.again(STRANGER_RETRIES, nobody)
    assert not patience.again(STRANGER_RETRIES + 1, nobody)
    patience, _ = quick()
    patience.answered()
    assert patience.again(STRANGER_RETRIES + 1, nobody)


def test_what_cannot_pass_is_not_waited_for() -> None:
    patience, clock = quick()
    assert not patience.again(1, S3DashError("no"))
    assert clock.waits == []
    assert patience.again(1, LocalChanged("it moves"))


def test_a_cancel_ends_a_wait_at_once() -> None:
    """By the real clock: the wait would take a minute."""
    patience = Patience()
    waiting = threading.Event()

    @contextmanager
    def tell(wait: Wait) -> Iterator[None]:
        waiting.set()
        yield

    patience.told = tell
    ends: list[BaseException] = []

    def work() -> None:
        try:
            patience.again(1, SLOW, after_s=60.0)
        except Cancelled as stopped:
            ends.append(stopped)

    thread = threading.Thread(target=work)
    thread.start()
    assert waiting.wait(10)
    patience.cancel.cancel()
    thread.join(10)
    assert len(ends) == 1
    assert not patience.again(1, SLOW)


# --- on the wire -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "waited"),
    [
        ({"Retry-After": "9"}, 9.0),
        ({"Retry-After": "100000"}, LONGEST_S),
    ],
)
def test_retry_after_is_read_from_the_answer(
    tmp_path: Path, headers: dict[str, str], waited: float
) -> None:
    answers = [Reply(503, error("SlowDown"), headers), Reply(body=b"ok", headers={"ETag": '"e"'})]
    with answering(lambda _: answers.pop(0)) as endpoint:
        store = endpoint.store(tmp_path)
        assert store.get("k") is not None
        clock = store.patience.clock
        assert isinstance(clock, QuickClock)
        assert clock.waits == [waited]
        store.close()


def test_a_retry_after_that_is_a_date_counts_by_the_answers_own_clock() -> None:
    headers = {
        "date": "Sat, 21 Nov 2020 12:00:00 GMT",
        "retry-after": "Sat, 21 Nov 2020 12:00:30 GMT",
    }
    assert retry_after_s(headers) == 30.0


@pytest.mark.parametrize("after", ["soon", "-1", "", "Sat, 99 Nov 2026"])
def test_a_retry_after_that_makes_no_sense_is_none(tmp_path: Path, after: str) -> None:
    answers = [
        Reply(503, error("SlowDown"), {"Retry-After": after}),
        Reply(body=b"ok", headers={"ETag": '"e"'}),
    ]
    with answering(lambda _: answers.pop(0)) as endpoint:
        store = endpoint.store(tmp_path)
        assert store.get("k") is not None
        store.close()


def test_every_small_read_is_tried_so_often_and_no_oftener(tmp_path: Path) -> None:
    with answering(lambda _: Reply(500, error("InternalError"))) as endpoint:
        for call in (
            lambda s: s.get("k"),
            lambda s: s.head("k"),
            lambda s: list(s.list()),
            lambda s: s.copy("k", "l"),
        ):
            endpoint.asked.clear()
            store = endpoint.store(tmp_path)
            with pytest.raises(ServerFault):
                call(store)
            assert len(endpoint.asked) == RETRIES + 1
            store.close()


def test_a_storm_in_a_listing_ends_when_it_is_cancelled(tmp_path: Path) -> None:
    with answering(lambda _: Reply(503, error("SlowDown"))) as endpoint:
        store = endpoint.store(tmp_path)
        store.patience.told = lambda wait: _cancelling(store.patience)
        with pytest.raises(Cancelled):
            list(store.list())
        assert len(endpoint.asked) == 1
        store.close()


@contextmanager
def _cancelling(patience: Patience) -> Iterator[None]:
    patience.cancel.cancel()
    yield


def test_a_body_that_was_damaged_on_its_way_is_read_again(tmp_path: Path) -> None:
    """The MD5 of `whole` is the ETag; a flipped bit shows, and is not believed."""
    headers = {"ETag": f'"{hashlib.md5(b"whole").hexdigest()}"'}
    bodies = [b"whole", b"whom", b"whole"]
    with answering(lambda _: Reply(body=bodies.pop(0), headers=headers)) as endpoint:
        store = endpoint.store(tmp_path)
        for _ in range(2):
            fetched = store.get("k")
            assert fetched is not None
            assert fetched.body == b"whole"
        assert len(endpoint.asked) == 3
        store.close()


def test_an_etag_that_is_no_md5_is_believed_when_two_reads_agree(tmp_path: Path) -> None:
    reply = Reply(body=b"sealed with a key", headers={"ETag": f'"{"0f" * 16}"'})
    with answering(lambda _: reply) as endpoint:
        store = endpoint.store(tmp_path)
        fetched = store.get("k")
        assert fetched is not None
        assert fetched.body == b"sealed with a key"
        assert len(endpoint.asked) == 2
        store.close()


def test_bytes_that_differ_from_read_to_read_are_refused(tmp_path: Path) -> None:
    count = [0]

    def reply(_: Asked) -> Reply:
        count[0] += 1
        return Reply(body=b"%d" % count[0], headers={"ETag": f'"{"0f" * 16}"'})

    with answering(reply) as endpoint:
        store = endpoint.store(tmp_path)
        with pytest.raises(S3DashError, match="differ"):
            store.get("k")
        store.close()


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_takes_no_credentials_to_another_host(tmp_path: Path, status: int) -> None:
    (tmp_path / "f").write_bytes(b"x")
    with answering(lambda _: Reply(headers={"ETag": '"stolen"'})) as thief:
        reply = Reply(status, b"", {"Location": f"{thief.url}/bucket/k"})
        with answering(lambda _: reply) as endpoint:
            store = endpoint.store(tmp_path)
            for call in (
                lambda: store.get("k"),
                lambda: store.head("k"),
                lambda: store.put("k", b"x"),
                lambda: list(store.list()),
                lambda: store.upload("k", tmp_path / "f", if_none_match=True),
                lambda: store.delete("k"),
            ):
                with pytest.raises(S3DashError):
                    call()
            store.download("k", io.BytesIO())  # followed; whoever asked compares the SHA-256
            store.close()
        for asked in thief.asked:  # obstore follows; the token that it takes along signs nothing
            assert "authorization" not in asked.headers
            assert CREDENTIALS.secret_access_key not in f"{asked}"


def test_silence_is_noticed_in_the_time_of_the_settings(tmp_path: Path) -> None:
    """A PUT of a small file too: its answer, not only its body, is waited for so long."""
    (tmp_path / "f").write_bytes(b"x")
    quiet = threading.Event()

    def reply(_: Asked) -> Reply:
        quiet.wait(20)
        return Reply(headers={"ETag": '"late"'})

    with answering(reply) as endpoint:
        store = endpoint.store(tmp_path, request_timeout_ms=200)
        try:
            with pytest.raises(Unreachable):
                store.put("k", b"x")
            with pytest.raises(Unreachable):
                store.download("k", io.BytesIO())
            with pytest.raises(Unreachable):
                store.upload("k", tmp_path / "f")
        finally:
            quiet.set()
            store.close()


def test_a_body_on_a_slow_line_has_the_time_that_it_takes(tmp_path: Path) -> None:
    """obstore's own read timeout runs while a body is sent, and cut such uploads off."""
    (tmp_path / "f").write_bytes(bytes(512 << 10))
    (tmp_path / "small").write_bytes(bytes(4 << 10))
    etag = hashlib.md5(bytes(512 << 10)).hexdigest()

    def reply(asked: Asked) -> Reply:
        threading.Event().wait(1.0)  # as if the last bytes took so long to arrive
        return Reply(headers={"ETag": f'"{etag}"'})

    with answering(reply) as endpoint:
        store = endpoint.store(tmp_path, request_timeout_ms=250)
        assert store.upload("k", tmp_path / "f").etag == etag
        store.close()


# --- the gate ----------------------------------------------------------------------------


def test_the_gate_halves_once_a_burst_and_grows_back() -> None:
    gate, cancel = Gate(64), CancelToken()
    with pytest.raises(Throttled):
        _burst(gate, 8)
    assert gate.limit == 4
    for _ in range(40):
        with gate.turn(cancel):
            pass
    assert gate.limit > 8


def _burst(gate: Gate, count: int) -> None:
    """So many at once, and all are refused."""
    with ExitStack() as running:
        for _ in range(count):
            running.enter_context(gate.turn(CancelToken()))
        raise SLOW


def test_a_turn_that_is_waited_for_ends_with_a_cancel() -> None:
    gate, cancel = Gate(1), CancelToken()
    ends: list[str] = []

    def second() -> None:
        try:
            with gate.turn(cancel):
                ends.append("ran")
        except Cancelled:
            ends.append("cancelled")

    with gate.turn(cancel):
        thread = threading.Thread(target=second)
        thread.start()
        cancel.cancel()
    thread.join(10)
    assert ends == ["cancelled"]
