"""Endpoints that differ from S3 as vendors' do, as rules for a gate before a real server."""

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.contract.endpoint import Asked, Reply, error
from tests.contract.gate import denied, without

WRITES = frozenset({"PUT", "POST"})


def ceph(asked: Asked) -> Asked | Reply:
    """Ceph RGW and DO Spaces: the quotes are taken for a part of the ETag."""
    quoted = asked.headers.get("if-match", "").startswith('"')
    if quoted and asked.method in WRITES | {"DELETE"}:
        return denied(412, "PreconditionFailed")
    return asked


def minio(asked: Asked) -> Asked:
    """MinIO: conditions on PUT, none on DELETE."""
    return without(asked, "if-match") if asked.method == "DELETE" else asked


def b2(asked: Asked) -> Asked | Reply:
    """Backblaze B2 and OSS: a conditional write is «not implemented»."""
    conditional = {"if-match", "if-none-match"} & set(asked.headers)
    if conditional and asked.method in WRITES | {"DELETE"}:
        return denied(501, "NotImplemented")
    return asked


def gcs(asked: Asked) -> Asked:
    """GCS interoperability: conditions on writes are not looked at."""
    if asked.method in WRITES | {"DELETE"}:
        return without(asked, "if-match", "if-none-match")
    return asked


def r2(asked: Asked) -> Asked | Reply:
    """Cloudflare R2: the region is `auto`."""
    if "/auto/s3/" in asked.headers.get("authorization", ""):
        return asked
    return denied(400, "InvalidRegionName")


def weak_etags(asked: Asked, reply: Reply) -> Reply:
    """A proxy that compresses marks the ETags as weak."""
    told = {n: f"W/{v}" if n.lower() == "etag" else v for n, v in reply.headers.items()}
    return replace(reply, headers=told)


def in_region(name: str) -> Callable[[Asked, Reply], Reply]:
    """The bucket says where it is."""

    def bend(asked: Asked, reply: Reply) -> Reply:
        kept = {n: v for n, v in reply.headers.items() if n.lower() != "x-amz-bucket-region"}
        return replace(reply, headers={**kept, "x-amz-bucket-region": name})

    return bend


def only_in(region: str) -> Callable[[Asked], Asked | Reply]:
    """AWS, asked in another region than the bucket's."""

    def rule(asked: Asked) -> Asked | Reply:
        if f"/{region}/s3/" in asked.headers.get("authorization", ""):
            return asked
        body = b"" if asked.method == "HEAD" else error("PermanentRedirect")
        return Reply(301, body, {"x-amz-bucket-region": region})

    return rule


def login_page(asked: Asked) -> Asked | Reply:
    """Something before the endpoint answers listings with a form."""
    if "list-type=2" in asked.path:
        return Reply(200, b"<html><body>please log in</body></html>")
    return asked


# --- policies ---------------------------------------------------------------------------


class Policies:
    """Enforces policy documents as AWS does: `rule` and `bend` are for a gate.

    `allow`: what none of the documents names is allowed, as for the owner of a bucket.
    """

    def __init__(self, *policies: Any, allow: bool = False) -> None:
        self._statements = [s for policy in policies for s in policy["Statement"]]
        self._allow = allow

    def permit(self, action: str, resource: str, context: dict[str, str]) -> bool:
        met = [s for s in self._statements if _meets(s, action, resource, context)]
        if any(s["Effect"] == "Deny" for s in met):
            return False
        return self._allow or any(s["Effect"] == "Allow" for s in met)

    def rule(self, asked: Asked) -> Asked | Reply:
        refused = [use for use in _uses(asked) if not self.permit(*use)]
        if not refused:
            return asked
        if asked.method == "POST" and "delete" in _query(asked):
            return Reply(200, _undeleted(refused))
        return _forbidden(asked)

    def bend(self, asked: Asked, reply: Reply) -> Reply:
        """A missing key is told only to those who may list it; S3 asks for that right by key."""
        bucket, key = _place(asked)
        if reply.status != 404 or not key or asked.method not in ("GET", "HEAD"):
            return reply
        if self.permit("s3:ListBucket", f"arn:aws:s3:::{bucket}", {"s3:prefix": key}):
            return reply
        return _forbidden(asked)


def _forbidden(asked: Asked) -> Reply:
    return Reply(403, b"" if asked.method == "HEAD" else error("AccessDenied"))


def _place(asked: Asked) -> tuple[str, str]:
    bucket, _, key = unquote(urlsplit(asked.path).path).lstrip("/").partition("/")
    return bucket, key


def _query(asked: Asked) -> dict[str, list[str]]:
    return parse_qs(urlsplit(asked.path).query, keep_blank_values=True)


_BUCKET_ACTIONS = {
    "uploads": "s3:ListBucketMultipartUploads",
    "versioning": "s3:GetBucketVersioning",
    "lifecycle": "s3:GetLifecycleConfiguration",
    "location": "s3:GetBucketLocation",
}


def _uses(asked: Asked) -> list[tuple[str, str, dict[str, str]]]:
    """The actions that a request needs, each with its resource and context."""
    bucket, key = _place(asked)
    place, query = f"arn:aws:s3:::{bucket}", _query(asked)
    if not key and "delete" in query:
        keys = re.findall(rb"<Key>([^<]*)</Key>", asked.body)
        return [("s3:DeleteObject", f"{place}/{k.decode()}", {}) for k in keys]
    if not key:
        action = next((a for q, a in _BUCKET_ACTIONS.items() if q in query), "s3:ListBucket")
        prefix = query.get("prefix", [""])[0]
        return [(action, place, {"s3:prefix": prefix} if prefix else {})]
    needed = [(_object_action(asked, query), f"{place}/{key}", _context(asked, query))]
    source = asked.headers.get("x-amz-copy-source")
    if source:
        needed.append(("s3:GetObject", f"arn:aws:s3:::{unquote(source).lstrip('/')}", {}))
    return needed


def _object_action(asked: Asked, query: dict[str, list[str]]) -> str:
    if asked.method in ("GET", "HEAD"):
        return "s3:ListMultipartUploadParts" if "uploadId" in query else "s3:GetObject"
    if asked.method == "DELETE":
        return "s3:AbortMultipartUpload" if "uploadId" in query else "s3:DeleteObject"
    return "s3:PutObject"


def _context(asked: Asked, query: dict[str, list[str]]) -> dict[str, str]:
    parts = "uploads" in query or ("uploadId" in query and asked.method == "PUT")
    context = {"s3:ObjectCreationOperation": "false" if parts else "true"}
    for header in ("if-match", "if-none-match"):
        if header in asked.headers:
            context[f"s3:{header}"] = asked.headers[header]
    return context


def _meets(statement: Any, action: str, resource: str, context: dict[str, str]) -> bool:
    return (
        action in _list(statement["Action"])
        and any(_like(resource, pattern) for pattern in _list(statement["Resource"]))
        and all(
            _holds(operator, name, value, context)
            for operator, tests in statement.get("Condition", {}).items()
            for name, value in tests.items()
        )
    )


def _holds(operator: str, name: str, value: Any, context: dict[str, str]) -> bool:
    if operator == "Null":
        return (name not in context) is (value == "true")
    if name not in context:
        return False
    if operator == "Bool":
        return bool(context[name] == value)
    if operator == "StringLike":
        return any(_like(context[name], pattern) for pattern in _list(value))
    raise AssertionError(f"no test knows the operator {operator}")


def _like(text: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*"), text, re.DOTALL) is not None


def _list(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value)


def _undeleted(refused: list[tuple[str, str, dict[str, str]]]) -> bytes:
    keys = [resource.partition("/")[2] for _, resource, _ in refused]
    errors = "".join(f"<Error><Key>{k}</Key><Code>AccessDenied</Code></Error>" for k in keys)
    return f"<DeleteResult>{errors}</DeleteResult>".encode()
