"""The whole examination, on real servers and on endpoints that are bent as vendors' are."""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from s3dash.core.policies import ADVICE_ACTIONS, OBJECT_ACTIONS, UPLOADS_ACTION, fence, iam
from s3dash.core.settings import Credentials
from s3dash.errors import AccessDenied, Cancelled, NotFound, StoreError
from s3dash.objectstore.memory import MemoryBucket, MemoryStore
from s3dash.objectstore.probe import Doctor, doctor, quick_probe
from s3dash.objectstore.probe_base import ROOT, Broken, Probe
from s3dash.objectstore.probe_bucket import addressing, lifecycle, versioning
from s3dash.objectstore.probe_follows import follows
from s3dash.objectstore.probe_permissions import permissions
from s3dash.objectstore.probe_reads import etags
from s3dash.objectstore.s3 import S3Store
from tests.contract import bent_endpoints as bent
from tests.contract.gate import Gate, Rule, denied, gated
from tests.engine.clocks import TestClock
from tests.servers import ACCESS_KEY, SECRET_KEY, Server, start_weed

NO_CONDITIONS = {"create", "replace", "races", "delete", "complete", "copies"}
Behind = Callable[..., tuple[S3Store, Gate]]


@pytest.fixture
def behind(tmp_path: Path) -> Iterator[Behind]:
    """A store on a bucket of its own behind a gate."""
    with ExitStack() as stack:

        def make(server: Server, *rules: Any, **over: Any) -> tuple[S3Store, Gate]:
            gate = stack.enter_context(gated(server, *rules))
            bucket = over.pop("bucket", None) or server.make_bucket()
            store = gate.server.store(bucket, tmp_path, **{"prefix": "team", **over})
            stack.callback(store.close)
            return store, gate

        yield make


def examined(store: S3Store) -> Doctor:
    """Everything, with one race of each kind."""
    return doctor(store, nonce="n", prefix="team", race_rounds=1)


def failed(found: Doctor) -> set[str]:
    return {check.name for check in found.checks if not check.ok}


def detail(found: Doctor, name: str) -> str:
    return next(check.detail for check in found.checks if check.name == name)


def grants(found: Doctor) -> dict[str, str]:
    return {permission.name: permission.granted for permission in found.permissions}


# --- endpoints --------------------------------------------------------------------------

VENDORS: dict[str, tuple[str, Rule, str, set[str], str]] = {
    # name: (server behind, rule, verdict, capabilities that are lacking, dialect)
    "ceph": ("weed", bent.ceph, "safe", set(), "unquoted"),
    "minio": ("moto", bent.minio, "safe", {"delete", "complete", "copies"}, "quoted"),
    "b2": ("moto", bent.b2, "unsafe", NO_CONDITIONS, "quoted"),
    "gcs": ("moto", bent.gcs, "unsafe", NO_CONDITIONS, "quoted"),
    "r2": ("moto", bent.r2, "safe", {"complete", "copies"}, "quoted"),
}  # fmt: skip


@pytest.mark.parametrize("vendor", VENDORS)
def test_each_vendor_gets_its_verdict(
    request: pytest.FixtureRequest, behind: Behind, vendor: str
) -> None:
    behind_it, rule, verdict, lacking, dialect = VENDORS[vendor]
    region = "auto" if vendor == "r2" else "us-east-1"
    store, _ = behind(request.getfixturevalue(behind_it), rule, region=region)
    found = examined(store)
    can = {name: getattr(found.capabilities, name) for name in found.capabilities.__struct_fields__}
    assert found.locking == verdict
    assert {name for name, held in can.items() if not held} == lacking
    assert found.dialect == dialect
    assert {p.granted for p in found.permissions} == {"granted"}
    assert list(store.list()) == []
    assert quick_probe(store, nonce="q") == found.capabilities
    assert list(store.list()) == []


def test_what_follows_is_told_for_what_held_and_for_what_did_not() -> None:
    assert follows("create", "made", ok=True) == "made. A lock is had by one such write"
    assert "push is refused" in follows("create", "accepted", ok=False)
    assert "reading the nonce first" in follows("stale delete", "it deleted", ok=False)
    assert follows("create race", "not tried: no", ok=False) == "not tried: no"
    assert follows("versioning", "off", ok=True) == "off"


def test_weak_etags_are_told(moto: Server, behind: Behind) -> None:
    store, _ = behind(moto, lambda asked: asked, bent.weak_etags)
    with pytest.raises(Broken, match="weak"):
        etags(Probe(store, "n"))


def test_the_right_region_is_told(moto: Server, behind: Behind) -> None:
    store, _ = behind(moto, lambda asked: asked, bent.in_region("eu-west-3"))
    with pytest.raises(Broken, match='set `region` to "eu-west-3"'):
        addressing(Probe(store, "n"))


def test_a_region_that_is_answered_with_redirects_is_told(moto: Server, behind: Behind) -> None:
    """Nothing works then; the answers name the right region all the same."""
    store, _ = behind(moto, bent.only_in("eu-west-3"))
    with pytest.raises(StoreError) as failure:
        examined(store)
    assert failure.value.hint == 'set `region` to "eu-west-3"'


def test_a_login_page_is_no_empty_bucket(weed: Server, behind: Behind) -> None:
    store, _ = behind(weed, bent.login_page)
    found = examined(store)
    assert {"listing", "paging", "read after write", "clean-up"} <= failed(found)
    assert grants(found)["s3:ListBucket"] == "unknown"


# --- the bucket's own settings ----------------------------------------------------------

EXPIRES = {"ID": "old", "Status": "Enabled", "Filter": {"Prefix": "te"}, "Expiration": {"Days": 9}}
COLD = {
    "ID": "cold",
    "Status": "Enabled",
    "Filter": {"Prefix": "team/data/"},
    "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}],
}
ABORTS = {
    "ID": "tidy",
    "Status": "Enabled",
    "Filter": {"Prefix": ""},
    "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
}


@pytest.mark.parametrize(
    ("rules", "ok", "told"),
    [
        ([EXPIRES], False, "rule 'old' deletes objects below 'te'"),
        ([COLD], False, "where they cannot be read at once below 'team/data/'"),
        ([{**EXPIRES, "Filter": {"Prefix": "other/"}}], True, "no rule aborts unfinished uploads"),
        ([{**EXPIRES, "Status": "Disabled"}], True, "nothing of ours expires"),
        ([ABORTS], True, "unfinished uploads go after 7 days"),
    ],
)
def test_lifecycle_rules_are_judged(
    moto: Server, tmp_path: Path, rules: list[Any], ok: bool, told: str
) -> None:
    bucket = moto.make_bucket()
    moto.client().put_bucket_lifecycle_configuration(
        Bucket=bucket, LifecycleConfiguration={"Rules": rules}
    )
    store = moto.store(bucket, tmp_path, prefix="team")
    try:
        seen, held = lifecycle(Probe(store, "n"), prefix="team/"), True
    except Broken as broken:
        seen, held = str(broken), False
    assert held is ok
    assert told in seen
    store.close()


def test_versioning_is_told(moto: Server, tmp_path: Path) -> None:
    bucket = moto.make_bucket()
    store = moto.store(bucket, tmp_path)
    assert "gone from the bucket" in versioning(Probe(store, "n"))
    moto.client().put_bucket_versioning(
        Bucket=bucket, VersioningConfiguration={"Status": "Enabled"}
    )
    assert "can be had back" in versioning(Probe(store, "n"))
    store.close()


# --- permissions and policies -----------------------------------------------------------


def test_the_printed_policy_is_enough(weed: Server, behind: Behind) -> None:
    bucket = weed.make_bucket()
    allowed = bent.Policies(iam(bucket, "team"))
    store, gate = behind(weed, allowed.rule, allowed.bend, bucket=bucket)
    found = examined(store)
    assert (found.locking, failed(found)) == ("safe", {"keys"})
    assert {name for name, granted in grants(found).items() if granted != "granted"} == {
        "s3:ListBucket, whole bucket"
    }
    assert {asked.method for asked in gate.refused} <= {"GET", "HEAD"}
    assert list(store.list()) == []


MISSING_KEYS = ("s3:ListBucket, for missing keys",)
ALSO = {"s3:ListBucket": MISSING_KEYS, "s3:GetObject": MISSING_KEYS}
"""What a HEAD of a missing key takes as well."""


@pytest.mark.parametrize(
    "action", ["s3:ListBucket", *OBJECT_ACTIONS, UPLOADS_ACTION, *ADVICE_ACTIONS]
)
def test_each_permission_that_lacks_is_found(moto: Server, behind: Behind, action: str) -> None:
    bucket = moto.make_bucket()
    policy = iam(bucket, "team")
    for statement in policy["Statement"]:
        statement["Action"] = [a for a in statement["Action"] if a != action]
    lacking = bent.Policies(policy)
    store, _ = behind(moto, lacking.rule, lacking.bend, bucket=bucket)
    found = permissions(Probe(store, "n"), prefixed=True)
    lost = {permission.name for permission in found if permission.granted == "denied"}
    assert lost == {action, "s3:ListBucket, whole bucket", *ALSO.get(action, ())}
    permission = next(permission for permission in found if permission.name == action)
    assert permission.needed is (action not in ADVICE_ACTIONS)
    assert permission.detail.startswith("without it: ")


def test_a_fence_that_an_endpoint_cannot_read_is_told(weed: Server, tmp_path: Path) -> None:
    """SeaweedFS knows no `s3:if-match`: it takes the policy and denies every fenced deletion."""
    bucket = weed.make_bucket()
    document = json.dumps(fence(bucket, "team"))
    weed.client().put_bucket_policy(Bucket=bucket, Policy=document)
    store = weed.store(bucket, tmp_path, prefix="team")
    found = examined(store)
    assert grants(found)["s3:DeleteObject"] == "denied"
    assert {"stale delete", "clean-up"} <= failed(found)
    assert not found.fenced
    weed.client().delete_bucket_policy(Bucket=bucket)
    assert grants(examined(store))["s3:DeleteObject"] == "granted"
    store.close()


def test_a_missing_key_is_told_before_anything_was_listed(weed: Server, behind: Behind) -> None:
    """HEAD of the bucket is denied to those who may list below a prefix only."""
    bucket = weed.make_bucket()
    allowed = bent.Policies(iam(bucket, "team"))
    store, _ = behind(weed, allowed.rule, allowed.bend, bucket=bucket)
    with pytest.raises(NotFound):
        store.head("missing")


def test_a_real_identity_that_may_only_read_is_told_so(tmp_path: Path) -> None:
    """SeaweedFS itself denies: this is no gate's opinion."""
    reader = Credentials("reader", "reader-secret")
    server = start_weed(tmp_path / "weed", identities=limited(reader, "Read", "List"))
    try:
        bucket = server.make_bucket()
        server.client().put_object(Bucket=bucket, Key="team/files/a", Body=b"x")
        store = replace(server, access_key="reader", secret_key="reader-secret").store(
            bucket, tmp_path, prefix="team"
        )
        found = doctor(store, nonce="n", prefix="team", race_rounds=1)
        assert found.locking == "unsafe"
        lost = {name for name, granted in grants(found).items() if granted == "denied"}
        assert {"s3:PutObject", "s3:DeleteObject"} <= lost
        assert {name for name, granted in grants(found).items() if granted == "granted"} >= {
            "s3:ListBucket",
            "s3:GetObject",
            "s3:ListBucket, for missing keys",
        }
        assert "access denied" in detail(found, "create")
        with pytest.raises(AccessDenied):
            quick_probe(store, nonce="q")
        store.close()
    finally:
        server.stop()


def limited(who: Credentials, *actions: str) -> Any:
    """Identities of SeaweedFS: the usual one, and one that may do less."""

    def identity(name: str, keys: tuple[str, str], may: list[str]) -> Any:
        pair = {"accessKey": keys[0], "secretKey": keys[1]}
        return {"name": name, "credentials": [pair], "actions": may}

    return {
        "identities": [
            identity("all", (ACCESS_KEY, SECRET_KEY), ["Admin", "Read", "Write", "List"]),
            identity("less", (who.access_key_id, who.secret_access_key), list(actions)),
        ]
    }


def test_with_no_rights_at_all_the_failure_is_raised(moto: Server, behind: Behind) -> None:
    store, _ = behind(moto, lambda asked: denied())
    with pytest.raises(AccessDenied):
        examined(store)


def test_a_fence_is_seen_and_does_no_harm(weed: Server, behind: Behind) -> None:
    bucket = weed.make_bucket()
    up = bent.Policies(fence(bucket, "team"), allow=True)
    store, gate = behind(weed, up.rule, bucket=bucket)
    found = examined(store)
    assert (found.locking, found.fenced, failed(found)) == ("safe", True, {"keys"})
    assert {p.granted for p in found.permissions} == {"granted"}
    assert gate.refused
    assert list(store.list()) == []


# --- cleaning up ------------------------------------------------------------------------


def test_what_a_killed_run_left_is_swept_by_the_server_s_clock() -> None:
    clock = TestClock()
    store = MemoryStore(MemoryBucket(clock=clock))
    store.put(f"{ROOT}killed/create", b"x")
    clock.advance(timedelta(minutes=50).total_seconds())
    store.put(f"{ROOT}running/create", b"x")
    quick_probe(store, nonce="q")
    assert len(store.bucket.all_keys()) == 2
    clock.advance(timedelta(minutes=20).total_seconds())
    quick_probe(store, nonce="q")
    assert store.bucket.all_keys() == [f"{ROOT}running/create"]


def test_uploads_that_were_not_completed_are_swept(weed: Server, tmp_path: Path) -> None:
    """Our own; others' stay, as they are young by the server's clock."""
    store = weed.store(weed.make_bucket(), tmp_path)
    store.examination().begin_upload(f"{ROOT}n/parts")
    store.examination().begin_upload(f"{ROOT}other/parts")
    Probe(store, "n").clean_up()
    assert [upload.key for upload in store.list_uploads(ROOT)] == [f"{ROOT}other/parts"]
    store.close()


def test_one_key_that_cannot_be_deleted_keeps_no_other() -> None:
    def before(op: str, key: str) -> None:
        if op in ("delete", "delete_many") and key.endswith("/range"):
            raise AccessDenied("this one stays")

    store = MemoryStore(MemoryBucket(), before=before)
    found = doctor(store, nonce="n", race_rounds=1)
    assert failed(found) == {"clean-up"}
    assert [key.rpartition("/")[2] for key in store.bucket.all_keys()] == ["range"]


def test_a_signal_ends_the_examination_and_it_cleans_up() -> None:
    """Ctrl+C raises in the main thread, wherever it stands: here when told of a proof."""
    store = MemoryStore(MemoryBucket())
    told: list[str] = []

    def stop(done: int, of: int, name: str) -> None:
        told.append(name)
        if done == 4:
            raise Cancelled("stopped by SIGINT")

    with pytest.raises(Cancelled):
        doctor(store, nonce="n", on_check=stop)
    assert len(told) == 4
    assert store.bucket.all_keys() == []


def test_each_proof_is_told_as_it_ends() -> None:
    told: list[tuple[int, int, str]] = []
    found = doctor(
        MemoryStore(MemoryBucket()),
        nonce="n",
        race_rounds=1,
        on_check=lambda done, of, name: told.append((done, of, name)),
    )
    names = [check.name for check in found.checks if check.name != "clean-up"]
    assert [done for done, _, _ in told] == list(range(1, len(names) + 1))
    assert {of for _, of, _ in told} == {len(names)}
    assert {name for _, _, name in told} == set(names)
