"""What the doctor found, as the screen shows it, kept between runs."""

import msgspec

from s3dash.core.endpoint import Finding, Grant, Proof
from s3dash.engine import trust
from s3dash.engine.context import Context
from s3dash.objectstore.probe import Check, Doctor


def recalled(ctx: Context) -> Finding | None:
    """The latest finding for this endpoint and bucket, however old."""
    text = ctx.state.get(_key(ctx))
    try:
        return msgspec.json.decode(text, type=Finding) if text else None
    except msgspec.DecodeError:
        return None  # a damaged note: whoever wants to know looks again


def keep(ctx: Context, found: Doctor) -> Finding:
    """Remember it, and follow it from now on: the dialect, and whether locks are safe."""
    finding = Finding(
        at=ctx.now(),
        locking=found.locking,
        checks=tuple(map(proof_of, found.checks)),
        grants=tuple(Grant(p.name, p.needed, p.granted, p.detail) for p in found.permissions),
        dialect=found.dialect,
        fenced=found.fenced,
    )
    store(ctx, finding)
    trust.remember(ctx, found.capabilities, quotes=found.dialect == "quoted")
    return finding


def store(ctx: Context, finding: Finding) -> None:
    """For the next start."""
    ctx.state.set(_key(ctx), msgspec.json.encode(finding).decode())


def proof_of(check: Check) -> Proof:
    return Proof(check.name, check.ok, check.detail)


def _key(ctx: Context) -> str:
    return f"doctor:{ctx.settings.address}/{ctx.settings.bucket}"
