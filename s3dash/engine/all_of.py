"""Many small requests side by side, all of which have to succeed."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from s3dash.engine.context import Context
from s3dash.engine.jobs import each
from s3dash.errors import S3DashError

T = TypeVar("T")
R = TypeVar("R")


def all_of(
    ctx: Context, work: Callable[[T], R], jobs: Iterable[T], *, name: str
) -> list[tuple[T, R]]:
    """Every job with its answer, in any order. Raises the first error, and Cancelled."""
    done: list[tuple[T, R]] = []
    workers = ctx.settings.push_concurrency
    for job, answer in each(work, jobs, workers=workers, cancel=ctx.cancel, name=name):
        if isinstance(answer, S3DashError):
            raise answer
        done.append((job, answer))
    ctx.cancel.check()
    return done
