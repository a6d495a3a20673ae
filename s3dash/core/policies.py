"""The two policies that `s3dash doctor` prints: what our credentials need, and a fence.

Both are documents for AWS, in its policy language (version 2012-10-17); Ceph, MinIO and others
read the same language, and not all of its conditions. Sources: the S3 user guide on enforcing
conditional writes and conditional deletes, and the reference of S3's actions and condition keys.
"""

from typing import Any

from s3dash.core import paths

Policy = dict[str, Any]

OBJECT_ACTIONS = (
    "s3:GetObject",
    "s3:PutObject",
    "s3:DeleteObject",
    "s3:AbortMultipartUpload",
    "s3:ListMultipartUploadParts",
)
PROBES = f"{paths.CONTROL_DIR}/s3dash/probe/"
UPLOADS_ACTION = "s3:ListBucketMultipartUploads"
ADVICE_ACTIONS = (
    "s3:GetBucketVersioning",
    "s3:GetLifecycleConfiguration",
    "s3:GetBucketLocation",
)


def iam(bucket: str, prefix: str, *, region: str | None = None) -> Policy:
    """For the user or role of s3dash: what it uses, below `prefix` (no slashes at its ends).

    The last statement is for `doctor` alone, and may be left out. Missing keys are answered
    with 404, as s3dash needs it: S3 lets s3:ListBucket decide that, with the key as `s3:prefix`.
    """
    place = _arn(bucket, region)
    listing: Policy = _allow("S3dashList", ["s3:ListBucket"], place)
    if prefix:
        listing["Condition"] = {"StringLike": {"s3:prefix": f"{prefix}/*"}}
    return _policy(
        listing,
        _allow("S3dashObjects", [*OBJECT_ACTIONS], f"{place}/{_below(prefix)}*"),
        _allow("S3dashUploads", [UPLOADS_ACTION], place),
        _allow("S3dashDoctorMayBeLeftOut", [*ADVICE_ACTIONS], place),
    )


def fence(bucket: str, prefix: str, *, region: str | None = None) -> Policy:
    """For the bucket: below `prefix`, nobody writes or takes a lock or an index blindly.

    Denied to everybody, the owner included: a write that carries neither If-Match nor
    If-None-Match, and the deletion of a lock or of a part of the index without If-Match. The
    requests that begin an upload and send its parts cannot carry conditions and are exempt:
    its completion is what writes the object. The keys of `doctor` are fenced as well, so that it
    sees whether an endpoint knows these conditions: AWS does; SeaweedFS 4.48 takes the policy,
    lets blind writes pass, and denies every deletion that the fence names.
    """
    place = f"{_arn(bucket, region)}/{_below(prefix)}"
    return _policy(
        {
            "Sid": "S3dashNoBlindWrite",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:PutObject",
            "Resource": f"{place}*",
            "Condition": {
                "Null": {"s3:if-match": "true", "s3:if-none-match": "true"},
                "Bool": {"s3:ObjectCreationOperation": "true"},
            },
        },
        {
            "Sid": "S3dashNoBlindDelete",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:DeleteObject",
            "Resource": [
                f"{place}{paths.GLOBAL_LOCK}",
                f"{place}{paths.LOCKS_DIR}/*",
                f"{place}{paths.INDEX_DIR}/*",
                f"{place}*/{paths.INDEX_DIR}/*",
                f"{place}{PROBES}*",
            ],
            "Condition": {"Null": {"s3:if-match": "true"}},
        },
    )


FENCE_TEXT = (
    "The fence is a bucket policy for AWS: S3 itself refuses writes that carry no condition, and",
    "deletions of locks and of the index that name no version. s3dash works under it. Plain",
    "clients (and `aws s3 cp`) can still read; they can neither push nor keep a lock, so that",
    "they can no longer overwrite what is newer than theirs. Server-side copies are refused too:",
    "s3dash then uploads renamed files again. `put-bucket-policy` replaces a policy that is there:",
    "merge the statements into it. Other endpoints may not know its conditions, and then deny too",
    "much or nothing: run `s3dash doctor` again once it is up, and take it down if proofs fail.",
)


def _policy(*statements: Policy) -> Policy:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def _allow(sid: str, actions: list[str], resource: str) -> Policy:
    return {"Sid": sid, "Effect": "Allow", "Action": actions, "Resource": resource}


def _below(prefix: str) -> str:
    return f"{prefix}/" if prefix else ""


def _arn(bucket: str, region: str | None) -> str:
    kinds = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
    partition = next((p for start, p in kinds.items() if (region or "").startswith(start)), "aws")
    return f"arn:{partition}:s3:::{bucket}"
