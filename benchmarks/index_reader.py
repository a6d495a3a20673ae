"""Reads a large index in a process of its own, and says what it took: a child of `big_index`.

The order comes as one line of JSON: `endpoint`, `bucket`, `access_key_id`, `secret_access_key` and
`home`, a directory for cache and state. The answer is a line too: seconds, requests, peak memory.
Each further line asks to read again, in the same process, and the end of the input ends it.
"""

import json
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from s3dash.core.keys import Keys
from s3dash.core.settings import Credentials, Datastore
from s3dash.engine.remote import READERS, IndexReader
from s3dash.local.state import State
from s3dash.objectstore.opening import open_store

T = TypeVar("T")


def main() -> None:
    order = json.loads(sys.stdin.readline())
    home = Path(order["home"])
    settings = Datastore(
        name="big",
        bucket=order["bucket"],
        cache=home / "cache",
        state_dir=home / "state",
        region="us-east-1",
        endpoint=order["endpoint"],
        force_path_style=True,
        request_timeout_ms=30_000,
    )
    keys = Credentials(order["access_key_id"], order["secret_access_key"])
    store, began = open_store(settings, keys), time.perf_counter()
    state = State(home / "state" / "big.sqlite")
    reader = IndexReader(store, Keys(), shelf=state, readers=READERS)
    opened = time.perf_counter() - began
    while True:
        before = store.usage.requests
        took, index = timed(reader.load)
        asked = store.usage.requests - before
        listing, _ = timed(lambda: list(store.list(Keys().index_dir)))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
        answer = {
            "entries": len(index.entries),
            "open_s": opened,
            "load_s": took,
            "listing_s": listing,
            "requests": asked,
            "peak_mb": peak,
        }
        print(json.dumps(answer), flush=True)
        if not sys.stdin.readline():
            break
    fresh = {k: (d.etag, d.body) for k, d in reader.docs().items()}
    kept = state.doc_etags()
    state.save_docs({k: d for k, d in fresh.items() if kept.get(k) != d[0]})
    state.close()
    store.close()


def timed(work: Callable[[], T]) -> tuple[float, T]:
    start = time.perf_counter()
    found = work()
    return time.perf_counter() - start, found


if __name__ == "__main__":
    main()
