"""`UPath("s3dash://bucket/key")`, for universal-pathlib."""

from upath import UPath


class S3DashPath(UPath):
    """A path in a bucket; storage options as of `S3DashFileSystem`."""

    __slots__ = ()
