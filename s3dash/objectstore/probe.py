"""Proving what an endpoint does, by doing it; below a random key, cleaned up however it ends.

Locks are safe when creation, replacement and races hold (reliability, section 4, probes 1 to 3).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial
from typing import Literal

import msgspec

from s3dash.errors import AccessDenied, BucketNotFound, S3DashError, StoreError
from s3dash.objectstore import probe_checks as checks
from s3dash.objectstore.port import Capabilities, ObjectStore
from s3dash.objectstore.probe_checks import Broken, Probe

ROOT = "_control/s3dash/probe/"
QUICK_WAYS = 4


class Check(msgspec.Struct, frozen=True):
    """One proof: whether it held, and what was seen, in plain words."""

    name: str
    ok: bool
    detail: str


class Doctor(msgspec.Struct, frozen=True):
    """All proofs, and what follows from them."""

    locking: Literal["safe", "unsafe"]
    checks: list[Check]
    capabilities: Capabilities


def quick_probe(store: ObjectStore, *, nonce: str) -> Capabilities:
    """What a lock needs to know, in about 25 requests. Sets the store's ETag dialect.

    Raises when the endpoint cannot be asked: wrong credentials, no bucket, no answer, a fault.
    """
    probe = Probe(store, f"{ROOT}{nonce}/")
    try:
        create = _holds(checks.create, probe)
        return Capabilities(
            create=create,
            replace=_holds(checks.replace, probe),
            delete=_holds(checks.stale_delete, probe),
            races=create and _holds(_small_race, probe),
            dated=_holds(checks.dated, probe),
        )
    finally:
        with suppress(StoreError):  # what was proved stands; the objects are a few bytes
            probe.clean_up()


def doctor(store: ObjectStore, *, nonce: str, race_rounds: int = checks.CREATE_ROUNDS) -> Doctor:
    """All proofs, one after the other, in some 500 requests. Sets the store's ETag dialect.

    Raises only when nothing at all can be asked: wrong credentials, no bucket, no answer.
    A proof that could not be carried out has not held, and says why.
    """
    probe = Probe(store, f"{ROOT}{nonce}/")
    next(iter(store.list(probe.root)), None)
    try:
        found = _prove_all(probe, race_rounds)
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
    )
    return Doctor("safe" if can.safe else "unsafe", list(found.values()), can)


def _prove_all(probe: Probe, race_rounds: int) -> dict[str, Check]:
    found: dict[str, Check] = {}
    for name, check in _checks(race_rounds):
        needed = _NEEDED.get(name)
        if needed is not None and not found[needed].ok:
            found[name] = Check(name, False, f"not tried: «{needed}» does not hold")
        else:
            found[name] = _checked(name, check, probe)
    return found


_NEEDED = {"create race": "create", "counter race": "replace"}
"""A race on a condition that is ignored proves nothing, and leaves some endpoints in disorder."""


def _checks(race_rounds: int) -> Sequence[tuple[str, Callable[[Probe], str]]]:
    return (
        ("create", checks.create),
        ("replace", checks.replace),
        ("create race", partial(checks.create_race, rounds=race_rounds)),
        ("counter race", checks.counter_race),
        ("read after write", checks.read_after_write),
        ("stale delete", checks.stale_delete),
        ("server clock", checks.server_clock),
        ("checksums", checks.checksums),
        ("bulk delete", checks.bulk_delete),
        ("listing", checks.listing),
        ("ranges", checks.ranges),
    )


def _small_race(probe: Probe) -> str:
    return checks.create_race(probe, ways=QUICK_WAYS, rounds=1)


def _clean_up(probe: Probe) -> str:
    probe.clean_up()
    left = sum(1 for _ in probe.store.list(probe.root))
    if left:
        raise Broken(f"{left} objects are left below {probe.root}")
    return f"nothing is left below {probe.root}"


def _holds(check: Callable[[Probe], str], probe: Probe) -> bool:
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


def _checked(name: str, check: Callable[[Probe], str], probe: Probe) -> Check:
    try:
        return Check(name, True, check(probe))
    except Broken as broken:
        return Check(name, False, str(broken))
    except S3DashError as error:
        return Check(name, False, error.message)
