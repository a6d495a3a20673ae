"""Faults on the wire: each ends in a verified result or a clear error, and nothing is lost."""

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from s3dash.core.settings import Credentials, Datastore
from s3dash.engine.open import open_engine
from s3dash.errors import S3DashError
from s3dash.objectstore.s3 import S3Store
from tests.cli.test_real import Desk
from tests.engine.world import contents
from tests.reliability.faulty import Case, Storm, Town, matrix, sample
from tests.reliability.faulty import Desk as Machines
from tests.reliability.proxy import Asked, Choose, Fault, Proxy
from tests.reliability.wire import FAULTS
from tests.servers import Server
from tests.tally import Effort

PARTS = 4


@pytest.fixture
def proxy(weed: Server) -> Iterator[Proxy]:
    running = Proxy(weed.endpoint)
    try:
        yield running
    finally:
        running.stop()


@pytest.fixture
def town(weed: Server, proxy: Proxy, tmp_path: Path) -> Iterator[Town]:
    made = Town(weed, proxy, tmp_path)
    yield made
    made.end()


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("part", range(PARTS))
def test_every_fault_on_every_request_ends_well(town: Town, effort: Effort, part: int) -> None:
    cases = matrix()[part::PARTS]
    if not effort.full:
        cases = sample(effort.dice(), 8, cases)
    broken, met = [], 0
    for case in cases:
        try:
            told = town.run(case)
        except AssertionError as error:
            broken.append(f"{error}")
            continue
        met += bool(told)
        effort.count("faults injected", len(town.proxy.injected))
    assert not broken, f"{len(broken)} of {len(cases)}, seed {effort.seed}:\n" + "\n".join(broken)
    assert met > len(cases) / 2, "most rules met no request"


@pytest.mark.timeout(1800)
def test_a_storm_of_faults_loses_nothing(
    weed: Server, proxy: Proxy, tmp_path: Path, effort: Effort
) -> None:
    for nth in range(effort.pick(1, 8)):
        storm = Storm(weed, proxy, tmp_path / f"{nth}", random.Random(f"{effort.seed} {nth}"))
        try:
            storm.rage(effort.pick(8, 60))
            effort.lost(storm.calm(), storm.story)
        finally:
            effort.count("faults injected", storm.injected)
            storm.end()


@pytest.mark.parametrize("times", [1, 1000])
def test_a_flipped_bit_never_reaches_the_cache_where_no_entry_has_a_hash(
    weed: Server, proxy: Proxy, tmp_path: Path, times: int, effort: Effort
) -> None:
    """Without an index there is only the listing: sizes and ETags."""
    bucket = weed.make_bucket()
    bob = Machines(tmp_path / "bob", weed, proxy, bucket)
    weed.client().put_object(Bucket=bucket, Key="files/plain", Body=b"written by hand")
    with proxy.choosing(Case("pull", "data GET", "flipped", times=times).rule()):
        result = bob.pull()
    effort.count("faults injected", len(proxy.injected))
    assert bob.files() == ({"files/plain": b"written by hand"} if times == 1 else {})
    assert [b.path for b in result.blocked] == ([] if times == 1 else ["files/plain"])
    bob.pull()
    assert bob.files() == {"files/plain": b"written by hand"}
    bob.kept.end()


CREDENTIALS = {"old": "the-old-token", "new": "the-new-token"}


def _with(token: str) -> Credentials:
    return Credentials("ASIAFAKE", "fake-secret", CREDENTIALS[token])


def _expiring(after: int) -> Choose:
    """The old credentials run out once so many requests were made with them."""
    left = [after]

    def choose(asked: Asked) -> Fault | None:
        if asked.header("x-amz-security-token") == CREDENTIALS["new"]:
            return None
        left[0] -= 1
        return None if left[0] >= 0 else FAULTS["400 ExpiredToken"]

    return choose


@pytest.mark.parametrize("newer", [True, False])
def test_credentials_run_out_in_the_middle_of_a_push(
    moto: Server, tmp_path: Path, newer: bool, effort: Effort
) -> None:
    """On moto, which knows every key. With newer ones it goes on, else it says so and resumes."""
    bucket = moto.make_bucket()
    proxy = Proxy(moto.endpoint)
    try:
        for after in range(1, 40, effort.pick(17, 1)):
            home = tmp_path / f"{after}"
            settings = moto.settings(
                bucket, home, endpoint=proxy.url, prefix=f"{after}", push_concurrency=2
            )
            settings.cache.mkdir(parents=True)
            for name in "abcdef":
                (settings.cache / name).write_text(name)
            given = iter(["old"])

            def fresh(given: Iterator[str] = given) -> Credentials:
                return _with(next(given, "new" if newer else "old"))

            with proxy.choosing(_expiring(after)):
                told = _push(settings, fresh)
            effort.count("faults injected", len(proxy.injected))
            said = "ran out" in told or "access denied" in told  # the answer to a HEAD says less
            assert newer or not proxy.injected or said, told
            if newer:
                assert "pushed=6" in told, told
            else:
                engine = open_engine(settings, _with("new"))
                engine.push()
                assert engine.status().local.dirty == []
                engine.stop()
            store = S3Store(settings, _with("new"))
            found = {key: body for key, body in contents(store).items() if len(key) == 1}
            assert found == {name: name.encode() for name in "abcdef"}
            assert ".datastore.lock" not in contents(store) or not newer
            store.delete(".datastore.lock")
            store.close()
    finally:
        proxy.stop()


def _push(settings: Datastore, given: Callable[[], Credentials]) -> str:
    engine = open_engine(settings, given)
    try:
        return str(engine.push())
    except S3DashError as error:
        return f"{type(error).__name__} {error.message}"
    finally:
        engine.stop()


ENDS = {
    "403 ExpiredToken": (1, "CredentialsExpired"),
    "login page": (1, "InvalidResponse"),
    "301": (1, "StoreError"),
    "403 RequestTimeTooSkewed": (1, "AccessDenied"),
    "garbage": (1, "Unreachable"),
    "reset before": (1, "Unreachable"),
    "length too small": (1, ""),
}


def test_the_command_line_tells_a_fault_without_a_traceback(
    weed: Server, proxy: Proxy, tmp_path: Path, effort: Effort
) -> None:
    faults = list(ENDS)[: effort.pick(1, len(ENDS))]
    bucket = weed.make_bucket()
    for nth, fault in enumerate(faults):
        desk = Desk(tmp_path / f"{nth}", weed, bucket=bucket, endpoint=proxy.url, prefix=f"{nth}")
        desk.write("files/a", "a")
        with proxy.choosing(Case("push", "LIST", fault, times=1000).rule()):
            done = _run(desk, "push")
        effort.count("faults injected", len(proxy.injected))
        code, kind = ENDS[fault]
        assert done.returncode == code, done.stderr
        error = json.loads(done.stdout)["error"]
        assert not kind or error["type"] == kind
        assert error["message"]
        for text in (done.stdout, done.stderr):
            assert "Traceback" not in text
            assert weed.secret_key not in text
        assert _run(desk, "push").returncode == 0


def test_the_command_line_says_on_stderr_that_it_waits(
    weed: Server, proxy: Proxy, tmp_path: Path, effort: Effort
) -> None:
    desk = Desk(tmp_path / "desk", weed, bucket=weed.make_bucket(), endpoint=proxy.url)
    desk.write("files/a", "a")
    with proxy.choosing(Case("push", "meta PUT", "503 SlowDown", times=3).rule()):
        done = _run(desk, "push")
    effort.count("faults injected", 3)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["pushed"] == 1
    assert "503 SlowDown from the endpoint, waiting" in done.stderr
    assert "retry 3 of 5" in done.stderr


def _run(desk: Desk, command: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "s3dash", "--json", command],
        cwd=desk.home,
        env={**os.environ, **desk.environ},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
