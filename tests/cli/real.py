"""The command line with its real services, in this process."""

import io
import os
from pathlib import Path

from s3dash.cli.main import run
from tests.cli.fakes import Done


def plain_run(
    *arguments: str, environ: dict[str, str] | None = None, cwd: Path | None = None
) -> Done:
    """Run it as the shell would, with streams that are no terminal."""
    out, err = io.StringIO(), io.StringIO()
    given = dict(os.environ) if environ is None else environ
    code = run(arguments, stdout=out, stderr=err, environ=given, cwd=cwd)
    return Done(code, out.getvalue(), err.getvalue())
