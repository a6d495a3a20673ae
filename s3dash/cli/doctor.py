"""`s3dash doctor`: what the endpoint really does, proved by trying."""

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from s3dash.cli.diagnostics import NO_LOCK, OK
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session

if TYPE_CHECKING:
    from s3dash.core.settings import Datastore
    from s3dash.objectstore.probe import Doctor
    from s3dash.objectstore.probe_permissions import Permission


class PolicyKind(StrEnum):
    """Which policy `--policy` prints."""

    iam = "iam"
    fence = "fence"


def register(app: typer.Typer) -> None:
    app.command()(doctor)


def doctor(
    context: typer.Context,
    policy: Annotated[
        PolicyKind | None,
        typer.Option(
            help="Only print a policy as JSON, for the aws command line: `iam` is what our "
            "credentials need, `fence` a bucket policy that keeps plain clients from writing."
        ),
    ] = None,
) -> int:
    """Prove what the endpoint can do. Exit code 4 when no lock on it can be trusted.

    Writes and deletes small objects under a random key below `_control/s3dash/probe/`.
    """
    session = Session.of(context)
    if policy is not None:
        return _print_policy(session, policy)
    with session.diagnostics.steps() as show:
        settings, found = session.services.doctor(session.options, on_check=show)
    document = _document(settings, found)
    session.output.emit(document, lambda out: _write(out, settings, found))
    return OK if found.locking == "safe" else NO_LOCK


def _print_policy(session: Session, kind: PolicyKind) -> int:
    from s3dash.core import policies

    settings = session.services.settings(session.options)
    make = policies.iam if kind is PolicyKind.iam else policies.fence
    session.output.document(make(settings.bucket, settings.prefix, region=settings.region))
    return OK


def _document(settings: "Datastore", found: "Doctor") -> dict[str, Any]:
    """The design's shape, and more: how ETags are sent, whether a fence is up, permissions."""
    return {
        "endpoint": settings.address,
        "locking": found.locking,
        "checks": [{"name": c.name, "ok": c.ok, "detail": c.detail} for c in found.checks],
        "dialect": found.dialect,
        "fenced": found.fenced,
        "permissions": [
            {"name": p.name, "needed": p.needed, "granted": p.granted, "detail": p.detail}
            for p in found.permissions
        ],
    }


def _write(out: Output, settings: "Datastore", found: "Doctor") -> None:
    rows: list[Row] = [
        [Cell("ok", "good") if c.ok else Cell("FAILS", "bad"), c.name, Cell(c.detail, "dim")]
        for c in found.checks
    ]
    out.table(rows, indent=0)
    out.heading("Permissions")
    out.table([_permission(p) for p in found.permissions], indent=0)
    out.line()
    _write_verdict(out, settings.address, found)
    _write_policies(out, settings, found)


def _permission(permission: "Permission") -> Row:
    granted = Cell("granted", "good")
    if permission.granted != "granted":
        granted = Cell(permission.granted, "bad" if permission.needed else "warn")
    need = "needed" if permission.needed else "optional"
    return [granted, need, permission.name, Cell(permission.detail, "dim")]


def _write_verdict(out: Output, endpoint: str, found: "Doctor") -> None:
    if found.locking == "safe":
        out.line(endpoint, ": ", Cell("safe", "good"), ", locks on it can be trusted")
        out.line(f"ETags go {found.dialect} in conditions")
    else:
        out.line(endpoint, ": ", Cell("UNSAFE", "bad"), ", no lock on it can be trusted:")
        out.line('push is refused unless the configuration says locking = "unsafe"')


def _write_policies(out: Output, settings: "Datastore", found: "Doctor") -> None:
    from s3dash.core.policies import FENCE_TEXT

    out.heading("Policies")
    out.line("s3dash doctor --policy iam    what these credentials need, and no more")
    out.line("s3dash doctor --policy fence  keeps plain clients from writing; to put it up:")
    out.line(
        "  s3dash doctor --policy fence | aws s3api put-bucket-policy "
        f"--bucket {settings.bucket} --policy file:///dev/stdin"
    )
    if found.fenced:
        out.line("A fence is up: this bucket takes no write without a condition.")
    for line in FENCE_TEXT:
        out.line(Cell(line, "dim"))
