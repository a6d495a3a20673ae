"""The printed policies: whom they let do what, where, and in which partition of AWS."""

import pytest

from s3dash.core.policies import Policy, fence, iam


def by_sid(policy: Policy) -> dict[str, Policy]:
    return {statement["Sid"]: statement for statement in policy["Statement"]}


def test_listing_is_allowed_below_the_prefix_only() -> None:
    listing = by_sid(iam("shared", "team/a"))["S3dashList"]
    assert listing["Resource"] == "arn:aws:s3:::shared"
    assert listing["Condition"] == {"StringLike": {"s3:prefix": "team/a/*"}}
    assert "Condition" not in by_sid(iam("shared", ""))["S3dashList"]


def test_objects_are_allowed_below_the_prefix_only() -> None:
    objects = by_sid(iam("shared", "team"))["S3dashObjects"]
    assert objects["Resource"] == "arn:aws:s3:::shared/team/*"
    assert by_sid(iam("shared", ""))["S3dashObjects"]["Resource"] == "arn:aws:s3:::shared/*"


def test_nothing_is_allowed_by_a_wildcard_action() -> None:
    for statement in iam("shared", "team")["Statement"]:
        assert not any("*" in action for action in statement["Action"])


def test_the_fence_denies_to_all_what_carries_no_condition() -> None:
    write = by_sid(fence("shared", "team"))["S3dashNoBlindWrite"]
    assert (write["Effect"], write["Principal"], write["Action"]) == ("Deny", "*", "s3:PutObject")
    assert write["Resource"] == "arn:aws:s3:::shared/team/*"
    assert write["Condition"]["Null"] == {"s3:if-match": "true", "s3:if-none-match": "true"}
    assert write["Condition"]["Bool"] == {"s3:ObjectCreationOperation": "true"}


def test_the_fence_keeps_locks_and_the_index_from_blind_deletion() -> None:
    delete = by_sid(fence("shared", ""))["S3dashNoBlindDelete"]
    assert delete["Resource"] == [
        "arn:aws:s3:::shared/.datastore.lock",
        "arn:aws:s3:::shared/.locks/*",
        "arn:aws:s3:::shared/_index/*",
        "arn:aws:s3:::shared/*/_index/*",
        "arn:aws:s3:::shared/_control/s3dash/probe/*",
    ]


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        (None, "aws"),
        ("eu-west-1", "aws"),
        ("cn-north-1", "aws-cn"),
        ("us-gov-west-1", "aws-us-gov"),
    ],
)
def test_names_are_in_the_partition_of_the_region(region: str | None, partition: str) -> None:
    for make in (iam, fence):
        assert f'"arn:{partition}:s3:::b' in str(make("b", "", region=region)).replace("'", '"')
