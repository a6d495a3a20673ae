"""Many small jobs side by side: what `each` is like when it is left half way."""

import queue
import threading

from s3dash.core.cancel import CancelToken
from s3dash.engine.jobs import each


def test_one_that_was_left_half_way_may_be_closed_by_a_thread_of_its_own() -> None:
    """The collector runs wherever it is due."""
    left = threading.Event()
    told: queue.Queue[BaseException | None] = queue.Queue()

    def work(number: int) -> int:
        if number:
            left.wait()
            try:
                jobs.close()
            except RuntimeError as error:
                told.put(error)
            else:
                told.put(None)
        return number

    jobs = each(work, (0, 1), workers=1, cancel=CancelToken())
    assert next(jobs) == (0, 0)
    left.set()
    assert told.get() is None
