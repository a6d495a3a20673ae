"""What stands between us and the endpoint, told apart by what the user can do about it."""

from typing import Literal

import msgspec

TroubleKind = Literal["offline", "denied", "expired", "missing", "failing"]
"""No answer; a permission lacks; credentials ran out; no bucket; it answers with failures."""


class Trouble(msgspec.Struct, frozen=True):
    """`action` is what was refused (`s3:GetObject`) and `resource` where (`bucket/key`).

    Both are empty where it is not a matter of permissions. `hint` is what helps, or empty.
    """

    kind: TroubleKind
    text: str
    action: str = ""
    resource: str = ""
    hint: str = ""


class LastCommit(msgspec.Struct, frozen=True):
    """The latest commit of the datastore: its ISO time, and who made it; empty: not known."""

    at: str = ""
    by: str = ""
