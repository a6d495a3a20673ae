"""Many small requests, some of them at the same time."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from typing import TypeVar

from s3dash.core.cancel import CancelToken
from s3dash.objectstore.threads import Threads

T = TypeVar("T")
R = TypeVar("R")


def each(
    do: Callable[[T], R], items: Iterable[T], *, ways: int, cancel: CancelToken
) -> Iterator[R]:
    """What `do` makes of each, in order; at most `ways` at a time, and as many wait.

    The first failure is raised once what runs has ended; what was not begun is not.
    """

    def heeded(item: T) -> R:
        cancel.check()
        return do(item)

    with Threads(ways, thread_name_prefix="s3dash-files") as pool:
        waiting: deque[Future[R]] = deque()
        try:
            for item in items:
                cancel.check()
                waiting.append(pool.submit(heeded, item))
                if len(waiting) >= 2 * ways:
                    yield waiting.popleft().result()
            while waiting:
                yield waiting.popleft().result()
        finally:
            for one in waiting:
                one.cancel()
