"""What a key of the screen is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One command. `name` is what a remapping refers to; `footer` orders the key bar, 0 hides.

    `about` says more than `text` and puts the command into the palette. `writes` marks what
    changes the bucket or the cache, and so cannot be where one may only look.
    """

    name: str
    keys: str
    action: str
    text: str
    footer: int = 0
    shown: str = ""
    priority: bool = False
    about: str = ""
    writes: bool = False
