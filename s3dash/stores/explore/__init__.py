"""What a bucket holds, to be looked at: as files, as keys or as blobs."""
