"""The screen and the command line on a cache that another process owns."""
