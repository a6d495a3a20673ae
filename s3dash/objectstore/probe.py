"""Proving what an endpoint does, by doing it; below a random key, cleaned up however it ends.

Locks are safe when creation, replacement and races hold (reliability, section 4, probes 1 to 3).
"""

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future, as_completed
from contextlib import ExitStack, suppress
from functools import partial
from typing import Literal

import msgspec
from msgspec.structs import replace

from s3dash.errors import (
    AccessDenied,
    BucketNotFound,
    S3DashError,
    ServerFault,
    StoreError,
    Throttled,
    Unreachable,
)
from s3dash.objectstore import probe_bodies as bodies
from s3dash.objectstore import probe_bucket as bucket
from s3dash.objectstore import probe_locks as locks
from s3dash.objectstore import probe_reads as reads
from s3dash.objectstore.port import Capabilities, ObjectStore
from s3dash.objectstore.probe_base import NOT_TRIED, Broken, Probe, Unsure, is_old
from s3dash.objectstore.probe_follows import follows
from s3dash.objectstore.probe_permissions import Permission, permissions
from s3dash.objectstore.threads import Threads

Special = Literal["complete", "copies"]
SPECIAL: Mapping[Special, "Proof"] = {
    "complete": locks.small_multipart,
    "copies": locks.small_copy,
}
"""Capabilities that only some pushes need: large files, renamed ones."""
QUICK_WAYS, QUICK_RACES = 4, 1
"""Some endpoints let a third wait for seconds."""
AT_ONCE = 6
"""Proofs that run side by side: most of them wait for the endpoint."""

_PASSING = (ServerFault, Throttled, Unreachable)
"""One of these may be no more than one lost answer: it is asked once more, with keys of its own."""

Proof = Callable[[Probe], str]
OnCheck = Callable[[int, int, str], None]
"""Called with how many proofs have ended, how many there are, and the name of the latest."""
OnResult = Callable[["Check"], None]
"""Called with each proof that has ended."""
OnFound = Callable[[Capabilities], None]


def _nobody(_: Capabilities) -> None:
    """Nobody waits for it."""


class Check(msgspec.Struct, frozen=True):
    """One proof: whether it held, what was seen, and what follows from it, in plain words."""

    name: str
    ok: bool
    detail: str


class Doctor(msgspec.Struct, frozen=True):
    """All proofs, the permissions, and what follows from them.

    `dialect`: how ETags are sent in conditions. `fenced`: the bucket takes writes only with one.
    """

    locking: Literal["safe", "unsafe"]
    checks: list[Check]
    capabilities: Capabilities
    permissions: list[Permission] = []
    dialect: Literal["quoted", "unquoted"] = "quoted"
    fenced: bool = False


def quick_probe(
    store: ObjectStore,
    *,
    nonce: str,
    also: Collection[Special] = tuple(SPECIAL),
    killed: Sequence[str] = (),
    on_found: OnFound = _nobody,
) -> Capabilities:
    """What a push needs to know, in about 30 requests, and what it needs `also`, in some 10 more
    each. Sets the store's ETag dialect. `killed`: see `Probe`.

    `on_found` is called with the answer before the clean-up begins. Raises when the endpoint
    cannot be asked: wrong credentials, no bucket, no answer, a fault.
    """
    asking = partial(_tried, store, also=also, killed=killed, on_found=on_found)
    return asking(nonce) or asking(f"{nonce}-again", at_once=False) or Capabilities()


def _tried(
    store: ObjectStore,
    nonce: str,
    *,
    also: Collection[Special],
    killed: Sequence[str],
    on_found: OnFound,
    at_once: bool = True,
) -> Capabilities | None:
    """With `at_once` None is for: ask again, one thing after the other. The endpoint failed to do
    so much at a time, or one answer never came; some was asked before its dialect was known, or
    this machine slept so long that others may have swept what was made: then a proof that did not
    hold tells nothing."""
    probe = Probe(store, nonce, killed=killed)
    spoken, began = store.etag_quotes, store.server_time()
    with ExitStack() as undo:
        undo.callback(_sweep, probe, small=not ("complete" in also or killed))
        try:
            conditions, race = _quick(probe, undo, also=also, at_once=at_once)
            slept = is_old(began, store.server_time())
            if at_once and (slept or store.etag_quotes != spoken):
                return None
            can = replace(conditions, races=conditions.create and race.result())
        except _PASSING:
            if not at_once:
                raise
            return None
        on_found(can)
        return can


def _sweep(probe: Probe, *, small: bool) -> None:
    with suppress(StoreError):  # what was proved stands; the objects are a few bytes
        probe.clean_up(small=small)


def _quick(
    probe: Probe, undo: ExitStack, *, also: Collection[Special], at_once: bool
) -> tuple[Capabilities, Future[bool]]:
    """All but the race, and the race under way; with `undo` it is over.

    Each proof has keys of its own, and waits for the endpoint mostly. A first write goes alone: a
    new bucket is laid out by that, and endpoints stumble when many come at once before.
    """
    proofs: dict[str, Proof] = {
        "replace": locks.replace,
        "stale": locks.stale_delete,
        "dated": reads.dated,
        **{name: SPECIAL[name] for name in also},
    }
    if at_once:
        _holds(lambda probe: probe.write(probe.key("first"), b"1"), probe)
    workers = len(proofs) + 2 if at_once else 1
    pool = undo.enter_context(Threads(workers, thread_name_prefix="s3dash-probe"))
    created = pool.submit(_holds, locks.create, probe)
    run = partial(_small_race, goes_again=at_once)
    race = pool.submit(lambda: created.result() and _holds(run, probe))
    running = {name: pool.submit(_holds, proof, probe) for name, proof in proofs.items()}
    held = {name: one.result() for name, one in running.items()}
    conditions = Capabilities(
        create=created.result(),
        replace=held["replace"],
        delete=held["stale"],
        dated=held["dated"],
        complete=held.get("complete", False),
        copies=held.get("copies", False),
    )
    return conditions, race


def special_probe(
    store: ObjectStore, name: Special, *, nonce: str, killed: Sequence[str] = ()
) -> bool:
    """Whether the endpoint has this one. Raises as `quick_probe`."""
    try:
        return _special(store, name, nonce, killed)
    except _PASSING:
        return _special(store, name, f"{nonce}-again", killed)


def _special(store: ObjectStore, name: Special, nonce: str, killed: Sequence[str]) -> bool:
    probe = Probe(store, nonce, killed=killed)
    try:
        return _holds(SPECIAL[name], probe)
    finally:
        _sweep(probe, small=name != "complete" and not killed)


def doctor(
    store: ObjectStore,
    *,
    nonce: str,
    prefix: str = "",
    race_rounds: int = locks.CREATE_ROUNDS,
    on_check: OnCheck | None = None,
    on_result: OnResult | None = None,
    stopped: threading.Event | None = None,
) -> Doctor:
    """All proofs, in some 600 requests, several at the same time. Sets the store's ETag dialect.

    `prefix` is the store's own, without a slash at its end. Raises only when nothing at all can
    be asked: wrong credentials, no bucket, no answer. A proof that could not be carried out has
    not held, and says why. What `on_check` or `on_result` raises ends it, cleaned up; once
    `stopped` is set, the proofs that are under way end early, too, and it raises Cancelled.
    """
    probe = Probe(store, nonce, stopped=stopped)
    try:
        granted = permissions(probe, prefixed=bool(prefix))
        _reached(probe, granted)
        checks = _checks(race_rounds, f"{prefix}/" if prefix else "")
        found = _prove_all(probe, checks, on_check, on_result)
    except BaseException:
        with suppress(StoreError):  # the first failure is the one to tell
            probe.clean_up()
        raise
    found["clean-up"] = _checked("clean-up", _clean_up, probe)
    can = Capabilities(
        create=found["create"].ok,
        replace=found["replace"].ok,
        delete=found["stale delete"].ok,
        races=found["create race"].ok and found["counter race"].ok,
        dated=found["server clock"].ok,
        complete=found["multipart"].ok,
        copies=found["conditional copy"].ok,
    )
    return Doctor(
        "safe" if can.safe else "unsafe",
        list(found.values()),
        can,
        granted,
        "quoted" if store.etag_quotes else "unquoted",
        probe.fenced,
    )


def _reached(probe: Probe, granted: list[Permission]) -> None:
    """Raises the plain failure when neither listing nor writing got an answer worth a proof."""
    by_name = {permission.name: permission.granted for permission in granted}
    if "granted" in (by_name["s3:ListBucket"], by_name["s3:PutObject"]):
        return
    try:
        next(iter(probe.store.list(probe.root)), None)
        probe.write(probe.key("reached"), b"x")
    except StoreError as error:
        error.hint = _region_hint(probe) or error.hint
        raise


def _region_hint(probe: Probe) -> str:
    """A bucket that is asked in another region than its own names that one all the same."""
    examination = probe.examination
    try:
        signed, named = examination.regions() if examination is not None else ("", "")
    except S3DashError:  # the failure before is the one to tell
        return ""
    return f'set `region` to "{named}"' if named not in ("", signed) else ""


def _checks(race_rounds: int, prefix: str) -> Mapping[str, Proof]:
    return {
        "create": locks.create,
        "replace": locks.replace,
        "create race": partial(locks.create_race, rounds=race_rounds),
        "counter race": locks.counter_race,
        "read after write": reads.read_after_write,
        "multipart": locks.multipart,
        "conditional copy": locks.conditional_copy,
        "stale delete": locks.stale_delete,
        "server clock": reads.server_clock,
        "checksums": bodies.checksums,
        "bulk delete": bodies.bulk_delete,
        "keys": bodies.keys,
        "paging": reads.paging,
        "ranges": reads.ranges,
        "addressing": bucket.addressing,
        "versioning": bucket.versioning,
        "lifecycle": partial(bucket.lifecycle, prefix=prefix),
        "unfinished uploads": bucket.unfinished,
        "etags": reads.etags,
        "listing": reads.listing,
    }


_FIRST = ("create", "replace")
"""What the others rest on: the dialect of ETags is known after these."""
_NEEDED = {"create race": "create", "counter race": "replace"}
"""A race on a condition that is ignored proves nothing, and leaves some endpoints in disorder."""


def _prove_all(
    probe: Probe,
    checks: Mapping[str, Proof],
    on_check: OnCheck | None,
    on_result: OnResult | None,
) -> dict[str, Check]:
    """In the order of `checks`, whichever ends first."""
    found: dict[str, Check] = {}

    def done(check: Check) -> None:
        probe.check()  # what ended because it was stopped has proved nothing
        found[check.name] = check
        if on_result is not None:
            on_result(check)
        if on_check is not None:
            on_check(len(found), len(checks), check.name)

    for name in _FIRST:
        done(_checked(name, checks[name], probe))
    rest = [name for name in checks if name not in _FIRST]
    for name in rest:
        needed = _NEEDED.get(name)
        if needed is not None and not found[needed].ok:
            done(Check(name, False, f"{NOT_TRIED}: «{needed}» does not hold"))
    _side_by_side(probe, {n: checks[n] for n in rest if n not in found}, done)
    return {name: found[name] for name in checks}


def _side_by_side(probe: Probe, checks: Mapping[str, Proof], done: Callable[[Check], None]) -> None:
    """However this is left, no proof is under way any more."""
    pool = Threads(AT_ONCE, thread_name_prefix="s3dash-doctor")
    try:
        running: list[Future[Check]] = [
            pool.submit(_checked, name, check, probe) for name, check in checks.items()
        ]
        for one in as_completed(running):
            done(one.result())
    except BaseException:
        probe.stopped.set()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _small_race(probe: Probe, *, goes_again: bool) -> str:
    try:
        return locks.create_race(probe, ways=QUICK_WAYS, rounds=QUICK_RACES)
    except Unsure as unsure:
        if goes_again:
            raise ServerFault(str(unsure)) from None
        raise


def _clean_up(probe: Probe) -> str:
    probe.clean_up()
    left = probe.left()
    if left:
        raise Broken(f"{left} objects or uploads are left below {probe.root}")
    return f"nothing is left below {probe.root}"


def _holds(check: Proof, probe: Probe) -> bool:
    """False when the endpoint was asked and did not do it; raises when it could not be asked."""
    try:
        check(probe)
    except Broken:
        return False
    except StoreError as error:
        if error.retryable or isinstance(error, AccessDenied | BucketNotFound):
            raise
        return False
    return True


def _checked(name: str, check: Proof, probe: Probe) -> Check:
    try:
        seen, ok = check(probe), True
    except Broken as broken:
        seen, ok = str(broken), False
    except S3DashError as error:
        seen, ok = error.message, False
    return Check(name, ok, follows(name, seen, ok=ok))
