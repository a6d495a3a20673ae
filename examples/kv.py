"""Keys and values in a bucket: put, get, batches, queries, blocks that verify themselves.

Run it with a configuration that holds a datastore of kind `keys`:

    python examples/kv.py --config s3dash.toml
"""

import argparse
from pathlib import Path

from s3dash.stores.configured import open_configured
from s3dash.stores.kv import ipfs
from s3dash.stores.kv.datastore import Datastore
from s3dash.stores.kv.mount import Mount
from s3dash.stores.kv.namespace import Namespace
from s3dash.stores.kv.query import ByKey, KeyIs, Query


def main() -> None:
    parser = argparse.ArgumentParser(description="Keys and values in a bucket.")
    parser.add_argument("--config", type=Path, help="the configuration of s3dash")
    parser.add_argument("--datastore", help="its datastore, else the first one")
    given = parser.parse_args()

    whole = Datastore(open_configured("keys", given.datastore, config=given.config))
    with Namespace(whole, "/example") as store:  # nothing else in the bucket is touched
        # A datastore is a mapping of keys to bytes.
        store["/people/ada"] = b"countess"
        store["/people/grace"] = b"rear admiral"
        print(store["/people/ada"], "/people/alan" in store, store.get("/people/alan", b"?"))

        # A batch goes as one: nothing is there before its end.
        with store.batch() as batch:
            for number in range(100):
                batch.put(f"/squares/{number:02}", str(number**2).encode())

        # Only what is asked for is read.
        query = Query(prefix="/squares", filters=[KeyIs(">", "/squares/89")], orders=[ByKey()])
        print(query)
        print([int(entry.body) for entry in store.query(query)])

        # Blocks of IPFS are named by their hash; a part of the datastore holds them.
        world = Mount({"/": store, "/blocks": Namespace(store, "/ipfs")})
        key = f"/blocks/{ipfs.block_key(b'hello')}"
        world.put(key, b"hello")
        ipfs.verify(key, world.get(key))
        print(key, sum(1 for _ in world))

        store.clear()


if __name__ == "__main__":
    main()
