"""`s3dash kv`: a bucket as keys and values."""

import tempfile
from contextlib import closing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any, BinaryIO, cast

import typer

from s3dash.cli.diagnostics import FAILED, OK
from s3dash.cli.kv_parts import file_of, moving, reading, save, writing
from s3dash.cli.lists import size_cell
from s3dash.cli.output import Cell, Output
from s3dash.cli.session import Session
from s3dash.core.text import count, size
from s3dash.errors import UsageError

if TYPE_CHECKING:
    from s3dash.core.cancel import CancelToken
    from s3dash.stores.kv.contract import KeyStore
    from s3dash.stores.kv.query import Entry, Query
    from s3dash.stores.kv.verify import Verdict

IN_MEMORY = 16 << 20
SHOWN = 60
"""Bytes of a value that a list shows."""

KeyArgument = Annotated[str, typer.Argument(metavar="KEY", help="The key, like /a/b.")]
Kubo = Annotated[
    Path | None,
    typer.Option("--kubo", metavar="FILE", help="Kubo's configuration, in place of s3dash's."),
]


def register(app: typer.Typer) -> None:
    group = typer.Typer(rich_markup_mode=None, no_args_is_help=True)
    group.callback()(kv)
    for command in (get, put, has, query, batch, verify):
        group.command()(command)
    group.command("size")(size_)
    group.command()(delete)
    app.add_typer(group, name="kv")


def kv() -> None:
    """A bucket as keys and values, with the contract of IPFS's datastores."""


def get(
    context: typer.Context,
    key: KeyArgument,
    to: Annotated[
        Path | None, typer.Option("--to", metavar="FILE", help="Write the value into a file.")
    ] = None,
    kubo: Kubo = None,
) -> int:
    """Write a value to standard output, as it is, or to a file."""
    session = Session.of(context)
    with tempfile.SpooledTemporaryFile(IN_MEMORY) as spool:
        length = reading(session, kubo, lambda store, _: _download(session, store, key, spool))
        spool.seek(0)
        if to is not None:
            save(session.absolute(str(to)), spool)
        _emit_value(session, key, length, spool, to)
    return OK


def put(
    context: typer.Context,
    key: KeyArgument,
    source: Annotated[str, typer.Argument(metavar="FILE", help="Its bytes; - reads them here.")],
    kubo: Kubo = None,
) -> int:
    """Store the bytes of a file, or of standard input, under a key."""
    session = Session.of(context)
    with file_of(session, source) as path:
        length = writing(session, kubo, lambda store, _: _upload(session, store, key, path))
    session.output.emit(
        {"key": _clean(key), "size": length},
        lambda out: out.line("stored ", Cell(_clean(key), "strong"), f", {size(length)}"),
    )
    return OK


def has(context: typer.Context, key: KeyArgument, kubo: Kubo = None) -> int:
    """Exit with 0 when the key has a value, else with 1."""
    session = Session.of(context)
    found = reading(session, kubo, lambda store, _: store.has(key))
    session.output.emit(
        {"key": _clean(key), "has": found},
        lambda out: out.line(Cell(_clean(key), "strong"), " is there" if found else " is missing"),
    )
    return OK if found else FAILED


def size_(context: typer.Context, key: KeyArgument, kubo: Kubo = None) -> int:
    """The length of a value in bytes."""
    session = Session.of(context)
    length = reading(session, kubo, lambda store, _: store.get_size(key))
    session.output.emit({"key": _clean(key), "size": length}, lambda out: out.line(str(length)))
    return OK


def delete(
    context: typer.Context,
    keys: Annotated[list[str], typer.Argument(metavar="KEY…", help="The keys.")],
    kubo: Kubo = None,
) -> int:
    """Delete keys. One that is not there is fine."""
    session = Session.of(context)
    gone = list(dict.fromkeys(_clean(key) for key in keys))

    def work(store: "KeyStore", _: "CancelToken") -> None:
        with store.batch() as changes:
            for key in gone:
                changes.delete(key)

    writing(session, kubo, work)
    session.output.emit(
        {"deleted": gone}, lambda out: out.line("deleted ", Cell(count(len(gone), "key"), "strong"))
    )
    return OK


def query(
    context: typer.Context,
    prefix: Annotated[str, typer.Argument(metavar="[PREFIX]", help="The keys below it.")] = "",
    keys_only: Annotated[bool, typer.Option("--keys-only", help="Read no values.")] = False,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="FILTER", help="Like 'KEY >= /b', 'VALUE == x'."),
    ] = None,
    orders: Annotated[
        list[str] | None,
        typer.Option("--order", metavar="ORDER", help="key, value, -key or -value; repeatable."),
    ] = None,
    offset: Annotated[int, typer.Option(min=0, help="Leave out so many.")] = 0,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 is all.")] = 0,
    kubo: Kubo = None,
) -> int:
    """List keys with sizes and values, as they come."""
    from s3dash.stores.kv.query import Query
    from s3dash.stores.kv.spoken import filter_of, order_of

    session = Session.of(context)
    asked = Query(
        prefix=prefix,
        filters=[filter_of(text) for text in filters or ()],
        orders=[order_of(text) for text in orders or ()],
        offset=offset,
        limit=limit,
        keys_only=keys_only,
    )
    return reading(session, kubo, lambda store, _: _answer(session, store, asked))


def batch(
    context: typer.Context,
    source: Annotated[
        str, typer.Argument(metavar="FILE", help="JSON lines; - reads standard input.")
    ],
    kubo: Kubo = None,
) -> int:
    """Put and delete what a file says, one JSON object a line, all of it read first.

    {"put": KEY, "text": TEXT}, {"put": KEY, "base64": TEXT} or {"delete": KEY}
    """
    session = Session.of(context)
    with file_of(session, source) as path:
        told = writing(session, kubo, lambda store, _: _apply(session, store, path, source))
    session.output.emit(
        told,
        lambda out: out.line(
            f"put {told['put']:,} ({size(told['bytes'])}), deleted {told['deleted']:,}"
        ),
    )
    return OK


def verify(
    context: typer.Context,
    prefix: Annotated[str, typer.Argument(metavar="[PREFIX]", help="The keys below it.")] = "",
    kubo: Kubo = None,
) -> int:
    """Read every block and compare it with its key; exit with 1 when one is damaged."""
    session = Session.of(context)
    told, damaged = reading(
        session, kubo, lambda store, cancel: _verify(session, store, prefix, cancel)
    )
    document = {**told, "damaged": damaged}
    session.output.emit(document, lambda out: _write_verified(out, told, damaged))
    return FAILED if damaged else OK


# --- how --------------------------------------------------------------------------------


def _clean(key: str) -> str:
    from s3dash.stores.kv.keys import Key

    return Key(key).text


def _upload(session: Session, store: "KeyStore", key: str, path: Path) -> int:
    from s3dash.stores.kv.keys import Key

    try:
        store.check(Key(key), b"")
    except ValueError as error:
        raise UsageError(str(error)) from error
    with moving(session, f"storing {Key(key)}", path.stat().st_size) as tell:
        return store.upload(key, path, on_bytes=tell)


def _download(session: Session, store: "KeyStore", key: str, sink: "IO[bytes]") -> int:
    with moving(session, f"reading {_clean(key)}") as tell:
        return store.download(key, cast("BinaryIO", sink), on_bytes=tell)


def _answer(session: Session, store: "KeyStore", asked: "Query") -> int:
    out, told = session.output, 0
    with closing(store.query(asked)) as found:
        if out.as_json:
            out.stream({"query": str(asked)}, "entries", map(_row, found))
            return OK
        for one in found:
            told += 1
            _write_entry(out, one)
    out.line(Cell(count(told, "key") if told else "no keys", "dim"))
    return OK


def _row(one: "Entry") -> dict[str, Any]:
    from s3dash.stores.kv.spoken import content

    value = {} if one.value is None else content(one.value)
    return {"key": one.key, "size": one.size, **value}


def _write_entry(out: Output, one: "Entry") -> None:
    out.line(
        Cell(f"{size_cell(one.size).text:>9}  ", "dim"),
        Cell(one.key, "strong"),
        "" if one.value is None else "  " + one.value[:SHOWN].decode(errors="backslashreplace"),
    )


def _apply(session: Session, store: "KeyStore", path: Path, where: str) -> dict[str, int]:
    """Every line is looked at before the first is carried out; they go in their order."""
    from s3dash.stores.kv.autobatch import Autobatch
    from s3dash.stores.kv.spoken import changes_of

    told = {"put": 0, "deleted": 0, "bytes": 0}
    with path.open("rb") as lines:
        for key, value in changes_of(lines, where=where):
            try:
                store.check(key, value)
            except ValueError as error:
                raise UsageError(f"{where}: {error}") from error
            told["deleted" if value is None else "put"] += 1
            told["bytes"] += len(value or b"")
    kept, done = Autobatch(store), 0
    with path.open("rb") as lines, session.diagnostics.steps() as show:
        for key, value in changes_of(lines, where=where):
            kept.apply({key: value})
            done += 1
            if show is not None:
                show(done, told["put"] + told["deleted"], "sending")
    kept.flush()
    return told


def _verify(
    session: Session, store: "KeyStore", prefix: str, cancel: "CancelToken"
) -> "tuple[dict[str, int], list[Verdict]]":
    from s3dash.stores.kv.verify import verified

    told = {"checked": 0, "ok": 0, "unknown": 0, "bytes": 0}
    damaged: list[Verdict] = []
    with session.diagnostics.steps() as show:
        for verdict in verified(store, prefix, cancel=cancel):
            told["checked"] += 1
            told["bytes"] += verdict.size
            if verdict.ok is False:
                damaged.append(verdict)
            else:
                told["unknown" if verdict.ok is None else "ok"] += 1
            if show is not None:
                show(told["checked"], 0, f"verifying {verdict.key}")
    return told, damaged


def _write_verified(out: Output, told: dict[str, int], damaged: "list[Verdict]") -> None:
    out.table([[Cell("damaged", "bad"), size_cell(one.size), one.key] for one in damaged], indent=0)
    known = f"{told['ok']:,} of {count(told['checked'], 'key')} are what they say"
    out.line(known, f", {len(damaged):,} damaged" if damaged else "", Cell(_others(told), "dim"))


def _others(told: dict[str, int]) -> str:
    return f", {told['unknown']:,} are no blocks" if told["unknown"] else ""


def _emit_value(
    session: Session, key: str, length: int, spool: "IO[bytes]", to: Path | None
) -> None:
    out = session.output
    known: dict[str, Any] = {"key": _clean(key), "size": length}
    if to is not None:
        out.emit(
            {**known, "to": str(to)},
            lambda out: out.line(f"{_clean(key)}, {size(length)}: ", Cell(str(to), "strong")),
        )
    elif out.as_json:
        from s3dash.stores.kv.spoken import content

        out.document({**known, **content(spool.read())})
    elif out.is_terminal:
        out.content(spool.read())
    else:
        out.copy(cast("BinaryIO", spool))
