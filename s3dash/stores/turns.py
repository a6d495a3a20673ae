"""Requests side by side, their answers in turn: bounded in number and in bytes."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import islice
from typing import TypeVar

from s3dash.objectstore.threads import Threads

T = TypeVar("T")
R = TypeVar("R")

READS = 16
"""Values that are read at a time where no settings say how many."""

MOST_BYTES = 64 << 20
"""Bytes of bodies that are on their way at once; one that is larger goes alone."""


def in_turn(
    items: Iterable[T],
    do: Callable[[T], R],
    *,
    at_a_time: int,
    check: Callable[[], None],
    weight: Callable[[T], int] = lambda _: 0,
    wanted: Callable[[R], bool] = lambda _: True,
    enough: int = 0,
) -> Iterator[R]:
    """What `do` answers for each item, in their order, `at_a_time` of them on their way.

    Answers that are not `wanted` are left out, and it ends when there are `enough` (0: never): no
    more is begun than could be needed. `weight` is bytes. `check` may raise before each item, as
    a cancel does; the first failure ends it, after what was begun has ended.
    """

    def heeded(item: T) -> R:
        check()
        return do(item)

    source = iter(items)
    told = 0
    begun: deque[tuple[int, Future[R]]] = deque()
    pool = Threads(at_a_time, thread_name_prefix="s3dash-store")
    try:
        while not enough or told < enough:
            check()
            room = min(at_a_time, enough - told) if enough else at_a_time
            while len(begun) < room and sum(heavy for heavy, _ in begun) < MOST_BYTES:
                if not (item := list(islice(source, 1))):
                    break
                begun.append((weight(item[0]), pool.submit(heeded, item[0])))
            if not begun:
                return
            answer = begun.popleft()[1].result()
            if wanted(answer):
                told += 1
                yield answer
    finally:
        pool.shutdown(cancel_futures=True)
