"""What may be said of an error that nobody expected: its type and place, never its values."""

import traceback
from pathlib import Path

from s3dash.errors import S3DashError
from s3dash.tui.format import safe


class Fell(Exception):
    """Stands for an error that must not show itself."""


def told(error: BaseException) -> str:
    """One line. Errors of ours carry no secrets; of others neither text nor locals are shown."""
    if isinstance(error, S3DashError):
        return safe(f"{error.message}  {error.hint}".rstrip())
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{place}"


CHAIN = 5
HINT = (
    "This is a bug in s3dash. Locks were released, and nothing half done is used.\n"
    "No value stands above: these lines, and those of `s3dash --version`, can be reported as\n"
    "they are."
)


def report(error: BaseException) -> str:
    """Some lines: the error, what led to it, and the places, without any value."""
    lines = [f"s3dash: {told(error)}", *_places(error)]
    seen = {id(error)}
    for _ in range(CHAIN):
        before = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
        if before is None or id(before) in seen:
            break
        seen.add(id(before))
        lines += [f"  after {type(before).__name__}", *_places(before)]
        error = before
    return "\n".join([*lines, "", HINT])


def _places(error: BaseException) -> list[str]:
    frames = traceback.extract_tb(error.__traceback__)
    return [f"  {Path(f.filename).name}:{f.lineno} in {f.name}" for f in frames]
