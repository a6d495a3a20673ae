"""Whether the blocks in a datastore are what their keys say."""

from collections.abc import Iterator
from contextlib import closing

import msgspec

from s3dash.core.cancel import CancelToken
from s3dash.errors import Integrity, NotFound
from s3dash.stores.kv import ipfs
from s3dash.stores.kv.contract import KeyStore
from s3dash.stores.kv.query import Entry, Query
from s3dash.stores.turns import READS, in_turn


class Verdict(msgspec.Struct, frozen=True):
    """Of one key: `ok`, None where nothing can be said; `reason` is why, or what is wrong."""

    key: str
    size: int
    ok: bool | None
    reason: str = ""


def verified(
    store: KeyStore, prefix: str = "", *, cancel: CancelToken | None = None
) -> Iterator[Verdict]:
    """A verdict on every key below `prefix`, as they are listed; only blocks are read.

    What goes away meanwhile gets none. Raises what the store raises.
    """

    def judge(entry: Entry) -> Verdict | None:
        if not ipfs.is_block_key(entry.key):
            return Verdict(entry.key, entry.size, None, "the name is no block's")
        try:
            return _verdict(entry.key, store.read(entry.key))
        except NotFound:
            return None

    with closing(store.query(Query(prefix=prefix, keys_only=True))) as keys:
        yield from (
            verdict
            for verdict in in_turn(
                keys,
                judge,
                at_a_time=READS,
                check=(cancel or CancelToken()).check,
                weight=lambda entry: entry.size,
            )
            if verdict is not None
        )


def _verdict(key: str, body: bytes) -> Verdict:
    try:
        ipfs.verify(key, body)
    except Integrity as error:
        return Verdict(key, len(body), False, error.message)
    except ValueError as error:
        return Verdict(key, len(body), None, str(error))
    return Verdict(key, len(body), True)
