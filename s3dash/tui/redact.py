"""What may be said of an error that nobody expected: its type and place, never its values."""

import traceback
from pathlib import Path

from s3dash.errors import S3DashError
from s3dash.tui.format import safe


def told(error: BaseException) -> str:
    """One line. Errors of ours carry no secrets; of others neither text nor locals are shown."""
    if isinstance(error, S3DashError):
        return safe(f"{error.message}  {error.hint}".rstrip())
    frames = traceback.extract_tb(error.__traceback__)
    place = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"unexpected {type(error).__name__}{place}"


def report(error: BaseException) -> str:
    """Some lines: the error and the places it came through, without any value."""
    frames = traceback.extract_tb(error.__traceback__)
    lines = [f"s3dash: {told(error)}"]
    lines += [f"  {Path(f.filename).name}:{f.lineno} in {f.name}" for f in frames]
    return "\n".join(lines)
