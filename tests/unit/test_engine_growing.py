"""The collector of cycles rests while somebody makes many objects, and only then."""

import gc
from threading import Event, Thread

from s3dash.engine.growing import growing


def test_it_rests_until_the_last_is_out() -> None:
    assert gc.isenabled()
    inside, leave = Event(), Event()

    def other() -> None:
        with growing():
            inside.set()
            leave.wait()

    thread = Thread(target=other)
    with growing():
        assert not gc.isenabled()
        thread.start()
        inside.wait()
    assert not gc.isenabled()
    leave.set()
    thread.join()
    assert gc.isenabled()


def test_where_it_was_off_it_stays_off() -> None:
    gc.disable()
    try:
        with growing():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()
