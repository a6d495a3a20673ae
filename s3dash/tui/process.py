"""The edges of the process: signals in, engines out."""

import asyncio
import logging
import resource
import signal
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from s3dash.engine.api import EngineApi

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
GRACE_S = 5.0
"""How long engines may take to release their locks after the terminal was given back."""


@contextmanager
def listening(on_signal: Callable[[str], None]) -> Iterator[None]:
    """Call `on_signal` in the loop with the name of a signal that asks the process to end.

    What stood there before is put back. Outside the main thread there are no signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in SIGNALS}
    for number in SIGNALS:
        loop.add_signal_handler(number, on_signal, signal.Signals(number).name)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)


@contextmanager
def sealed(on_failure: Callable[[BaseException], object]) -> Iterator[None]:
    """Nothing but the screen writes to the terminal, and no text of an exception reaches it.

    `on_failure` is called, in whatever thread it happens, with what a thread of ours or of a
    library ended with. Warnings and logs of libraries go nowhere, and no memory is dumped.
    """

    def in_thread(ended: threading.ExceptHookArgs) -> None:
        if ended.exc_value is not None and not isinstance(ended.exc_value, SystemExit):
            on_failure(ended.exc_value)

    def nowhere(_: object) -> None:
        """Told while something was thrown away: nothing can be done, and it may hold anything."""

    before = threading.excepthook, sys.unraisablehook
    threading.excepthook, sys.unraisablehook = in_thread, nowhere
    logging.getLogger().addHandler(logging.NullHandler())
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        threading.excepthook, sys.unraisablehook = before


def stop_all(engines: Sequence[EngineApi], *, grace_s: float = GRACE_S) -> None:
    """Stop all engines side by side; those that hang are left behind after `grace_s` seconds."""
    threads = [threading.Thread(target=engine.stop, daemon=True) for engine in engines]
    for thread in threads:
        thread.start()
    until = time.monotonic() + grace_s
    for thread in threads:
        thread.join(max(0.0, until - time.monotonic()))
