"""Conformance suites to subclass: any datastore, filesystem or blob store can be held to them."""
