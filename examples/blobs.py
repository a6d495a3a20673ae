"""Blobs in a bucket: named by their digest, verified whenever they are read, collected in the end.

Run it with a configuration that holds a datastore of kind `blobs`:

    python examples/blobs.py --config s3dash.toml
"""

import argparse
import tempfile
from pathlib import Path

from s3dash.errors import Integrity
from s3dash.stores.blobs.gc import collect
from s3dash.stores.blobs.scrub import scrub
from s3dash.stores.blobs.store import BlobStore
from s3dash.stores.configured import open_configured


def main() -> None:
    parser = argparse.ArgumentParser(description="Blobs in a bucket.")
    parser.add_argument("--config", type=Path, help="the configuration of s3dash")
    parser.add_argument("--datastore", help="its datastore, else the first one")
    given = parser.parse_args()

    opened = open_configured("blobs", given.datastore, config=given.config)
    store = BlobStore(opened, prefix="example/blobs")  # nothing else in the bucket is touched

    # A blob is named by its own digest; what is there already is not sent again.
    hello = store.put(b"hello world")
    print(hello.integrity[:20], hello.outcome, store.put(b"hello world").outcome)
    print(store[hello.integrity], store.get("sha512-" + "A" * 86 + "=="))

    # What is put must be what its name promises.
    try:
        store.put(b"hello worle", hello.integrity)
    except Integrity as error:
        print("refused:", error.actual[:20])

    # Files of any size, a piece at a time; nothing is handed out before all of it is verified.
    with tempfile.TemporaryDirectory() as scratch:
        path = Path(scratch) / "big"
        path.write_bytes(b"big" * 5_000_000)
        big = store.put_file(path, algorithm="sha256")
        with store.open(big.integrity) as file:
            print(big.size, file.read(6))

    # Read all of them again, then delete what no manifest names.
    print(scrub(store).verified, "verified")
    kept = collect(store, lambda: [hello.integrity], grace_s=0)
    print(kept.retained, "kept,", kept.deleted, "deleted:", hello.integrity in store)

    store.delete(hello.integrity)
    opened.store.close()


if __name__ == "__main__":
    main()
