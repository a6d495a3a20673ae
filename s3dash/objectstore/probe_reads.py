"""Proofs 4, 7, 11, 12, 15 and 16: whether what is read and listed can be believed."""

import hashlib
import time
from datetime import UTC, datetime, timedelta

from s3dash.objectstore.probe_base import (
    FENCED,
    NO_ENDPOINT,
    Broken,
    Probe,
    body_of,
    exists,
    need,
    outcome,
    seconds,
)
from s3dash.objectstore.probe_locks import NO_SUCH_ETAG

SKEW = timedelta(minutes=5)
SAME_CLOCK = timedelta(seconds=5)
MOVES_S, STEP_S = 4.0, 0.3
PAGE_OF = 2
MD5_OF_FIRST = hashlib.md5(b"first", usedforsecurity=False).hexdigest()


def read_after_write(probe: Probe) -> str:
    """Probe 4: what was written is read and listed at once, what was deleted is gone."""
    key, store = probe.key("fresh"), probe.store
    for body in (b"one", b"two, longer"):
        etag = probe.write(key, body)
        need(body_of(store, key) == body, "a read after a write gives other bytes")
        listed = {i.key: i for i in store.list(key)}
        need(key in listed, "a listing after a write lacks the key")
        need(listed[key].size == len(body), "a listing after a write has an old size")
        need(listed[key].etag == etag, "a listing after a write has another ETag")
    probe.remove(key)
    need(not exists(store, key), "a deleted object can still be read")
    need(not any(i.key == key for i in store.list(key)), "a deleted object is still listed")
    return "reads and listings follow writes and deletes at once"


def dated(probe: Probe) -> str:
    """Probe 7: answers are dated, and LastModified is the same clock."""
    key, store = probe.key("clock"), probe.store
    probe.write(key, b"when?")
    found = store.head(key)
    sent, modified = found.server_time, found.last_modified
    if sent is None or modified is None:
        missing = "no Date in answers" if sent is None else "no LastModified on objects"
        raise Broken(f"there is {missing}")
    apart = abs(sent - modified)
    need(apart < SAME_CLOCK, f"Date and LastModified are {seconds(apart)} apart")
    skew = abs(sent - datetime.now(UTC))
    return f"dated, {seconds(skew)} from this machine's clock"


def server_clock(probe: Probe) -> str:
    """Probe 7, all of it: the clocks agree well enough to sign, and LastModified moves."""
    seen, store, key = dated(probe), probe.store, probe.key("clock")
    found = store.head(key)
    sent, modified = found.server_time, found.last_modified
    if sent is None or modified is None:
        raise Broken("a HEAD carries no times")
    skew = abs(sent - datetime.now(UTC))
    need(skew < SKEW, f"the clocks are {seconds(skew)} apart: such requests can be refused")
    need(_moves(probe, key, modified), "LastModified stays when an object is written again")
    return f"{seen}, LastModified moves"


def _moves(probe: Probe, key: str, before: datetime) -> bool:
    """Whether writing again, a little later, is seen in LastModified."""
    end = time.monotonic() + MOVES_S
    while time.monotonic() < end:
        probe.stopped.wait(STEP_S)
        probe.check()
        probe.write(key, b"again")
        now = probe.store.head(key).last_modified
        if now is not None and now > before:
            return True
    return False


def listing(probe: Probe) -> str:
    """Probe 16: the body of a listing is one, whatever the status says."""
    examination = probe.examination
    if examination is None:
        return NO_ENDPOINT
    body = examination.raw_listing(probe.root)
    need(b"<ListBucketResult" in body[:1024], "the answer to a listing is no ListBucketResult")
    need(b"<IsTruncated>" in body, "a listing does not say whether it goes on")
    return "the body is a ListBucketResult, and says whether it goes on"


def paging(probe: Probe) -> str:
    """Probe 11: a listing is whole, without repeats, over many pages, and can be resumed."""
    store, root = probe.store, probe.root + "list/"
    keys = [probe.key(f"list/{name}") for name in ("a-b", "a/b", "a0", "b", "c d+e")]
    for key in keys:
        probe.write(key, b"x")
    listed = [i.key for i in store.list(root)]
    need(len(listed) == len(set(listed)), "a key is listed twice")
    need(sorted(listed) == sorted(keys), f"{len(listed)} of {len(keys)} keys are listed")
    rest = [i.key for i in store.list(root, start_after=listed[1])]
    need(rest == listed[2:], "a listing that goes on after a key does not give the rest")
    pages = _paged(probe, root, listed)
    order = "key" if listed == sorted(keys) else "path segment, not by key"
    return f"complete, no repeats, {pages}sorted by {order}"


def _paged(probe: Probe, root: str, listed: list[str]) -> str:
    examination = probe.examination
    if examination is None:
        return ""
    pages = examination.pages(root, size=PAGE_OF)
    together = [key for page in pages for key in page]
    need(len(pages) > 1, "a listing of a few keys comes at once, though fewer were asked for")
    need(together == listed, f"{len(pages)} pages give {len(together)} of {len(listed)} keys")
    return f"over {len(pages)} pages, "


def ranges(probe: Probe) -> str:
    """Probe 12: a range gives those bytes, of the version that was asked for."""
    key, store = probe.key("range"), probe.store
    etag = probe.write(key, b"0123456789")
    part = store.get_range(key, start=2, length=3, if_match=etag)
    need(part == b"234", f"bytes 2 to 4 of 0123456789 are {part!r}")
    stale = outcome(lambda: store.get_range(key, start=2, length=3, if_match=NO_SUCH_ETAG))
    need(stale == "refused", f"GET If-Match with an old ETag is {stale}: it must be refused")
    return "ranges and If-Match are honoured"


def etags(probe: Probe) -> str:
    """Probe 15: an ETag is the same in every answer, is strong, and moves with the bytes."""
    examination = probe.examination
    if examination is None:
        return NO_ENDPOINT
    if probe.fenced:
        return FENCED
    key = probe.key("etag")
    first = examination.raw_tags(key, b"first")
    forms = {first.put, first.head, first.get, first.listed}
    need("" not in forms, "an answer names no ETag")
    weak = sum(form.startswith("W/") for form in forms)
    need(not weak, "an ETag is weak (W/): no If-Match can hold; something rewrites the answers")
    need(len({form.strip('"') for form in forms}) == 1, "PUT, HEAD, GET and LIST name others")
    again = examination.raw_tags(key, b"other")
    need(again.head != first.head, "other bytes have the same ETag")
    joined = examination.put_in_parts(probe.key("etag-parts"), b"first")
    said = [
        "quoted" if first.head.startswith('"') else "without quotes",
        "MD5" if first.head.strip('"') == MD5_OF_FIRST else "not MD5",
        f"in parts …-{joined.rpartition('-')[2]}" if "-" in joined else "in parts without -N",
    ]
    return ", ".join(said) + (f", encrypted ({first.sse})" if first.sse else "")
