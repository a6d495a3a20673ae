"""The stores of the contract suite, for the Explorer too."""

from tests.contract.conftest import backend, buckets, store

__all__ = ["backend", "buckets", "store"]
