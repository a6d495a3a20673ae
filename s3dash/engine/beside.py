"""Two questions at a time, where neither waits for the other's answer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from s3dash.engine.context import Context
from s3dash.objectstore.threads import Threads

T = TypeVar("T")


@contextmanager
def beside(ctx: Context, call: Callable[[], T]) -> Iterator[Callable[[], T]]:
    """`call` runs while the block does. What is yielded waits for its answer, once, or raises its
    error; the error of an answer that nobody asks for is dropped. However the block is left, the
    call is over then.

    Who is configured to send one thing at a time gets that: then it runs when it is asked for.
    """
    if ctx.settings.push_concurrency == 1:
        yield call
        return
    with Threads(1, thread_name_prefix="s3dash-beside") as pool:
        yield pool.submit(call).result
