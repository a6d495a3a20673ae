"""Blobs by what they hash to."""
