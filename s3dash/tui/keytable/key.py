"""What a key of the screen is."""

import msgspec


class Key(msgspec.Struct, frozen=True, kw_only=True):
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
