"""How much of a whole a sample is: `200` of them, or `5%`. Pure."""

import math
import re

from s3dash.errors import UsageError

_SAMPLE = re.compile(r"([0-9]{1,9})|([0-9]{1,3}(?:\.[0-9]{1,6})?) ?%")


def sample_size(text: str, total: int) -> int:
    """How many of `total` are meant; a share is rounded up. Raises UsageError for what is none."""
    match = _SAMPLE.fullmatch(text.strip())
    if match is None or (match[2] and float(match[2]) > 100):
        raise UsageError(f"{text} is no sample", hint="a number like 200, or a share like 5%")
    if match[1]:
        return min(int(match[1]), total)
    return min(math.ceil(total * float(match[2]) / 100), total)
