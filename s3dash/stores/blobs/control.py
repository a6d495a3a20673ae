"""Where a store of blobs keeps what is no blob: below the datastore's prefix, beside the blobs."""

from s3dash.core.paths import CONTROL_DIR

PLACE = f"{CONTROL_DIR}/s3dash/"
LOCK = f"{PLACE}blobs-gc.lock"
"""Held by a collection: one at a time, and puts of old blobs look for it."""
MIGRATED = f"{PLACE}blobs-migrated.json"
"""Written into a target once every blob of a source is there, read back and compared."""
