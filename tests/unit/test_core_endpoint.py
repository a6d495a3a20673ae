"""Values about endpoints and namespaces: percentiles, what is proved, manifests that lie."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from s3dash.core.endpoint import (
    EndpointFacts,
    Finding,
    Grant,
    OpenUploads,
    Proof,
    UploadRow,
    percentile,
)
from s3dash.core.tenants import Manifest, Tenant, decode_manifest

OLD, NEW = "2026-01-01T00:00:00.000Z", "2026-02-01T00:00:00.000Z"


def finding(locking: str, at: str) -> Finding:
    return Finding(at=at, locking=locking, checks=(Proof("create", locking == "safe", ""),))  # type: ignore[arg-type] # one of the two


@pytest.mark.parametrize(
    ("values", "share", "found"),
    [
        ([], 0.5, None),
        ([7.0], 0.95, 7.0),
        ([3.0, 1.0, 2.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.5, 50.0),
        ([float(n) for n in range(1, 101)], 0.95, 95.0),
        ([float(n) for n in range(1, 101)], 1.0, 100.0),
    ],
)
def test_percentiles_are_values_that_were_seen(
    values: list[float], share: float, found: float | None
) -> None:
    assert percentile(values, share) == found


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1.0))
def test_a_share_of_all_lies_at_or_below_a_percentile(values: list[float], share: float) -> None:
    found = percentile(values, share)
    assert found in values
    assert sum(v <= found for v in values) >= share * len(values) - 1e-6


@pytest.mark.parametrize(
    ("known", "proved_at", "locking"),
    [
        (None, "", None),
        (None, NEW, "safe"),
        (finding("unsafe", OLD), "", "unsafe"),
        (finding("unsafe", NEW), OLD, "unsafe"),
        (finding("unsafe", OLD), NEW, "safe"),
        (finding("safe", NEW), "", "safe"),
    ],
)
def test_the_newer_proof_says_whether_locks_are_safe(
    known: Finding | None, proved_at: str, locking: str | None
) -> None:
    assert EndpointFacts(finding=known, proved_at=proved_at).locking == locking


def test_only_permissions_that_are_needed_can_be_missing() -> None:
    grants = (
        Grant("a", True, "granted", ""),
        Grant("b", True, "denied", ""),
        Grant("c", False, "denied", ""),
        Grant("d", True, "unknown", ""),
    )
    found = Finding(at=NEW, locking="safe", checks=(), grants=grants)
    assert [g.name for g in found.missing] == ["b", "d"]


@pytest.mark.parametrize(
    ("row", "fresh"),
    [
        (UploadRow(key="k", upload_id="1", quiet_s=10.0), True),
        (UploadRow(key="k", upload_id="1", quiet_s=899.0), True),
        (UploadRow(key="k", upload_id="1", quiet_s=901.0), False),
        (UploadRow(key="k", upload_id="1", quiet_s=None), True),
        (UploadRow(key="k", upload_id="1", quiet_s=10.0, ours=True), False),
    ],
)
def test_what_somebody_else_may_be_sending_is_fresh(row: UploadRow, fresh: bool) -> None:
    assert row.fresh is fresh


def test_the_sums_of_open_uploads_say_when_they_are_not_whole() -> None:
    known = UploadRow(key="a", upload_id="1", size=10, age_s=5.0)
    unknown = UploadRow(key="b", upload_id="2", age_s=50.0)
    both = OpenUploads(rows=(known, unknown))
    assert (both.size, both.is_whole, both.oldest_s) == (10, False, 50.0)
    assert OpenUploads().oldest_s is None


@pytest.mark.parametrize(
    ("raw", "said"),
    [
        (
            b'{"namespace":"web","repoId":"r1","registeredAt":"t"}',
            Manifest("web", "r1", "t"),
        ),
        (b"{}", Manifest()),
        (b'{"namespace":7,"repoId":null,"registeredAt":["x"]}', Manifest()),
        (b'{"repoId":"' + b"x" * 1000 + b'"}', Manifest(repo_id="x" * 512)),
        (b"[]", None),
        (b'"text"', None),
        (b"", None),
        (b"<html>", None),
        (b"\xff\xfe", None),
        (b"[" * 100_000, None),
        (b'{"repoId":"cut', None),
    ],
)
def test_a_manifest_is_read_as_far_as_it_makes_sense(raw: bytes, said: Manifest | None) -> None:
    assert decode_manifest(raw) == said


@given(st.binary(max_size=200))
def test_no_bytes_break_the_reading_of_a_manifest(raw: bytes) -> None:
    decode_manifest(raw)


def test_hydrated_is_a_share_of_bytes() -> None:
    assert Tenant(slug="a", size=200, held=50).hydrated == 0.25
    assert Tenant(slug="a", size=0, held=0).hydrated == 1.0
    assert Tenant(slug="a").hydrated is None
