"""A pool of threads that belongs to the span in which it is given work."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, TypeVar

from s3dash.tracing import carried

T = TypeVar("T")


class Threads(ThreadPoolExecutor):
    """Requests that its threads send are children of the span that is open here."""

    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> Future[T]:
        return super().submit(carried(fn), *args, **kwargs)
