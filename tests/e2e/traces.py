"""What a run left behind on the machine."""

import os
from pathlib import Path


def processes_below(directory: Path) -> list[str]:
    """Processes whose command line or environment names the directory."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            told = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue
        if str(directory).encode() in told and entry.name != str(os.getpid()):
            found.append(entry.name)
    return found
