"""`s3dash init`: configure a datastore from options, without a screen."""

from typing import TYPE_CHECKING, Annotated

import typer
from msgspec.structs import replace

from s3dash.cli.diagnostics import OK
from s3dash.cli.output import Cell, Output, Row
from s3dash.cli.session import Session
from s3dash.errors import S3DashError

if TYPE_CHECKING:
    from s3dash.cli.setup import Setup
    from s3dash.config.draft import Draft
    from s3dash.config.write import Change
    from s3dash.engine.first_look import Finding


def register(app: typer.Typer) -> None:
    app.command()(init)


_Reference = typer.Option(metavar="REF", help="env:NAME, file:PATH or keychain:SERVICE/ACCOUNT.")


def init(
    context: typer.Context,
    bucket: Annotated[str, typer.Option(help="The bucket.")],
    endpoint: Annotated[str, typer.Option(metavar="URL", help="An S3 endpoint; else AWS.")] = "",
    region: Annotated[str, typer.Option(help="The region, or auto.")] = "",
    path_style: Annotated[
        bool | None,
        typer.Option(help="The bucket in the path; the usual where there is an --endpoint."),
    ] = None,
    prefix: Annotated[str, typer.Option(help="What stands before every key.")] = "",
    profile: Annotated[str, typer.Option(help="A profile of ~/.aws.")] = "",
    access_key_id: Annotated[str, _Reference] = "",
    secret_access_key: Annotated[str, _Reference] = "",
    session_token: Annotated[str, _Reference] = "",
    cache: Annotated[str, typer.Option(metavar="DIR", help="Where its files are kept.")] = "",
    name: Annotated[str, typer.Option(help="Its name; else from prefix or bucket.")] = "",
    test: Annotated[
        bool, typer.Option(help="Look at it first; what cannot be reached is not written.")
    ] = True,
) -> int:
    """Add a datastore to the configuration; comments and order stay, nothing is overwritten.

    Secrets are refused: name where they are. The test proves the locks with small objects below
    `_control/s3dash/probe/`, which are deleted again.
    """
    from s3dash.config.draft import Draft

    session = Session.of(context)
    draft = Draft(
        bucket=bucket,
        endpoint=endpoint,
        region=region,
        force_path_style=bool(endpoint) if path_style is None else path_style,
        prefix=prefix.strip("/"),
        profile=profile,
        access_key_id=access_key_id,
        secret_access_key=secret_access_key,
        session_token=session_token,
        namespace=session.options.namespace or "",
        cache=cache,
        name=name,
    )
    return _add(session, replace(draft, name=draft.given_name), test=test)


def _add(session: Session, draft: "Draft", *, test: bool) -> int:
    """Everything is checked before the one write at the end."""
    setup = session.services.setup()
    change = setup.change(draft, setup.target(session.options.config))
    findings = _tested(session, setup, draft) if test else []
    change.write()
    checks = [{"name": f.name, "ok": f.ok, "detail": f.detail} for f in findings]
    document = {
        "path": str(change.path),
        "created": change.creates,
        "datastore": draft.name,
        "checks": checks,
    }
    session.output.emit(document, lambda out: _write(out, change, draft.name, findings))
    return OK


def _tested(session: Session, setup: "Setup", draft: "Draft") -> "list[Finding]":
    """Raises what stands in the way; unsafe locks are told, and do not."""
    from s3dash.engine.first_look import Finding

    session.diagnostics.waiting("looking at the bucket …")
    try:
        found = [setup.knock(draft), setup.who(draft)[0]]
        found.append(Finding("datastore", True, setup.place(draft).sentence))
        return [*found, setup.cache(draft), setup.locks(draft)]
    except S3DashError as error:
        untouched = "nothing was written; --no-test writes all the same"
        error.hint = f"{error.hint}; {untouched}" if error.hint else untouched
        raise


def _write(out: Output, change: "Change", name: str, findings: "list[Finding]") -> None:
    rows: list[Row] = [
        [Cell("ok", "good") if f.ok else Cell("look", "warn"), f.name, Cell(f.detail, "dim")]
        for f in findings
    ]
    out.table(rows, indent=0)
    done = "wrote" if change.creates else "added to"
    out.line(Cell(f"{done} ", "good"), str(change.path), f": [datastores.{name}]")
    for line in change.lines():
        out.line(Cell(line, "add" if line.startswith("+") else "dim"))
