"""One operation in several namespaces, one after the other, each with a lock of its own."""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec

from s3dash.cli.diagnostics import FAILED, INTERRUPTED, NO_LOCK, OK, PARTLY, REMAINS, USAGE
from s3dash.cli.output import Cell, Output
from s3dash.cli.session import Session
from s3dash.errors import Cancelled, S3DashError

if TYPE_CHECKING:
    from s3dash.core.cancel import CancelToken
    from s3dash.core.report import Result
    from s3dash.engine.api import EngineApi

Job = Callable[["EngineApi", "CancelToken"], "Result"]
Write = Callable[[Output, "Result"], None]

WORST_FIRST = (INTERRUPTED, USAGE, FAILED, NO_LOCK, PARTLY, REMAINS, OK)
"""Which exit code of several counts."""


class Outcome(msgspec.Struct, frozen=True):
    """How it went in one namespace: a result or an error."""

    namespace: str
    result: "Result | None" = None
    error: S3DashError | None = None

    @property
    def code(self) -> int:
        if self.error is not None:
            return self.error.exit_code
        return self.result.exit_code if self.result is not None else OK

    def document(self) -> dict[str, Any]:
        """`{namespace, …the result}` or `{namespace, error: {type, message, hint}}`."""
        told: dict[str, Any] = {}
        if self.result is not None:
            told = self.result.document()
        if self.error is not None:
            told = dict(self.error.document())
        return {"namespace": self.namespace, **told}


def operate(session: Session, names: Sequence[str], job: Job, write: Write) -> int:
    """Do `job` in each of `names`, none: in the configured one; the exit code.

    With one the result is the document, and its error is raised; with several it is
    `{results: […]}`, one failing stops no other, and the worst exit code counts.
    """
    if len(names) < 2:
        return _once(session, next(iter(names), None), job, write)
    outcomes = _each(session, names, job)
    document = {"results": [outcome.document() for outcome in outcomes]}
    session.output.emit(document, lambda out: _write(out, outcomes, write))
    return worst(outcome.code for outcome in outcomes)


def worst(codes: Iterable[int]) -> int:
    """The code of several that counts: see `WORST_FIRST`."""
    return min(codes, key=WORST_FIRST.index, default=OK)


def _once(session: Session, name: str | None, job: Job, write: Write) -> int:
    options = session.options if name is None else session.options.within(name)
    with session.engine(options) as engine:
        result = session.work(engine, partial(job, engine))
    session.output.emit(result.document(), lambda out: write(out, result))
    return result.exit_code


def _each(session: Session, names: Sequence[str], job: Job) -> list[Outcome]:
    """One that was interrupted is the last."""
    outcomes: list[Outcome] = []
    for name in names:
        session.diagnostics.waiting(f"namespace {name} …")
        try:
            with session.engine(session.options.within(name)) as engine:
                outcomes.append(Outcome(name, session.work(engine, partial(job, engine))))
        except S3DashError as error:
            outcomes.append(Outcome(name, error=error))
            if isinstance(error, Cancelled):
                break
    return outcomes


def _write(out: Output, outcomes: Sequence[Outcome], write: Write) -> None:
    for number, outcome in enumerate(outcomes):
        if number:
            out.line()
        out.line(Cell(outcome.namespace, "strong"))
        if outcome.result is not None:
            write(out, outcome.result)
        if outcome.error is not None:
            out.line(Cell(outcome.error.message, "bad"))
            if outcome.error.hint:
                out.line(Cell(outcome.error.hint, "dim"))
